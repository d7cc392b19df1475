//! C's string functions on byte strings, as far as the formats that are read
//! need them.

use memchr::{memchr, memrchr};

/// The bytes before the first NUL, or all of them.
#[must_use]
pub fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr(0, bytes).unwrap_or(bytes.len())]
}

/// What follows the last `/`: the file's name without its directory.
#[must_use]
pub fn base_name(path: &[u8]) -> &[u8] {
    memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

/// The directory with its final `/`, and the name: `("drivers/", "x.o")`.
#[must_use]
pub fn split_path(path: &[u8]) -> (&[u8], &[u8]) {
    path.split_at(memrchr(b'/', path).map_or(0, |slash| slash + 1))
}

/// The name of the file in which kbuild records how `target` was made:
/// `dir/.name.cmd`.
#[must_use]
pub fn cmd_file(target: &[u8]) -> Vec<u8> {
    let (dir, base) = split_path(target);
    [dir, b".", base, b".cmd"].concat()
}

/// isspace(3) in the C locale.
#[must_use]
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// strtoul(3) on this host, whose `unsigned long` has a pointer's size as on all that
/// Linux runs on: the value, saturating, and what follows the number. Nothing is consumed
/// where there is no number.
#[must_use]
pub fn strtoul(bytes: &[u8], base: u32) -> (usize, &[u8]) {
    let mut rest = bytes;
    while rest.first().is_some_and(|&b| is_space(b)) {
        rest = &rest[1..];
    }
    let negative = rest.first() == Some(&b'-');
    if matches!(rest.first(), Some(b'-' | b'+')) {
        rest = &rest[1..];
    }
    let hex = matches!(rest, [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit());
    let base = match base {
        0 if hex => 16,
        0 if rest.first() == Some(&b'0') => 8,
        0 => 10,
        base => base,
    };
    if base == 16 && hex {
        rest = &rest[2..];
    }
    let digits = rest.iter().take_while(|&&b| char::from(b).is_digit(base)).count();
    if digits == 0 {
        return (0, bytes);
    }
    let mut value = Some(0usize);
    for &digit in &rest[..digits] {
        let digit = char::from(digit).to_digit(base).unwrap_or_default() as usize;
        value = value.and_then(|v| v.checked_mul(base as usize)?.checked_add(digit));
    }
    let value = match value {
        None => usize::MAX,
        Some(value) if negative => value.wrapping_neg(),
        Some(value) => value,
    };
    (value, &rest[digits..])
}

/// Whether `name` matches `pattern`, in which `*` matches any bytes. This
/// is all of fnmatch(3) that modpost's patterns use (`scripts/mod/modpost.c`,
/// 6.1), and gives the same answers as the simpler matcher of 5.15 and before
/// for a pattern with a star at its ends alone.
#[must_use]
pub fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let Some(star) = memchr(b'*', pattern) else {
        return pattern == name;
    };
    let (head, mut pattern) = (&pattern[..star], &pattern[star + 1..]);
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    while let Some(star) = memchr(b'*', pattern) {
        let (part, rest) = (&pattern[..star], &pattern[star + 1..]);
        let Some(at) = memchr::memmem::find(name, part) else {
            return false;
        };
        name = &name[at + part.len()..];
        pattern = rest;
    }
    name.ends_with(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glob_is_fnmatch_for_stars() {
        for (pattern, name, expected) in [
            (".text", ".text", true),
            (".text", ".text.x", false),
            (".text.*", ".text.x", true),
            (".text.*", ".text.", true),
            (".text.*", ".text", false),
            ("*driver", "my_driver", true),
            ("*driver", "driver", true),
            ("*driver", "my_driver2", false),
            ("*.constprop.*", "f.constprop.0", true),
            ("*.constprop.*", "f.constprop", false),
            ("a*a", "a", false),
            ("a*b*c", "a1b2b3c", true),
            ("", "", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn strtoul_as_in_c() {
        assert_eq!(strtoul(b"0x1fz", 16), (0x1f, &b"z"[..]));
        assert_eq!(strtoul(b"0x", 16), (0, &b"x"[..]));
        assert_eq!(strtoul(b" -1", 16), (usize::MAX, &b""[..]));
        assert_eq!(strtoul(b"", 16), (0, &b""[..]));
        assert_eq!(strtoul(b"xyz", 16), (0, &b"xyz"[..]));
        assert_eq!(strtoul(b"017 ", 0), (15, &b" "[..]));
        assert_eq!(strtoul(b"11111111111111111", 16), (usize::MAX, &b""[..]));
        let large = usize::try_from(0x1_2345_6789_u64).unwrap_or(usize::MAX);
        assert_eq!(strtoul(b"123456789", 16), (large, &b""[..]));
    }

    #[test]
    fn cmd_file_lies_beside() {
        assert_eq!(cmd_file(b"a/b.o"), b"a/.b.o.cmd");
        assert_eq!(cmd_file(b"b.o"), b".b.o.cmd");
    }
}

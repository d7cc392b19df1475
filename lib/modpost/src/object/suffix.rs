//! The part of a symbol's name that counts.

use crate::dialect::Dialect;

/// `.foo` is looked up as `foo`: on PowerPC64, the one is the code of what
/// the other describes.
#[must_use]
pub(super) fn lookup_key(name: &[u8]) -> &[u8] {
    name.strip_prefix(b".").unwrap_or(name)
}

/// The name without a numeric suffix that the compiler gave it, and without
/// what link time optimisation adds. `dot` is where its first dot is.
#[must_use]
pub(super) fn without_suffix<'a>(name: &'a [u8], dot: Option<usize>, dialect: &Dialect) -> &'a [u8] {
    let Some(dot) = dot.filter(|&dot| dot > 0) else {
        return name;
    };
    let after = &name[dot + 1..];
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let numbered = dialect.numeric_suffix && digits > 0 && matches!(after.get(digits), None | Some(b'.'));
    without_stage(if numbered { &name[..dot] } else { name }, dialect)
}

/// A symbol's or an object's name without the stage of link time
/// optimisation.
#[must_use]
pub(super) fn without_stage<'a>(name: &'a [u8], dialect: &Dialect) -> &'a [u8] {
    let stages = [(dialect.lto_suffix, ".lto"), (dialect.prelink_suffix, ".prelink")];
    let rest = |(cut, stage): (bool, &str)| name.strip_suffix(stage.as_bytes()).filter(|_| cut);
    stages.into_iter().find_map(rest).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

    fn kept<'a>(name: &'a str, dialect: &Dialect) -> &'a [u8] {
        without_suffix(name.as_bytes(), name.find('.'), dialect)
    }

    #[test]
    fn suffixes_that_go() {
        for (name, in_5_15, in_6_1) in [
            ("f", "f", "f"),
            ("f.12", "f", "f"),
            ("f.12.34", "f", "f"),
            ("f.12.cold", "f", "f"),
            ("f.12x", "f.12x", "f.12x"),
            ("f.isra.0", "f.isra.0", "f.isra.0"),
            ("f.", "f.", "f."),
            (".LC0", ".LC0", ".LC0"),
            (".1", ".1", ".1"),
            ("f.lto", "f", "f.lto"),
            ("f.1.lto", "f", "f"),
        ] {
            for (version, expected) in [(Version::new(5, 15, 100), in_5_15), (Version::new(6, 1, 176), in_6_1)] {
                let dialect = Dialect::new(version);
                assert_eq!(kept(name, &dialect), expected.as_bytes(), "{name} {version}");
            }
        }
    }

    #[test]
    fn what_a_release_cuts() {
        for (name, version, expected) in [
            ("f.12", Version::new(5, 10, 121), "f.12"),
            ("f.12", Version::new(5, 10, 122), "f"),
            ("f.12.lto", Version::new(5, 17, 0), "f.12"),
            ("f.12.prelink", Version::new(5, 18, 3), "f.12"),
            ("f.12.prelink", Version::new(5, 18, 4), "f"),
            ("f.prelink", Version::new(5, 19, 0), "f.prelink"),
        ] {
            let dialect = Dialect::new(version);
            assert_eq!(kept(name, &dialect), expected.as_bytes(), "{name} {version}");
        }
    }
}

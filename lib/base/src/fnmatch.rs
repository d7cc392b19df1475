//! fnmatch(3) without flags in the C locale, by which kmod matches patterns.

/// Whether a name matches a pattern: `*` matches any bytes, `?` one,
/// `[…]` one of a set, `[!…]` or `[^…]` one that is not in a set, and a backslash
/// makes the byte that follows it match itself.
#[must_use]
pub fn fnmatch(pattern: &[u8], name: &[u8]) -> bool {
    // Where to go on if what follows the last star doesn't match here.
    let mut retry: Option<(&[u8], &[u8])> = None;
    let (mut pattern, mut name) = (pattern, name);
    loop {
        if let Some(rest) = pattern.strip_prefix(b"*") {
            (pattern, retry) = (rest, Some((rest, name)));
            continue;
        }
        let step = match (pattern.is_empty(), name.split_first()) {
            (true, None) => return true,
            (true, Some(_)) => None,
            // Nothing is left that another star could begin with.
            (false, None) => return false,
            (false, Some((&byte, after))) => one(pattern, byte).map(|rest| (rest, after)),
        };
        if let Some(next) = step {
            (pattern, name) = next;
        } else if let Some((rest, at)) = retry.filter(|(_, at)| !at.is_empty()) {
            (pattern, name) = (rest, &at[1..]);
            retry = Some((rest, name));
        } else {
            return false;
        }
    }
}

/// Whether a name that begins like this could match a pattern.
#[must_use]
pub fn may_begin(pattern: &[u8], start: &[u8]) -> bool {
    let (mut pattern, mut start) = (pattern, start);
    loop {
        (pattern, start) = match (pattern.first(), start.split_first()) {
            // A star takes all of it, and what follows takes what isn't known.
            (Some(b'*'), _) | (_, None) => return true,
            (_, Some((&byte, after))) => match one(pattern, byte) {
                Some(rest) => (rest, after),
                None => return false,
            },
        };
    }
}

/// What is left of a pattern after its first element, which is no star, if a
/// byte matches that.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', set @ ..] => match bracket(set, byte) {
            Some((matches, rest)) => matches.then_some(rest),
            // Without an end, it matches itself.
            None => (byte == b'[').then_some(set),
        },
        // One at the end matches nothing.
        [b'\\'] => None,
        [b'\\', plain, rest @ ..] | [plain, rest @ ..] => (*plain == byte).then_some(rest),
        [] => None,
    }
}

/// Whether a set has a byte, and what follows the set; `None` if it has no end.
fn bracket(set: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let negated = matches!(set, [b'!' | b'^', ..]);
    let mut rest = if negated { &set[1..] } else { set };
    let mut found = false;
    let mut first = true;
    loop {
        // A bracket that comes first is one of the set.
        if let ([b']', after @ ..], false) = (rest, first) {
            return Some((found != negated, after));
        }
        first = false;
        let (low, after) = element(rest)?;
        let (high, after) = match after {
            [b'-', end @ ..] if !matches!(end, [b']', ..]) => element(end)?,
            _ => (low, after),
        };
        found |= (low..=high).contains(&byte);
        rest = after;
    }
}

fn element(set: &[u8]) -> Option<(u8, &[u8])> {
    match set {
        [b'\\', plain, rest @ ..] | [plain, rest @ ..] => Some((*plain, rest)),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{fnmatch, may_begin};

    #[test]
    fn patterns_of_modules() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*a*b*", "xaxbx", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("usb:v1d01[0-3]*", "usb:v1d0123", true),
            ("usb:v1d01[0-3]*", "usb:v1d0143", false),
            ("[0-9A-F]", "C", true),
            ("[!0-9]", "5", false),
            ("[^0-9]", "a", true),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("pci:v00008086d*sv*sd*bc02sc00i*", "pci:v00008086d00001533sv00008086sd00000001bc02sc00i00", true),
            ("pci:v00008086d*sv*sd*bc02sc00i*", "pci:v00008086d00001533sv00008086sd00000001bc03sc00i00", false),
            ("a/*", "a/b/c", true),
        ] {
            assert_eq!(fnmatch(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn names_of_which_the_end_is_not_known() {
        for (pattern, start, expected) in [
            ("pci:v00008086d000010D3sv*", "pci:v00008086d000010D3", true),
            ("pci:v00008086d000010D3sv*", "pci:v00008086d0000153", false),
            ("pci:v*d*", "pci:v00008086d000010D3", true),
            ("pci:v0000", "pci:v00008086", false),
            ("usb:v1d01[0-3]*", "usb:v1d012", true),
            ("usb:v1d01[0-3]*", "usb:v1d014", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(may_begin(pattern.as_bytes(), start.as_bytes()), expected, "{pattern} {start}");
        }
    }

    /// As many stars as one likes take no more than pattern times name.
    #[test]
    fn many_stars_are_no_trap() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!fnmatch(pattern.as_bytes(), &[b'a'; 4000]));
    }
}

//! Which symbols' names are meaningful.

use crate::dialect::Dialect;

/// Empty names say nothing, labels belong to the tools, and ARM's mapping
/// symbols (`$a`, `$t.1`) mark what kind of code follows.
pub(super) fn is_usable(name: &[u8], dialect: &Dialect) -> bool {
    let is_label = || dialect.tools_symbols_ignored && (name.starts_with(b".L") || name.starts_with(b"L0"));
    let is_mapping = || match name {
        [b'$', ..] if dialect.dollar_symbols_ignored => true,
        [b'$', b'a' | b'd' | b't' | b'x'] | [b'$', b'a' | b'd' | b't' | b'x', b'.', ..] => true,
        _ => false,
    };
    !name.is_empty() && !is_label() && !is_mapping()
}

#[cfg(test)]
mod tests {
    use kernel::Version;

    use super::*;

    #[test]
    fn usable_names() {
        let [v5_15, v6_5, v6_6] = [(5, 15), (6, 5), (6, 6)].map(|(a, b)| Dialect::new(Version::new(a, b, 0)));
        for (name, in_5_15, in_6_5, in_6_6) in [
            ("", false, false, false),
            ("f", true, true, true),
            ("$a", false, false, false),
            ("$x.7", false, false, false),
            ("$ab", true, true, false),
            ("$c", true, true, false),
            (".L1", true, false, false),
            ("L0", true, false, false),
        ] {
            let usable = [&v5_15, &v6_5, &v6_6].map(|dialect| is_usable(name.as_bytes(), dialect));
            assert_eq!(usable, [in_5_15, in_6_5, in_6_6], "{name}");
        }
    }
}

//! `modules.alias`: a line `alias PATTERN MODULE` for each alias of each
//! module (`output_aliases()` in depmod.c).

use base::fnmatch::{fnmatch, may_begin};
use base::textfile;
use memchr::{memchr, memrchr};

use crate::normalized;

/// An alias of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// What a modalias is matched with.
    pub pattern: Vec<u8>,
    /// The module's name.
    pub module: Vec<u8>,
    /// The module is built into the kernel.
    pub is_builtin: bool,
}

impl Alias {
    /// How many `*` are in the pattern: the fewer, the closer the match.
    #[must_use]
    pub fn wildcards(&self) -> usize {
        self.pattern.iter().filter(|&&byte| byte == b'*').count()
    }
}

/// Reads a `modules.alias`. Lines of another form, such as comments, are
/// passed over.
pub fn parse(text: &[u8]) -> impl Iterator<Item = Alias> {
    textfile::lines(text).filter_map(|line| {
        let rest = line.strip_prefix(b"alias ")?;
        // A module's name has no space; a pattern may.
        let space = memrchr(b' ', rest)?;
        let (pattern, module) = (rest[..space].to_vec(), rest[space + 1..].to_vec());
        Some(Alias { pattern, module, is_builtin: false })
    })
}

/// Reads a `modules.builtin.modinfo`: strings `MODULE.alias=PATTERN` and of
/// other tags, each ended by a NUL.
pub fn parse_builtin(modinfo: &[u8]) -> impl Iterator<Item = Alias> {
    modinfo.split(|&byte| byte == 0).filter_map(|string| {
        let dot = memchr(b'.', string)?;
        let (module, rest) = (string[..dot].to_vec(), &string[dot + 1..]);
        let pattern = rest.strip_prefix(b"alias=")?.to_vec();
        Some(Alias { pattern, module, is_builtin: true })
    })
}

/// The aliases that a modalias matches, those with the fewest wildcards first,
/// and of these the first in the list. One may end in a star: then these are
/// the aliases that one with this beginning could match.
#[must_use]
pub fn matching<'a>(aliases: &'a [Alias], modalias: &[u8]) -> Vec<&'a Alias> {
    let modalias = normalized(modalias);
    let fits = |alias: &&Alias| match modalias.strip_suffix(b"*") {
        Some(start) => may_begin(&normalized(&alias.pattern), start),
        None => fnmatch(&normalized(&alias.pattern), &modalias),
    };
    let mut found: Vec<&Alias> = aliases.iter().filter(fits).collect();
    found.sort_by_key(|alias| alias.wildcards());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_modules_alias() {
        let text = b"# Aliases extracted from modules themselves.\nalias of:N*T*Cx y a_b\nalias x\n\nalias pci:* c\n";
        let alias =
            |pattern: &str, module: &str| Alias { pattern: pattern.into(), module: module.into(), is_builtin: false };
        assert_eq!(parse(text).collect::<Vec<_>>(), [alias("of:N*T*Cx y", "a_b"), alias("pci:*", "c")]);
    }

    #[test]
    fn builtin_modules() {
        let modinfo = b"vfio_pci.alias=vfio_pci:v*\0vfio_pci.license=GPL\0a.parm=b.alias=c\0";
        let found: Vec<_> = parse_builtin(modinfo).collect();
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].pattern[..], found[0].is_builtin), (&b"vfio_pci:v*"[..], true));
    }

    #[test]
    fn the_closest_comes_first() {
        let text = b"alias a:* first\nalias a:b* second\nalias a:b-c third\nalias a:*c* fourth\nalias *:b* fifth\nalias b:* sixth\n";
        let aliases: Vec<_> = parse(text).collect();
        let found: Vec<_> = matching(&aliases, b"a:b_c").into_iter().map(|alias| &alias.module[..]).collect();
        assert_eq!(found, [&b"third"[..], b"first", b"second", b"fourth", b"fifth"]);
        let found: Vec<_> = matching(&aliases, b"a:b-*").into_iter().map(|alias| &alias.module[..]).collect();
        assert_eq!(found, [&b"third"[..], b"first", b"second", b"fourth", b"fifth"]);
    }
}

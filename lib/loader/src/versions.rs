//! The versions of symbols that a module was built with: CRCs, by name.

use crate::image::Image;
use crate::machine;

/// The size of an entry of `__versions` in all kernels but vendors': a CRC in a word, and
/// a name (`MODULE_NAME_LEN` and the word are 64 bytes).
const ENTRY: usize = 64;

/// What a module says of a symbol's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// The module has no versions at all.
    Nowhere,
    /// It has versions, but none of this symbol.
    Missing {
        /// It has extended ones, of which one may be missing.
        is_extended: bool,
    },
    /// Its CRC.
    Crc(u32),
}

/// What a module says of a symbol's version.
pub(crate) fn of(image: &Image, symbol: &[u8]) -> Version {
    let found = |crc: Option<u32>, is_extended| crc.map_or(Version::Missing { is_extended }, Version::Crc);
    let native = image.native();
    if let Some((crcs, names)) = image.extended_versions() {
        let at = names
            .split(|&byte| byte == 0)
            .take(crcs.len() / 4)
            .position(|name| machine::plain(native.machine, name) == symbol);
        return found(at.and_then(|at| native.u32(crcs, at * 4)), true);
    }
    let Some(versions) = image.versions() else { return Version::Nowhere };
    let word = if native.is_64 { 8 } else { 4 };
    // The CRC is the word's lower half.
    let place = if native.is_64 && !native.is_little { 4 } else { 0 };
    let is_it = |name: &[u8]| {
        machine::plain(native.machine, name).strip_prefix(symbol).is_some_and(|rest| matches!(rest, [] | [0, ..]))
    };
    let entry = versions.chunks_exact(ENTRY).find(|entry| is_it(&entry[word..]));
    found(entry.and_then(|entry| native.u32(entry, place)), false)
}

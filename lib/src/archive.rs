//! Modules as distributions ship them: plain or compressed, told apart by
//! content, not by name.

use std::io::{self, Read};
use std::path::Path;

use crate::elf::Source;

/// Magic numbers: RFC 1952, the .xz file format 1.0.4, RFC 8878.
const GZIP: &[u8] = b"\x1f\x8b";
const XZ: &[u8] = b"\xfd7zXZ\0";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// Opens an object, decompressing it if need be.
///
/// # Errors
/// Those of [`Source::open`], and of a compressed file that is damaged.
pub fn open(path: &Path) -> io::Result<Source> {
    let source = Source::open(path)?;
    let mut magic = Vec::new();
    let decompressed = if !source.read_exact(0, XZ.len() as u64, &mut magic) {
        None
    } else if magic.starts_with(GZIP) {
        Some(read(flate2::read::MultiGzDecoder::new(std::fs::File::open(path)?))?)
    } else if magic.starts_with(XZ) {
        Some(read(liblzma::read::XzDecoder::new_multi_decoder(std::fs::File::open(path)?))?)
    } else if magic.starts_with(ZSTD) {
        Some(read(zstd::stream::read::Decoder::new(std::fs::File::open(path)?)?)?)
    } else {
        None
    };
    Ok(decompressed.map_or(source, Source::Memory))
}

fn read(mut decoder: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes)?;
    Ok(bytes)
}

//! Modules as distributions ship them: plain or compressed, told apart by
//! content, not by name.

use std::io::{self, Read};
use std::path::Path;

use elf::Source;

/// Magic numbers: RFC 1952, the .xz file format 1.0.4, RFC 8878.
const GZIP: &[u8] = b"\x1f\x8b";
const XZ: &[u8] = b"\xfd7zXZ\0";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The ELF gABI's.
const ELF: &[u8] = b"\x7fELF";

/// The size of the largest object that is decompressed. The largest modules,
/// graphics drivers with all debugging information, have less than half of it.
const LARGEST: u64 = 1 << 30;

/// Opens an object, decompressing it if need be.
///
/// # Errors
/// Those of [`Source::open`], and of a compressed file that is damaged, or
/// holds more than any module.
pub fn open(path: &Path) -> io::Result<Source> {
    let source = Source::open(path)?;
    let mut magic = Vec::new();
    source.read_exact(0, XZ.len() as u64, &mut magic);
    source.check()?;
    let decompressed = if magic.starts_with(GZIP) {
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

/// Decompresses an object. If its first bytes aren't ELF's, the rest isn't
/// decompressed.
fn read(mut decoder: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.by_ref().take(ELF.len() as u64).read_to_end(&mut bytes)?;
    if bytes == ELF {
        decoder.by_ref().take(LARGEST - ELF.len() as u64).read_to_end(&mut bytes)?;
        if decoder.read(&mut [0])? > 0 {
            return Err(io::Error::other(format!("decompresses to more than {} MiB: no module", LARGEST >> 20)));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Endless zeros after some bytes.
    fn endless(start: &[u8]) -> impl Read {
        start.chain(io::repeat(0))
    }

    #[test]
    fn what_is_no_object_is_not_decompressed() {
        assert_eq!(read(endless(b"\x7fELX")).ok(), Some(b"\x7fELX".to_vec()));
        assert_eq!(read(&b"\x7fE"[..]).ok(), Some(b"\x7fE".to_vec()));
        assert_eq!(read(&b"\x7fELF and more"[..]).ok(), Some(b"\x7fELF and more".to_vec()));
    }

    #[test]
    fn an_object_without_end_is_refused() {
        let error = read(endless(ELF)).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("decompresses to more than 1024 MiB: no module"));
    }
}

//! Modules as distributions ship them: plain or compressed, told apart by
//! content, not by name.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::{error, fmt};

use base::message::strerror;
use base::read_buffer::ReadBuffer;
use base::regular;
use elf::Source;

use crate::limits;

/// Magic numbers: RFC 1952, the .xz file format 1.0.4, RFC 8878.
const GZIP: &[u8] = b"\x1f\x8b";
const XZ: &[u8] = b"\xfd7zXZ\0";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The ELF gABI's.
const ELF: &[u8] = b"\x7fELF";

/// The size of the largest object that is decompressed. The largest modules,
/// graphics drivers with all debugging information, have less than half of it.
const LARGEST: u64 = 1 << 30;

/// Why a module can't be opened.
#[derive(Debug)]
pub enum Error {
    /// The system says no.
    Io(io::Error),
    /// It is a directory.
    Directory,
    /// It is empty.
    Empty,
    /// Data of this format end too early.
    Truncated(&'static str),
    /// Data of this format are corrupted.
    Corrupted(&'static str),
    /// It holds more than any module.
    TooLarge,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&strerror(error)),
            Self::Directory => f.write_str("is a directory"),
            Self::Empty => f.write_str("is empty"),
            Self::Truncated(format) => write!(f, "truncated {format} data"),
            Self::Corrupted(format) => write!(f, "corrupted {format} data"),
            Self::TooLarge => write!(f, "decompresses to more than {} MiB: no module", LARGEST >> 20),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::IsADirectory { Self::Directory } else { Self::Io(error) }
    }
}

/// Opens a file that can hold an object.
fn open_file(path: &Path) -> Result<File, Error> {
    let file = regular::open_limited(path, limits::OBJECT)?;
    if file.metadata()?.len() == 0 { Err(Error::Empty) } else { Ok(file) }
}

/// Opens an object, decompressing it if need be.
///
/// # Errors
/// If it can't be read, is no regular file or empty, if it is larger than any module, or
/// if a compressed file is damaged or holds more than any module.
pub fn open(path: &Path) -> Result<Source, Error> {
    let file = open_file(path)?;
    // Both handles have one position, which reading a source leaves alone.
    let compressed = file.try_clone()?;
    let source = Source::of(file)?;
    let mut magic = Vec::new();
    source.read_exact(0, XZ.len() as u64, &mut magic);
    source.check().map_err(io::Error::from)?;
    let mut object = Vec::new();
    let is_compressed = decompress(&magic, || Ok(compressed), &mut object)?;
    Ok(if is_compressed { Source::Memory(object) } else { source })
}

/// Memory for whole objects, which is kept from one to the next.
#[derive(Debug, Default)]
pub struct Memory {
    file: ReadBuffer,
    object: Vec<u8>,
}

impl Memory {
    /// Reads an object, decompressing it if need be.
    ///
    /// # Errors
    /// As for [`open`].
    pub fn read(&mut self, path: &Path) -> Result<&[u8], Error> {
        self.file.read(&open_file(path)?)?;
        let file = &self.file[..];
        let is_compressed = decompress(file, || Ok(file), &mut self.object)?;
        Ok(if is_compressed { &self.object } else { file })
    }
}

/// Whether what was opened is an ELF object.
///
/// # Errors
/// If it can't be read.
pub fn is_elf(source: &Source) -> elf::Result<bool> {
    let mut magic = Vec::new();
    let is_read = source.read_exact(0, ELF.len() as u64, &mut magic);
    source.check()?;
    Ok(is_read && magic == ELF)
}

/// Replaces `object` by what is compressed, told by its first bytes; `false` if it isn't.
fn decompress<R: Read>(
    magic: &[u8],
    compressed: impl FnOnce() -> Result<R, Error>,
    object: &mut Vec<u8>,
) -> Result<bool, Error> {
    object.clear();
    if magic.starts_with(GZIP) {
        read("gzip", flate2::read::MultiGzDecoder::new(compressed()?), object)?;
    } else if magic.starts_with(XZ) {
        read("xz", liblzma::read::XzDecoder::new_multi_decoder(compressed()?), object)?;
    } else if magic.starts_with(ZSTD) {
        read("zstd", zstd::stream::read::Decoder::new(compressed()?)?, object)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Reads what a decoder says into `bytes`, which is empty. If its first bytes aren't
/// ELF's, the rest isn't decompressed.
fn read(format: &'static str, mut decoder: impl Read, bytes: &mut Vec<u8>) -> Result<(), Error> {
    let damaged = |error: io::Error| match (error.kind(), error.raw_os_error()) {
        (_, Some(_)) => Error::Io(error),
        (ErrorKind::UnexpectedEof, _) => Error::Truncated(format),
        _ => Error::Corrupted(format),
    };
    decoder.by_ref().take(ELF.len() as u64).read_to_end(bytes).map_err(damaged)?;
    if bytes == ELF {
        decoder.by_ref().take(LARGEST - ELF.len() as u64).read_to_end(bytes).map_err(damaged)?;
        if decoder.read(&mut [0]).map_err(damaged)? > 0 {
            return Err(Error::TooLarge);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Endless zeros after some bytes.
    fn endless(start: &[u8]) -> impl Read {
        start.chain(io::repeat(0))
    }

    fn whole(decoder: impl Read) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        read("xz", decoder, &mut bytes).map(|()| bytes)
    }

    #[test]
    fn what_is_no_object_is_not_decompressed() {
        assert_eq!(whole(endless(b"\x7fELX")).ok(), Some(b"\x7fELX".to_vec()));
        assert_eq!(whole(&b"\x7fE"[..]).ok(), Some(b"\x7fE".to_vec()));
        assert_eq!(whole(&b"\x7fELF and more"[..]).ok(), Some(b"\x7fELF and more".to_vec()));
    }

    #[test]
    fn an_object_without_end_is_refused() {
        let error = whole(endless(ELF)).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("decompresses to more than 1024 MiB: no module"));
    }
}

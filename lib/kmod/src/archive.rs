//! Modules as distributions ship them: plain or compressed, told apart by
//! content, not by name.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{error, fmt};

use base::message::strerror;
use base::read_buffer::{ReadBuffer, no_memory};
use base::regular;
use elf::Source;
use flate2::read::{GzDecoder, MultiGzDecoder};
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use crate::limits;

/// Magic numbers: RFC 1952, the .xz file format 1.0.4, RFC 8878.
const GZIP: &[u8] = b"\x1f\x8b";
const XZ: &[u8] = b"\xfd7zXZ\0";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The ELF gABI's.
const ELF: &[u8] = b"\x7fELF";

/// What a module may decompress to: the largest, a graphics driver, has 19 million bytes
/// in kernel 6.1 and grows with each kernel.
const MODULE: u64 = 256 << 20;
/// With all debugging information such a driver has less than half of this.
const MODULE_WITH_DEBUGGING: u64 = 1 << 30;
/// How many times as large as its file a module may be: `test_bpf.ko` is 118 times as
/// large, and others up to 10 times, which is what counts for one with debugging
/// information.
const RATIO: u64 = 1000;
const RATIO_WITH_DEBUGGING: u64 = 64;
/// Any module may have so much.
const ANY_MODULE: u64 = 1 << 20;

/// The memory that a decoder may take for itself. A dictionary of 128 MiB, the largest
/// that kernels' build uses, fits into it, for xz and for zstd.
const XZ_MEMORY: u64 = 192 << 20;
const ZSTD_WINDOW_LOG: u32 = 27;

/// An object of more bytes waits until no other worker has such an object, so that
/// memory doesn't grow with the number of processors.
const SHARED: u64 = 64 << 20;

/// The first step of an output in bytes. Later steps double it.
const FIRST: u64 = 1 << 16;

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
    /// It decompresses to more than this limit, in bytes.
    TooLarge(u64),
    /// Data of this format can't be decompressed without a lot of memory.
    Demanding(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&strerror(error)),
            Self::Directory => f.write_str("is a directory"),
            Self::Empty => f.write_str("is empty"),
            Self::Truncated(format) => write!(f, "truncated {format} data"),
            Self::Corrupted(format) => write!(f, "corrupted {format} data"),
            Self::TooLarge(limit) => {
                write!(f, "decompresses to more than {} MiB, the limit for such a file", limit >> 20)
            }
            Self::Demanding(format) => {
                write!(f, "{format} data that take more than {} MiB to decompress", XZ_MEMORY >> 20)
            }
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

/// Opens a file that can hold an object. Returns its size in bytes, too.
fn open_file(path: &Path) -> Result<(File, u64), Error> {
    let file = regular::open_limited(path, limits::OBJECT)?;
    match file.metadata()?.len() {
        0 => Err(Error::Empty),
        size => Ok((file, size)),
    }
}

/// The right to have a large object in memory.
#[derive(Debug)]
struct Turn(#[expect(dead_code, reason = "is held until it is dropped")] MutexGuard<'static, ()>);

impl Turn {
    /// Waits until no other worker has the turn. A worker that has it waits for nothing
    /// else, so this can't be a deadlock.
    fn take() -> Self {
        static LARGE: Mutex<()> = Mutex::new(());
        Self(LARGE.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An object that was opened. If it is large, others wait until it is dropped.
#[derive(Debug)]
pub struct Opened {
    source: Source,
    _turn: Option<Turn>,
}

impl Deref for Opened {
    type Target = Source;

    fn deref(&self) -> &Source {
        &self.source
    }
}

/// Opens an object, decompressing it if need be.
///
/// # Errors
/// It returns an error if the file can't be read, is no regular file, is empty or larger
/// than any module, or if compressed data are damaged or hold more than any module.
pub fn open(path: &Path) -> Result<Opened, Error> {
    let (file, size) = open_file(path)?;
    // Both handles have one position, which reading a source leaves alone.
    let compressed = file.try_clone()?;
    let source = Source::of(file)?;
    let mut magic = Vec::new();
    source.read_exact(0, XZ.len() as u64, &mut magic);
    source.check().map_err(io::Error::from)?;
    let Some(format) = Format::of(&magic) else { return Ok(Opened { source, _turn: None }) };
    let (mut object, mut turn) = (Vec::new(), None);
    read_object(format, compressed, size, &mut object, &mut turn)?;
    Ok(Opened { source: Source::Memory(object), _turn: turn })
}

/// Memory for whole objects, which is kept from one to the next, unless they are large.
#[derive(Debug, Default)]
pub struct Memory {
    file: ReadBuffer,
    object: Vec<u8>,
}

/// An object that was read into memory. If it is large, others wait until it is dropped.
#[derive(Debug)]
pub struct Object<'m> {
    memory: &'m mut Memory,
    is_compressed: bool,
    turn: Option<Turn>,
}

impl Deref for Object<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.is_compressed { &self.memory.object } else { &self.memory.file }
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        if self.turn.is_some() {
            // Before the next has its turn.
            *self.memory = Memory::default();
        }
    }
}

impl Memory {
    /// Reads an object, decompressing it if need be.
    ///
    /// # Errors
    /// As for [`open`].
    pub fn read(&mut self, path: &Path) -> Result<Object<'_>, Error> {
        let (opened, size) = open_file(path)?;
        let turn = (size > SHARED).then(Turn::take);
        let mut read = Object { memory: self, is_compressed: false, turn };
        let Memory { file, object } = &mut *read.memory;
        file.read(&opened)?;
        if let Some(format) = Format::of(file) {
            object.clear();
            read_object(format, &file[..], file.len() as u64, object, &mut read.turn)?;
            read.is_compressed = true;
        }
        Ok(read)
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

/// A format of compressed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Gzip,
    Xz,
    Zstd,
}

/// The compressed streams, or zstd's frames, that are read from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// The first one. Anything may follow it.
    One,
    /// All. Nothing else follows them.
    All,
}

impl Format {
    /// The format of a file that begins with these bytes; `None` if it isn't compressed.
    fn of(bytes: &[u8]) -> Option<Self> {
        let formats = [(GZIP, Self::Gzip), (XZ, Self::Xz), (ZSTD, Self::Zstd)];
        formats.into_iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, format)| format)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    fn decoder<'r>(self, compressed: impl Read + 'r, streams: Streams) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match (self, streams) {
            (Self::Gzip, Streams::All) => Box::new(MultiGzDecoder::new(compressed)),
            (Self::Gzip, Streams::One) => Box::new(GzDecoder::new(compressed)),
            (Self::Xz, _) => {
                let flags = if streams == Streams::All { CONCATENATED } else { 0 };
                Box::new(XzDecoder::new_stream(compressed, Stream::new_stream_decoder(XZ_MEMORY, flags)?))
            }
            (Self::Zstd, _) => {
                let mut decoder = zstd::stream::read::Decoder::new(compressed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(if streams == Streams::One { decoder.single_frame() } else { decoder })
            }
        })
    }

    /// Whether a decoder had too little memory.
    fn lacks_memory(self, error: &io::Error) -> bool {
        use liblzma::stream::Error::{Mem, MemLimit};
        match self {
            Self::Gzip => false,
            Self::Xz => matches!(error.get_ref().and_then(|error| error.downcast_ref()), Some(Mem | MemLimit)),
            // The error is nothing but a text.
            Self::Zstd => error.to_string().contains("too much memory"),
        }
    }

    /// Why data can't be decompressed.
    fn error(self, error: io::Error) -> Error {
        match (error.kind(), error.raw_os_error()) {
            (_, Some(_)) => Error::Io(error),
            (ErrorKind::UnexpectedEof, _) => Error::Truncated(self.name()),
            _ if self.lacks_memory(&error) => Error::Demanding(self.name()),
            _ => Error::Corrupted(self.name()),
        }
    }
}

/// Adds all that a decoder gives to `bytes`, unless that gets larger than the limit. With
/// a turn, it is taken when much memory is needed.
fn fill(
    format: Format,
    decoder: &mut dyn Read,
    limit: u64,
    bytes: &mut Vec<u8>,
    mut turn: Option<&mut Option<Turn>>,
) -> Result<(), Error> {
    loop {
        let size = bytes.len() as u64;
        let step = size.max(FIRST).min(limit.saturating_sub(size));
        if step == 0 {
            let more = decoder.read(&mut [0]).map_err(|error| format.error(error))?;
            return if more > 0 { Err(Error::TooLarge(limit)) } else { Ok(()) };
        }
        if let Some(turn) = turn.as_mut().filter(|turn| turn.is_none() && size + step > SHARED) {
            **turn = Some(Turn::take());
        }
        bytes.try_reserve_exact(usize::try_from(step).unwrap_or(usize::MAX)).map_err(|_| no_memory())?;
        let read = decoder.take(step).read_to_end(bytes).map_err(|error| format.error(error))?;
        if (read as u64) < step {
            return Ok(());
        }
    }
}

/// The limit of a module, by the size of its compressed file.
fn limit_of_module(compressed: u64) -> u64 {
    let usual = compressed.saturating_mul(RATIO).clamp(ANY_MODULE, MODULE);
    usual.max(compressed.saturating_mul(RATIO_WITH_DEBUGGING).min(MODULE_WITH_DEBUGGING))
}

/// Reads a compressed object into `object`, which is empty. If its first bytes aren't
/// ELF's, the rest isn't decompressed.
fn read_object(
    format: Format,
    compressed: impl Read,
    size: u64,
    object: &mut Vec<u8>,
    turn: &mut Option<Turn>,
) -> Result<(), Error> {
    let mut decoder = format.decoder(compressed, Streams::All)?;
    let start = decoder.by_ref().take(ELF.len() as u64).read_to_end(object);
    start.map_err(|error| format.error(error))?;
    if object == ELF { fill(format, &mut *decoder, limit_of_module(size), object, Some(turn)) } else { Ok(()) }
}

/// Decompresses a text or an image; `None` if it isn't compressed.
///
/// # Errors
/// If the data are damaged, or decompress to more than the limit.
pub fn unpack(compressed: &[u8], streams: Streams, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(format) = Format::of(compressed) else { return Ok(None) };
    let mut bytes = Vec::new();
    fill(format, &mut *format.decoder(compressed, streams)?, limit, &mut bytes, None)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [Format; 3] = [Format::Gzip, Format::Xz, Format::Zstd];

    /// Compresses bytes and the zeros that follow them.
    fn packed(format: Format, start: &[u8], zeros: u64) -> Vec<u8> {
        let mut from = start.chain(io::repeat(0).take(zeros));
        let mut to = Vec::new();
        let copied = match format {
            Format::Gzip => {
                io::copy(&mut from, &mut flate2::write::GzEncoder::new(&mut to, flate2::Compression::fast()))
            }
            Format::Xz => io::copy(&mut liblzma::read::XzEncoder::new(from, 1), &mut to),
            Format::Zstd => zstd::stream::copy_encode(from, &mut to, 1).map(|()| start.len() as u64 + zeros),
        };
        copied.expect("compressed data");
        to
    }

    /// An object as [`Memory`] and [`open`] have it: its size, or the error.
    fn read(file: &[u8]) -> [Result<u64, String>; 2] {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("m.ko");
        std::fs::write(&path, file).expect("a file");
        let text = |error: Error| error.to_string();
        let in_memory = Memory::default().read(&path).map(|object| object.len() as u64).map_err(text);
        [in_memory, open(&path).map(|source| source.size()).map_err(text)]
    }

    #[test]
    fn what_is_no_object_is_not_decompressed() {
        for format in FORMATS {
            assert_eq!(read(&packed(format, b"\x7fELX", 1 << 20)), [Ok(4), Ok(4)], "{format:?}");
            assert_eq!(read(&packed(format, b"\x7fE", 0)), [Ok(2), Ok(2)], "{format:?}");
            assert_eq!(read(&packed(format, b"\x7fELF and more", 1000)), [Ok(1013), Ok(1013)], "{format:?}");
        }
    }

    #[test]
    fn objects_that_are_much_larger_than_their_files() {
        for format in FORMATS {
            let file = packed(format, ELF, 32 << 20);
            let limit = limit_of_module(file.len() as u64);
            // gzip can't do more than a thousand times.
            if limit >= 32 << 20 {
                assert_eq!((format, read(&file)), (Format::Gzip, [Ok((32 << 20) + 4), Ok((32 << 20) + 4)]));
                continue;
            }
            let error = Err(format!("decompresses to more than {} MiB, the limit for such a file", limit >> 20));
            assert_eq!(read(&file), [error.clone(), error], "{format:?}");
            // Several streams count as one.
            let several = packed(format, ELF, 500_000).repeat(10);
            let limit = limit_of_module(several.len() as u64);
            assert!(limit < 5_000_000, "{format:?}: {limit}");
            assert!(read(&several)[0].is_err(), "{format:?}");
        }
    }

    #[test]
    fn limits_of_modules() {
        for (compressed, limit) in [
            (0, 1 << 20),
            (2000, 2_000_000),
            // The largest of 6.1.
            (2_868_384, 256 << 20),
            // With debugging information.
            (16 << 20, 1 << 30),
            (u64::MAX, 1 << 30),
        ] {
            assert_eq!(limit_of_module(compressed), limit, "{compressed}");
        }
    }

    #[test]
    fn texts_have_limits() {
        for format in FORMATS {
            let once = packed(format, b"text", 100_000);
            let twice = once.repeat(2);
            let size = |bytes: &[u8], streams, limit| match unpack(bytes, streams, limit) {
                Ok(text) => text.map(|text| text.len()).ok_or_else(String::new),
                Err(error) => Err(error.to_string()),
            };
            let too_large = || Err("decompresses to more than 0 MiB, the limit for such a file".to_owned());
            assert_eq!(size(&once, Streams::All, 100_004), Ok(100_004), "{format:?}");
            assert_eq!(size(&once, Streams::All, 100_003), too_large(), "{format:?}");
            assert_eq!(size(&twice, Streams::All, 200_008), Ok(200_008), "{format:?}");
            assert_eq!(size(&twice, Streams::All, 200_007), too_large(), "{format:?}");
            assert_eq!(size(&twice, Streams::One, 200_007), Ok(100_004), "{format:?}");
            let truncated = unpack(&once[..once.len() - 9], Streams::All, 1 << 20).map_err(|error| error.to_string());
            assert_eq!(truncated, Err(format!("truncated {} data", format.name())));
        }
        assert!(unpack(b"text", Streams::All, 1).is_ok_and(|text| text.is_none()));
    }

    #[test]
    fn decoders_that_want_much_memory() {
        // A frame with a window of 2 GiB, and nothing in it.
        let zstd = [ZSTD, &[0, 21 << 3, 1, 0, 0]].concat();
        let mut filters = liblzma::stream::Filters::new();
        let mut options = liblzma::stream::LzmaOptions::new_preset(0).expect("options");
        options.dict_size(1 << 30);
        filters.lzma2(&options);
        let mut xz = Vec::new();
        let stream = Stream::new_stream_encoder(&filters, liblzma::stream::Check::None).expect("an encoder");
        io::copy(&mut liblzma::read::XzEncoder::new_stream(&b"text"[..], stream), &mut xz).expect("data");
        for (format, data) in [("zstd", zstd), ("xz", xz)] {
            let error = unpack(&data, Streams::All, 1 << 20).map_err(|error| error.to_string());
            assert_eq!(error, Err(format!("{format} data that take more than 192 MiB to decompress")));
        }
    }

    /// A worker with a large object waits for another one that has one.
    #[test]
    fn one_large_object_at_a_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("m.ko");
        File::create(&path).and_then(|file| file.set_len(SHARED + 1)).expect("a file");
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut memory = Memory::default();
        std::thread::scope(|scope| {
            let object = memory.read(&path).expect("an object");
            scope.spawn(|| {
                let mut memory = Memory::default();
                let size = memory.read(&path).map(|object| object.len());
                let _ = sender.send((size.ok(), memory.file.len()));
            });
            let early = receiver.recv_timeout(std::time::Duration::from_millis(100));
            assert!(early.is_err(), "two large objects");
            drop(object);
            let late = receiver.recv_timeout(std::time::Duration::from_secs(60));
            assert_eq!(late.ok(), Some((usize::try_from(SHARED + 1).ok(), 0)));
        });
    }
}

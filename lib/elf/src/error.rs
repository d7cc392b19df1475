//! What keeps an object from being read.

use std::error::Error;
use std::{fmt, io};

use base::message::strerror;

use crate::SectionIndex;

/// An object that breaks the gABI in a way for which the original has no
/// message: what is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub what: &'static str,
    /// The section in which it is wrong, 0 for the headers.
    pub section: SectionIndex,
    /// Where in that section, or in the file for the headers.
    pub offset: u64,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (section {}, offset {})", self.what, self.section.0, self.offset)
    }
}

impl Error for Malformed {}

/// The system couldn't read an object's file.
#[derive(Debug)]
pub struct ReadError {
    /// Where in the file.
    pub offset: u64,
    /// Why: what read(2) says, or that the file has become shorter.
    pub error: io::Error,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, error } = self;
        match error.kind() {
            io::ErrorKind::UnexpectedEof => write!(f, "shorter than when it was opened (offset {offset})"),
            _ => write!(f, "{} (offset {offset})", strerror(error)),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// Why an object can't be read.
#[derive(Debug)]
pub enum ParseError {
    /// The system can't read it.
    Unreadable(ReadError),
    /// No message of the original's fits.
    Malformed(Malformed),
    /// `EI_DATA` is neither byte order.
    UnknownByteOrder,
    /// `e_type` is not `ET_REL`.
    NotRelocatable,
    /// `e_shoff` lies beyond the file's end.
    SectionHeadersBeyondEnd {
        /// `e_shoff`.
        offset: u64,
        /// The file's size.
        size: u64,
    },
    /// A section's `sh_offset` lies beyond the file's end.
    Truncated {
        /// `sh_offset`.
        offset: u64,
        /// The size of an ELF header of the object's class.
        header_size: usize,
    },
    /// `.modinfo` occupies no space.
    NobitsModinfo,
    /// There is no section of type `SHT_SYMTAB`.
    NoSymtab,
    /// The section of type `SHT_SYMTAB_SHNDX` belongs to another table.
    BadShndxLink {
        /// Its `sh_link`.
        link: u32,
        /// The symbol table's section.
        symtab: u32,
    },
}

impl From<ReadError> for ParseError {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Malformed> for ParseError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::UnknownByteOrder => write!(f, "neither little- nor big-endian"),
            Self::NotRelocatable => write!(f, "no relocatable object"),
            Self::SectionHeadersBeyondEnd { offset, size } => {
                write!(f, "section headers at {offset} of {size} bytes")
            }
            Self::Truncated { offset, .. } => write!(f, "a section at {offset}, beyond the end of the file"),
            Self::NobitsModinfo => write!(f, ".modinfo occupies no space"),
            Self::NoSymtab => write!(f, "no symbol table"),
            Self::BadShndxLink { link, symtab } => {
                write!(f, "section numbers for the symbol table {link}, which is {symtab}")
            }
        }
    }
}

impl Error for ParseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::Malformed(malformed) => Some(malformed),
            _ => None,
        }
    }
}

pub(crate) const fn malformed(what: &'static str, section: SectionIndex, offset: u64) -> Malformed {
    Malformed { what, section, offset }
}

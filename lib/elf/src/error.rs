//! What keeps an object from being read.

use std::{error, fmt, io};

use base::message::strerror;

use crate::SectionIndex;

/// Why an object can't be read.
#[derive(Debug)]
pub enum Error {
    /// The system can't read its file.
    Unreadable {
        /// Where in the file.
        offset: u64,
        /// Why: what read(2) says, or that the file has become shorter.
        error: io::Error,
    },
    /// It breaks the gABI in a way for which the original has no message.
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// The section in which it is wrong, 0 for the headers.
        section: SectionIndex,
        /// Where in that section, or in the file for the headers.
        offset: u64,
    },
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

/// What reading an object gives.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An object that breaks the gABI: what is wrong, and where.
    #[must_use]
    pub const fn malformed(what: &'static str, section: SectionIndex, offset: u64) -> Self {
        Self::Malformed { what, section, offset }
    }

    /// The same, if the object is malformed, found at another place.
    #[must_use]
    pub fn at(self, section: SectionIndex, offset: u64) -> Self {
        match self {
            Self::Malformed { what, .. } => Self::malformed(what, section, offset),
            other => other,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreadable { error, .. } => error,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { offset, error } if error.kind() == io::ErrorKind::UnexpectedEof => {
                write!(f, "shorter than when it was opened (offset {offset})")
            }
            Self::Unreadable { offset, error } => write!(f, "{} (offset {offset})", strerror(error)),
            Self::Malformed { what, section, offset } => write!(f, "{what} (section {}, offset {offset})", section.0),
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

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            _ => None,
        }
    }
}

//! What keeps an object from being read.

use super::SectionIndex;
use crate::diag::{Fatal, Kind, Message, Severity, text};

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

impl Malformed {
    /// The message that ends the run.
    #[must_use]
    pub fn fatal(self, path: &[u8]) -> Fatal {
        let section = self.section.0.to_string();
        let text = text!("{}: {} (section {}, offset {})\n", path, self.what, section, self.offset.to_string());
        let message = Message::new(Severity::Refusal, Kind::MalformedObject, text);
        Fatal(message.module(stem(path)).section(&text!("[{}]", section)).offset(self.offset))
    }
}

/// Why an object can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
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

impl From<Malformed> for ParseError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl ParseError {
    /// The message that ends the run.
    #[must_use]
    pub fn fatal(self, path: &[u8]) -> Fatal {
        let number = |n: u64| n.to_string();
        let text = match self {
            Self::Malformed(malformed) => return malformed.fatal(path),
            Self::UnknownByteOrder => text!("target endian is unknown\n"),
            Self::NotRelocatable => text!("{}: not relocatable object.", path),
            Self::SectionHeadersBeyondEnd { offset, size } => text!(
                "section header offset={} in file '{}' is bigger than filesize={}\n",
                number(offset),
                path,
                number(size)
            ),
            Self::Truncated { offset, header_size } => text!(
                "{} is truncated. sechdrs[i].sh_offset={} > sizeof(*hrd)={}\n",
                path,
                number(offset),
                header_size.to_string()
            ),
            Self::NobitsModinfo => text!("{} has NOBITS .modinfo\n", path),
            Self::NoSymtab => text!("{} has no symtab?\n", path),
            Self::BadShndxLink { link, symtab } => {
                text!("{}: SYMTAB_SHNDX has bad sh_link: {}!={}\n", path, link.to_string(), symtab.to_string())
            }
        };
        Fatal(Message::new(Severity::Fatal, Kind::MalformedObject, text).module(stem(path)))
    }
}

/// An object's path without its suffix.
fn stem(path: &[u8]) -> &[u8] {
    path.strip_suffix(b".o").unwrap_or(path)
}

pub(super) const fn malformed(what: &'static str, section: SectionIndex, offset: u64) -> Malformed {
    Malformed { what, section, offset }
}

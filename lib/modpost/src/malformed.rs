//! What modpost says of an object that can't be read.

use base::message::{Fatal, Kind, Message, Severity, text};

use crate::kind;

/// An error that ends the run.
pub(crate) trait Ending {
    /// The message that ends it, on the object at a path.
    fn fatal(self, path: &[u8]) -> Fatal;
}

impl Ending for elf::Error {
    fn fatal(self, path: &[u8]) -> Fatal {
        let number = |n: u64| n.to_string();
        let ours = text!("{}: {}\n", path, self.to_string());
        let text = match self {
            Self::Unreadable { offset, error } => {
                let message = Message::new(Severity::Refusal, Kind::FILE, ours).module(stem(path)).offset(offset);
                return Fatal::from(message).caused_by(error);
            }
            Self::Malformed { section, offset, .. } => {
                let message = Message::new(Severity::Refusal, kind::MALFORMED_OBJECT, ours).module(stem(path));
                return message.section(&text!("[{}]", section.0.to_string())).offset(offset).into();
            }
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
        Message::new(Severity::Fatal, kind::MALFORMED_OBJECT, text).module(stem(path)).into()
    }
}

/// An object's path without its suffix.
fn stem(path: &[u8]) -> &[u8] {
    path.strip_suffix(b".o").unwrap_or(path)
}

//! What reading an object gives.

use base::message::{Fatal, Message, text};

use super::Names;
use crate::alias::Aliases;
use crate::dialect::Dialect;
use crate::section::Finding;

/// For whom a symbol is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum License {
    /// `EXPORT_SYMBOL`.
    Any,
    /// `EXPORT_SYMBOL_GPL`.
    Gpl,
    /// `EXPORT_UNUSED_SYMBOL`.
    Unused,
    /// `EXPORT_UNUSED_SYMBOL_GPL`.
    UnusedGpl,
    /// `EXPORT_SYMBOL_GPL_FUTURE`.
    GplFuture,
    /// Kernels to 5.18 count exports in sections of unknown name, too.
    Unknown,
}

/// The kinds of export: the section of their entries, to which the symbol's
/// name is appended, and the word in `Module.symvers`.
const KINDS: &[(License, &str, &str)] = &[
    (License::Any, "___ksymtab+", "EXPORT_SYMBOL"),
    (License::Unused, "___ksymtab_unused+", "EXPORT_UNUSED_SYMBOL"),
    (License::Gpl, "___ksymtab_gpl+", "EXPORT_SYMBOL_GPL"),
    (License::UnusedGpl, "___ksymtab_unused_gpl+", "EXPORT_UNUSED_SYMBOL_GPL"),
    (License::GplFuture, "___ksymtab_gpl_future+", "EXPORT_SYMBOL_GPL_FUTURE"),
];

impl License {
    fn kinds(dialect: &Dialect) -> impl Iterator<Item = &'static (Self, &'static str, &'static str)> {
        let all = dialect.unused_exports;
        KINDS.iter().filter(move |(license, ..)| all || matches!(license, Self::Any | Self::Gpl))
    }

    /// The word that stands for it in `Module.symvers`.
    #[must_use]
    pub(crate) fn export_word(self) -> &'static str {
        let kind = KINDS.iter().find(|(license, ..)| *license == self);
        kind.map_or("(unknown)", |(_, _, word)| word)
    }

    /// What a word in `Module.symvers` stands for.
    #[must_use]
    pub(crate) fn from_export_word(word: &[u8], dialect: &Dialect) -> Self {
        let kind = Self::kinds(dialect).find(|(.., known)| known.as_bytes() == word);
        kind.map_or(Self::Unknown, |(license, ..)| *license)
    }

    pub(super) fn from_section(section: &[u8], dialect: &Dialect) -> Self {
        let kind = Self::kinds(dialect).find(|(_, prefix, _)| section.starts_with(prefix.as_bytes()));
        kind.map_or(Self::Unknown, |(license, ..)| *license)
    }
}

/// One thing that reading an object did, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something to be said.
    Say(Message),
    /// A symbol is exported.
    Export {
        /// Its name.
        name: Vec<u8>,
        /// For whom.
        license: License,
        /// The object has no global symbol of that name.
        is_static: bool,
        /// It is a function, if the object says so.
        is_function: bool,
        /// Its namespace, "" for none, if that is known already.
        namespace: Vec<u8>,
    },
    /// An exported symbol's namespace, "" for none.
    Namespace {
        /// The symbol.
        symbol: Vec<u8>,
        /// The namespace.
        namespace: Vec<u8>,
    },
    /// An exported symbol's CRC.
    Crc {
        /// The symbol.
        symbol: Vec<u8>,
        /// The CRC that genksyms computed.
        crc: u32,
        /// Only if this very module exports the symbol.
        own: bool,
    },
    /// The object's global symbols, which make no longer static what another
    /// object exports.
    Globals(Names),
    /// A finding that depends on earlier objects.
    Section(Finding),
}

/// What is known of a module when its object has been read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The object's path without its suffix.
    pub name: Vec<u8>,
    /// The kernel itself.
    pub is_vmlinux: bool,
    /// The size of an address, which bounds the length of names.
    pub word: usize,
    /// Numbers begin with the highest byte.
    pub is_big_endian: bool,
    /// Every `MODULE_LICENSE()` lets it use GPL-only symbols.
    pub is_gpl_compatible: bool,
    /// `MODULE_IMPORT_NS()`.
    pub imports: Vec<Vec<u8>>,
    /// Undefined symbols, in the symbol table's order.
    pub undefined: Names,
    /// Which of them are weak.
    pub weak: Vec<bool>,
    /// It has an `init_module`.
    pub has_init: bool,
    /// It has a `cleanup_module`.
    pub has_cleanup: bool,
    /// The aliases of its device tables.
    pub aliases: Aliases,
    /// Symbols that are exported even if nobody uses them.
    pub kept: Vec<Vec<u8>>,
    /// The sum of its sources.
    pub srcversion: Option<String>,
}

impl Facts {
    /// How messages call the module since 7.3: with its suffix.
    #[must_use]
    pub fn called(&self) -> Vec<u8> {
        text!("{}{}", self.name, if self.is_vmlinux { "" } else { ".ko" })
    }
}

/// The result of reading one object.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What to do about it, in order.
    pub steps: Vec<Step>,
    /// The module; `None` for a file that is passed over.
    pub facts: Option<Facts>,
    /// How many section mismatches there are.
    pub mismatches: usize,
    /// After the steps, the run ends.
    pub fatal: Option<Fatal>,
}

//! An export, on its way from an object or a `Module.symvers` to the table of
//! all exports.

use std::borrow::Cow;

use crate::dialect::Dialect;

/// Which modules may use an exported symbol.
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
    /// Kernels up to 5.18 also count exports in sections of unknown name.
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

    /// Its word in `Module.symvers`.
    #[must_use]
    pub(crate) fn export_word(self) -> &'static str {
        let kind = KINDS.iter().find(|(license, ..)| *license == self);
        kind.map_or("(unknown)", |(_, _, word)| word)
    }

    /// What a word in `Module.symvers` means.
    #[must_use]
    pub(crate) fn from_export_word(word: &[u8], dialect: &Dialect) -> Self {
        let kind = Self::kinds(dialect).find(|(.., known)| known.as_bytes() == word);
        kind.map_or(Self::Unknown, |(license, ..)| *license)
    }

    pub(crate) fn from_section(section: &[u8], dialect: &Dialect) -> Self {
        let kind = Self::kinds(dialect).find(|(_, prefix, _)| section.starts_with(prefix.as_bytes()));
        kind.map_or(Self::Unknown, |(license, ..)| *license)
    }
}

/// A symbol that a module exports. What a `Module.symvers` says of it is
/// borrowed from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export<'a> {
    /// The symbol's name.
    pub(crate) name: Cow<'a, [u8]>,
    /// Which modules may use it.
    pub(crate) license: License,
    /// The namespace that its users must import, "" for none.
    pub(crate) namespace: Cow<'a, [u8]>,
    /// Its CRC, if one is known.
    pub(crate) crc: Option<u32>,
    /// It is a function, not data, as far as is known.
    pub(crate) is_function: bool,
    /// So far, no object defines it as a global symbol.
    pub(crate) is_static: bool,
}

impl<'a> Export<'a> {
    /// The export of a symbol of which nothing else is known yet.
    #[must_use]
    pub fn new(name: impl Into<Cow<'a, [u8]>>, license: License) -> Self {
        let namespace = Cow::Borrowed(&b""[..]);
        Self { name: name.into(), license, namespace, crc: None, is_function: false, is_static: false }
    }
}

//! What reading an object gives.

use base::message::{Fatal, Message, Severity, text};

use crate::alias::Aliases;
use crate::names::Names;
use crate::step::Step;

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

impl Reading {
    /// Of a file of which there is no more than a message.
    pub(super) fn saying(message: Message) -> Self {
        match message.severity {
            Severity::Fatal | Severity::Refusal => Self::ending(message.into()),
            _ => Self { steps: vec![Step::Say(message)], ..Self::default() },
        }
    }

    /// Of a file that ends the run.
    pub(super) fn ending(fatal: Fatal) -> Self {
        Self { fatal: Some(fatal), ..Self::default() }
    }
}

//! What reading an object gives.

use base::message::{Fatal, Message, Severity, text};

use crate::alias::Aliases;
use crate::names::Names;
use crate::step::Step;

/// What is known of a module once its object has been read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The object's path without its suffix.
    pub(crate) name: Vec<u8>,
    /// The kernel itself.
    pub(crate) is_vmlinux: bool,
    /// The size of an address, which bounds the length of names.
    pub(crate) word: usize,
    /// Its byte order is big-endian.
    pub(crate) is_big_endian: bool,
    /// Every `MODULE_LICENSE()` lets it use GPL-only symbols.
    pub(crate) is_gpl_compatible: bool,
    /// `MODULE_IMPORT_NS()`.
    pub(crate) imports: Vec<Vec<u8>>,
    /// Undefined symbols, in the symbol table's order.
    pub(crate) undefined: Names,
    /// Which of them are weak.
    pub(crate) weak: Vec<bool>,
    /// It has an `init_module`.
    pub(crate) has_init: bool,
    /// It has a `cleanup_module`.
    pub(crate) has_cleanup: bool,
    /// The aliases of its device tables.
    pub(crate) aliases: Aliases,
    /// It is a livepatch: `MODULE_INFO(livepatch, ...)`.
    pub(crate) is_livepatch: bool,
    /// Symbols that are exported even if nobody uses them.
    pub(crate) kept: Vec<Vec<u8>>,
    /// The sum of its sources.
    pub(crate) srcversion: Option<String>,
}

impl Facts {
    /// What messages call the module since 7.3: its name with the suffix.
    #[must_use]
    pub fn called(&self) -> Vec<u8> {
        text!("{}{}", self.name, if self.is_vmlinux { "" } else { ".ko" })
    }
}

/// The result of reading one object.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What to do about it, in order.
    pub(crate) steps: Vec<Step>,
    /// The module; `None` for a file that is passed over.
    pub(crate) facts: Option<Facts>,
    /// How many section mismatches there are.
    pub(crate) mismatches: usize,
    /// The number of references from writable data to code.
    pub(crate) writable_pointers: usize,
    /// The run ends with this, after the steps.
    pub(crate) fatal: Option<Fatal>,
}

impl Reading {
    /// The result for a file of which there is nothing but a message.
    pub(super) fn saying(message: Message) -> Self {
        match message.severity {
            Severity::Fatal | Severity::Refusal => Self::ending(message.into()),
            _ => Self { steps: vec![Step::Say(message)], ..Self::default() },
        }
    }

    /// The result for a file that ends the run.
    pub(super) fn ending(fatal: Fatal) -> Self {
        Self { fatal: Some(fatal), ..Self::default() }
    }
}

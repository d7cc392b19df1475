//! What reading an object leaves to be done once all objects are known.

use base::message::Message;

use crate::export::Export;
use crate::names::Names;

/// One thing that reading an object did, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A message.
    Say(Message),
    /// A symbol is exported.
    Export(Export<'static>),
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
        /// It counts only if this module exports the symbol.
        own: bool,
    },
    /// The object's global symbols: what another object exports by these names is
    /// not static.
    Globals(Names),
    /// Half the size of an exception table entry could be told from this
    /// object, and so its size. The original keeps the first it finds in a
    /// run.
    ExtableEntrySize(u32),
    /// An exception table entry refers to a section that is not executable,
    /// which ends a run of 5.15. How it is put depends on
    /// [`Step::ExtableEntrySize`].
    NotExecutable {
        /// Where in the exception table, in bytes.
        offset: u64,
        /// The exception table's name.
        from: Vec<u8>,
        /// The section's name.
        to: Vec<u8>,
    },
}

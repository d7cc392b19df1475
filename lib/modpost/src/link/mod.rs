//! All objects together: who exports what, who uses it, and who may.
//!
//! [`Link::commit`] takes readings one by one, in input order. After the
//! last, [`resolve`] looks at each module against the finished table.

mod log;
pub mod resolve;
pub mod table;

use std::borrow::Cow;
use std::collections::HashSet;

use base::message::{Fatal, Message, Severity, text};
use indexmap::IndexMap;
pub use log::{Kept, Log};
pub use resolve::{Note, Resolution, Versions};
pub use table::{ModuleId, Symbol, SymbolId, SymbolTable};

use crate::cli::Options;
use crate::dialect::Dialect;
use crate::export::Export;
use crate::kind;
use crate::object::{Facts, Reading};
use crate::step::Step;

/// A module, read from an object or from a `Module.symvers`.
#[derive(Clone, Debug)]
pub struct Module {
    /// What its object said. Of one from `Module.symvers` the name alone is
    /// known.
    pub(crate) facts: Facts,
    /// It comes from `Module.symvers` and is not written.
    pub(crate) from_dump: bool,
    /// What it exports, in order.
    pub(crate) exports: Vec<SymbolId>,
}

impl Module {
    /// What the module's name is followed by in messages.
    #[must_use]
    pub const fn suffix(&self) -> &'static str {
        if self.facts.is_vmlinux { "" } else { ".ko" }
    }
}

/// The state of a run.
#[derive(Debug)]
pub struct Link<'a> {
    /// The kernel.
    pub dialect: &'a Dialect,
    /// What modpost was asked for.
    pub options: &'a Options,
    /// Exported symbols.
    pub symbols: SymbolTable<'a>,
    /// Modules in reading order.
    pub modules: Vec<Module>,
    /// The exports that are kept; `None` for all of them.
    pub kept: Option<HashSet<SymbolId>>,
    /// How many section mismatches there are.
    pub mismatches: usize,
    /// The number of references from writable data to code.
    pub(crate) writable_pointers: usize,
    /// `sizeof(struct exception_table_entry)`, or 0: see
    /// [`Step::ExtableEntrySize`].
    extable_entry_size: u32,
    /// Modules of `Module.symvers` by file, where that counts, and name.
    dumped: IndexMap<Vec<u8>, ModuleId>,
    /// The one of the line before: most lines follow one of the same module.
    last_dumped: Option<ModuleId>,
}

impl<'a> Link<'a> {
    /// Before anything is read.
    #[must_use]
    pub fn new(dialect: &'a Dialect, options: &'a Options) -> Self {
        Self {
            dialect,
            options,
            symbols: SymbolTable::default(),
            modules: Vec::new(),
            kept: None,
            mismatches: 0,
            writable_pointers: 0,
            extable_entry_size: 0,
            dumped: IndexMap::new(),
            last_dumped: None,
        }
    }

    fn add_module(&mut self, facts: Facts, from_dump: bool) -> ModuleId {
        let id = ModuleId(self.modules.len() as u32);
        self.modules.push(Module { facts, from_dump, exports: Vec::new() });
        id
    }

    /// Prepares for a `Module.symvers` of so many lines; `false` if there is not enough
    /// memory.
    #[must_use]
    pub(crate) fn begin_import(&mut self, lines: usize) -> bool {
        self.last_dumped = None;
        self.symbols.reserve(lines)
    }

    /// The module of a line of a `Module.symvers`.
    fn dumped(&mut self, name: &[u8], file: &[u8]) -> ModuleId {
        if let Some(last) = self.last_dumped.filter(|last| self.module(*last).facts.name == name) {
            return last;
        }
        let file = if self.dialect.modules_by_dump_file { file } else { b"" };
        let key = [file, b"\0", name].concat();
        let module = self.dumped.get(&key).copied().unwrap_or_else(|| {
            let facts = Facts { name: name.to_vec(), is_vmlinux: name == b"vmlinux", ..Facts::default() };
            let module = self.add_module(facts, true);
            self.dumped.insert(key, module);
            module
        });
        self.last_dumped = Some(module);
        module
    }

    /// Takes a line of a `Module.symvers`: what the module of that name exports.
    ///
    /// # Errors
    /// The end of the run, if the symbol was exported before and the kernel forbids that.
    pub fn import(&mut self, module: &[u8], mut export: Export<'a>, file: &[u8], log: &mut Log) -> Result<(), Fatal> {
        let module = self.dumped(module, file);
        let name = export.name.clone();
        let (crc, namespace) = (export.crc.take(), std::mem::take(&mut export.namespace));
        let id = self.export(module, export, log)?;
        if self.dialect.exported_twice_is_error {
            self.symbols.get_mut(id).export.crc = crc;
        } else if let Some(found) = self.found_again(&name, id) {
            // Kernels to 5.18 look the symbol up again.
            self.symbols.get_mut(found).export.crc = crc;
        }
        self.set_own_namespace(id, namespace, false, log);
        Ok(())
    }

    /// What looking up a name gives that was just exported as `id`: that,
    /// unless the dot before it is passed over.
    fn found_again(&self, name: &[u8], id: SymbolId) -> Option<SymbolId> {
        if name.first() == Some(&b'.') { self.symbols.find(name) } else { Some(id) }
    }

    /// Takes what was read from one object.
    ///
    /// # Errors
    /// The end of the run.
    pub fn commit(&mut self, reading: Reading, log: &mut Log) -> Result<(), Fatal> {
        self.mismatches += reading.mismatches;
        self.writable_pointers += reading.writable_pointers;
        // Without a module, there are only messages among the steps.
        let module = match reading.facts {
            Some(facts) => self.add_module(facts, false),
            None => ModuleId(u32::MAX),
        };
        for step in reading.steps {
            self.take(module, step, log)?;
        }
        let of_module = |fatal: Fatal| match self.modules.get(module.0 as usize) {
            Some(module) => fatal.module(&module.facts.name),
            None => fatal,
        };
        reading.fatal.map(of_module).map_or(Ok(()), Err)
    }

    fn take(&mut self, module: ModuleId, step: Step, log: &mut Log) -> Result<(), Fatal> {
        match step {
            Step::Say(message) => {
                let message = match self.modules.get(module.0 as usize) {
                    Some(module) => message.module(&module.facts.name),
                    None => message,
                };
                log.say(message);
            }
            Step::Export(mut export) => {
                let (is_function, namespace) = (export.is_function, std::mem::take(&mut export.namespace));
                let id = self.export(module, export, log)?;
                self.symbols.get_mut(id).export.is_function = is_function;
                if self.dialect.export_symbol_section {
                    self.set_own_namespace(id, namespace, true, log);
                }
            }
            Step::Namespace { symbol, namespace } => {
                let found = self.symbols.find(&symbol);
                self.set_namespace(found, &symbol, namespace.into(), true, log);
            }
            Step::Crc { symbol, crc, own } => {
                if let Some(id) = self.symbols.find(&symbol) {
                    let symbol = self.symbols.get_mut(id);
                    if !own || symbol.module == module {
                        symbol.export.crc = Some(crc);
                    }
                }
            }
            Step::Globals(names) => self.symbols.clear_static(&names),
            Step::ExtableEntrySize(size) => {
                if self.extable_entry_size == 0 {
                    self.extable_entry_size = size;
                }
            }
            Step::NotExecutable { offset, from, to } => {
                return Err(self.not_executable(offset, &from, &to));
            }
        }
        Ok(())
    }

    /// Exports a symbol, of which namespace and CRC are yet to be set; returns the
    /// symbol that now has the name, or the end of the run.
    fn export(&mut self, module: ModuleId, export: Export<'a>, log: &mut Log) -> Result<SymbolId, Fatal> {
        let name = &export.name;
        let found = self.symbols.find(name);
        if let Some(found) = found {
            let owner = self.symbols.get(found).module;
            let previous = &self.modules[owner.0 as usize];
            let clash = !self.options.external || previous.facts.is_vmlinux || owner == module;
            if clash {
                let module = &self.modules[module.0 as usize].facts;
                let text = if self.dialect.messages_begin_with_module {
                    text!(
                        "{}: symbol '{}' exported twice. Previous export was in {}\n",
                        module.called(),
                        name,
                        previous.facts.called()
                    )
                } else {
                    text!(
                        "{}: '{}' exported twice. Previous export was in {}{}\n",
                        module.name,
                        name,
                        previous.facts.name,
                        previous.suffix()
                    )
                };
                let severity = match (self.dialect.exported_twice_is_fatal, self.dialect.exported_twice_is_error) {
                    (true, _) => Severity::Fatal,
                    (false, true) => Severity::Error,
                    (false, false) => Severity::Warning,
                };
                let message = Message::new(severity, kind::EXPORTED_TWICE, text).module(&module.name).symbol(name);
                if severity == Severity::Fatal {
                    return Err(message.into());
                }
                log.say(message);
            }
            if !self.dialect.exported_twice_is_error {
                if !clash {
                    let symbol = self.symbols.get_mut(found);
                    (symbol.module, symbol.export.license) = (module, export.license);
                }
                return Ok(found);
            }
        }
        let id = self.symbols.add(Symbol { module, export });
        self.modules[module.0 as usize].exports.push(id);
        Ok(id)
    }

    /// Sets the namespace of what was just exported as `id`.
    fn set_own_namespace(&mut self, id: SymbolId, namespace: Cow<'a, [u8]>, from_object: bool, log: &mut Log) {
        let dotted = Some(&self.symbols.get(id).export.name).filter(|name| name.first() == Some(&b'.'));
        match dotted.filter(|_| self.dialect.namespace_by_name).cloned() {
            Some(name) => self.set_namespace(self.symbols.find(&name), &name, namespace, from_object, log),
            None => self.set_namespace(Some(id), b"", namespace, from_object, log),
        }
    }

    fn set_namespace(
        &mut self,
        id: Option<SymbolId>,
        symbol: &[u8],
        namespace: Cow<'a, [u8]>,
        from_object: bool,
        log: &mut Log,
    ) {
        match id {
            Some(id) => self.symbols.get_mut(id).export.namespace = namespace,
            None => {
                // Of an object's empty namespace those kernels have a null
                // pointer, of one from a file an empty string.
                let null = namespace.is_empty() && from_object && self.dialect.empty_namespace_is_null;
                let namespace: &[u8] = if null { b"(null)" } else { &namespace };
                let text = text!("Could not update namespace({}) for symbol {}\n", namespace, symbol);
                let message = Message::new(Severity::Error, kind::STRAY_NAMESPACE, text).symbol(symbol);
                if self.dialect.errors_fail_at_the_end {
                    log.say(message);
                } else {
                    // 5.10 prints an error, but doesn't fail.
                    log.tell(message);
                }
            }
        }
    }

    fn not_executable(&self, offset: u64, from: &[u8], to: &[u8]) -> Fatal {
        let size = u64::from(self.extable_entry_size);
        if offset != 0 && size == 0 {
            return Fatal::new(kind::EXTABLE, text!("extable_entry size hasn't been discovered!\n"));
        }
        let at = format!("{offset:x}");
        let text = if offset == 0 || offset % size == 0 {
            text!(
                "The relocation at {}+0x{} references\nsection \"{}\" which is not executable, IOW\nit is not possible for the kernel to fault\nat that address.  Something is seriously wrong\nand should be fixed.\n",
                from,
                at,
                to
            )
        } else {
            text!(
                "The relocation at {}+0x{} references\nsection \"{}\" which is not executable, IOW\nthe kernel will fault if it ever tries to\njump to it.  Something is seriously wrong\nand should be fixed.\n",
                from,
                at,
                to
            )
        };
        let message = Message::new(Severity::Fatal, kind::EXTABLE, text);
        message.section(from).section(to).offset(offset).into()
    }

    /// The modules that objects were read for, in the order in which they are
    /// written.
    #[must_use]
    pub fn written(&self) -> Vec<ModuleId> {
        let ids = (0..self.modules.len() as u32).map(ModuleId);
        let mut ids: Vec<_> = ids.filter(|id| !self.module(*id).from_dump).collect();
        if !self.dialect.lists_in_order {
            ids.reverse();
        }
        ids
    }

    /// Whether vmlinux's exports are known.
    #[must_use]
    pub(crate) fn has_vmlinux(&self) -> bool {
        self.modules.iter().any(|module| module.facts.is_vmlinux)
    }

    /// What a module exports, in order, without what is trimmed.
    pub(crate) fn kept_exports<'s>(&'s self, module: &'s Module) -> impl Iterator<Item = &'s Export<'a>> {
        let is_kept = |id: &&SymbolId| self.kept.as_ref().is_none_or(|kept| kept.contains(*id));
        module.exports.iter().filter(is_kept).map(|id| &self.symbols.get(*id).export)
    }

    /// The module of that number.
    #[must_use]
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize]
    }

    /// Reports exports without a global definition, which comes after everything
    /// else.
    pub fn report_statics(&self, log: &mut Log) {
        let severity = if self.dialect.errors_fail_at_the_end { Severity::Error } else { Severity::Warning };
        let statics = self.symbols.in_hash_order(|symbol| symbol.export.is_static);
        for symbol in statics {
            let module = &self.module(symbol.module).facts.name;
            let word = symbol.export.license.export_word();
            let text = text!("\"{}\" [{}] is a static {}\n", symbol.export.name, module, word);
            log.say(Message::new(severity, kind::EXPORTED_STATIC, text).module(module).symbol(&symbol.export.name));
        }
    }
}

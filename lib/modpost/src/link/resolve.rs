//! One module against the finished table: are its undefined symbols exported,
//! may it use them, and what does it depend on (`check_exports()` and what
//! follows it in `scripts/mod/modpost.c`).

use base::bytes::base_name;
use base::message::{Fatal, Message, Severity, text};
use indexmap::IndexSet;

use super::table::{ModuleId, SymbolId};
use super::{Link, Module};
use crate::dialect::Dialect;
use crate::export::{Export, License};
use crate::kind;
use crate::object::missing_crc;

/// A message, of which there may be too many to report all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Always reported.
    Message(Message),
    /// About an undefined symbol: only the first few of a run are reported.
    Undefined(Message),
    /// An undefined symbol that counts among these, but isn't reported.
    Unreported,
}

/// A symbol that a module uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The number of the name among the module's undefined symbols, or how
    /// many these are for [`MODULE_LAYOUT`].
    name: u32,
    /// What another module exports by that name.
    pub(crate) symbol: SymbolId,
}

impl Use {
    /// The name by which the module calls it.
    fn name<'l>(&self, module: &'l Module) -> &'l [u8] {
        let undefined = &module.facts.undefined;
        let number = self.name as usize;
        if number < undefined.len() { undefined.get(number) } else { MODULE_LAYOUT }
    }
}

/// What a module turned out to need.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// The messages, in order.
    pub(crate) notes: Vec<Note>,
    /// The run ends with this, after the messages.
    pub(crate) fatal: Option<Fatal>,
    /// The undefined symbols that another module exports, in the order of the
    /// lists that are made of them.
    pub(crate) uses: Vec<Use>,
    /// The modules that it needs loaded, in order.
    pub(crate) depends: IndexSet<ModuleId>,
    /// The namespaces that it should import, in order of finding.
    pub(crate) missing_namespaces: IndexSet<Vec<u8>>,
}

impl Resolution {
    fn say(&mut self, message: Message) {
        self.notes.push(Note::Message(message));
    }

    /// The number of its undefined symbols.
    pub(crate) fn undefined(&self) -> usize {
        self.notes.iter().filter(|note| !matches!(note, Note::Message(_))).count()
    }
}

/// The symbol whose version is that of the module's own layout.
const MODULE_LAYOUT: &[u8] = b"module_layout";

/// How many undefined symbols one run reports, in kernels that cap them.
pub(super) const MAX_UNDEFINED: usize = 10;

/// The prefix of symbols that `klp-convert` resolves in SUSE's livepatch modules.
const LIVEPATCH_PREFIX: &[u8] = b".klp.sym.rela.";

/// The state of a run before a module, with regard to undefined symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undefined {
    /// They are reported.
    pub reported: bool,
    /// The number of undefined symbols in the modules before.
    pub before: usize,
}

/// Looks at one module and changes nothing. The order of modules doesn't matter, except
/// where `-l` exists: livepatch modules then depend on the number of undefined symbols in
/// the modules before.
#[must_use]
pub fn resolve(link: &Link, id: ModuleId, undefined: Undefined) -> Resolution {
    let module = link.module(id);
    let mut resolution = Resolution::default();
    if !module.facts.is_vmlinux {
        check_name_length(module, link.dialect, &mut resolution);
    }
    let uses = if module.facts.is_vmlinux { Vec::new() } else { uses(link, id, undefined, &mut resolution) };
    for used in &uses {
        let owner = link.symbols.get(used.symbol).module;
        if !link.module(owner).facts.is_vmlinux {
            resolution.depends.insert(owner);
        }
    }
    resolution.uses = uses;
    let name = &module.facts.name;
    for note in &mut resolution.notes {
        if let Note::Message(message) | Note::Undefined(message) = note {
            message.about.module = Some(name.clone());
        }
    }
    resolution.fatal = resolution.fatal.map(|fatal| fatal.module(name));
    resolution
}

/// The CRCs in a module's file, and messages on missing ones.
#[derive(Clone, Debug, Default)]
pub struct Versions<'l> {
    /// Messages on exports, in order.
    pub(crate) of_exports: Vec<Message>,
    /// Messages on used symbols, which come after those.
    pub(crate) of_uses: Vec<Message>,
    /// For `__versions`: CRC and name of what the module uses.
    pub(crate) basic: Vec<(u32, &'l [u8])>,
    /// The same, for names of any length.
    pub(crate) extended: Vec<(u32, &'l [u8])>,
}

/// Looks up the CRCs of what a module exports and uses.
#[must_use]
pub fn versions<'l>(link: &'l Link, id: ModuleId, resolution: &Resolution) -> Versions<'l> {
    let module = link.module(id);
    let mut versions = Versions::default();
    if link.options.modversions && link.dialect.crcs_from_cmd {
        check_export_crcs(link, module, &mut versions);
    }
    if link.options.wants_basic_versions(link.dialect) {
        collect_versions(link, module, &resolution.uses, &mut versions);
    }
    if link.options.extended_versions {
        let uses = resolution.uses.iter();
        versions.extended = uses.filter_map(|used| crc_of(link, module, *used, &mut versions.of_uses)).collect();
    }
    for message in versions.of_exports.iter_mut().chain(&mut versions.of_uses) {
        message.about.module = Some(module.facts.name.clone());
    }
    versions
}

/// `MODULE_NAME_LEN` of `include/linux/module.h`, which also bounds the names
/// of symbols with versions.
const fn name_len(module: &Module) -> usize {
    64 - module.facts.word
}

fn check_name_length(module: &Module, dialect: &Dialect, resolution: &mut Resolution) {
    if base_name(&module.facts.name).len() >= name_len(module) {
        let text = if dialect.messages_begin_with_module {
            text!("{}: module name is too long\n", module.facts.called())
        } else {
            text!("module name is too long [{}.ko]\n", module.facts.name)
        };
        resolution.say(Message::new(Severity::Error, kind::MODULE_NAME_TOO_LONG, text));
    }
}

/// The undefined symbols that some other module exports, in the order of the
/// lists that are made of them.
fn uses(link: &Link, id: ModuleId, undefined: Undefined, resolution: &mut Resolution) -> Vec<Use> {
    let module = link.module(id);
    let count = module.facts.undefined.len() as u32;
    let wanted = count + u32::from(link.options.modversions);
    let mut uses = Vec::with_capacity(wanted as usize);
    for turn in 0..wanted {
        let name = if link.dialect.lists_in_order { turn } else { wanted - 1 - turn };
        let used = |symbol| Use { name, symbol };
        let (text, weak) = if name < count {
            (module.facts.undefined.get(name as usize), module.facts.weak[name as usize])
        } else {
            (MODULE_LAYOUT, false)
        };
        let livepatched = link.dialect.livepatch_option && module.facts.is_livepatch;
        let left = livepatched && text.starts_with(LIVEPATCH_PREFIX) && link.symbols.find(text).is_none();
        if left && !weak && undefined.before + resolution.undefined() < MAX_UNDEFINED {
            // The original's loop ends here: no later symbol is looked up.
            resolution.notes.push(Note::Unreported);
            break;
        }
        uses.extend(check_use(link, id, text, weak || !undefined.reported, resolution).map(used));
        if resolution.fatal.is_some() {
            break;
        }
    }
    uses
}

/// What another module exports by the name, if the module may use it; it need
/// not be there if it `may_be_missing`.
fn check_use(
    link: &Link,
    id: ModuleId,
    name: &[u8],
    may_be_missing: bool,
    resolution: &mut Resolution,
) -> Option<SymbolId> {
    let Link { dialect, options, .. } = link;
    let module = link.module(id);
    let severity = |only_warn| if only_warn { Severity::Warning } else { Severity::Error };
    let found = link.symbols.find(name);
    let own = found.is_some_and(|symbol| link.symbols.get(symbol).module == id);
    if own && dialect.export_without_definition {
        let text = if dialect.messages_begin_with_module {
            text!("{}: symbol '{}' was exported without definition\n", module.facts.called(), name)
        } else {
            text!("\"{}\" [{}.ko] was exported without definition\n", name, module.facts.name)
        };
        resolution.say(Message::new(Severity::Error, kind::EXPORTED_UNDEFINED, text).symbol(name));
        return None;
    }
    let Some(symbol_id) = found.filter(|_| !own) else {
        if !may_be_missing {
            let text = if dialect.messages_begin_with_module {
                text!("{}: symbol '{}' undefined!\n", module.facts.called(), name)
            } else {
                text!("\"{}\" [{}.ko] undefined!\n", name, module.facts.name)
            };
            let message = Message::new(severity(options.warn_unresolved), kind::UNDEFINED_SYMBOL, text);
            resolution.notes.push(Note::Undefined(message.symbol(name)));
        }
        return None;
    };
    let export = &link.symbols.get(symbol_id).export;
    let base = base_name(&module.facts.name);
    let namespace = &export.namespace;
    if !namespace.is_empty() {
        let listed = dialect.module_namespaces && lists_module(namespace, base);
        if !listed && !module.facts.imports.iter().any(|import| *import == **namespace) {
            let text = if dialect.messages_begin_with_module {
                text!(
                    "{}: module uses symbol '{}' from namespace '{}', but does not import it.\n",
                    module.facts.called(),
                    export.name,
                    namespace
                )
            } else {
                text!(
                    "module {} uses symbol {} from namespace {}, but does not import it.\n",
                    base,
                    export.name,
                    namespace
                )
            };
            let message = Message::new(severity(options.allow_missing_imports), kind::MISSING_NAMESPACE, text);
            resolution.say(message.symbol(name));
            resolution.missing_namespaces.insert(namespace.to_vec());
        }
    }
    if !module.facts.is_gpl_compatible {
        check_gpl_use(module, export, dialect, resolution);
        if resolution.fatal.is_some() {
            return None;
        }
    }
    if matches!(export.license, License::Unused | License::UnusedGpl) {
        let text = text!("module {}.ko uses symbol '{}' marked UNUSED\n", base, export.name);
        resolution.say(Message::new(Severity::Warning, kind::UNUSED_SYMBOL, text).symbol(name));
    }
    Some(symbol_id)
}

/// Whether a namespace `module:a,b*` lists a module: by name, or by what its
/// name begins with.
fn lists_module(namespace: &[u8], module: &[u8]) -> bool {
    let Some(patterns) = namespace.strip_prefix(b"module:") else {
        return false;
    };
    // Nothing is left to look at after a last comma.
    let patterns = patterns.strip_suffix(b",").unwrap_or(patterns);
    !patterns.is_empty()
        && patterns.split(|&byte| byte == b',').any(|pattern| match pattern.strip_suffix(b"*") {
            Some(start) => module.starts_with(start),
            None => module == pattern,
        })
}

fn check_gpl_use(module: &Module, export: &Export, dialect: &Dialect, resolution: &mut Resolution) {
    let name = &export.name;
    let called = module.facts.called();
    let module = base_name(&module.facts.name);
    let text = match export.license {
        License::Gpl if dialect.messages_begin_with_module => {
            text!("{}: GPL-incompatible module uses GPL-only symbol '{}'\n", called, name)
        }
        License::Gpl => text!("GPL-incompatible module {}.ko uses GPL-only symbol '{}'\n", module, name),
        License::UnusedGpl => {
            text!("GPL-incompatible module {}.ko uses GPL-only symbol marked UNUSED '{}'\n", module, name)
        }
        License::GplFuture => {
            let text = text!("GPL-incompatible module {}.ko uses future GPL-only symbol '{}'\n", module, name);
            return resolution.say(Message::new(Severity::Warning, kind::GPL_ONLY, text).symbol(name));
        }
        License::Any | License::Unused | License::Unknown => return,
    };
    let ends = !dialect.errors_fail_at_the_end;
    let severity = if ends { Severity::Fatal } else { Severity::Error };
    let message = Message::new(severity, kind::GPL_ONLY, text).symbol(name);
    if ends { resolution.fatal = Some(message.into()) } else { resolution.say(message) }
}

fn check_export_crcs(link: &Link, module: &Module, versions: &mut Versions) {
    for export in link.kept_exports(module).filter(|export| export.crc.is_none()) {
        versions.of_exports.push(missing_crc(&export.name, &module.facts.called(), link.dialect));
    }
}

/// The CRC of a used symbol, or a complaint that it has none.
fn crc_of<'l>(link: &Link, module: &'l Module, used: Use, messages: &mut Vec<Message>) -> Option<(u32, &'l [u8])> {
    let name = used.name(module);
    let crc = link.symbols.get(used.symbol).export.crc;
    if crc.is_none() {
        let text = if link.dialect.messages_begin_with_module {
            text!("{}: symbol '{}' has no CRC!\n", module.facts.called(), name)
        } else {
            text!("\"{}\" [{}.ko] has no CRC!\n", name, module.facts.name)
        };
        messages.push(Message::new(Severity::Warning, kind::USE_WITHOUT_CRC, text).symbol(name));
    }
    crc.map(|crc| (crc, name))
}

fn collect_versions<'l>(link: &Link, module: &'l Module, uses: &[Use], versions: &mut Versions<'l>) {
    let Link { dialect, options, .. } = link;
    for used in uses {
        let Some(version) = crc_of(link, module, *used, &mut versions.of_uses) else {
            continue;
        };
        let (_, name) = version;
        if dialect.packed_versions || name.len() < name_len(module) {
            versions.basic.push(version);
        } else if !options.extended_versions {
            let text = if dialect.messages_begin_with_module {
                text!("{}: too long symbol '{}'\n", module.facts.called(), name)
            } else {
                text!("too long symbol \"{}\" [{}.ko]\n", name, module.facts.name)
            };
            let message = Message::new(Severity::Error, kind::SYMBOL_NAME_TOO_LONG, text).symbol(name);
            versions.of_uses.push(message);
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lists_module;

    #[test]
    fn namespaces_that_list_modules() {
        for (namespace, module, expected) in [
            ("module:kvm", "kvm", true),
            ("module:kvm", "kvm-intel", false),
            ("module:a,kvm*,b", "kvm-intel", true),
            ("module:a,b,", "b", true),
            ("module:a,", "", false),
            ("module:", "", false),
            ("NS", "NS", false),
        ] {
            assert_eq!(lists_module(namespace.as_bytes(), module.as_bytes()), expected, "{namespace} {module}");
        }
    }
}

//! Symbols that a module imports, in the order of its symbol table
//! (`simplify_symbols()`).

use base::message::text;
use goblin::elf::header::{EM_386, EM_X86_64};
use goblin::elf::section_header::{SHN_ABS, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF};
use goblin::elf::sym::STB_WEAK;

use crate::exports::Export;
use crate::finding::{Errno, Log, Step};
use crate::image::Image;
use crate::machine;
use crate::target::Target;
use crate::versions::{self, Version};

/// What a live patch has in place of a section's number (`SHN_LIVEPATCH`).
const SHN_LIVEPATCH: u32 = 0xff20;

/// Licences that are compatible with the GPL, by `license_is_gpl_compatible()`.
const COMPATIBLE: &[&[u8]] =
    &[b"GPL", b"GPL v2", b"GPL and additional rights", b"Dual BSD/GPL", b"Dual MIT/GPL", b"Dual MPL/GPL"];

/// Modules that are taken for proprietary whatever they say.
const OFFENDERS: &[&[u8]] = &[b"driverloader", b"lve"];

/// A module's licence, as a kernel takes it.
pub(crate) fn license<'a>(image: &Image<'a>) -> &'a [u8] {
    image.modinfo(b"license").unwrap_or(b"unspecified")
}

/// Whether a module's licence is compatible with the GPL.
pub(crate) fn is_free(image: &Image) -> bool {
    COMPATIBLE.contains(&license(image))
}

/// Whether exports for the GPL alone are for a module.
fn is_compatible(image: &Image) -> bool {
    is_free(image) && !is_offender(image)
}

/// Whether a module is taken for proprietary whatever it says.
pub(crate) fn is_offender(image: &Image) -> bool {
    OFFENDERS.contains(&&*image.name)
}

/// Whether a namespace that lists modules lists one (`verify_module_namespace()`).
fn lists(namespace: &[u8], module: &[u8]) -> bool {
    let Some(list) = namespace.strip_prefix(b"module:") else { return false };
    // Dashes are underscores, as in modules' names.
    let same = |pattern: &[u8], name: &[u8]| {
        let plain = |byte: &u8| if *byte == b'-' { b'_' } else { *byte };
        pattern.iter().map(plain).eq(name.iter().map(plain))
    };
    list.split(|&byte| byte == b',').any(|pattern| match pattern.strip_suffix(b"*") {
        Some(start) => module.get(..start.len()).is_some_and(|begin| same(start, begin)),
        None => same(pattern, module),
    })
}

/// What becomes of a version that is compared.
pub(crate) enum Compared {
    /// It is the kernel's, or isn't compared.
    Same,
    /// The kernel logs this line, if any, and refuses the symbol.
    Other(Option<Vec<u8>>),
}

/// Compares a symbol's version with that of an export (`check_version()`).
pub(crate) fn compare(
    image: &Image,
    symbol: &[u8],
    export: &Export,
    target: &Target,
    step: Step,
    log: &mut Log,
) -> Compared {
    if !target.has("MODVERSIONS") {
        return Compared::Same;
    }
    let name = &image.name;
    match versions::of(image, symbol) {
        Version::Crc(crc) if crc == export.crc => Compared::Same,
        Version::Crc(_) => Compared::Other(Some(text!("{}: disagrees about version of symbol {}", name, symbol))),
        Version::Missing { is_extended: true } => {
            let line = text!("{}: no extended symbol version for {}", name, symbol);
            log.logged(step, line, "the symbol's version is not compared");
            Compared::Same
        }
        Version::Missing { is_extended: false } => {
            Compared::Other(Some(text!("{}: no symbol version for {}", name, symbol)))
        }
        Version::Nowhere if target.has("MODULE_FORCE_LOAD") => {
            let meaning = "the module has no versions of symbols, which this kernel allows";
            log.forced(step, name, symbol, meaning);
            Compared::Same
        }
        Version::Nowhere => Compared::Other(None),
    }
}

/// A module that has to be loaded before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub module: Vec<u8>,
    /// What the other imports from it.
    pub symbols: Vec<Vec<u8>>,
}

/// What a module imports.
pub(crate) struct Imports {
    /// The modules that export it.
    pub owners: Vec<Owner>,
    /// Whether the module is taken for proprietary then, by its licence or its name, or
    /// because it imports from one that is.
    pub is_proprietary: bool,
}

/// Resolves what a module imports.
pub(crate) fn resolve(image: &Image, target: &Target, log: &mut Log) -> Imports {
    let mut owners: Vec<Owner> = Vec::new();
    let mut licence = Licence { is_free: is_compatible(image), uses_gpl: false };
    let name = &image.name;
    for (symbol, called) in image.symbols() {
        let section = u32::try_from(symbol.st_shndx).unwrap_or(u32::MAX);
        match section {
            SHN_UNDEF => {
                let Some(called) = machine::wanted(image.native().machine, &symbol, called) else { continue };
                let is_optional = symbol.st_bind() == STB_WEAK || is_ignored(image, called);
                log.about(called);
                let resolved = resolve_one(image, called, is_optional, target, &mut licence, log);
                let Some(module) = resolved.and_then(Export::module) else { continue };
                let symbol = called.to_vec();
                match owners.iter_mut().find(|owner| owner.module == module) {
                    Some(owner) => owner.symbols.push(symbol),
                    None => owners.push(Owner { module, symbols: vec![symbol] }),
                }
            }
            SHN_COMMON if !called.starts_with(b"__gnu_lto") => {
                let line = text!("{}: please compile with -fno-common", name);
                log.refused(Step::Symbols, Errno::ENOEXEC, Some(line), "it has a common symbol");
            }
            SHN_ABS | SHN_COMMON | SHN_LIVEPATCH => {}
            // Reserved numbers are beyond all sections.
            _ if target.dialect.symbol_sections_checked
                && (section as usize >= image.sections.len() || section >= SHN_LORESERVE) =>
            {
                let most = image.sections.len().saturating_sub(1);
                let line = "{}: Symbol {} has an invalid section index {section} (max {most})"
                    .replace("{section}", &section.to_string())
                    .replace("{most}", &most.to_string());
                let line = base::message::fill(&line, &[name, called]);
                log.refused(Step::Symbols, Errno::ENOEXEC, Some(line), "its symbol table is damaged");
            }
            _ => {}
        }
    }
    Imports { owners, is_proprietary: !licence.is_free }
}

/// Whether a symbol may be undefined (`ignore_undef_symbol()`).
fn is_ignored(image: &Image, symbol: &[u8]) -> bool {
    matches!(image.native().machine, EM_386 | EM_X86_64) && symbol == b"_GLOBAL_OFFSET_TABLE_"
}

/// What a kernel logs of a symbol that it can't resolve.
pub(crate) fn unknown(module: &[u8], symbol: &[u8], Errno(number): Errno) -> Vec<u8> {
    text!("{}: Unknown symbol {} (err -{})", module, symbol, number.to_string())
}

/// What is known of a symbol if the kernel's own exports aren't.
const NOWHERE: &str =
    "not exported by anything that is known, and the kernel's own exports aren't known; its headers list them";

/// Why a module is refused that uses both.
const MIXED: &str = "what is for the GPL alone and what is proprietary don't go together";

/// What a module may use, by its licence and what it has used before.
struct Licence {
    /// What is for the GPL alone.
    is_free: bool,
    /// It has done so.
    uses_gpl: bool,
}

impl Licence {
    /// Whether a module may use an export of another (`inherit_taint()`).
    fn allows(&mut self, image: &Image, symbol: &[u8], export: &Export, target: &Target, log: &mut Log) -> bool {
        self.uses_gpl |= export.is_gpl;
        let Some(owner) = export.module().filter(|_| export.is_proprietary) else { return true };
        let name = &image.name;
        let what = if target.dialect.taint_names_symbol { text!("{} ", symbol) } else { Vec::new() };
        if self.uses_gpl {
            let line = "{}: module using GPL-only symbols uses symbols {}from proprietary module {}.";
            log.logged(Step::Symbols, base::message::fill(line, &[name, &what, &owner]), MIXED);
            return false;
        }
        if self.is_free {
            let line =
                text!("{}: module uses symbols {}from proprietary module {}, inheriting taint.", name, what, owner);
            log.logged(Step::Symbols, line, "what is for the GPL alone isn't for it any more");
            self.is_free = false;
        }
        true
    }
}

fn resolve_one<'e>(
    image: &Image,
    symbol: &[u8],
    is_optional: bool,
    target: &'e Target<'e>,
    licence: &mut Licence,
    log: &mut Log,
) -> Option<&'e Export<'e>> {
    let name = &image.name;
    let unknown = |errno| unknown(name, symbol, errno);
    let found = target.exports.get(symbol);
    let is_for_it = found.is_none_or(|export| !export.is_gpl || licence.is_free);
    let Some(export) = found.filter(|_| is_for_it) else {
        if is_optional {
            return None;
        }
        let line = unknown(Errno::ENOENT);
        if found.is_some() {
            let meaning = if is_compatible(image) {
                b"the symbol is for modules under the GPL, and this one uses a proprietary one".to_vec()
            } else {
                text!("the symbol is for modules under the GPL, and this one's licence is '{}'", license(image))
            };
            log.refused(Step::Symbols, Errno::ENOENT, Some(line), meaning);
        } else if target.exports.have_kernel() {
            let meaning = "neither the kernel nor any of the modules that are known exports it";
            log.refused(Step::Symbols, Errno::ENOENT, Some(line), meaning);
        } else {
            log.unknown(Step::Symbols, NOWHERE);
        }
        return None;
    };
    if !licence.allows(image, symbol, export, target, log) {
        if !is_optional {
            log.refused(Step::Symbols, Errno::ENOENT, Some(unknown(Errno::ENOENT)), MIXED);
        }
        return None;
    }
    if let Compared::Other(line) = compare(image, symbol, export, target, Step::Symbols, log) {
        let of = match export.module() {
            None => b"the kernel's".to_vec(),
            Some(module) => text!("that of {}", module),
        };
        let meaning = match &line {
            None => text!("the module has no versions of symbols, and the kernel wants them"),
            Some(_) => text!("the module was built with another version of {} than {}", symbol, of),
        };
        if let Some(line) = line {
            log.refused(Step::Symbols, Errno::EINVAL, Some(line), meaning.clone());
        }
        log.refused(Step::Symbols, Errno::EINVAL, Some(unknown(Errno::EINVAL)), meaning);
        return None;
    }
    let namespace = export.namespace;
    let is_listed = target.dialect.module_namespaces && lists(namespace, name);
    if !namespace.is_empty() && !is_listed && !image.modinfos(b"import_ns").any(|imported| imported == namespace) {
        let line =
            text!("{}: module uses symbol ({}) from namespace {}, but does not import it.", name, symbol, namespace);
        if target.has("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS") {
            log.logged(Step::Symbols, line, "this kernel allows that");
        } else {
            let meaning = if namespace.starts_with(b"module:") {
                text!("the symbol is for the modules that {} lists alone", namespace)
            } else {
                text!("the module has no MODULE_IMPORT_NS({})", namespace)
            };
            log.refused(Step::Symbols, Errno::EINVAL, Some(line), meaning.clone());
            log.refused(Step::Symbols, Errno::EINVAL, Some(unknown(Errno::EINVAL)), meaning);
            return None;
        }
    }
    Some(export)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_that_list_modules() {
        for (namespace, expected) in [
            ("module:kvm", true),
            ("module:kvm-intel,kvm", true),
            ("module:k*", true),
            ("module:*", true),
            ("module:kv", false),
            ("module:kvm_amd", false),
            ("kvm", false),
            ("module:", false),
        ] {
            assert_eq!(lists(namespace.as_bytes(), b"kvm"), expected, "{namespace}");
        }
        assert!(lists(b"module:kvm-intel", b"kvm_intel"));
    }
}

//! All checks of one module, in the kernel's order.

use base::message::text;
use goblin::elf::section_header::{SHF_EXECINSTR, SHF_WRITE};

use crate::additions::Additions;
use crate::exported::{self, Exported};
use crate::finding::{self, Errno, Finding, Log, Step, Verdict};
use crate::image::Image;
use crate::signature::{self, Signature, Signed};
pub use crate::symbols::Owner;
use crate::symbols::{self, Compared, Imports};
use crate::target::{Native, State, Target};

/// Bits of what taints a kernel (`include/linux/panic.h`).
const PROPRIETARY: u64 = 1 << 0;
const OUT_OF_TREE: u64 = 1 << 12;
const UNSIGNED: u64 = 1 << 13;
const TEST: u64 = 1 << 18;

/// A module that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What it calls itself; empty if it can't be read.
    pub name: Vec<u8>,
    /// What it was built for: its version magic.
    pub vermagic: Option<Vec<u8>>,
    /// What was found, in the kernel's order, also after the first that is refused.
    pub findings: Vec<Finding>,
    /// The modules that export what it imports.
    pub owners: Vec<Owner>,
    /// What it exports itself.
    pub exports: Vec<Exported>,
    /// The kernel takes it for proprietary: by its licence or its name, or because it
    /// imports from a module that is.
    pub is_proprietary: bool,
}

impl Checked {
    /// Whether the kernel would load it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        finding::verdict(&self.findings)
    }
}

/// Checks a module, which is decompressed. The last check, that of its types for BPF, is
/// left to who has them returned.
pub(crate) fn check<'a>(bytes: &'a [u8], target: &Target) -> (Checked, Option<Additions<'a>>) {
    let mut log = Log::new(target.state.tainted);
    let (bytes, signature) = signature::split(bytes);
    let is_signed = check_signature(bytes, &signature, target, &mut log);

    let native =
        target.native.or_else(|| Native::of(bytes)).unwrap_or(Native { is_64: true, is_little: true, machine: 0 });
    let image = match Image::read(bytes, native, &target.dialect, target.module_size) {
        Ok(image) => image,
        Err(findings) => {
            log.extend(findings);
            return (Checked { findings: log.findings(), ..Checked::default() }, None);
        }
    };
    let vermagic = image.modinfo(b"vermagic").map(<[u8]>::to_vec);
    if let Some(release) = vermagic.as_deref().and_then(|vermagic| vermagic.split(|&byte| byte == b' ').next()) {
        log.built_for(release);
    }
    if let Some(line) = &image.other_size {
        let meaning = "the kernel's structures have another size than when the module was built";
        log.refused(Step::ModuleSize, Errno::ENOEXEC, Some(line.clone()), meaning);
    }
    check_layout(&image, target, &mut log);
    check_vermagic(&image, vermagic.as_deref(), target, &mut log);
    if target.dialect.taints_late {
        check_livepatch(&image, target, &mut log);
        check_permissions(&image, target, &mut log);
        check_taints(&image, is_signed, target, &mut log);
    } else {
        check_taints(&image, is_signed, target, &mut log);
        check_permissions(&image, target, &mut log);
    }
    check_exports(&image, target, &mut log);
    let Imports { owners, is_proprietary } = symbols::resolve(&image, target, &mut log);
    let exports = exported::of(&image);
    check_duplicates(&image, &exports, &owners, target, &mut log);
    let additions = Additions::of(&image, target, &log);
    let findings = log.findings();
    (Checked { name: image.name, vermagic, findings, owners, exports, is_proprietary }, additions)
}

/// Whether there is a signature that the kernel takes, if that can be told.
fn check_signature(module: &[u8], signature: &Signature, target: &Target, log: &mut Log) -> Option<bool> {
    if !target.has("MODULE_SIG") {
        return Some(true);
    }
    let State { enforces_signatures, is_locked_down, .. } = target.state;
    let is_enforced = enforces_signatures || target.has("MODULE_SIG_FORCE");
    let reason = match signature {
        Signature::Absent => "unsigned module",
        Signature::Unsupported(line) => {
            log.logged(Step::Signature, line.as_bytes().to_vec(), "its signature is of a kind that kernels don't know");
            "module with unsupported crypto"
        }
        Signature::Malformed(line, errno) => {
            let line = line.map(|line| line.as_bytes().to_vec());
            log.refused(Step::Signature, *errno, line, "its signature is damaged");
            return Some(false);
        }
        Signature::By(Signed { attributes: Some(line), .. }) => {
            let line = line.as_bytes().to_vec();
            log.refused(Step::Signature, Errno::EKEYREJECTED, Some(line), "more is signed than the module");
            return Some(false);
        }
        Signature::By(signed) => {
            let signer = &signed.signer;
            let certificate = target.certificates.iter().find(|certificate| certificate.id == signer.id);
            let verified = certificate.and_then(|certificate| certificate.verify(module, signed));
            if verified == Some(false) {
                let meaning = "it isn't what was signed, or the key is another one of that name";
                log.refused(Step::Signature, Errno::EKEYREJECTED, None, meaning);
                return Some(false);
            }
            // What signed the kernel's own modules is a key that it has.
            let is_known = verified.is_some() || target.signer.as_ref() == Some(signer);
            if certificate.is_some() || is_known || !target.knows_keys {
                if !is_known && (is_enforced || is_locked_down) {
                    let what = "whether the kernel has the key of its signature ({}, {}) can't be told";
                    let parts: &[&[u8]] = &[signer.certificate.as_bytes(), signer.hash.as_bytes()];
                    log.unknown(Step::Signature, base::message::fill(what, parts));
                }
                return None;
            }
            "module with unavailable key"
        }
    };
    if is_enforced {
        let line = text!("Loading of {} is rejected", reason);
        log.refused(Step::Signature, Errno::EKEYREJECTED, Some(line), "the kernel demands a signature");
    } else if is_locked_down {
        let line = b"Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7";
        log.refused(
            Step::Signature,
            Errno::EPERM,
            Some(line.to_vec()),
            "the kernel is locked down, and demands a signature",
        );
    }
    Some(false)
}

/// The version of `module_layout`, which is that of the structures that a kernel and a
/// module share.
fn check_layout(image: &Image, target: &Target, log: &mut Log) {
    const NAME: &[u8] = b"module_layout";
    let Some(export) = target.exports.get(NAME) else {
        if target.has("MODVERSIONS") {
            log.unknown(Step::Layout, "the version of the kernel's module_layout isn't known");
        }
        return;
    };
    if let Compared::Other(line) = symbols::compare(image, NAME, export, target, Step::Layout, log) {
        let meaning = match line {
            Some(_) => "the kernel's structures are others than those that it was built with",
            None => "the module has no versions of symbols, and the kernel wants them",
        };
        log.refused(Step::Layout, Errno::ENOEXEC, line, meaning);
    }
}

/// The version magic, whose release is passed over if a module has versions of symbols;
/// extended ones alone don't count (`same_magic()`).
fn check_vermagic(image: &Image, vermagic: Option<&[u8]>, target: &Target, log: &mut Log) {
    let Some(vermagic) = vermagic else {
        if target.has("MODULE_FORCE_LOAD") {
            log.forced(
                Step::Vermagic,
                &image.name,
                b"bad vermagic",
                "the module has no version magic, which this kernel allows",
            );
        } else {
            log.refused(Step::Vermagic, Errno::ENOEXEC, None, "it has no version magic");
        }
        return;
    };
    let Some(expected) = &target.vermagic else {
        log.unknown(Step::Vermagic, "the kernel's version magic isn't known");
        return;
    };
    let compared = |vermagic: &[u8]| {
        let start = memchr::memchr(b' ', vermagic).unwrap_or(vermagic.len());
        if image.versions().is_some() { vermagic[start..].to_vec() } else { vermagic.to_vec() }
    };
    if compared(vermagic) != compared(expected) {
        let line = text!("{}: version magic '{}' should be '{}'", image.name, vermagic, expected);
        log.refused(Step::Vermagic, Errno::ENOEXEC, Some(line), "it was built for another kernel or configuration");
    }
}

fn check_livepatch(image: &Image, target: &Target, log: &mut Log) {
    if image.modinfo(b"livepatch").is_some() && !target.has("LIVEPATCH") {
        let line = text!("{}: module is marked as livepatch module, but livepatch support is disabled", image.name);
        log.refused(Step::Livepatch, Errno::ENOEXEC, Some(line), "the kernel can't be patched while it runs");
    }
}

fn check_permissions(image: &Image, target: &Target, log: &mut Log) {
    const BOTH: u64 = SHF_WRITE as u64 | SHF_EXECINSTR as u64;
    if !target.has("STRICT_MODULE_RWX") {
        return;
    }
    let found = image.sections.iter().enumerate().find(|(_, section)| section.sh_flags & BOTH == BOTH);
    if let Some((number, section)) = found {
        let line = text!(
            "{}: section {} (index {}) has invalid WRITE|EXEC flags",
            image.name,
            image.section_name(section),
            number.to_string()
        );
        log.refused(Step::Permissions, Errno::ENOEXEC, Some(line), "a section is both writable and executable");
    }
}

/// What taints the kernel, which it logs but once for most kinds.
fn check_taints(image: &Image, is_signed: Option<bool>, target: &Target, log: &mut Log) {
    let name = &image.name;
    let dialect = &target.dialect;
    if image.modinfo(b"intree").is_none() && log.taints(OUT_OF_TREE) {
        let line = text!("{}: loading out-of-tree module taints kernel.", name);
        log.logged(Step::Taints, line, "it isn't one of the kernel's own modules");
    }
    let has_retpoline = target.has("RETPOLINE") || target.has("MITIGATION_RETPOLINE");
    if has_retpoline && image.modinfo(b"retpoline").is_none() {
        let meaning = "indirect branches in it can be exploited (Spectre v2)";
        log.logged(Step::Taints, b"Spectre V2 : System may be vulnerable to spectre v2".into(), meaning);
        let line = text!("{}: loading module not compiled with retpoline compiler.", name);
        log.logged(Step::Taints, line, meaning);
    }
    if image.modinfo(b"staging").is_some() {
        let line = "{}: module is from the staging directory, the quality is unknown, you have been warned.";
        log.logged(Step::Taints, base::message::fill(line, &[name]), "it is of poor quality");
    }
    if !dialect.taints_late {
        check_livepatch(image, target, log);
    }
    if image.modinfo(b"livepatch").is_some() && target.has("LIVEPATCH") {
        let line = text!("{}: tainting kernel with TAINT_LIVEPATCH", name);
        log.logged(Step::Taints, line, "it changes the kernel");
    }
    let is_by_license = !symbols::is_free(image) && log.taints(PROPRIETARY);
    if is_by_license {
        let line = text!("{}: module license '{}' taints kernel.", name, symbols::license(image));
        log.logged(Step::Taints, line, "its licence isn't compatible with the GPL");
    }
    if dialect.tests_taint && image.modinfo(b"test").is_some() && log.taints(TEST) {
        let line = text!("{}: loading test module taints kernel.", name);
        log.logged(Step::Taints, line, "it contains tests");
    }
    if is_signed == Some(false) && log.taints(UNSIGNED) {
        let line = "{}: module verification failed: signature and/or required key missing - tainting kernel";
        log.logged(Step::Taints, base::message::fill(line, &[name]), "it has no signature that the kernel can check");
    }
    let is_by_name = symbols::is_offender(image) && log.taints(PROPRIETARY);
    // Older kernels look at what taints them when the licence has done so.
    if is_by_name || is_by_license && dialect.taints_late {
        let line = text!("{}: module license taints kernel.", name);
        log.logged(Step::Taints, line, "it isn't compatible with the GPL");
    }
}

/// Whether there are flags and versions for all exports.
fn check_exports(image: &Image, target: &Target, log: &mut Log) {
    let has = |section: &[u8]| image.section(section).is_some_and(|section| !image.contents(section).is_empty());
    let name = &image.name;
    if target.dialect.exports_flagged && has(b"__ksymtab") && !has(b"__kflagstab") {
        let line = text!("{}: no flags for exported symbols", name);
        log.refused(Step::Exports, Errno::ENOEXEC, Some(line), "it was built for an older kernel, or is damaged");
    }
    let lacks = |table: &[u8], crcs: &[u8]| has(table) && !has(crcs);
    let lacks_versions = lacks(b"__ksymtab", b"__kcrctab") || lacks(b"__ksymtab_gpl", b"__kcrctab_gpl");
    if target.has("MODVERSIONS") && lacks_versions {
        let reason = b"no versions for exported symbols";
        if target.has("MODULE_FORCE_LOAD") {
            log.forced(Step::Exports, name, reason, "this kernel allows that");
        } else {
            let meaning = "its exports have no versions, and the kernel wants them";
            log.refused(Step::Exports, Errno::ENOEXEC, None, meaning);
        }
    }
}

/// Whether the kernel, or a module that is loaded before, exports the same
/// (`verify_exported_symbols()`).
fn check_duplicates(image: &Image, exports: &[Exported], owners: &[Owner], target: &Target, log: &mut Log) {
    for Exported { name, .. } in exports {
        let Some(export) = target.exports.get(name) else { continue };
        let owner = match export.module() {
            None => b"kernel".to_vec(),
            Some(module) if owners.iter().any(|owner| owner.module == module) => module,
            // It need not be loaded.
            Some(_) => continue,
        };
        log.about(name);
        let line = text!("{}: exports duplicate symbol {} (owned by {})", image.name, name, owner);
        let meaning = text!("what {} exports, no other module can export", owner);
        log.refused(Step::Duplicates, Errno::ENOEXEC, Some(line), meaning);
        return;
    }
}

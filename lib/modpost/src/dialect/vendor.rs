//! What vendors' kernels have of their own in `scripts/mod`, and the files of a
//! kernel tree by which that is known.

use std::path::PathBuf;

use kernel::vendor::{defined, find, judge_by_headers, made_by, vendor};
use kernel::{Trees, Vendor, Version};

use super::{Dialect, source};

/// Every vendor that is served. `docs/kernels.md` says what is known of each,
/// and how.
pub(super) const VENDORS: &[Vendor<Dialect>] = &[
    vendor("ubuntu", (5, 0), None, |_| {}),
    vendor("ubuntu", (6, 2), None, packed),
    vendor("ubuntu", (6, 14), None, packed_alone),
    vendor("rhel", (9, 0), Some((5, 14)), |_| {}),
    vendor("rhel", (9, 1), Some((5, 14)), rhel_9_1),
    vendor("rhel", (9, 2), Some((5, 14)), rhel_9_2),
    vendor("rhel", (9, 3), Some((5, 14)), rhel_9_3),
    vendor("rhel", (9, 5), Some((6, 5)), rhel_9_5),
    vendor("rhel", (10, 0), Some((6, 12)), |_| {}),
    vendor("suse", (5, 0), None, suse),
    vendor("suse", (6, 4), None, suse_15_6),
    vendor("suse", (6, 5), None, suse),
    vendor("suse", (15, 4), Some((5, 14)), suse),
    vendor("suse", (15, 6), Some((6, 4)), suse_15_6),
    vendor("suse", (16, 0), Some((6, 12)), suse_15_6),
    vendor("android", (5, 0), None, android),
    vendor("android", (5, 10), None, android_5_10),
    vendor("android", (5, 11), None, android),
    vendor("android", (5, 15), None, android_5_15),
    vendor("android", (5, 16), None, android),
    vendor("android", (6, 1), None, android_6_1),
    vendor("cachyos", (5, 0), None, |_| {}),
    vendor("cachyos", (6, 16), None, cachyos),
    vendor("hardened", (5, 0), None, hardened),
    vendor("amazon", (5, 0), None, |_| {}),
    vendor("amazon", (6, 18), None, amazon),
];

/// `____versions` is packed whenever CRCs are wanted.
fn packed(dialect: &mut Dialect) {
    dialect.packed_versions = true;
}

/// The same, mainline's extended versions being taken out.
fn packed_alone(dialect: &mut Dialect) {
    packed(dialect);
    dialect.extended_versions = false;
}

fn rhel_9_1(dialect: &mut Dialect) {
    dialect.pci_override_only = true;
    dialect.ishtp_tables = true;
}

fn rhel_9_2(dialect: &mut Dialect) {
    rhel_9_1(dialect);
    dialect.mhi_ep_tables = true;
    dialect.s390_expolines = true;
}

fn rhel_9_3(dialect: &mut Dialect) {
    rhel_9_2(dialect);
    dialect.mod_file_by_line = true;
    dialect.lto_suffix = false;
    dialect.prelink_suffix = true;
}

/// A state in the middle of 6.5's development, with the options of 5.14 and
/// some of what came later.
fn rhel_9_5(dialect: &mut Dialect) {
    dialect.cdx_override = false;
    dialect.cdx_tables = false;
    dialect.checks_before_files = false;
    dialect.cranges_ignored = true;
    dialect.description_wanted = false;
    dialect.dollar_symbols_ignored = true;
    dialect.extra_warn = false;
    dialect.list_from_dash_is_a_file = false;
    dialect.loongarch_extable = false;
    dialect.mismatch_offsets = false;
    dialect.mitigation_retpoline = true;
    dialect.namespace_by_name = true;
    dialect.nearest_is_first = true;
    dialect.orc_header = false;
    dialect.rel_needs_machine = false;
    dialect.softirqentry_text = false;
    dialect.target_keeps_its_name = true;
    dialect.trim_option = false;
}

/// `-S` lists what is supported.
fn suse(dialect: &mut Dialect) {
    dialect.supported_option = true;
}

/// `-l` also names a file for livepatch modules.
fn suse_15_6(dialect: &mut Dialect) {
    suse(dialect);
    dialect.livepatch_option = true;
}

/// `-v` tells the state of the source.
fn android(dialect: &mut Dialect) {
    dialect.scmversion_option = true;
}

/// Android 12's: what became errors in 5.11, and the suffixes of 5.12's LTO.
fn android_5_10(dialect: &mut Dialect) {
    android(dialect);
    dialect.errors_fail_at_the_end = true;
    dialect.exported_twice_is_fatal = true;
    dialect.lto_suffix = true;
}

/// Android 13's and 14's, of 5.15: `.mod` files are those of 5.19.
fn android_5_15(dialect: &mut Dialect) {
    android(dialect);
    dialect.exported_twice_is_fatal = true;
    dialect.mod_file_by_line = true;
}

/// Since Android 14's, of 6.1.
fn android_6_1(dialect: &mut Dialect) {
    android(dialect);
    dialect.empty_sections_unchecked = true;
}

/// `.cmd` files are found as in 7.2.
fn cachyos(dialect: &mut Dialect) {
    dialect.cmd_file_by_stem = true;
}

/// `-f` reports writable function pointers.
fn hardened(dialect: &mut Dialect) {
    dialect.writable_pointers_option = true;
}

/// `-c` makes the FIPS 140 module's exports.
fn amazon(dialect: &mut Dialect) {
    dialect.fips140_option = true;
}

/// Whether there are kernels of this version with packed `____versions`.
fn may_be_packed(version: Version) -> bool {
    find(b"ubuntu", version).is_some_and(|row: &Vendor<Dialect>| row.dialect(version).packed_versions)
}

/// Makes of a version's dialect Ubuntu's, if its loader wants packed
/// `____versions`: `struct modversion_info` in `linux/module.h` has a member
/// `next`. Some of Ubuntu's kernels have had that reverted, and other vendors'
/// derive from them, so neither version nor name decides.
fn by_module_header(dialect: &Dialect, header: &[u8]) -> Option<Dialect> {
    let start = memchr::memmem::find(header, b"struct modversion_info {")?;
    let body = header[start..].split(|&byte| byte == b'}').next()?;
    let is_next = |line: &[u8]| line.trim_ascii().strip_suffix(b" next;").is_some();
    body.split(|&byte| byte == b'\n').any(is_next).then_some(())?;
    let row = find::<Dialect>(b"ubuntu", dialect.kernel.version)?;
    Some(made_by(row.name, dialect, row.changes))
}

/// An option that one vendor's modpost has.
#[derive(Clone, Copy, Debug)]
struct Own {
    vendor: &'static str,
    /// Its letter, and a colon if it takes an argument, as getopt(3) expects them.
    option: &'static str,
    /// The flag of a dialect that has it.
    has: fn(&Dialect) -> bool,
    /// The file in a kernel's `include/config` that is there if kbuild gives the option,
    /// since 5.12 and before.
    config: Option<[&'static str; 2]>,
}

/// Every such option. SUSE's older modposts, and mainline's before 5.0, have an `-S`
/// without argument.
const OWN: &[Own] = &[
    Own {
        vendor: "suse",
        option: "S:",
        has: |dialect| dialect.supported_option,
        config: Some(["SUSE_KERNEL_SUPPORTED", "suse/kernel/supported.h"]),
    },
    Own {
        vendor: "android",
        option: "v:",
        has: |dialect| dialect.scmversion_option,
        config: Some(["MODULE_SCMVERSION", "module/scmversion.h"]),
    },
    Own {
        vendor: "amazon",
        option: "c",
        has: |dialect| dialect.fips140_option,
        config: Some(["CRYPTO_FIPS140_EXTMOD", "crypto/fips140/extmod.h"]),
    },
    Own { vendor: "hardened", option: "f", has: |dialect| dialect.writable_pointers_option, config: None },
];

impl Own {
    /// The dialect of the vendor's kernel of a dialect's version.
    fn vendors(&self, dialect: &Dialect) -> Dialect {
        // Amazon's first with the option is of another version than the name's first row.
        let changes: fn(&mut Dialect) = match self.vendor {
            "amazon" => amazon,
            name => find::<Dialect>(name.as_bytes(), dialect.kernel.version).map_or(|_| {}, |row| row.changes),
        };
        made_by(self.vendor, dialect, changes)
    }
}

/// A flag of a dialect.
type Flag = fn(&mut Dialect) -> &mut bool;

/// Options, and the flags of dialects that have them. If the kernel's source is at hand, it
/// decides about them, and not the version or the vendor.
const OPTIONS: &[(&str, Flag)] = &[
    ("l:", |dialect| &mut dialect.livepatch_option),
    ("M", |dialect| &mut dialect.module_option),
    ("W", |dialect| &mut dialect.extra_warn),
    ("t", |dialect| &mut dialect.trim_option),
    ("x", |dialect| &mut dialect.extended_versions),
];

/// Whether options as getopt(3) takes them have one, with its argument if that has any.
fn has_option(options: &[u8], option: &str) -> bool {
    let option = option.as_bytes();
    let wants_argument = option.len() > 1;
    let mut places = options.iter().enumerate().filter(|(_, letter)| **letter == option[0]);
    places.any(|(at, _)| (options.get(at + 1) == Some(&b':')) == wants_argument)
}

/// What `scripts/mod/devicetable-offsets.h` defines if a kernel has certain
/// tables, or fields in their entries.
type Defined = (&'static str, Flag);

const DEFINED: &[Defined] = &[
    ("SIZE_auxiliary_device_id", |dialect| &mut dialect.auxiliary_tables),
    ("SIZE_cdx_device_id", |dialect| &mut dialect.cdx_tables),
    ("OFF_cdx_device_id_override_only", |dialect| &mut dialect.cdx_override),
    ("OFF_cdx_device_id_class", |dialect| &mut dialect.cdx_class),
    ("SIZE_coreboot_device_id", |dialect| &mut dialect.coreboot_tables),
    ("SIZE_ishtp_device_id", |dialect| &mut dialect.ishtp_tables),
    ("SIZE_mcb_device_id", |dialect| &mut dialect.mcb_tables),
    ("OFF_pci_device_id_override_only", |dialect| &mut dialect.pci_override_only),
    ("SIZE_slim_device_id", |dialect| &mut dialect.slim_tables),
    ("SIZE_ssam_device_id", |dialect| &mut dialect.ssam_and_dfl_tables),
    ("SIZE_vchiq_device_id", |dialect| &mut dialect.vchiq_tables),
];

/// Gives a dialect the device tables of `scripts/mod/devicetable-offsets.h`,
/// which the kernel build makes before it makes modpost: vendors take tables
/// over from later kernels.
fn by_offsets(dialect: &Dialect, header: &[u8]) -> Option<Dialect> {
    // Every kernel has this; without it the file is something else.
    defined(header, "SIZE_pci_device_id")?;
    let mut own = dialect.clone();
    for (name, flag) in DEFINED {
        *flag(&mut own) = defined(header, name).is_some();
    }
    (own != *dialect).then_some(own)
}

/// Makes of a version's dialect that of the vendor whose files are in a tree;
/// returns the files that say so.
pub(super) fn judge(dialect: &mut Dialect, trees: &Trees) -> Vec<PathBuf> {
    let mut evidence = judge_by_headers(dialect, trees);
    if may_be_packed(dialect.kernel.version) {
        evidence.extend(trees.judge("include/linux/module.h", dialect, by_module_header));
    }
    evidence.extend(trees.judge("scripts/mod/modpost.c", dialect, by_options));
    for (own, [name, old_name]) in OWN.iter().filter_map(|own| Some((own, own.config?))) {
        let names = [name, old_name].map(|name| format!("include/config/{name}"));
        if let Some(path) = trees.find(&names).filter(|_| !(own.has)(dialect)) {
            *dialect = own.vendors(dialect);
            evidence.push(path);
        }
    }
    evidence.extend(source::judge(dialect, trees));
    evidence.extend(trees.judge("scripts/mod/devicetable-offsets.h", dialect, by_offsets));
    evidence.dedup();
    evidence
}

/// Makes of a dialect a vendor's, by the options that the text of
/// `scripts/mod/modpost.c` hands to getopt(3).
fn by_options(dialect: &Dialect, source: &[u8]) -> Option<Dialect> {
    let options = source::options(source)?;
    let mut judged = dialect.clone();
    for own in OWN.iter().filter(|own| has_option(options, own.option) && !(own.has)(dialect)) {
        judged = own.vendors(&judged);
    }
    for (option, flag) in OPTIONS {
        *flag(&mut judged) = has_option(options, option);
    }
    (judged != *dialect).then_some(judged)
}

#[cfg(test)]
mod tests {
    use kernel::Kernel;
    use kernel::vendor::{by_suse_header, by_version_header};

    use super::*;

    fn named(name: &[u8]) -> Option<Dialect> {
        kernel::vendor::named(name)
    }

    fn at(major: u16, minor: u16) -> Dialect {
        Dialect::new(Version::new(major, minor, 0))
    }

    #[test]
    fn names() {
        let found =
            |name: &str| named(name.as_bytes()).map(|dialect| (dialect.kernel.name.clone(), dialect.kernel.version));
        for (name, expected, version) in [
            ("ubuntu/6.8.1", "ubuntu/6.8.1", (6, 8, 1)),
            ("ubuntu/5.15", "ubuntu/5.15.0", (5, 15, 0)),
            ("rhel/9.4", "rhel/9.4", (5, 14, 0)),
            ("rhel/9.7", "rhel/9.7", (6, 5, 0)),
            ("rhel/10.1", "rhel/10.1", (6, 12, 0)),
            ("suse/15.7", "suse/15.7", (6, 4, 0)),
            ("suse/6.4", "suse/6.4.0", (6, 4, 0)),
            ("android/6.6.30", "android/6.6.30", (6, 6, 30)),
            ("amazon/6.18.9", "amazon/6.18.9", (6, 18, 9)),
        ] {
            let (major, minor, sublevel) = version;
            assert_eq!(found(name), Some((expected.to_owned(), Version::new(major, minor, sublevel))), "{name}");
        }
        for unknown in ["rhel/9", "rhel/8.10", "rhel", "debian/6.1", "6.8", "ubuntu/", ""] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_name_names_itself() {
        for row in VENDORS {
            let (major, minor) = row.since;
            let dialect = row.dialect(Version::new(major, minor, 0));
            assert_eq!(named(dialect.kernel.name.as_bytes()), Some(dialect));
        }
    }

    #[test]
    fn what_vendors_change() {
        let dialect = |name: &str| named(name.as_bytes());
        assert!(dialect("ubuntu/6.8").is_some_and(|d| d.packed_versions && d.kernel.rhel_version.is_none()));
        assert!(dialect("ubuntu/6.14").is_some_and(|d| d.packed_versions && !d.extended_versions));
        assert!(dialect("rhel/9.0").is_some_and(|d| !d.pci_override_only && d.kernel.rhel_version == Some((9, 0))));
        assert!(dialect("rhel/9.2").is_some_and(|d| d.pci_override_only && !d.mod_file_by_line));
        assert!(dialect("rhel/9.4").is_some_and(|d| d.mod_file_by_line && d.kernel.rhel_version == Some((9, 4))));
        let release = |name: &str| dialect(name).and_then(|dialect| dialect.kernel.suse_release);
        assert_eq!(release("suse/15.6").as_deref(), Some(&b"SLE15-SP6"[..]));
        assert_eq!(release("suse/16.0").as_deref(), Some(&b"SLE16"[..]));
        assert_eq!(release("suse/6.4"), None);
    }

    #[test]
    fn rhel_and_fedora_by_header() {
        let found = |dialect, major: u16, minor: u16| {
            let header =
                format!("#define LINUX_VERSION_CODE 1\n#define RHEL_MAJOR {major}\n#define RHEL_MINOR {minor}\n");
            by_version_header(&dialect, header.as_bytes())
        };
        assert_eq!(by_version_header(&at(6, 12), b"#define LINUX_VERSION_CODE 396288\n"), None);
        let fedora = Dialect { kernel: Kernel { rhel_version: Some((9, 99)), ..at(6, 2).kernel }, ..at(6, 2) };
        assert_eq!(found(at(6, 2), 9, 99), Some(fedora));
        for minor in [0, 4, 6, 8] {
            assert_eq!(found(at(5, 14), 9, minor), named(format!("rhel/9.{minor}").as_bytes()));
        }
    }

    #[test]
    fn ubuntu_by_header() {
        let packed = b"struct modversion_info {\n\t/* Offset of next. */\n\tu32 next;\n\tu32 crc;\n};\n";
        let plain = b"struct modversion_info {\n\tunsigned long crc;\n};\nstruct list {\n\tint next;\n};\n";
        assert_eq!(by_module_header(&at(6, 8), packed), named(b"ubuntu/6.8"));
        assert_eq!(by_module_header(&at(6, 17), packed), named(b"ubuntu/6.17"));
        assert_eq!(by_module_header(&at(6, 8), plain), None);
        assert!(may_be_packed(Version::new(6, 2, 0)) && !may_be_packed(Version::new(6, 1, 0)));
    }

    #[test]
    fn suse_by_header() {
        let header = b"#define SUSE_PRODUCT_NAME       \"SUSE Linux Enterprise 15 SP6\"\n#define SUSE_PRODUCT_SHORTNAME  \"SLE15-SP6\"\n";
        let found = by_suse_header(&at(6, 4), header);
        let mut expected = named(b"suse/15.6").unwrap_or_else(|| at(0, 0));
        expected.kernel.name = "suse/6.4.0".to_owned();
        assert_eq!(found, Some(expected));
        assert_eq!(by_suse_header(&at(6, 4), b"#define SUSE_VERSION 15\n"), None);
    }

    #[test]
    fn vendors_by_their_options() {
        let found =
            |dialect, options: &str| by_options(&dialect, format!("x = getopt(argc, argv, \"{options}\");").as_bytes());
        assert_eq!(found(at(6, 12), "ei:MmnT:to:au:WwENd:"), None);
        assert_eq!(found(at(6, 18), "ei:MmnT:to:au:WwENd:xb"), None);
        assert_eq!(found(at(6, 12), "ei:MmnT:to:au:WwENd:S:"), named(b"suse/6.12"));
        assert_eq!(
            found(at(6, 4), "ei:l:mnT:o:awENd:S:"),
            named(b"suse/6.4").map(|suse| Dialect { livepatch_option: true, ..suse })
        );
        assert_eq!(found(at(6, 6), "ei:MmnT:to:au:WwENd:v:"), named(b"android/6.6"));
        assert_eq!(found(at(6, 18), "ei:fMmnT:to:au:WwENd:xb"), named(b"hardened/6.18"));
        assert_eq!(found(at(5, 10), "ei:mnsST:o:awENd:"), None);
        assert_eq!(found(at(6, 18), "ei:MmnT:to:au:WwENd:xbc"), named(b"amazon/6.18"));
        assert!(found(at(6, 14), "ei:MmnT:to:au:WwENd:").is_some_and(|dialect| !dialect.extended_versions));
    }

    #[test]
    fn tables_by_offsets() {
        let header = |names: &[&str]| names.iter().map(|name| format!("#define {name} 8\n")).collect::<String>();
        // The newest kernel has all tables, whichever it is.
        let (old, new) = (at(5, 15), at(999, 0));
        let has = |dialect: &mut Dialect| DEFINED.iter().map(|(_, flag)| *flag(dialect)).collect::<Vec<_>>();
        let names: Vec<_> = DEFINED.iter().map(|(name, _)| *name).chain(["SIZE_pci_device_id"]).collect();
        assert_eq!(by_offsets(&new, header(&names).as_bytes()), None);
        let taken_over = by_offsets(&old, header(&names).as_bytes());
        assert_eq!(taken_over.map(|mut dialect| has(&mut dialect)), Some(vec![true; DEFINED.len()]));
        let none = by_offsets(&new, header(&["SIZE_pci_device_id"]).as_bytes());
        assert_eq!(none.map(|mut dialect| has(&mut dialect)), Some(vec![false; DEFINED.len()]));
        assert_eq!(by_offsets(&old, b"#define SIZE_cdx_device_id 8\n"), None);
    }
}

//! Vendors' kernels: how each differs from the mainline release that it comes
//! from.
//!
//! A vendor's kernel is called `VENDOR/RELEASE`, as in `ubuntu/6.8` or
//! `rhel/9.4`. The release is the kernel's version or, where it is higher than
//! any of those, the product's.

use crate::dialect::{Dialect, Version};

/// The kernels of a vendor, from one release until the next row of the same
/// vendor.
#[derive(Clone, Copy, Debug)]
pub struct Vendor {
    /// The vendor, as in `ubuntu`.
    pub name: &'static str,
    /// The first release, the kernel's or the product's.
    pub since: (u16, u16),
    /// What they do is mainline's of this version, for `None` their own ...
    pub base: Option<(u16, u16)>,
    /// ... but for this.
    changes: fn(&mut Dialect),
}

const fn vendor(name: &'static str, since: (u16, u16), base: Option<(u16, u16)>, changes: fn(&mut Dialect)) -> Vendor {
    Vendor { name, since, base, changes }
}

/// Every vendor that is served. `docs/kernels.md` says what is known of each,
/// and how.
pub const VENDORS: &[Vendor] = &[
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
    vendor("suse", (15, 4), Some((5, 14)), suse),
    vendor("suse", (15, 6), Some((6, 4)), suse),
    vendor("suse", (16, 0), Some((6, 12)), suse),
    vendor("android", (5, 0), None, android),
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

/// `-v` tells the state of the source.
fn android(dialect: &mut Dialect) {
    dialect.scmversion_option = true;
}

/// `-c` makes the FIPS 140 module's exports.
fn amazon(dialect: &mut Dialect) {
    dialect.fips140_option = true;
}

impl Vendor {
    fn dialect(&self, release: Version) -> Dialect {
        let version = self.base.map_or(release, |(major, minor)| Version::new(major, minor, 0));
        let name = match self.base {
            Some(_) => format!("{}/{}.{}", self.name, release.major, release.minor),
            None => format!("{}/{version}", self.name),
        };
        let mut dialect = Dialect { name, ..Dialect::new(version) };
        (self.changes)(&mut dialect);
        let product = self.base.map(|_| (release.major, release.minor));
        match self.name {
            "rhel" => dialect.rhel_version = product,
            "suse" => dialect.suse_release = product.map(suse_product),
            _ => {}
        }
        dialect
    }
}

/// What a SUSE Linux Enterprise calls itself (`gen-suse_version_h.sh`).
fn suse_product((version, service_pack): (u16, u16)) -> Vec<u8> {
    match service_pack {
        0 => format!("SLE{version}").into_bytes(),
        _ => format!("SLE{version}-SP{service_pack}").into_bytes(),
    }
}

/// The row for a release of a vendor.
fn find(vendor: &[u8], release: Version) -> Option<&'static Vendor> {
    let release = (release.major, release.minor);
    let mut rows = VENDORS.iter().rev();
    rows.find(|row| row.name.as_bytes() == vendor && row.since <= release)
}

/// The kernel of a vendor's name, `VENDOR/RELEASE`.
#[must_use]
pub fn named(name: &[u8]) -> Option<Dialect> {
    let slash = name.iter().position(|&byte| byte == b'/')?;
    let release = Version::parse(&name[slash + 1..])?;
    find(&name[..slash], release).map(|row| row.dialect(release))
}

/// What follows `#define NAME ` in a header.
fn defined<'h>(header: &'h [u8], name: &str) -> Option<&'h [u8]> {
    let mut lines = header.split(|&byte| byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(b"#define ")?.strip_prefix(name.as_bytes()))?;
    value.first().is_some_and(u8::is_ascii_whitespace).then(|| value.trim_ascii())
}

/// Makes of a version's dialect RHEL's or Fedora's, whose generated
/// `linux/version.h` tells RHEL's release. RHEL 9's modpost goes by that; all
/// others are mainline's that also write it.
#[must_use]
pub fn by_version_header(dialect: &Dialect, header: &[u8]) -> Option<Dialect> {
    let number = |name| std::str::from_utf8(defined(header, name)?).ok()?.parse::<u16>().ok();
    let release @ (major, minor) = (number("RHEL_MAJOR")?, number("RHEL_MINOR")?);
    let is_rhel_9 = major == 9 && (dialect.version.major, dialect.version.minor) == (5, 14);
    let own = if is_rhel_9 { find(b"rhel", Version::new(major, minor, 0)) } else { None };
    Some(match own {
        Some(row) => row.dialect(Version::new(major, minor, 0)),
        None => Dialect { rhel_version: Some(release), ..dialect.clone() },
    })
}

/// Makes of a dialect SUSE's, by the generated `linux/suse_version.h`.
#[must_use]
pub fn by_suse_header(dialect: &Dialect, header: &[u8]) -> Option<Dialect> {
    let quoted = defined(header, "SUSE_PRODUCT_SHORTNAME")?;
    let release = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?.to_vec();
    Some(Dialect { suse_release: Some(release), ..by_option(dialect.clone(), b'S') })
}

/// Whether there are kernels of this version with packed `____versions`.
#[must_use]
pub fn may_be_packed(version: Version) -> bool {
    find(b"ubuntu", version).is_some_and(|row| row.dialect(version).packed_versions)
}

/// Makes of a version's dialect Ubuntu's, if its loader wants packed
/// `____versions`: `struct modversion_info` in `linux/module.h` has a member
/// `next`. Some of Ubuntu's kernels have had that reverted, and other vendors'
/// derive from them, so neither version nor name decides.
#[must_use]
pub fn by_module_header(dialect: &Dialect, header: &[u8]) -> Option<Dialect> {
    let start = memchr::memmem::find(header, b"struct modversion_info {")?;
    let body = header[start..].split(|&byte| byte == b'}').next()?;
    let is_next = |line: &[u8]| line.trim_ascii().strip_suffix(b" next;").is_some();
    body.split(|&byte| byte == b'\n').any(is_next).then_some(())?;
    let row = find(b"ubuntu", dialect.version)?;
    let mut dialect = Dialect { name: format!("ubuntu/{}", dialect.version), ..dialect.clone() };
    (row.changes)(&mut dialect);
    Some(dialect)
}

/// Makes of a dialect that of the vendor whose modpost alone has an option.
fn by_option(dialect: Dialect, letter: u8) -> Dialect {
    let (name, change): (_, fn(&mut Dialect)) = match letter {
        b'S' => ("suse", suse),
        b'v' => ("android", android),
        _ => ("amazon", amazon),
    };
    let mut dialect = Dialect { name: format!("{name}/{}", dialect.version), ..dialect };
    change(&mut dialect);
    dialect
}

const fn has_option(dialect: &Dialect, letter: u8) -> bool {
    match letter {
        b'S' => dialect.supported_option,
        b'v' => dialect.scmversion_option,
        _ => dialect.fips140_option,
    }
}

/// Files in a kernel's `include/config` that are there if an option is set,
/// since 5.12 and before, and the letter by which modpost takes it then.
pub const CONFIGS: &[(&str, &str, u8)] = &[
    ("SUSE_KERNEL_SUPPORTED", "suse/kernel/supported.h", b'S'),
    ("MODULE_SCMVERSION", "module/scmversion.h", b'v'),
    ("CRYPTO_FIPS140_EXTMOD", "crypto/fips140/extmod.h", b'c'),
];

/// Makes of a dialect that of a vendor, by a file of [`CONFIGS`]; `None` if it
/// is that already.
#[must_use]
pub fn by_config(dialect: &Dialect, letter: u8) -> Option<Dialect> {
    (!has_option(dialect, letter)).then(|| by_option(dialect.clone(), letter))
}

/// Makes of a dialect a vendor's, by the options that the text of
/// `scripts/mod/modpost.c` hands to getopt(3).
#[must_use]
pub fn by_source(dialect: &Dialect, source: &[u8]) -> Option<Dialect> {
    let call = b"getopt(argc, argv, \"";
    let start = memchr::memmem::find(source, call)? + call.len();
    let options = source[start..].split(|&byte| byte == b'"').next()?;
    let has = |letter: u8| options.contains(&letter);
    let letters = CONFIGS.iter().map(|config| config.2);
    let new: Vec<u8> = letters.filter(|&letter| has(letter) && !has_option(dialect, letter)).collect();
    let no_extended = dialect.extended_versions && !has(b'x');
    if new.is_empty() && !no_extended {
        return None;
    }
    let dialect = Dialect { extended_versions: dialect.extended_versions && !no_extended, ..dialect.clone() };
    Some(new.into_iter().fold(dialect, by_option))
}

/// What `scripts/mod/devicetable-offsets.h` defines if a kernel has certain
/// tables, or fields in their entries.
type Defined = (&'static str, fn(&mut Dialect) -> &mut bool);

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
#[must_use]
pub fn by_offsets(dialect: &Dialect, header: &[u8]) -> Option<Dialect> {
    // Every kernel has this; without it the file is something else.
    defined(header, "SIZE_pci_device_id")?;
    let mut own = dialect.clone();
    for (name, flag) in DEFINED {
        *flag(&mut own) = defined(header, name).is_some();
    }
    (own != *dialect).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(major: u16, minor: u16) -> Dialect {
        Dialect::new(Version::new(major, minor, 0))
    }

    #[test]
    fn names() {
        let found = |name: &str| named(name.as_bytes()).map(|dialect| (dialect.name.clone(), dialect.version));
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
            assert_eq!(named(dialect.name.as_bytes()), Some(dialect));
        }
    }

    #[test]
    fn what_vendors_change() {
        let dialect = |name: &str| named(name.as_bytes());
        assert!(dialect("ubuntu/6.8").is_some_and(|d| d.packed_versions && d.rhel_version.is_none()));
        assert!(dialect("ubuntu/6.14").is_some_and(|d| d.packed_versions && !d.extended_versions));
        assert!(dialect("rhel/9.0").is_some_and(|d| !d.pci_override_only && d.rhel_version == Some((9, 0))));
        assert!(dialect("rhel/9.2").is_some_and(|d| d.pci_override_only && !d.mod_file_by_line));
        assert!(dialect("rhel/9.4").is_some_and(|d| d.mod_file_by_line && d.rhel_version == Some((9, 4))));
        let release = |name: &str| dialect(name).and_then(|dialect| dialect.suse_release);
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
        let fedora = Dialect { rhel_version: Some((9, 99)), ..at(6, 2) };
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
        let expected = Dialect { name: "suse/6.4.0".to_owned(), ..named(b"suse/15.6").unwrap_or_else(|| at(0, 0)) };
        assert_eq!(found, Some(expected));
        assert_eq!(by_suse_header(&at(6, 4), b"#define SUSE_VERSION 15\n"), None);
    }

    #[test]
    fn vendors_by_their_options() {
        let found =
            |dialect, options: &str| by_source(&dialect, format!("x = getopt(argc, argv, \"{options}\");").as_bytes());
        assert_eq!(found(at(6, 12), "ei:MmnT:to:au:WwENd:"), None);
        assert_eq!(found(at(6, 18), "ei:MmnT:to:au:WwENd:xb"), None);
        assert_eq!(found(at(6, 12), "ei:MmnT:to:au:WwENd:S:"), named(b"suse/6.12"));
        assert_eq!(found(at(6, 6), "ei:MmnT:to:au:WwENd:v:"), named(b"android/6.6"));
        assert_eq!(found(at(6, 18), "ei:MmnT:to:au:WwENd:xbc"), named(b"amazon/6.18"));
        assert!(found(at(6, 14), "ei:MmnT:to:au:WwENd:").is_some_and(|dialect| !dialect.extended_versions));
    }

    #[test]
    fn tables_by_offsets() {
        let header = |names: &[&str]| names.iter().map(|name| format!("#define {name} 8\n")).collect::<String>();
        let (old, new) = (at(5, 15), at(7, 0));
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

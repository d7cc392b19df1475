//! Vendors' kernels: how each differs from the mainline release that it comes
//! from.
//!
//! A vendor's kernel is called `VENDOR/RELEASE`, as in `ubuntu/6.8` or
//! `rhel/9.4`; what follows the release's two numbers doesn't matter.

use crate::dialect::{Dialect, Version};

/// A release of a vendor's kernel.
#[derive(Clone, Copy, Debug)]
pub struct Vendor {
    /// The vendor, as in `ubuntu`.
    pub name: &'static str,
    /// The release: the kernel's, or RHEL's own.
    pub release: (u16, u16),
    /// What it does is mainline's of this version ...
    pub base: (u16, u16),
    /// ... but for this.
    changes: fn(&mut Dialect),
    /// What is known of it, and how.
    pub known_by: &'static str,
}

const RECORDED: &str = "recorded cases";
const READ: &str = "its source";

const fn ubuntu(release: (u16, u16), known_by: &'static str) -> Vendor {
    Vendor { name: "ubuntu", release, base: release, changes: packed, known_by }
}

const fn rhel(release: (u16, u16), base: (u16, u16), changes: fn(&mut Dialect), known_by: &'static str) -> Vendor {
    Vendor { name: "rhel", release, base, changes, known_by }
}

/// Every release that is served.
pub const VENDORS: &[Vendor] = &[
    ubuntu((6, 2), READ),
    ubuntu((6, 5), READ),
    ubuntu((6, 8), RECORDED),
    ubuntu((6, 11), RECORDED),
    Vendor { changes: packed_alone, ..ubuntu((6, 14), READ) },
    rhel((9, 0), (5, 14), |_| {}, READ),
    rhel((9, 1), (5, 14), rhel_9_1, READ),
    rhel((9, 2), (5, 14), rhel_9_1, READ),
    rhel((9, 3), (5, 14), rhel_9_3, READ),
    rhel((9, 4), (5, 14), rhel_9_3, RECORDED),
    rhel((10, 0), (6, 12), |_| {}, RECORDED),
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
    dialect.mhi_ep_tables = true;
    dialect.ishtp_tables = true;
    dialect.s390_expolines = true;
}

fn rhel_9_3(dialect: &mut Dialect) {
    rhel_9_1(dialect);
    dialect.mod_file_by_line = true;
    dialect.lto_suffix = false;
    dialect.prelink_suffix = true;
}

impl Vendor {
    /// How it behaves.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let (major, minor) = self.base;
        let mut dialect = Dialect::new(Version::new(major, minor, 0));
        (self.changes)(&mut dialect);
        if self.name == "rhel" {
            dialect.rhel_version = Some(self.release);
        }
        dialect
    }
}

/// A vendor's release that is known to differ in ways that aren't served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unserved {
    /// The vendor.
    pub vendor: &'static str,
    /// Its release.
    pub release: String,
}

/// RHEL's kernels, and Fedora's which come from the same tree, say so in the
/// generated `linux/version.h`. RHEL 9's modpost goes by its own releases;
/// others are mainline's that also write RHEL's release.
///
/// # Errors
/// If it is a release that isn't served.
pub fn by_version_header(version: Version, header: &[u8]) -> Result<Option<Dialect>, Unserved> {
    let number = |name: &[u8]| {
        let mut lines = header.split(|&byte| byte == b'\n');
        let value = lines.find_map(|line| line.strip_prefix(b"#define ")?.strip_prefix(name)?.strip_prefix(b" "))?;
        std::str::from_utf8(value.trim_ascii()).ok()?.parse::<u16>().ok()
    };
    let (Some(major), Some(minor)) = (number(b"RHEL_MAJOR"), number(b"RHEL_MINOR")) else { return Ok(None) };
    if major != 9 {
        return Ok(Some(Dialect { rhel_version: Some((major, minor)), ..Dialect::new(version) }));
    }
    let known = VENDORS.iter().find(|vendor| vendor.name == "rhel" && vendor.release == (major, minor));
    let unserved = || Unserved { vendor: "RHEL", release: format!("{major}.{minor}") };
    known.map(|vendor| Some(vendor.dialect())).ok_or_else(unserved)
}

/// The vendor whose kernels of this version may have packed `____versions`.
fn packer(version: Version) -> Option<&'static Vendor> {
    let release = (version.major, version.minor);
    VENDORS.iter().find(|vendor| vendor.release == release && vendor.dialect().packed_versions)
}

/// Whether there are kernels of this version with packed `____versions`.
#[must_use]
pub fn may_be_packed(version: Version) -> bool {
    packer(version).is_some()
}

/// Ubuntu's kernels, and those that derive from them, have a loader that wants
/// packed `____versions`: `struct modversion_info` has a member `next`. Some of
/// Ubuntu's have had that reverted, so neither version nor name decides.
#[must_use]
pub fn by_module_header(version: Version, header: &[u8]) -> Option<Dialect> {
    let start = memchr::memmem::find(header, b"struct modversion_info {")?;
    let body = header[start..].split(|&byte| byte == b'}').next()?;
    let is_next = |line: &[u8]| line.trim_ascii().strip_suffix(b" next;").is_some();
    body.split(|&byte| byte == b'\n').any(is_next).then_some(())?;
    let known = packer(version)?;
    let mut dialect = Dialect::new(version);
    (known.changes)(&mut dialect);
    Some(dialect)
}

/// The vendor's kernel of a name.
#[must_use]
pub fn named(name: &[u8]) -> Option<&'static Vendor> {
    let slash = name.iter().position(|&byte| byte == b'/')?;
    let (vendor, release) = (&name[..slash], Version::parse(&name[slash + 1..])?);
    let is_it = |known: &&Vendor| known.name.as_bytes() == vendor && known.release == (release.major, release.minor);
    VENDORS.iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let found = |name: &str| named(name.as_bytes()).map(|vendor| (vendor.name, vendor.release));
        assert_eq!(found("ubuntu/6.8.1"), Some(("ubuntu", (6, 8))));
        assert_eq!(found("rhel/9.4"), Some(("rhel", (9, 4))));
        for unknown in ["ubuntu/5.15", "rhel/9", "rhel/9.6", "rhel", "debian/6.1", "6.8", ""] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn headers() {
        let v6_12 = Version::new(6, 12, 0);
        let found = |version, text: &str| by_version_header(version, text.as_bytes());
        let rhel = "#define RHEL_MAJOR 10\n#define RHEL_MINOR 1\n";
        assert_eq!(found(v6_12, "#define LINUX_VERSION_CODE 396288\n"), Ok(None));
        assert!(found(v6_12, rhel).is_ok_and(|d| d.is_some_and(|d| d.rhel_version == Some((10, 1)))));
        let v5_14 = Version::new(5, 14, 0);
        let rhel_9 = |minor: u16| found(v5_14, &format!("#define RHEL_MAJOR 9\n#define RHEL_MINOR {minor}\n"));
        assert!(rhel_9(4).is_ok_and(|d| d.is_some_and(|d| d.pci_override_only)));
        assert_eq!(rhel_9(6), Err(Unserved { vendor: "RHEL", release: "9.6".to_owned() }));

        let packed = b"struct modversion_info {\n\t/* Offset of next. */\n\tu32 next;\n\tu32 crc;\n};\n";
        let plain = b"struct modversion_info {\n\tunsigned long crc;\n};\nstruct list {\n\tint next;\n};\n";
        let v6_8 = Version::new(6, 8, 12);
        assert!(by_module_header(v6_8, packed).is_some_and(|d| d.packed_versions && d.version == v6_8));
        assert_eq!(by_module_header(v6_8, plain), None);
        assert!(may_be_packed(v6_8) && !may_be_packed(v6_12));
    }

    #[test]
    fn what_vendors_change() {
        let dialect = |name: &str| named(name.as_bytes()).map(Vendor::dialect);
        assert!(dialect("ubuntu/6.8").is_some_and(|d| d.packed_versions && d.rhel_version.is_none()));
        assert!(dialect("ubuntu/6.14").is_some_and(|d| d.packed_versions && !d.extended_versions));
        assert!(dialect("rhel/9.0").is_some_and(|d| !d.pci_override_only && d.rhel_version == Some((9, 0))));
        assert!(dialect("rhel/9.4").is_some_and(|d| d.pci_override_only && d.rhel_version == Some((9, 4))));
    }
}

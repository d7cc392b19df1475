//! Vendors' kernels: how each differs from the mainline release that it comes
//! from, and how it is told by its files.
//!
//! A vendor's kernel is called `VENDOR/RELEASE`, as in `ubuntu/6.8` or
//! `rhel/9.4`. The release is the kernel's version or, where it is higher than
//! any of those, the product's.

use std::path::PathBuf;

use memchr::memmem;

use crate::flags::{Flags, Vendor};
use crate::tree::{Trees, VERSION_HEADER};
use crate::version::Version;

/// The vendors of whose kernels something is known.
const VENDORS: &[&str] = &["amazon", "android", "cachyos", "hardened", "rhel", "suse", "ubuntu"];

/// Where a build leaves what SUSE calls its product.
const SUSE_HEADER: &str = "include/generated/uapi/linux/suse_version.h";

/// A row for a tool's table of vendors.
#[must_use]
pub const fn vendor<D>(
    name: &'static str,
    since: (u16, u16),
    base: Option<(u16, u16)>,
    changes: fn(&mut D),
) -> Vendor<D> {
    Vendor { name, since, base, changes }
}

impl<D: Flags> Vendor<D> {
    /// The tool's behaviour in a release of this row.
    #[must_use]
    pub fn dialect(&self, release: Version) -> D {
        let version = self.base.map_or(release, |(major, minor)| Version::new(major, minor, 0));
        let mut dialect = D::of_version(version);
        (self.changes)(&mut dialect);
        let product = self.base.map(|_| (release.major, release.minor));
        let kernel = dialect.kernel_mut();
        kernel.name = match self.base {
            Some(_) => format!("{}/{}.{}", self.name, release.major, release.minor),
            None => format!("{}/{version}", self.name),
        };
        match self.name {
            "rhel" => kernel.rhel_version = product,
            "suse" => kernel.suse_release = product.map(suse_product),
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
#[must_use]
pub fn find<D: Flags>(vendor: &[u8], release: Version) -> Option<&'static Vendor<D>> {
    let release = (release.major, release.minor);
    let mut rows = D::VENDORS.iter().rev();
    rows.find(|row| row.name.as_bytes() == vendor && row.since <= release)
}

/// A vendor, the first release of a product, and the kernel that it has.
type Product = (&'static str, (u16, u16), (u16, u16));

/// The products whose releases are not their kernels' versions. A tool that has no row for
/// a vendor takes the kernel from here.
const PRODUCTS: &[Product] = &[
    ("rhel", (9, 0), (5, 14)),
    ("rhel", (10, 0), (6, 12)),
    ("suse", (15, 4), (5, 14)),
    ("suse", (15, 6), (6, 4)),
    ("suse", (16, 0), (6, 12)),
];

/// The kernel of a vendor's name, `VENDOR/RELEASE`. One of a vendor of which a tool has
/// no row is mainline's to it.
#[must_use]
pub fn named<D: Flags>(name: &[u8]) -> Option<D> {
    let slash = name.iter().position(|&byte| byte == b'/')?;
    let (vendor, release) = (&name[..slash], Version::parse(&name[slash + 1..])?);
    if let Some(row) = find(vendor, release) {
        return Some(row.dialect(release));
    }
    let vendor = D::VENDORS.is_empty().then(|| VENDORS.iter().find(|known| known.as_bytes() == vendor))??;
    let product = (release.major, release.minor);
    let of_product = |row: &&Product| row.0 == *vendor && row.1 <= product;
    let base = PRODUCTS.iter().rev().find(of_product).map(|row| row.2);
    let row = Vendor { name: vendor, since: product, base, changes: |_| {} };
    Some(row.dialect(release))
}

/// Makes of a dialect that of a vendor, whose kernels have mainline's versions.
#[must_use]
pub fn made_by<D: Flags>(name: &str, dialect: &D, changes: fn(&mut D)) -> D {
    let mut dialect = dialect.clone();
    let kernel = dialect.kernel_mut();
    kernel.name = format!("{name}/{}", kernel.version);
    changes(&mut dialect);
    dialect
}

/// What follows `#define NAME ` in a header.
#[must_use]
pub fn defined<'h>(header: &'h [u8], name: &str) -> Option<&'h [u8]> {
    let define = [b"#define ", name.as_bytes()].concat();
    memmem::find_iter(header, &define).find_map(|at| {
        let begins_line = at.checked_sub(1).is_none_or(|before| header[before] == b'\n');
        let value = header[at + define.len()..].split(|&byte| byte == b'\n').next()?;
        (begins_line && value.first().is_some_and(u8::is_ascii_whitespace)).then(|| value.trim_ascii())
    })
}

/// Makes of a version's dialect RHEL's or Fedora's, whose generated
/// `linux/version.h` tells RHEL's release. RHEL 9's tools go by that; all
/// others are mainline's.
#[must_use]
pub fn by_version_header<D: Flags>(dialect: &D, header: &[u8]) -> Option<D> {
    let number = |name| std::str::from_utf8(defined(header, name)?).ok()?.parse::<u16>().ok();
    let release @ (major, minor) = (number("RHEL_MAJOR")?, number("RHEL_MINOR")?);
    let version = dialect.kernel().version;
    let is_rhel_9 = major == 9 && (version.major, version.minor) == (5, 14);
    let own = if is_rhel_9 { find(b"rhel", Version::new(major, minor, 0)) } else { None };
    Some(own.map_or_else(
        || {
            let mut dialect = dialect.clone();
            dialect.kernel_mut().rhel_version = Some(release);
            dialect
        },
        |row| row.dialect(Version::new(major, minor, 0)),
    ))
}

/// Makes of a dialect SUSE's, by the generated `linux/suse_version.h`.
#[must_use]
pub fn by_suse_header<D: Flags>(dialect: &D, header: &[u8]) -> Option<D> {
    let quoted = defined(header, "SUSE_PRODUCT_SHORTNAME")?;
    let release = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?.to_vec();
    let row = find::<D>(b"suse", dialect.kernel().version)?;
    let mut dialect = made_by(row.name, dialect, row.changes);
    dialect.kernel_mut().suse_release = Some(release);
    Some(dialect)
}

/// The dialect of a name: a version, or a vendor's name.
#[must_use]
pub fn of_name<D: Flags>(name: &[u8]) -> Option<D> {
    Version::parse(name).map(D::of_version).or_else(|| named(name))
}

/// Makes of a dialect that of the vendor whose release a generated header
/// tells; returns the headers' paths.
pub fn judge_by_headers<D: Flags>(dialect: &mut D, trees: &Trees) -> Vec<PathBuf> {
    let by_version = trees.judge(VERSION_HEADER, dialect, by_version_header);
    let by_suse = trees.judge(SUSE_HEADER, dialect, by_suse_header);
    by_version.into_iter().chain(by_suse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_headers_define() {
        let header = b"#define OFF_x_mask 1\n// #define OFF_y 2\n#define OFF_x\t 3 \n#define OFF_z 4";
        let value = |name| defined(header, name);
        assert_eq!((value("OFF_x"), value("OFF_z")), (Some(&b"3"[..]), Some(&b"4"[..])));
        assert_eq!((value("OFF_y"), value("OFF")), (None, None));
    }
}

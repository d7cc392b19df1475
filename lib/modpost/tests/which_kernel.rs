//! How the kernel to serve is found, with modpost's table of changes.

use std::ffi::OsString;

use kernel::Version;
use kernel::detect::{Found, Origin, detect};
use kernel::record::{parse, render};
use modpost::dialect::Dialect;

#[test]
fn records_are_read_as_written() {
    let plain = Dialect::new(Version::new(6, 12, 117));
    let mut fedora = plain.clone();
    fedora.kernel.rhel_version = Some((10, 99));
    let mut tumbleweed = Dialect::named(b"suse/6.12.9");
    if let Some(suse) = &mut tumbleweed {
        suse.kernel.suse_release = Some(b"openSUSE Tumbleweed".to_vec());
    }
    let odd = Dialect { cdx_tables: false, packed_versions: true, ..plain.clone() };
    assert_eq!(render(&odd), "kernel 6.12.117\nwith packed_versions\nwithout cdx_tables\n");
    let named = [b"rhel/9.6", b"suse/15."].into_iter().filter_map(|name| Dialect::named(name));
    for dialect in [plain, fedora, odd].into_iter().chain(tumbleweed).chain(named) {
        assert_eq!(parse(&render(&dialect), None), Some(dialect));
    }
    for bad in ["", "kernel\n", "kernel six\n", "kernel 6.1\nwith nothing\n", "kernel 6.12\nrhelversion 10\n"] {
        assert_eq!(parse::<Dialect>(bad, None), None, "{bad}");
    }
    let of =
        |kbuild| parse("kernel rhel/9.6\nkernelversion 5.14.0\n", kbuild).map(|dialect: Dialect| dialect.kernel.name);
    for kbuild in [None, Some(Version::new(5, 14, 0))] {
        assert_eq!(of(kbuild).as_deref(), Some("rhel/9.6"));
    }
    assert_eq!(of(Some(Version::new(6, 12, 0))), None);
}

fn environment(set: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
    move |name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
}

#[test]
fn the_environment_comes_first() {
    let plain = |version, name| {
        let dialect = Dialect::new(version);
        Some(Found { dialect, origin: Origin::Environment(name), evidence: Vec::new() })
    };
    let found = detect(environment(&[("KBUILD_RS_KERNEL", "5.10.1"), ("KERNELVERSION", "6.1.2")]), &[]);
    assert_eq!(found.ok(), plain(Version::new(5, 10, 1), "KBUILD_RS_KERNEL"));
    let found = detect(environment(&[("KERNELVERSION", "6.1.2")]), &[]);
    assert_eq!(found.ok(), plain(Version::new(6, 1, 2), "KERNELVERSION"));
    let found = detect::<Dialect>(environment(&[("KBUILD_RS_KERNEL", "new")]), &[]);
    let said = found.err().map(|fatal| fatal.to_string());
    assert_eq!(said.as_deref(), Some("KBUILD_RS_KERNEL: new: not a kernel, as in 6.1, 6.1.176 or rhel/9.6"));
}

#[test]
fn kernels_that_are_too_old_are_refused() {
    let said = |variable: &'static [(&str, &str)]| {
        detect::<Dialect>(environment(variable), &[]).err().map(|fatal| fatal.to_string())
    };
    let refused = |version: &str| {
        Some(format!(
            "KERNELVERSION: kernel {version} is older than 5.10, the oldest that is served; KBUILD_RS_KERNEL=5.10 treats it as that"
        ))
    };
    assert_eq!(said(&[("KERNELVERSION", "5.4.291")]), refused("5.4.291"));
    assert_eq!(said(&[("KERNELVERSION", "4.19.191")]), refused("4.19.191"));
    assert_eq!(said(&[("KERNELVERSION", "4.18.0"), ("KBUILD_RS_KERNEL", "5.10")]), None);
}

//! The machine's PCI devices, as sysfs has them (`Documentation/ABI/testing/sysfs-bus-pci`),
//! and what `pci.ids` calls their classes.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base::regular;

use crate::limits;

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its address with its domain, as in `0000:01:00.0`.
    pub address: String,
    /// What drivers are matched by.
    pub modalias: Vec<u8>,
    /// Base class, subclass and programming interface, a byte each.
    pub class: u32,
    /// Which devices can be handed over only together with it: those of the same number.
    pub iommu_group: Option<u32>,
    /// The driver that it has.
    pub driver: Option<Vec<u8>>,
}

impl Device {
    /// The directory of an address.
    #[must_use]
    pub fn directory(address: &str, sysfs: &Path) -> PathBuf {
        sysfs.join("bus/pci/devices").join(address)
    }
}

/// The name of what a symbolic link leads to.
fn linked(path: &Path) -> Option<Vec<u8>> {
    Some(fs::read_link(path).ok()?.file_name()?.as_bytes().to_vec())
}

/// A number as sysfs writes it, `0x020000`.
fn number(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?.trim();
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// All devices, by their addresses.
///
/// # Errors
/// If sysfs can't be read.
pub fn devices(sysfs: &Path) -> io::Result<Vec<Device>> {
    let mut devices = Vec::new();
    for entry in fs::read_dir(sysfs.join("bus/pci/devices"))? {
        let entry = entry?;
        let path = entry.path();
        let group = linked(&path.join("iommu_group"));
        devices.push(Device {
            address: entry.file_name().to_string_lossy().into_owned(),
            modalias: regular::read(&path.join("modalias"), limits::SMALL)?.trim_ascii().to_vec(),
            class: regular::read(&path.join("class"), limits::SMALL)
                .ok()
                .and_then(|text| number(&text))
                .unwrap_or_default(),
            iommu_group: group.and_then(|group| std::str::from_utf8(&group).ok()?.parse().ok()),
            driver: linked(&path.join("driver")),
        });
    }
    devices.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(devices)
}

/// The names of classes, from `pci.ids`: `C 02  Network controller`, and below it
/// `\t00  Ethernet controller`.
#[derive(Clone, Debug, Default)]
pub struct Classes(Vec<u8>);

impl Classes {
    /// Those of the first file that is there: distributions install it in one of two
    /// places below a root.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        let places = ["usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids"].map(|place| root.join(place));
        let read = |place: &PathBuf| regular::read(place, limits::LIST).ok();
        Self(places.iter().find_map(read).unwrap_or_default())
    }

    /// The name of a class, as exact as it is known.
    #[must_use]
    pub fn name(&self, class: u32) -> Option<&[u8]> {
        let (base, sub) = (format!("C {:02x}  ", class >> 16), format!("\t{:02x}  ", class >> 8 & 0xff));
        let mut lines = self.0.split(|&byte| byte == b'\n');
        let name = lines.find_map(|line| line.strip_prefix(base.as_bytes()))?;
        let mut below = lines.take_while(|line| !line.starts_with(b"C "));
        Some(below.find_map(|line| line.strip_prefix(sub.as_bytes())).unwrap_or(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let ids =
            "8086  Intel\n\t1533  I210\nC 01  Mass storage\n\t08  NVM\n\t\t02  NVMe\nC 02  Network\n\t00  Ethernet\n";
        let classes = Classes(ids.into());
        assert_eq!(classes.name(0x02_0000), Some(&b"Ethernet"[..]));
        assert_eq!(classes.name(0x01_0802), Some(&b"NVM"[..]));
        assert_eq!(classes.name(0x01_0000), Some(&b"Mass storage"[..]));
        assert_eq!(classes.name(0x03_0000), None);
    }
}

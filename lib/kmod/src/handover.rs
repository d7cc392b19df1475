//! Handing PCI devices over to a driver, and giving them back
//! (`Documentation/ABI/testing/sysfs-bus-pci`: `driver_override`, `unbind`, `drivers_probe`).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use base::message::strerror;
use base::textfile;

use crate::pci::Device;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Loads a module.
    Load(Vec<u8>),
    /// Writes a line to a file of sysfs.
    Write(Vec<u8>, PathBuf),
    /// The same, if another file is there.
    WriteIf(PathBuf, Vec<u8>, PathBuf),
}

impl Step {
    /// The shell's command for it.
    #[must_use]
    pub fn command(&self) -> Vec<u8> {
        let quoted = |path: &Path| quote(path.as_os_str().as_bytes());
        match self {
            Self::Load(module) => [b"modprobe ", &quote(module)[..], b"\n"].concat(),
            Self::Write(line, path) => [&echo(line)[..], b" >", &quoted(path), b"\n"].concat(),
            Self::WriteIf(there, line, path) => {
                let (there, path) = (quoted(there), quoted(path));
                [b"if [ -e ", &there[..], b" ]; then ", &echo(line), b" >", &path, b"; fi\n"].concat()
            }
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// If the module can't be loaded, or the file can't be written.
    pub fn take(&self) -> io::Result<()> {
        match self {
            Self::Load(module) => {
                let status = Command::new("modprobe").arg("--").arg(textfile::path(module)).status();
                let told = |error: io::Error| io::Error::other(format!("modprobe: {}", strerror(&error)));
                status.map_err(told)?.success().then_some(()).ok_or_else(|| io::Error::other("modprobe failed"))
            }
            Self::WriteIf(there, ..) if !there.exists() => Ok(()),
            Self::Write(line, path) | Self::WriteIf(_, line, path) => fs::write(path, [&line[..], b"\n"].concat()),
        }
    }

    /// The module or file that it is about.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Load(module) => module,
            Self::Write(_, path) | Self::WriteIf(_, _, path) => path.as_os_str().as_bytes(),
        }
    }
}

fn echo(line: &[u8]) -> Vec<u8> {
    if line.is_empty() { b"echo".to_vec() } else { [b"echo ", &quote(line)[..]].concat() }
}

/// A word quoted for the shell.
fn quote(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:+=".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        return word.to_vec();
    }
    let escaped = word.split(|&byte| byte == b'\'').collect::<Vec<_>>().join(&b"'\\''"[..]);
    [b"'", &escaped[..], b"'"].concat()
}

/// Leaves the driver that a device has, and lets the kernel look for one again.
fn probe(address: &str, sysfs: &Path) -> [Step; 2] {
    let (device, line) = (Device::directory(address, sysfs), address.as_bytes().to_vec());
    [
        Step::WriteIf(device.join("driver"), line.clone(), device.join("driver/unbind")),
        Step::Write(line, sysfs.join("bus/pci/drivers_probe")),
    ]
}

/// Hands a device over to the driver of a module.
#[must_use]
pub fn bind(address: &str, module: &[u8], driver: &[u8], sysfs: &Path) -> Vec<Step> {
    let driver_override = Device::directory(address, sysfs).join("driver_override");
    let mut steps = vec![Step::Load(module.to_vec()), Step::Write(driver.to_vec(), driver_override)];
    steps.extend(probe(address, sysfs));
    steps
}

/// Gives a device back to the driver that it would have by itself.
#[must_use]
pub fn unbind(address: &str, sysfs: &Path) -> Vec<Step> {
    let driver_override = Device::directory(address, sysfs).join("driver_override");
    let mut steps = vec![Step::Write(Vec::new(), driver_override)];
    steps.extend(probe(address, sysfs));
    steps
}

/// What speaks against handing a device over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is in no IOMMU group: there is no IOMMU, or it is off.
    NoGroup,
    /// These in its group have drivers of their own, and weren't named.
    Others(Vec<String>),
    /// The root file system is on it.
    RootDisk,
    /// The machine has no other display.
    OnlyDisplay,
}

const DISPLAY: u32 = 3;
const BRIDGE: u32 = 6;

/// What speaks against handing a device over together with those that are named. `root`
/// is where `proc` is.
#[must_use]
pub fn obstacles(device: &Device, all: &[Device], named: &[&str], root: &Path, sysfs: &Path) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    if device.iommu_group.is_none() {
        obstacles.push(Obstacle::NoGroup);
    }
    let is_vfio = |driver: &Vec<u8>| memchr::memmem::find(driver, b"vfio").is_some();
    let is_other = |other: &&Device| {
        let is_together = device.iommu_group.is_some() && other.iommu_group == device.iommu_group;
        // The kernel takes bridges along.
        let is_used = other.driver.as_ref().is_some_and(|driver| !is_vfio(driver)) && other.class >> 16 != BRIDGE;
        is_together && is_used && !named.contains(&&*other.address)
    };
    let others: Vec<_> = all.iter().filter(is_other).map(|other| other.address.clone()).collect();
    if !others.is_empty() {
        obstacles.push(Obstacle::Others(others));
    }
    if root_disks(root, sysfs).contains(&device.address) {
        obstacles.push(Obstacle::RootDisk);
    }
    let displays = all.iter().filter(|other| other.class >> 16 == DISPLAY);
    if device.class >> 16 == DISPLAY && displays.count() == 1 {
        obstacles.push(Obstacle::OnlyDisplay);
    }
    obstacles
}

/// The addresses in the paths of the disks that the root file system is on.
fn root_disks(root: &Path, sysfs: &Path) -> BTreeSet<String> {
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).unwrap_or_default();
    let mut todo = Vec::new();
    for mount in mounts.lines() {
        let fields: Vec<_> = mount.split(' ').collect();
        // proc_pid_mountinfo(5): 3 is the device's number, 5 the place; the source comes
        // second after a dash. Some file systems have a number of their own.
        let ([_, _, number, _, "/", rest @ ..], Some(dash)) = (&fields[..], fields.iter().position(|&f| f == "-"))
        else {
            continue;
        };
        let source = rest.get((dash + 2).wrapping_sub(5)).and_then(|source| source.strip_prefix("/dev/"));
        todo.push(sysfs.join("dev/block").join(number));
        todo.extend(source.map(|name| sysfs.join("class/block").join(name)));
    }
    let (mut addresses, mut seen) = (BTreeSet::new(), BTreeSet::new());
    while let Some(path) = todo.pop() {
        let Ok(path) = fs::canonicalize(path) else { continue };
        if !seen.insert(path.clone()) {
            continue;
        }
        addresses.extend(path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()));
        // What a mapped device is made of.
        let slaves = fs::read_dir(path.join("slaves")).into_iter().flatten().flatten();
        todo.extend(slaves.map(|slave| slave.path()));
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_shell() {
        assert_eq!(quote(b"vfio-pci"), b"vfio-pci");
        assert_eq!(quote(b"a b'c"), b"'a b'\\''c'");
        assert_eq!(quote(b""), b"''");
        assert_eq!(Step::Write(Vec::new(), "a b".into()).command(), b"echo >'a b'\n");
    }
}

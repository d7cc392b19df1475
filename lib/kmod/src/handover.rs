//! Handing PCI devices over to a driver, and giving them back
//! (`Documentation/ABI/testing/sysfs-bus-pci`: `driver_override`, `unbind`, `drivers_probe`).

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use base::message::strerror;
use base::{regular, textfile};

use crate::in_use::{Usage, Use};
use crate::limits;
use crate::pci::Device;

/// The directories with the programs of a system.
const DIRECTORIES: &[&str] = &["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
/// This file names the program that the kernel itself runs to load a module.
const KERNELS_OWN: &str = "/proc/sys/kernel/modprobe";

/// The lines that a script of [commands](Step::command) begins with: it ends at the first
/// command that fails, and finds programs where [`Step::take`] does.
#[must_use]
pub fn script() -> Vec<u8> {
    format!("set -e\nPATH={}\n", DIRECTORIES.join(":")).into_bytes()
}

/// modprobe(8). Root doesn't look for it in an inherited `PATH`, and gives it no other
/// variable: modprobe takes options from `MODPROBE_OPTIONS`.
fn modprobe() -> io::Result<Command> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Command::new("modprobe"));
    }
    let kernels_own = regular::read(Path::new(KERNELS_OWN), limits::SMALL).unwrap_or_default();
    let kernels_own = textfile::path(kernels_own.trim_ascii_end()).to_owned();
    let programs = DIRECTORIES.iter().map(|directory| Path::new(directory).join("modprobe"));
    let mut programs = programs.chain([kernels_own]).filter(|path| path.is_absolute() && path.is_file());
    let nowhere = || io::Error::other(format!("not in {}", DIRECTORIES.join(", ")));
    let mut command = Command::new(programs.next().ok_or_else(nowhere)?);
    command.env_clear().env("PATH", DIRECTORIES.join(":"));
    Ok(command)
}

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
            Self::Load(module) => [b"modprobe -- ", &quote(module)[..], b"\n"].concat(),
            Self::Write(line, path) => [&printf(line)[..], b" >", &quoted(path), b"\n"].concat(),
            Self::WriteIf(there, line, path) => {
                let (there, path) = (quoted(there), quoted(path));
                [b"if [ -e ", &there[..], b" ]; then ", &printf(line), b" >", &path, b"; fi\n"].concat()
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
                let status =
                    modprobe().and_then(|mut modprobe| modprobe.arg("--").arg(textfile::path(module)).status());
                let failed = |error: io::Error| io::Error::other(format!("modprobe: {}", strerror(&error)));
                status.map_err(failed)?.success().then_some(()).ok_or_else(|| io::Error::other("modprobe failed"))
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

/// The shell's command that prints a line. The `echo` of some shells takes backslashes and
/// options in it.
fn printf(line: &[u8]) -> Vec<u8> {
    if line.is_empty() { b"printf '\\n'".to_vec() } else { [b"printf '%s\\n' ", &quote(line)[..]].concat() }
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

/// A reason not to hand a device over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is in no IOMMU group: there is no IOMMU, or it is off.
    NoGroup,
    /// These in its group have drivers of their own, and weren't named.
    Others(Vec<String>),
    /// Disks below it are in use.
    InUse(Vec<Use>),
    /// Its disks may be in use, for these reasons.
    Unknown(Vec<Vec<u8>>),
    /// The machine has no other display.
    OnlyDisplay,
}

const STORAGE: u32 = 1;
const DISPLAY: u32 = 3;
const BRIDGE: u32 = 6;

/// The reasons not to hand a device over together with those that are named.
#[must_use]
pub fn obstacles(device: &Device, all: &[Device], named: &[&str], usage: &Usage) -> Vec<Obstacle> {
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
    let uses = usage.uses(&device.address);
    let unknown = usage.unknown(&device.address, device.class >> 16 == STORAGE);
    if !uses.is_empty() {
        obstacles.push(Obstacle::InUse(uses));
    } else if !unknown.is_empty() {
        obstacles.push(Obstacle::Unknown(unknown));
    }
    let displays = all.iter().filter(|other| other.class >> 16 == DISPLAY);
    if device.class >> 16 == DISPLAY && displays.count() == 1 {
        obstacles.push(Obstacle::OnlyDisplay);
    }
    obstacles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_shell() {
        assert_eq!(quote(b"vfio-pci"), b"vfio-pci");
        assert_eq!(quote(b"a b'c"), b"'a b'\\''c'");
        assert_eq!(quote(b""), b"''");
        assert_eq!(Step::Write(Vec::new(), "a b".into()).command(), b"printf '\\n' >'a b'\n");
    }
}

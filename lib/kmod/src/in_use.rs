//! PCI devices that the machine needs, because disks below them are in use: by a mounted
//! file system, as swap space, or as a part of another block device.
//!
//! Only what `/proc` and sysfs say counts. What they don't say, such as the disks of a ZFS
//! pool, is reported as unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use base::message::{strerror, text};
use base::{regular, textfile};
use rustix::fs::statfs;

use crate::limits;

/// The type of a sysfs, as statfs(2) reports it (`SYSFS_MAGIC`).
const SYSFS: u64 = 0x6265_6572;

/// File systems on disks whose mounts have a device number of their own.
const OWN_NUMBER: &[&[u8]] = &[b"btrfs", b"bcachefs"];

/// Virtual block devices that are on no disk, unless an attribute names one.
const DISKLESS: &[&str] = &["loop", "ram", "zram", "nbd"];

/// Attributes that name the file or disk below a loop device or a zram device.
const BACKING: &[&str] = &["loop/backing_file", "backing_dev"];

/// The use of a disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// A file system is mounted here.
    Mount(Vec<u8>),
    /// This is swap space.
    Swap(Vec<u8>),
    /// This block device or file system has a part on the disk.
    Part(Vec<u8>),
}

/// The use of all disks of a machine.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// By the addresses in the disks' paths.
    uses: BTreeMap<String, BTreeSet<Use>>,
    /// Reasons why there may be more.
    unknown: BTreeSet<Vec<u8>>,
    /// The addresses in the paths of all block devices.
    with_disks: BTreeSet<String>,
}

impl Usage {
    /// Finds the use of a machine's disks. The machine's own `/proc` and `/dev` count for its
    /// own sysfs; another one, such as a copy, has its `proc` and `dev` below `root`.
    #[must_use]
    pub fn of(root: &Path, sysfs: &Path) -> Self {
        // The type's width depends on the architecture.
        let is_real = statfs(sysfs).is_ok_and(|status| status.f_type as u64 == SYSFS);
        let root = if is_real { Path::new("/") } else { root };
        let mut search = Search { root, sysfs, usage: Self::default(), has_btrfs: false };
        search.look();
        search.usage
    }

    /// The uses of the disks below a device.
    #[must_use]
    pub fn uses(&self, address: &str) -> Vec<Use> {
        self.uses.get(address).into_iter().flatten().cloned().collect()
    }

    /// Reasons why other uses of the disks below a device may not be known; none for a
    /// device that neither has disks nor `is_storage`.
    #[must_use]
    pub fn unknown(&self, address: &str, is_storage: bool) -> Vec<Vec<u8>> {
        let concerns = is_storage || self.with_disks.contains(address);
        self.unknown.iter().filter(|_| concerns).cloned().collect()
    }
}

/// The addresses of PCI devices in a path, as `0000:01:00.0`.
fn addresses(path: &Path) -> impl Iterator<Item = String> {
    let names = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    names.filter(|name| name.contains(':') && name.contains('.'))
}

/// The paths in a directory; none if it can't be read.
fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The name of a path's last part.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A name with bytes for their octal numbers: `/proc` writes a space as `\040`.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut parts = text.split(|&byte| byte == b'\\');
    let mut bytes = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let digits = part.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => bytes.extend([&[byte], &part[3..]].concat()),
            None => bytes.extend([b"\\", part].concat()),
        }
    }
    bytes
}

/// A search for disks that are in use.
struct Search<'a> {
    /// The directory with `proc` and `dev`.
    root: &'a Path,
    sysfs: &'a Path,
    usage: Usage,
    /// sysfs lists the disks of btrfs file systems.
    has_btrfs: bool,
}

impl Search<'_> {
    fn look(&mut self) {
        self.look_at_parts();
        self.look_at_mounts();
        self.look_at_swaps();
        for pool in entries(&self.root.join("proc/spl/kstat/zfs")).iter().filter(|path| path.is_dir()) {
            self.unknown(text!("sysfs doesn't list the disks of the ZFS pool {}", name(pool)));
        }
        for list in ["class/block", "dev/block"] {
            let paths = entries(&self.sysfs.join(list)).into_iter().filter_map(|path| fs::canonicalize(path).ok());
            self.usage.with_disks.extend(paths.flat_map(|path| addresses(&path).collect::<Vec<_>>()));
        }
    }

    fn unknown(&mut self, why: Vec<u8>) {
        self.usage.unknown.insert(why);
    }

    /// Block devices and file systems that sysfs lists with their parts.
    fn look_at_parts(&mut self) {
        for device in entries(&self.sysfs.join("class/block")) {
            if !entries(&device.join("slaves")).is_empty() {
                self.follow(&device, &Use::Part(name(&device).into_bytes()));
            }
        }
        for filesystem in entries(&self.sysfs.join("fs/btrfs")) {
            for disk in entries(&filesystem.join("devices")) {
                let part = Use::Part(text!("the btrfs file system {}", name(&filesystem)));
                self.has_btrfs |= self.follow(&disk, &part);
            }
        }
        for set in entries(&self.sysfs.join("fs/bcache")) {
            let is_disk = |path: &&PathBuf| ["bdev", "cache"].iter().any(|kind| name(path).starts_with(kind));
            for disk in entries(&set).iter().filter(is_disk) {
                self.follow(disk, &Use::Part(text!("the bcache set {}", name(&set))));
            }
        }
    }

    /// Mounts of this process, and those of all others that see other mounts.
    fn look_at_mounts(&mut self) {
        let own = self.root.join("proc/self/mountinfo");
        match regular::read(&own, limits::LIST) {
            Ok(text) => self.look_at_mountinfo(&text),
            Err(error) => {
                let why = text!("{}: {}", own.as_os_str().as_encoded_bytes(), strerror(&error));
                self.unknown(why);
            }
        }
        let mut seen: BTreeSet<_> = fs::read_link(self.root.join("proc/self/ns/mnt")).ok().into_iter().collect();
        for process in entries(&self.root.join("proc")) {
            let is_process = name(&process).bytes().all(|byte| byte.is_ascii_digit());
            if is_process && fs::read_link(process.join("ns/mnt")).map_or(true, |namespace| seen.insert(namespace)) {
                // A process may end before its mounts are read.
                let text = regular::read(&process.join("mountinfo"), limits::LIST).unwrap_or_default();
                self.look_at_mountinfo(&text);
            }
        }
    }

    /// Mounts as proc_pid_mountinfo(5) describes them: the third field is the device's
    /// number, the fifth the place, and the type and the source follow a dash.
    fn look_at_mountinfo(&mut self, text: &[u8]) {
        for line in textfile::lines(text) {
            let fields: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
            let end = fields.iter().position(|field| *field == b"-").unwrap_or(fields.len());
            let (&[_, _, number, _, place, ..], Some(&[_, kind, source, ..])) = (&fields[..end], fields.get(end..))
            else {
                self.unknown(text!("a line of mountinfo has an unknown form: {}", line));
                continue;
            };
            let by = Use::Mount(place.to_vec());
            let has_own_number = number.starts_with(b"0:");
            let number = self.sysfs.join("dev/block").join(textfile::path(number));
            let mut is_found = !has_own_number && self.follow(&number, &by);
            // bcachefs lists several disks.
            for source in source.split(|&byte| byte == b':') {
                is_found |= self.block_device(&decoded(source)).is_some_and(|path| self.follow(&path, &by));
            }
            let has_disk = !has_own_number || OWN_NUMBER.contains(&kind);
            if kind == b"zfs" {
                self.unknown(text!("sysfs doesn't list the disks of the ZFS file system mounted on {}", place));
            } else if has_disk && !is_found && !(kind == b"btrfs" && self.has_btrfs) {
                self.unknown(text!("sysfs doesn't have the disk of the file system mounted on {}", place));
            }
        }
    }

    fn look_at_swaps(&mut self) {
        // A kernel without swap space has no such file.
        let text = regular::read(&self.root.join("proc/swaps"), limits::LIST).unwrap_or_default();
        for line in textfile::lines(&text).skip(1) {
            let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
            // A file's disk has a file system that is mounted.
            let (Some(path), Some(b"partition")) = (fields.next(), fields.next()) else { continue };
            let device = self.block_device(&decoded(path));
            if !device.is_some_and(|device| self.follow(&device, &Use::Swap(path.to_vec()))) {
                self.unknown(text!("sysfs doesn't have the disk of the swap space {}", path));
            }
        }
    }

    /// The directory of a block device in sysfs, by its path in `/dev`.
    fn block_device(&self, path: &[u8]) -> Option<PathBuf> {
        let given = path.strip_prefix(b"/dev/")?;
        let found = fs::canonicalize(self.root.join("dev").join(textfile::path(given))).ok();
        // sysfs writes a slash in a name as an exclamation mark.
        let known = String::from_utf8_lossy(given).replace('/', "!");
        let names = found.as_deref().map(name).into_iter().chain([known]);
        names.map(|name| self.sysfs.join("class/block").join(name)).find(|path| path.exists())
    }

    /// Notes the use of a block device, and of all that it is made of; `false` if it isn't
    /// there.
    fn follow(&mut self, device: &Path, by: &Use) -> bool {
        let Ok(device) = fs::canonicalize(device) else { return false };
        let (mut todo, mut seen) = (vec![device], BTreeSet::new());
        while let Some(path) = todo.pop() {
            for address in addresses(&path) {
                self.usage.uses.entry(address).or_default().insert(by.clone());
            }
            let below = self.below(&path).into_iter().filter_map(|path| fs::canonicalize(path).ok());
            todo.extend(below.filter(|path| seen.insert(path.clone())));
        }
        true
    }

    /// The parts of a block device or of the disk that it is a partition of.
    fn below(&mut self, device: &Path) -> Vec<PathBuf> {
        let mut parts = Vec::new();
        for device in [Some(device), device.parent()].into_iter().flatten() {
            parts.extend(entries(&device.join("slaves")));
            for attribute in BACKING {
                let backing = regular::read(&device.join(attribute), limits::SMALL).unwrap_or_default();
                // The disk of another file has a file system that is mounted.
                if backing.starts_with(b"/dev/") {
                    match self.block_device(backing.trim_ascii_end()) {
                        Some(disk) => parts.push(disk),
                        None => self.unknown(text!("sysfs doesn't have {}", backing.trim_ascii_end())),
                    }
                }
            }
        }
        // A namespace that several controllers of NVMe share is below none of them.
        let subsystem = device.ancestors().find(|path| path.parent().is_some_and(|dir| name(dir) == "nvme-subsystem"));
        parts.extend(subsystem.into_iter().flat_map(entries).filter(|path| path.is_symlink()));
        let is_virtual = device.components().any(|part| part.as_os_str() == "virtual");
        let is_diskless = DISKLESS.iter().any(|kind| name(device).starts_with(kind));
        if is_virtual && parts.is_empty() && !is_diskless {
            self.unknown(text!("sysfs doesn't list the disks of {}", name(device)));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_proc() {
        assert_eq!(decoded(b"/dev/mapper/a\\040b\\134c"), b"/dev/mapper/a b\\c");
        assert_eq!(decoded(b"\\04"), b"\\04");
    }

    #[test]
    fn addresses_in_paths() {
        let path = Path::new("/sys/devices/pci0000:00/0000:00:1c.0/0000:03:00.0/nvme/nvme0/nvme0n1");
        assert_eq!(addresses(path).collect::<Vec<_>>(), ["0000:00:1c.0", "0000:03:00.0"]);
    }

    /// `--root` of a program doesn't keep the machine's own mounts from being seen.
    #[test]
    fn the_machines_own_sysfs_has_the_machines_own_proc() {
        let own = Usage::of(Path::new("/nowhere"), Path::new("/sys"));
        let is_unread = |why: &Vec<u8>| why.starts_with(b"/nowhere");
        assert!(statfs("/sys").is_err() || !own.unknown("", true).iter().any(is_unread));
    }
}

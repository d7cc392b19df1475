//! Devices whose disks are in use are not handed over.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::Machine;
use crate::hand::in_use;

/// The mounts of a machine whose disks, all but these, are free.
const PROC: &str = "21 1 0:21 / /proc rw - proc proc rw\n";

/// A machine whose NVMe disk at 03:00.0, the only one, nothing uses.
struct Guarded(Machine);

impl Guarded {
    fn new() -> io::Result<Self> {
        let guarded = Self(in_use()?);
        guarded.mounts("")?;
        fs::remove_dir_all(guarded.path("sys/devices/virtual"))?;
        fs::remove_file(guarded.path("sys/dev/block/253:0"))?;
        guarded.block("259:0", "pci0000:00/0000:03:00.0/nvme/nvme0/nvme0n1")?;
        guarded.block("259:1", "pci0000:00/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p1")?;
        Ok(guarded)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(path, text)
    }

    fn link(&self, path: &str, target: &str) -> io::Result<()> {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        symlink(self.path(target), path)
    }

    /// Adds a block device by its number and its path below `sys/devices`.
    fn block(&self, number: &str, path: &str) -> io::Result<()> {
        let device = format!("sys/devices/{path}");
        let name = device.rsplit('/').next().unwrap_or_default();
        fs::create_dir_all(self.path(&device).join("slaves"))?;
        self.link(&format!("sys/dev/block/{number}"), &device)?;
        self.link(&format!("sys/class/block/{name}"), &device)
    }

    /// Adds a virtual block device that is made of another.
    fn mapped(&self, number: &str, name: &str, slave: &str) -> io::Result<()> {
        self.block(number, &format!("virtual/block/{name}"))?;
        let target = format!("sys/class/block/{slave}");
        self.link(&format!("sys/devices/virtual/block/{name}/slaves/{slave}"), &target)
    }

    fn mounts(&self, lines: &str) -> io::Result<()> {
        self.write("proc/self/mountinfo", &format!("{PROC}{lines}"))
    }

    /// Asks for the disk and for a network card; only the disk may be refused.
    fn expect(&self, reason: &str) -> io::Result<()> {
        let run = |device: &str| self.0.run(&format!("vfio --sysfs sys --bind --dry-run {device}"));
        let output = run("03:00.0")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let (expected, status) = match reason {
            "" => (String::new(), 0),
            reason => (format!("file2alias: 0000:03:00.0: {reason} (--force goes on)\n"), 1),
        };
        assert_eq!((said, output.status.code()), (expected, Some(status)));
        assert_eq!(run("--force 03:00.0")?.status.code(), Some(0));
        let others = run("01:00.0 01:00.1")?;
        assert_eq!((&*String::from_utf8_lossy(&others.stderr), others.status.code()), ("", Some(0)));
        Ok(())
    }
}

#[test]
fn a_disk_that_is_free() -> io::Result<()> {
    Guarded::new()?.expect("")
}

#[test]
fn any_mounted_file_system_counts() -> io::Result<()> {
    let guarded = Guarded::new()?;
    guarded.mounts("30 1 259:1 /sub /home rw shared:1 - ext4 /dev/nvme0n1p1 rw\n")?;
    guarded.expect("the file system mounted on /home is on it")?;
    // Another process may see other mounts.
    guarded.mounts("")?;
    guarded.write("proc/77/mountinfo", "30 1 259:1 / /srv rw - xfs /dev/nvme0n1p1 rw\n")?;
    guarded.expect("the file system mounted on /srv is on it")
}

#[test]
fn swap_space_counts() -> io::Result<()> {
    let guarded = Guarded::new()?;
    let head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
    guarded.write("proc/swaps", &format!("{head}/swapfile file 1 0 -2\n"))?;
    guarded.expect("")?;
    guarded.write("proc/swaps", &format!("{head}/dev/nvme0n1p1 partition\t1\t0\t-2\n"))?;
    guarded.expect("the swap space /dev/nvme0n1p1 is on it")?;
    guarded.write("proc/swaps", &format!("{head}/dev/lost partition\t1\t0\t-2\n"))?;
    guarded.expect("cannot tell whether it is in use: sysfs doesn't have the disk of the swap space /dev/lost")?;
    // By another name of a mapped device, and through a compressed one.
    guarded.mapped("253:1", "dm-1", "nvme0n1p1")?;
    guarded.link("dev/mapper/a b", "dev/dm-1")?;
    guarded.write("dev/dm-1", "")?;
    guarded.write("proc/swaps", &format!("{head}/dev/mapper/a\\040b partition\t1\t0\t-2\n"))?;
    guarded.expect("the swap space /dev/mapper/a\\040b is on it, and 1 more")?;
    guarded.block("252:0", "virtual/block/zram0")?;
    guarded.write("sys/devices/virtual/block/zram0/backing_dev", "none\n")?;
    guarded.write("proc/swaps", &format!("{head}/dev/zram0 partition\t1\t0\t-2\n"))?;
    guarded.expect("a part of dm-1 is on it")?;
    guarded.write("sys/devices/virtual/block/zram0/backing_dev", "/dev/nvme0n1p1\n")?;
    guarded.expect("the swap space /dev/zram0 is on it, and 1 more")
}

#[test]
fn members_of_mapped_devices_count() -> io::Result<()> {
    let guarded = Guarded::new()?;
    guarded.mapped("9:0", "md0", "nvme0n1p1")?;
    guarded.expect("a part of md0 is on it")?;
    // A partition of it, below a volume.
    guarded.block("259:9", "virtual/block/md0/md0p1")?;
    guarded.mapped("253:2", "dm-2", "md0p1")?;
    guarded.mounts("30 1 253:2 / /var rw - ext4 /dev/mapper/vg-var rw\n")?;
    guarded.expect("the file system mounted on /var is on it, and 2 more")
}

#[test]
fn disks_of_btrfs_count() -> io::Result<()> {
    let guarded = Guarded::new()?;
    guarded.mounts("30 1 0:40 / /data rw - btrfs /dev/lost rw\n")?;
    guarded
        .expect("cannot tell whether it is in use: sysfs doesn't have the disk of the file system mounted on /data")?;
    guarded.link("sys/fs/btrfs/1234-ab/devices/nvme0n1p1", "sys/class/block/nvme0n1p1")?;
    guarded.expect("a part of the btrfs file system 1234-ab is on it")?;
    guarded.mounts("30 1 0:40 / /data rw - btrfs /dev/nvme0n1p1 rw\n")?;
    guarded.expect("the file system mounted on /data is on it, and 1 more")
}

#[test]
fn disks_of_bcache_count() -> io::Result<()> {
    let guarded = Guarded::new()?;
    let disk = "sys/devices/pci0000:00/0000:03:00.0/nvme/nvme0/nvme0n1/bcache";
    fs::create_dir_all(guarded.path(disk))?;
    guarded.link("sys/fs/bcache/56-cd/cache0", disk)?;
    guarded.expect("a part of the bcache set 56-cd is on it")
}

#[test]
fn disks_below_loop_devices_count() -> io::Result<()> {
    let guarded = Guarded::new()?;
    guarded.block("7:0", "virtual/block/loop0")?;
    guarded.mounts("30 1 7:0 / /img rw - ext4 /dev/loop0 rw\n")?;
    guarded.write("sys/devices/virtual/block/loop0/loop/backing_file", "/home/image\n")?;
    guarded.expect("")?;
    guarded.write("sys/devices/virtual/block/loop0/loop/backing_file", "/dev/nvme0n1\n")?;
    guarded.expect("the file system mounted on /img is on it")
}

#[test]
fn disks_that_several_controllers_share_count() -> io::Result<()> {
    let guarded = Guarded::new()?;
    guarded.block("259:5", "virtual/nvme-subsystem/nvme-subsys0/nvme0n2")?;
    let controller = "sys/devices/pci0000:00/0000:03:00.0/nvme/nvme0";
    guarded.link("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0", controller)?;
    guarded.mounts("30 1 259:5 / /fast rw - xfs /dev/nvme0n2 rw\n")?;
    guarded.expect("the file system mounted on /fast is on it")
}

#[test]
fn what_cannot_be_told_is_refused() -> io::Result<()> {
    let unknown = |reason: &str| format!("cannot tell whether it is in use: {reason}");
    let guarded = Guarded::new()?;
    guarded.mounts("30 1 0:41 / /tank rw - zfs tank rw\n")?;
    guarded.expect(&unknown("sysfs doesn't list the disks of the ZFS file system mounted on /tank"))?;
    guarded.mounts("")?;
    fs::create_dir_all(guarded.path("proc/spl/kstat/zfs/pool"))?;
    guarded.expect(&unknown("sysfs doesn't list the disks of the ZFS pool pool"))?;
    fs::remove_dir_all(guarded.path("proc/spl"))?;
    guarded.mounts("30 1 147:0 / /drbd rw - ext4 /dev/drbd0 rw\n")?;
    guarded.expect(&unknown("sysfs doesn't have the disk of the file system mounted on /drbd"))?;
    guarded.block("147:0", "virtual/block/drbd0")?;
    guarded.expect(&unknown("sysfs doesn't list the disks of drbd0"))?;
    guarded.mounts("nonsense\n")?;
    guarded.expect(&unknown("a line of mountinfo has an unknown form: nonsense"))?;
    fs::remove_file(guarded.path("proc/self/mountinfo"))?;
    guarded.expect(&unknown("./proc/self/mountinfo: No such file or directory"))
}

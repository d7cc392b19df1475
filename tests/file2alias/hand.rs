//! Handing devices over: the script, and what `--bind` and `--unbind` do.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::Command;

use kbuild_rs_tests::command::{output, write_executable};
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::ours;
use nix::unistd::geteuid;
use serde_json::Value;

use crate::{MLX5, Machine, OLD, driver, several};

#[test]
fn a_script_hands_the_device_over() -> io::Result<()> {
    let machine = Machine::new()?;
    let modules = machine.path().join("lib/modules/6.12.0-test/kernel");
    fs::create_dir_all(&modules)?;
    fs::write(modules.join("mlx5-vfio-pci.ko"), assemble(&driver(".quad", "name", OLD, ""))?)?;
    let script = "\
set -e
PATH=/usr/sbin:/sbin:/usr/bin:/bin
modprobe -- mlx5_vfio_pci
printf '%s\\n' mlx5-vfio >sys/bus/pci/devices/0000:01:00.0/driver_override
if [ -e sys/bus/pci/devices/0000:01:00.0/driver ]; then printf '%s\\n' 0000:01:00.0 >sys/bus/pci/devices/0000:01:00.0/driver/unbind; fi
printf '%s\\n' 0000:01:00.0 >sys/bus/pci/drivers_probe
";
    machine.expect("vfio --sysfs sys --script 01:00.0", 0, script)?;
    // The kernel that runs knows the name best.
    fs::create_dir_all(machine.path().join("sys/module/mlx5_vfio_pci/drivers/pci:loaded"))?;
    machine.expect(
        "vfio --sysfs sys --driver 01:00.0",
        0,
        "mlx5_vfio_pci vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* 5 loaded\n",
    )?;
    // If the module has two drivers, the kernel doesn't say which one is meant.
    fs::create_dir_all(machine.path().join("sys/module/mlx5_vfio_pci/drivers/pci:second"))?;
    machine.expect(
        "vfio --sysfs sys --driver 01:00.0",
        0,
        "mlx5_vfio_pci vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* 5 mlx5-vfio\n",
    )
}

/// `several()`, with a second device in the group that has a driver, a display, and a disk
/// with the root file system, through a mapped device.
pub(crate) fn in_use() -> io::Result<Machine> {
    let machine = several()?;
    let (sys, devices) = (machine.path().join("sys"), machine.path().join("sys/bus/pci/devices"));
    let device = |address: &str, class: &str, group: &str, driver: &str| -> io::Result<()> {
        let path = devices.join(address);
        fs::create_dir_all(&path)?;
        fs::write(path.join("modalias"), format!("{MLX5}\n"))?;
        fs::write(path.join("class"), format!("{class}\n"))?;
        symlink(format!("../groups/{group}"), path.join("iommu_group"))?;
        symlink(format!("../drivers/{driver}"), path.join("driver"))
    };
    device("0000:01:00.1", "0x020000", "12", "mlx5_core")?;
    device("0000:03:00.0", "0x010802", "13", "nvme")?;
    device("0000:04:00.0", "0x030000", "14", "i915")?;
    for dir in ["module/mlx5_vfio_pci/drivers/pci:mlx5_vfio_pci", "devices/virtual/block/dm-0/slaves", "dev/block"] {
        fs::create_dir_all(sys.join(dir))?;
    }
    let disk = sys.join("devices/pci0000:00/0000:03:00.0/nvme/nvme0/nvme0n1");
    fs::create_dir_all(&disk)?;
    symlink(&disk, sys.join("devices/virtual/block/dm-0/slaves/nvme0n1"))?;
    symlink(sys.join("devices/virtual/block/dm-0"), sys.join("dev/block/253:0"))?;
    fs::create_dir_all(machine.path().join("proc/self"))?;
    let mounts =
        "21 1 0:21 / /proc rw - proc proc rw\n25 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw\n";
    fs::write(machine.path().join("proc/self/mountinfo"), mounts)?;
    Ok(machine)
}

/// Adds a modprobe that only records its arguments.
fn add_modprobe(machine: &Machine) -> io::Result<()> {
    fs::create_dir(machine.path().join("bin"))?;
    write_executable(&machine.path().join("bin/modprobe"), "#!/bin/sh\necho \"$*\" >>loaded\n")
}

/// The number of an ordinary user, who finds modprobe through `PATH`.
const NOBODY: u32 = 65534;

/// file2alias, run by an ordinary user in a machine that belongs to him.
fn as_a_user(machine: &Machine) -> io::Result<Command> {
    let program = machine.path().join("bin/file2alias");
    if !program.exists() {
        // Only root can read the build directory of some machines.
        output(Command::new("cp").arg(ours("file2alias")?.program).arg(&program))?;
    }
    let mut command = Command::new(program);
    if geteuid().is_root() {
        output(Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(machine.path()))?;
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

#[test]
fn devices_are_handed_over_and_given_back() -> io::Result<()> {
    let machine = in_use()?;
    add_modprobe(&machine)?;
    let run = |arguments: &str| -> io::Result<(Option<i32>, String, String)> {
        let output = as_a_user(&machine)?
            .args(["vfio", "--sysfs", "sys", "--root", ".", "--kernel", "6.12.0-test"])
            .args(arguments.split(' '))
            .env("PATH", machine.path().join("bin"))
            .current_dir(machine.path())
            .output()?;
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok((output.status.code(), stdout, stderr))
    };
    let refusals = [
        ("01:00.0", "0000:01:00.0: IOMMU group 12 is handed over as a whole: name 0000:01:00.1, too (--force goes on)"),
        ("02:00.0", "0000:02:00.0: is in no IOMMU group: the machine has no IOMMU, or it is off (--force goes on)"),
        ("03:00.0", "0000:03:00.0: the file system mounted on / is on it (--force goes on)"),
        ("04:00.0", "0000:04:00.0: the machine has no other display (--force goes on)"),
        ("99:00.0", "0000:99:00.0: no such PCI device"),
    ];
    for (device, refusal) in refusals {
        let expected = (Some(1), String::new(), format!("file2alias: {refusal}\n"));
        assert_eq!(run(&format!("--bind {device}"))?, expected);
    }
    let steps = |address: &str, driver: &str| {
        let device = format!("sys/bus/pci/devices/{address}");
        let (driver, value) = if driver.is_empty() { ("", driver) } else { ("%s", driver) };
        format!(
            "printf '{driver}\\n'{value} >{device}/driver_override\n\
             if [ -e {device}/driver ]; then printf '%s\\n' {address} >{device}/driver/unbind; fi\n\
             printf '%s\\n' {address} >sys/bus/pci/drivers_probe\n"
        )
    };
    let bound = |address: &str| format!("modprobe -- mlx5_vfio_pci\n{}", steps(address, " mlx5_vfio_pci"));
    let both = format!("{}{}", bound("0000:01:00.0"), bound("0000:01:00.1"));
    assert_eq!(run("--bind --dry-run 01:00.0 01:00.1")?, (Some(0), both.clone(), String::new()));
    assert!(!machine.path().join("loaded").exists());

    // The drivers' links lead to directories with files, as in sysfs.
    let device = |address: &str| machine.path().join("sys/bus/pci/devices").join(address);
    for address in ["0000:01:00.0", "0000:01:00.1"] {
        fs::remove_file(device(address).join("driver"))?;
        fs::create_dir(device(address).join("driver"))?;
    }
    assert_eq!(run("--bind 01:00.0 01:00.1")?, (Some(0), both, String::new()));
    let read = |path: &str| fs::read_to_string(machine.path().join(path));
    assert_eq!(read("loaded")?, "-- mlx5_vfio_pci\n-- mlx5_vfio_pci\n");
    assert_eq!(read("sys/bus/pci/devices/0000:01:00.0/driver_override")?, "mlx5_vfio_pci\n");
    assert_eq!(read("sys/bus/pci/devices/0000:01:00.1/driver/unbind")?, "0000:01:00.1\n");
    assert_eq!(read("sys/bus/pci/drivers_probe")?, "0000:01:00.1\n");

    assert_eq!(run("--unbind 01:00.0")?, (Some(0), steps("0000:01:00.0", ""), String::new()));
    assert_eq!(read("sys/bus/pci/devices/0000:01:00.0/driver_override")?, "\n");
    assert_eq!(run("--bind --force --dry-run 03:00.0")?.0, Some(0));

    // A step that fails ends the run.
    fs::remove_file(machine.path().join("bin/modprobe"))?;
    let (status, shown, said) = run("--bind --force 03:00.0")?;
    assert_eq!((status, &*shown), (Some(1), "modprobe -- mlx5_vfio_pci\n"));
    assert_eq!(said, "file2alias: mlx5_vfio_pci: modprobe: No such file or directory\n");
    Ok(())
}

/// The script does what it says, on the made-up sysfs.
#[test]
fn the_script_runs() -> io::Result<()> {
    let machine = Machine::loaded()?;
    let device = machine.path().join("sys/bus/pci/devices/0000:01:00.0");
    fs::create_dir(device.join("driver"))?;
    let output = machine.run("vfio --sysfs sys --script 01:00.0")?;
    let script = [b"modprobe() { echo \"$*\" >loaded; }\n", &output.stdout[..]].concat();
    fs::write(machine.path().join("script"), script)?;
    let status = Command::new("sh").args(["-eu", "script"]).current_dir(machine.path()).status()?;
    assert!(status.success());
    for (file, expected) in [
        ("loaded", "-- mlx5_vfio_pci\n"),
        ("sys/bus/pci/devices/0000:01:00.0/driver_override", "mlx5_vfio_pci\n"),
        ("sys/bus/pci/devices/0000:01:00.0/driver/unbind", "0000:01:00.0\n"),
        ("sys/bus/pci/drivers_probe", "0000:01:00.0\n"),
    ] {
        assert_eq!(fs::read_to_string(machine.path().join(file))?, expected, "{file}");
    }
    Ok(())
}

#[test]
fn steps_as_json() -> io::Result<()> {
    let steps = Machine::loaded()?.run("vfio --sysfs sys --script --json 01:00.0")?.stdout;
    let steps = String::from_utf8_lossy(&steps).lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    assert_eq!(steps[0], serde_json::json!({ "command": "modprobe -- mlx5_vfio_pci" }));
    assert_eq!(steps.len(), 4);
    Ok(())
}

/// Root doesn't run the modprobe that `PATH` names.
#[test]
fn root_finds_no_modprobe_through_path() -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let machine = in_use()?;
    add_modprobe(&machine)?;
    // No kernel has this module, wherever modprobe is found.
    let module = "kbuild_rs_has_no_such_module";
    fs::write(machine.path().join("own.alias"), format!("alias vfio_pci:v* {module}\n"))?;
    fs::create_dir_all(machine.path().join("sys/module").join(module).join("drivers/pci:none"))?;
    let output = Command::new(ours("file2alias")?.program)
        .args("vfio --sysfs sys --root . --aliases own.alias --bind --force 03:00.0".split(' '))
        .env("PATH", machine.path().join("bin"))
        .current_dir(machine.path())
        .output()?;
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!machine.path().join("loaded").exists());
    Ok(())
}

/// Each shell writes what `--bind` writes, whatever is in the names.
#[test]
fn the_script_takes_names_as_they_are() -> io::Result<()> {
    let machine = Machine::new()?;
    let module = "-n\\t$(touch${IFS}bad)'\"";
    fs::write(machine.path().join("own.alias"), format!("alias vfio_pci:v* {module}\n"))?;
    fs::create_dir_all(machine.path().join("sys/module").join(module).join(format!("drivers/pci:{module}")))?;
    let script = machine.run("vfio --sysfs sys --aliases own.alias --script 01:00.0")?.stdout;
    let script = [b"modprobe() { printf '%s\\n' \"$2\" >loaded; }\n", &script[..]].concat();
    fs::write(machine.path().join("script"), script)?;
    let status = Command::new("sh").args(["-u", "script"]).current_dir(machine.path()).status()?;
    assert!(status.success());
    for file in ["loaded", "sys/bus/pci/devices/0000:01:00.0/driver_override"] {
        assert_eq!(fs::read_to_string(machine.path().join(file))?, format!("{module}\n"), "{file}");
    }
    assert!(!machine.path().join("bad").exists());
    Ok(())
}

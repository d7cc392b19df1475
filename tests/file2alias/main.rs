//! file2alias as a program: who claims a device, and which driver hands it to
//! a virtual machine.

mod guard;
mod hand;

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use kbuild_rs_tests::fixture::{assemble, assemble_for};
use kbuild_rs_tests::original::ours;
use kbuild_rs_tests::privilege::without_privilege;
use serde_json::Value;
use tempfile::TempDir;

/// Some of what a kernel with variant drivers has: the one for all devices,
/// mlx5's, and two that overlap, with a tie.
const ALIASES: &str = "\
# Aliases extracted from modules themselves.
alias pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_core
alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci
alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci
alias vfio_pci:v00001234d*sv*sd*bc02sc00i* wide
alias vfio_pci:v00001234d00000001sv*sd*bc*sc*i* narrow
alias vfio_pci:v00001234d*sv00000001sd*bc*sc*i* tied
alias vfio_pci:v00001234d00000002sv*sd*bc*sc*i* first
alias vfio_pci:v00001234d00000002sv*sd*bc*sc*i* second
";
const MLX5: &str = "pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00";

struct Machine(TempDir);

impl Machine {
    fn new() -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let modules = dir.path().join("lib/modules/6.12.0-test");
        fs::create_dir_all(&modules)?;
        fs::write(modules.join("modules.alias"), ALIASES)?;
        fs::write(modules.join("modules.builtin.modinfo"), "early.license=GPL\0early.alias=vfio_pci:v00009999d*\0")?;
        fs::write(modules.join("modules.dep"), "kernel/vfio-pci.ko:\nkernel/mlx5-vfio-pci.ko: kernel/vfio-pci.ko\n")?;
        let device = dir.path().join("sys/bus/pci/devices/0000:01:00.0");
        fs::create_dir_all(&device)?;
        fs::write(device.join("modalias"), format!("{MLX5}\n"))?;
        Ok(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A machine whose kernel has loaded the driver.
    fn loaded() -> io::Result<Self> {
        let machine = Self::new()?;
        fs::create_dir_all(machine.path().join("sys/module/mlx5_vfio_pci/drivers/pci:mlx5_vfio_pci"))?;
        Ok(machine)
    }

    fn run(&self, arguments: &str) -> io::Result<Output> {
        Command::new(ours("file2alias")?.program)
            .args(arguments.split(' '))
            .args(["--root", ".", "--kernel", "6.12.0-test"])
            .current_dir(self.path())
            .output()
    }

    fn expect(&self, arguments: &str, status: i32, stdout: &str) -> io::Result<()> {
        let output = self.run(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            (String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()),
            (stdout, Some(status)),
            "{arguments}: {said}"
        );
        Ok(())
    }
}

#[test]
fn what_decompresses_to_no_object() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let bomb = dir.path().join("bomb.ko.gz");
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(&bomb)?, flate2::Compression::fast());
    io::copy(&mut io::repeat(0).take(64 << 20), &mut encoder)?;
    encoder.finish()?;
    let output = Command::new(ours("file2alias")?.program).arg(&bomb).output()?;
    let expected = format!("file2alias: {}: holds no ELF object\n", bomb.display());
    assert_eq!((String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code()), (expected, Some(1)));
    Ok(())
}

#[test]
fn the_best_variant_driver() -> io::Result<()> {
    let machine = Machine::new()?;
    let mlx5 = "mlx5_vfio_pci vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* 5\n";
    let any = "vfio_pci vfio_pci:v*d*sv*sd*bc*sc*i* 7\n";
    machine.expect(&format!("vfio {MLX5}"), 0, mlx5)?;
    machine.expect("vfio --sysfs sys 01:00.0", 0, mlx5)?;
    machine.expect("vfio --sysfs sys 0000:01:00.0 --all", 0, &format!("{mlx5}{any}"))?;
    machine.expect(&format!("vfio vfio_{MLX5}"), 0, mlx5)?;
    machine.expect("vfio pci:v00008086d00001533sv00000000sd00000000bc02sc00i00", 0, any)
}

/// A machine with three devices: one with all that sysfs says, one in the same group
/// without a driver, and one of a class without a name and without an IOMMU.
fn several() -> io::Result<Machine> {
    let machine = Machine::new()?;
    let sys = machine.path().join("sys");
    let device = |address: &str, modalias: &str, class: &str| -> io::Result<std::path::PathBuf> {
        let path = sys.join("bus/pci/devices").join(address);
        fs::create_dir_all(&path)?;
        fs::write(path.join("modalias"), format!("{modalias}\n"))?;
        fs::write(path.join("class"), format!("{class}\n"))?;
        Ok(path)
    };
    let network = device("0000:01:00.0", MLX5, "0x020000")?;
    symlink("../../../../kernel/iommu_groups/12", network.join("iommu_group"))?;
    symlink("../../drivers/mlx5_core", network.join("driver"))?;
    let bridge = device("0000:00:1c.0", "pci:v00008086d00001234sv0sd0bc06sc04i00", "0x060400")?;
    symlink("../../../../kernel/iommu_groups/12", bridge.join("iommu_group"))?;
    device("0000:02:00.0", "pci:v00001234d00000002sv0sd0bcFFsc00i00", "0xff0000")?;
    let ids = "C 02  Network controller\n\t00  Ethernet controller\nC 06  Bridge\n\t04  PCI bridge\n";
    fs::create_dir_all(machine.path().join("usr/share/misc"))?;
    fs::write(machine.path().join("usr/share/misc/pci.ids"), ids)?;
    Ok(machine)
}

#[test]
fn all_devices() -> io::Result<()> {
    let machine = several()?;
    let table = "\
ADDRESS       GROUP  DRIVER     VFIO           CLASS
0000:00:1c.0  12     -          vfio_pci       PCI bridge
0000:01:00.0  12     mlx5_core  mlx5_vfio_pci  Ethernet controller
0000:02:00.0  -      -          first          class ff0000
";
    machine.expect("vfio --sysfs sys", 0, table)?;
    let text = machine.run("vfio --sysfs sys --json")?.stdout;
    let lines = String::from_utf8_lossy(&text).lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let expected = serde_json::json!({
        "device": "0000:01:00.0",
        "modalias": MLX5,
        "class": "020000",
        "class_name": "Ethernet controller",
        "iommu_group": 12,
        "driver": "mlx5_core",
        "module": "mlx5_vfio_pci",
        "pattern": "vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*",
    });
    assert_eq!((lines.len(), &lines[1]), (3, &expected));
    assert_eq!((&lines[2]["iommu_group"], &lines[2]["driver"]), (&Value::Null, &Value::Null));
    Ok(())
}

#[test]
fn the_fewest_wildcards_win_and_of_these_the_first() -> io::Result<()> {
    let machine = Machine::new()?;
    let device = "pci:v00001234d00000001sv00000001sd00000000bc02sc00i00";
    let all = "\
wide vfio_pci:v00001234d*sv*sd*bc02sc00i* 4
narrow vfio_pci:v00001234d00000001sv*sd*bc*sc*i* 5
tied vfio_pci:v00001234d*sv00000001sd*bc*sc*i* 5
vfio_pci vfio_pci:v*d*sv*sd*bc*sc*i* 7
";
    machine.expect(&format!("vfio --all {device}"), 0, all)?;
    let tie = "first vfio_pci:v00001234d00000002sv*sd*bc*sc*i* 5\n";
    machine.expect("vfio pci:v00001234d00000002sv00000000sd00000000bc03sc00i00", 0, tie)
}

#[test]
fn builtin_drivers_count() -> io::Result<()> {
    let builtin = "early vfio_pci:v00009999d* 1\n";
    Machine::new()?.expect("vfio pci:v00009999d00000001sv00000000sd00000000bc00sc00i00", 0, builtin)
}

#[test]
fn nothing_found_and_no_device() -> io::Result<()> {
    let machine = Machine::new()?;
    machine.expect("vfio usb:v0001", 1, "")?;
    machine.expect("vfio --sysfs sys 02:00.0", 1, "")?;
    machine.expect("vfio nonsense", 2, "")?;
    machine.expect(&format!("vfio --script {MLX5}"), 2, "")?;
    machine.expect("match usb:v0001", 1, "")
}

#[test]
fn several_devices() -> io::Result<()> {
    let expected = "\
0000:01:00.0: mlx5_vfio_pci vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* 5
pci:v1d2sv3sd4bc5sc6i7: vfio_pci vfio_pci:v*d*sv*sd*bc*sc*i* 7
";
    Machine::new()?.expect("vfio --sysfs sys 0000:01:00.0 03:00.0 pci:v1d2sv3sd4bc5sc6i7", 1, expected)
}

#[test]
fn candidates_as_json() -> io::Result<()> {
    let expected = r#"{"device":"01:00.0","modalias":"vfio_pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00","module":"mlx5_vfio_pci","pattern":"vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*","wildcards":5,"builtin":false,"driver":"mlx5_vfio_pci"}"#;
    Machine::loaded()?.expect("vfio --sysfs sys --json --driver 01:00.0", 0, &format!("{expected}\n"))
}

/// A module with tables of two types, of a kernel with `override_only`.
const TABLES: &str = r#"
	.section .modinfo, "a"
	.asciz "vermagic=6.1.176 SMP"
	.section .rodata
	.globl __mod_pci__ids_device_table
	.type __mod_pci__ids_device_table, @object
	.size __mod_pci__ids_device_table, 80
__mod_pci__ids_device_table:
	.long 0x8086, 0x1533, 0xffffffff, 0xffffffff, 0, 0
	.quad 0
	.long 1, 0
	.skip 40
	.globl __mod_i2c__names_device_table
	.type __mod_i2c__names_device_table, @object
	.size __mod_i2c__names_device_table, 64
__mod_i2c__names_device_table:
	.ascii "ab12"
	.skip 60
"#;

#[test]
fn tables_by_type_and_field() -> io::Result<()> {
    let machine = Machine::new()?;
    fs::write(machine.path().join("two.ko"), assemble(TABLES)?)?;
    let run = |arguments: &str| -> io::Result<String> {
        let mut command = Command::new(ours("file2alias")?.program);
        let output = command.args(arguments.split(' ')).arg("two.ko").current_dir(machine.path()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (pci, i2c) =
        ("MODULE_ALIAS(\"vfio_pci:v00008086d00001533sv*sd*bc*sc*i*\");\n", "MODULE_ALIAS(\"i2c:ab12\");\n");
    assert_eq!(run("--format lines")?, format!("{pci}{i2c}"));
    assert_eq!(run("--type pci")?, pci);
    assert_eq!(run("--type pci,usb --type i2c")?, format!("{pci}{i2c}"));
    assert_eq!(
        run("--type i2c --format json")?,
        "{\"name\":\"two\",\"file\":\"two.ko\",\"aliases\":[],\"tables\":[{\"type\":\"i2c\",\"name\":\"names\",\"entries\":\
         [{\"number\":0,\"fields\":{\"name\":\"ab12\",\"driver_data\":0},\"aliases\":[\"i2c:ab12\"]}]}]}\n"
    );
    // In 5.10, entries have no override_only, and 40 bytes are no whole number of them.
    assert!(run("--type pci --kernel 5.10.1")?.starts_with("file2alias: two.ko: two: sizeof(struct pci_device_id)=32"));
    Ok(())
}

/// A module with a `struct pci_driver`, as the name and the table of devices
/// in it, and then whatever else there is.
fn driver(word: &str, name: &str, table: &str, more: &str) -> String {
    format!(
        r#"
	.section .modinfo, "a"
	.asciz "license=GPL"
	.section .rodata.str1.1, "aMS", @progbits, 1
	.asciz "mlx5_vfio_pci"
name:	.asciz "mlx5-vfio"
other:	.asciz "other"
	.section .rodata
	.quad 0
	.globl {table}
	.type {table}, @object
	.size {table}, 40
{table}:
ids:	.skip 40
	.data
	.type mlx5vf_pci_driver, @object
	.size mlx5vf_pci_driver, 32
mlx5vf_pci_driver:
	{word} 0, 0
	{word} {name}
	{word} ids
{more}
"#
    )
}

/// The names of tables in kernels up to 6.12, up to 6.17, and since 6.18.
const OLD: &str = "__mod_pci__ids_device_table";
const NEW: &str = "__mod_device_table__pci__ids";
const NEWEST: &str = "__mod_device_table__kmod_mlx5_vfio_pci__pci__ids";

#[test]
fn the_driver_that_a_module_registers() -> io::Result<()> {
    let machine = Machine::new()?;
    let modules = machine.path().join("lib/modules/6.12.0-test/kernel");
    fs::create_dir_all(&modules)?;
    // Another variable whose name ends so, after the driver.
    let last = |word: &str| {
        format!("\t.type last_driver, @object\n\t.size last_driver, 16\nlast_driver:\n\t{word} other\n\t{word} 0\n")
    };
    let two = |name: &str| format!("\t.quad 0, {name}, ids\n");
    let cases = [
        (driver(".quad", "name", OLD, ""), "--64", "mlx5-vfio"),
        (driver(".quad", "name", NEW, &last(".quad")), "--64", "mlx5-vfio"),
        (driver(".long", "name", NEWEST, &last(".long")), "--32", "mlx5-vfio"),
        (driver(".quad", "name", OLD, &two("name")), "--64", "mlx5-vfio"),
        (driver(".quad", "name", OLD, &two("other")), "--64", "-"),
        (driver(".quad", "0", OLD, &last(".quad")), "--64", "-"),
        (driver(".quad", "name", "__mod_i2c__ids_device_table", ""), "--64", "-"),
    ];
    for (source, class, name) in cases {
        fs::write(modules.join("mlx5-vfio-pci.ko"), assemble_for(class, &source)?)?;
        let line = format!("mlx5_vfio_pci vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* 5 {name}\n");
        machine.expect("vfio --sysfs sys --driver 01:00.0", 0, &line)?;
    }
    let output = machine.run("vfio --sysfs sys --script 01:00.0")?;
    let said = "file2alias: 01:00.0: the name of the driver in mlx5_vfio_pci isn't known\n";
    assert_eq!((&output.stdout[..], String::from_utf8_lossy(&output.stderr).as_ref()), (&b""[..], said));
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

#[test]
fn who_claims_a_device() -> io::Result<()> {
    let machine = Machine::new()?;
    machine.expect(&format!("match {MLX5}"), 0, "mlx5_core pci:v000015B3d0000101Esv*sd*bc*sc*i*\n")?;
    fs::write(machine.path().join("own.alias"), "alias pci:v000015B3d* own\nalias pci:*bc02* two\n")?;
    let both = "own pci:v000015B3d*\ntwo pci:*bc02*\n";
    machine.expect(&format!("match {MLX5} own.alias"), 0, both)?;
    let module = "\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n\t.asciz \"alias=pci:v000015B3d0000101E*\"\n\t.text\nf:\t.quad 0\n";
    fs::write(machine.path().join("by-hand.ko"), assemble(module)?)?;
    machine.expect(&format!("match {MLX5} by-hand.ko"), 0, "by_hand pci:v000015B3d0000101E*\n")
}

#[test]
fn bad_files_do_not_keep_the_others() -> io::Result<()> {
    let machine = Machine::new()?;
    let module = "\t.section .modinfo, \"a\"\n\t.asciz \"alias=a:b\"\n\t.text\nf:\t.quad 0\n";
    fs::write(machine.path().join("a-b.ko"), assemble(module)?)?;
    fs::write(machine.path().join("text"), "no object")?;
    let program = ours("file2alias")?.program;
    let run = |arguments: &[&str]| Command::new(&program).args(arguments).current_dir(machine.path()).output();
    let output = run(&["--format", "modules.alias", "missing", "text", "a-b.ko"])?;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "alias a:b a_b\n");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "file2alias: missing: No such file or directory\nfile2alias: text: neither an ELF object nor one that gzip, xz or zstd has compressed\n"
    );
    assert_eq!(output.status.code(), Some(1));
    // Files that weren't named may be anything.
    let output = run(&["--format", "modules.alias", "-r", "."])?;
    assert_eq!((&output.stdout[..], output.status.code()), (&b"alias a:b a_b\n"[..], Some(0)));
    Ok(())
}

#[test]
fn unreadable_directories_do_not_keep_the_others() -> io::Result<()> {
    let machine = Machine::new()?;
    let modules = machine.path().join("modules");
    let closed = modules.join("a/closed");
    fs::create_dir_all(&closed)?;
    let module = "\t.section .modinfo, \"a\"\n\t.asciz \"alias=a:b\"\n\t.text\nf:\t.quad 0\n";
    for name in ["modules/one.ko", "modules/a/two.ko", "modules/a/closed/three.ko"] {
        fs::write(machine.path().join(name), assemble(module)?)?;
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000))?;
    let mut command = Command::new(ours("file2alias")?.program);
    command.args(["--format", "modules.alias", "-r", "modules", "-r", "missing"]).current_dir(machine.path());
    let output = without_privilege(command).output()?;
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755))?;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "alias a:b two\nalias a:b one\n");
    let said = "file2alias: modules/a/closed: Permission denied\nfile2alias: missing: No such file or directory\n";
    assert_eq!((String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()), (said, Some(1)));
    Ok(())
}

/// A reader that closes the pipe ends the program quietly, wherever the output ends.
#[test]
fn a_pipe_that_is_closed() -> io::Result<()> {
    let machine = Machine::new()?;
    for count in [1, 100_000] {
        let aliases = "alias pci:v* some_module\n".repeat(count);
        fs::write(machine.path().join("many.alias"), aliases)?;
        let mut child = Command::new(ours("file2alias")?.program)
            .args(["match", "pci:v1", "many.alias"])
            .current_dir(machine.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        drop(child.stdout.take());
        let output = child.wait_with_output()?;
        assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{count}");
    }
    Ok(())
}

#[test]
fn the_plain_form_has_a_name() -> io::Result<()> {
    let machine = Machine::new()?;
    for name in ["two.ko", "match"] {
        fs::write(machine.path().join(name), assemble(TABLES)?)?;
    }
    let run = |arguments: &str| -> io::Result<(Option<i32>, String, String)> {
        let mut command = Command::new(ours("file2alias")?.program);
        let output = command.args(arguments.split(' ')).current_dir(machine.path()).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
    };
    let plain = run("--type pci two.ko")?;
    assert_eq!(plain.0, Some(0));
    assert_eq!(run("list --type pci two.ko")?, plain);
    assert_eq!(run("list --type pci match")?, plain);
    assert_eq!(run("--json two.ko")?, run("--format json two.ko")?);
    // -v explains which kernel it is, and -q prints nothing.
    let kernel = "file2alias: two.ko: kernel 6.1.176, by its vermagic\n";
    assert_eq!(run("-v --type pci two.ko")?, (Some(0), plain.1, kernel.to_owned()));
    let asked = "file2alias: two.ko: kernel 6.1.0, as --kernel says\n";
    assert_eq!(run("-v --kernel 6.1.0-9-amd64 --type i2c two.ko")?.2, asked);
    assert_eq!(run("-q two.ko")?, (Some(0), String::new(), String::new()));
    assert_eq!(run("-q nosuch.ko")?.0, Some(1));
    Ok(())
}

#[test]
fn matches_as_json() -> io::Result<()> {
    let expected = "{\"modalias\":\"pci:v000015B3*\",\"module\":\"mlx5_core\",\
                    \"pattern\":\"pci:v000015B3d0000101Esv*sd*bc*sc*i*\",\"wildcards\":5,\"builtin\":false}\n";
    let machine = Machine::new()?;
    machine.expect("match --json pci:v000015B3*", 0, expected)?;
    machine.expect("match -q pci:v000015B3*", 0, "")?;
    machine.expect("match -q pci:v000015B4*", 1, "")
}

#[test]
fn headings_are_coloured_on_demand() -> io::Result<()> {
    let machine = several()?;
    let heading = |arguments: &str| -> io::Result<String> {
        let table = machine.run(arguments)?.stdout;
        Ok(String::from_utf8_lossy(&table).lines().next().unwrap_or_default().to_owned())
    };
    let plain = "ADDRESS       GROUP  DRIVER     VFIO           CLASS";
    assert_eq!(heading("vfio --sysfs sys")?, plain);
    assert_eq!(heading("vfio --sysfs sys --color never")?, plain);
    assert_eq!(heading("vfio --sysfs sys --color always")?, format!("\x1b[1m{plain}\x1b[0m"));
    Ok(())
}

#[test]
fn a_kernel_by_its_version() -> io::Result<()> {
    let machine = Machine::new()?;
    let mut command = Command::new(ours("file2alias")?.program);
    command.args(["match", "-v", "--root", ".", "--kernel", "6.12", MLX5]).current_dir(machine.path());
    let output = command.output()?;
    let said = "file2alias: kernel 6.12.0-test, as --kernel says: ./lib/modules/6.12.0-test\n";
    assert_eq!((output.status.code(), &*String::from_utf8_lossy(&output.stderr)), (Some(0), said));
    Ok(())
}

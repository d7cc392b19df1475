//! The machine on which the commands of the documents are run: a directory that has what
//! they name.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kbuild_rs_tests::command::copy;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::needs;
use kbuild_rs_tests::original::{Target, Tool, V6_1, ours};
use tempfile::TempDir;

/// Functions that call programs of ours in the shell: where the machine's files are, and which
/// of its kernels runs, is said to them, unless the command says it.
const PRELUDE: &str = r#"
unless() {
    word=$1
    shift
    case " $given " in *" $word "*) ;; *) set -- "$word" "$@"; extra="$extra $*" ;; esac
}
file2alias() {
    given=$* extra=
    case ${1-} in match | vfio) unless --root "$ROOT"; unless --kernel 6.12.0 ;; esac
    [ "${1-}" != vfio ] || unless --sysfs "$ROOT/sys"
    # Root would load a module into the kernel of the machine that tests.
    case " $* " in *' --bind '*) unless --dry-run ;; esac
    command file2alias "$@" $extra
}
sumversion() {
    given=$* extra=
    case " $* " in *' --loaded '*) unless --sysfs "$ROOT/sys" ;; esac
    command sumversion "$@" $extra
}
modcheck() {
    given=$* extra=
    case " $* " in *' --headers '* | *' --symvers '*) ;; *) unless --root "$ROOT"; unless --kernel 6.12.0 ;; esac
    command modcheck "$@" $extra
}
kbuild-rs-swap() { command kbuild-rs-swap --state "$ROOT/state" --from "$ROOT/ours" "$@"; }
"#;

/// The entry of a device table: vendor, device, and whether it is for VFIO alone.
fn entry(vendor: &str, device: &str, is_vfio: bool) -> String {
    format!("\t.long {vendor}, {device}, 0xffffffff, 0xffffffff, 0, 0\n\t.quad 0\n\t.long {}, 0\n", u8::from(is_vfio))
}

/// A module with a table of PCI devices.
fn module(entries: &[String], srcversion: &str) -> io::Result<Vec<u8>> {
    module_for("6.12.0 SMP ", entries, srcversion)
}

/// The same, of another kernel's version magic.
fn module_for(vermagic: &str, entries: &[String], srcversion: &str) -> io::Result<Vec<u8>> {
    let size = 40 * (entries.len() + 1);
    assemble(&format!(
        "\t.section .modinfo, \"a\"\n\t.asciz \"name=driver\"\n\t.asciz \"vermagic={vermagic}\"\n\t.asciz \"license=GPL\"\n\
         \t.asciz \"srcversion={srcversion}\"\n\t.section .rodata\n\
         \t.globl __mod_pci__ids_device_table\n\t.type __mod_pci__ids_device_table, @object\n\
         \t.size __mod_pci__ids_device_table, {size}\n__mod_pci__ids_device_table:\n{}\t.skip 40\n\
         \t.section .gnu.linkonce.this_module, \"aw\"\n\t.skip 1280\n",
        entries.concat()
    ))
}

const ALIASES: &str = "\
alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e
alias pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_core
alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci
alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci
";

const EXPORTS: &str = "\
0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t
0x1\tmodule_put\tvmlinux\tEXPORT_SYMBOL\t
0x1\tdma_buf_get\tvmlinux\tEXPORT_SYMBOL_GPL\tDMA_BUF
";

/// What is preprocessed: a header and a source, the same with what the parser of 6.12
/// doesn't understand, and what a compiler lists.
const SOURCES: [(&str, &str); 5] = [
    ("part.h", "#ifdef CONFIG_PART_LARGE\n#endif\nstruct part { int size; };\n"),
    ("part.c", "#include \"part.h\"\nint part_size(struct part *part);\n__GENKSYMS_EXPORT_SYMBOL(part_size);\n"),
    ("wide.h", "struct wide { int size; _Float128 value; };\n"),
    ("wide.c", "#include \"wide.h\"\nint wide_size(struct wide *wide);\n__GENKSYMS_EXPORT_SYMBOL(wide_size);\n"),
    ("part.d", "part.o: part.c part.h\n"),
];

/// PCI devices: address, modalias, class, IOMMU group and driver.
const DEVICES: [(&str, &str, &str, &str, &str); 3] = [
    ("0000:00:1c.0", "pci:v00008086d00007AB8sv00000000sd00000000bc06sc04i00", "0x060400", "11", "pcieport"),
    ("0000:01:00.0", "pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00", "0x020000", "12", "mlx5_core"),
    ("0000:02:00.0", "pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00", "0x020000", "13", "e1000e"),
];

pub(crate) struct Scene {
    root: TempDir,
}

impl Scene {
    /// A machine with a tree of Debian's programs, if these can be had.
    pub(crate) fn new() -> io::Result<Self> {
        needs::program("jq", "jq")?;
        let scene = Self { root: tempfile::tempdir()? };
        scene.modules()?;
        scene.devices()?;
        scene.build_tree()?;
        scene.objects()?;
        scene.headers()?;
        scene.programs()?;
        Ok(scene)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(path, contents)
    }

    /// Two kernels, and some modules of one.
    fn modules(&self) -> io::Result<()> {
        let e1000e = module(&[entry("0x8086", "0x10d3", false)], "5C4B59A1B30AD3F4DFE0A4D")?;
        let mlx5 = module(&[entry("0x15b3", "0x101e", true)], "AA")?;
        let modules = "lib/modules/6.12.0";
        self.write(&format!("{modules}/kernel/e1000e.ko"), &e1000e)?;
        self.write(&format!("{modules}/kernel/mlx5-vfio-pci.ko"), mlx5)?;
        self.write(&format!("{modules}/kernel/dummy.ko"), module(&[], "2B4CF8D7A8D2D5E28D3F9C1")?)?;
        self.write(&format!("{modules}/modules.alias"), ALIASES)?;
        self.write(&format!("{modules}/modules.dep"), "kernel/mlx5-vfio-pci.ko:\n")?;
        self.write("lib/modules/6.1.0/modules.alias", "")?;
        self.write("home/driver.ko", module(&[], "")?)?;
        self.write("home/old.ko", module_for("6.11.0 SMP ", &[], "")?)?;
        for headers in [&format!("{modules}/build"), "usr/src/linux-headers-6.12.0"] {
            self.write(&format!("{headers}/Module.symvers"), EXPORTS)?;
            self.write(&format!("{headers}/include/config/auto.conf"), "CONFIG_X86_64=y\nCONFIG_SMP=y\n")?;
            self.write(&format!("{headers}/include/config/kernel.release"), "6.12.0\n")?;
        }
        self.write("home/e1000e.ko", e1000e)
    }

    fn devices(&self) -> io::Result<()> {
        let ids = "C 02  Network controller\n\t00  Ethernet controller\nC 06  Bridge\n\t04  PCI bridge\n";
        self.write("usr/share/misc/pci.ids", ids)?;
        for (address, modalias, class, group, driver) in DEVICES {
            let device = format!("sys/bus/pci/devices/{address}");
            self.write(&format!("{device}/modalias"), format!("{modalias}\n"))?;
            self.write(&format!("{device}/class"), format!("{class}\n"))?;
            symlink(format!("../../../../kernel/iommu_groups/{group}"), self.path(&device).join("iommu_group"))?;
            self.write(&format!("sys/bus/pci/drivers/{driver}/unbind"), "")?;
            symlink(format!("../../drivers/{driver}"), self.path(&device).join("driver"))?;
        }
        fs::create_dir_all(self.path("sys/module/mlx5_vfio_pci/drivers/pci:mlx5_vfio_pci"))?;
        self.write("sys/module/dummy/srcversion", "2B4CF8D7A8D2D5E28D3F9C1\n")
    }

    /// A module as its build has left it.
    fn build_tree(&self) -> io::Result<()> {
        self.write("home/drivers/net/dummy.mod", "drivers/net/dummy.o\n")?;
        self.write("home/drivers/net/dummy.c", "/* A device that drops everything. */\nint dummy;\n")?;
        self.write("home/drivers/net/dummy.h", "struct dummy;\n")?;
        self.write("home/include/net.h", "struct net;\n")?;
        let record = "savedcmd_drivers/net/dummy.o := gcc\n\nsource_drivers/net/dummy.o := drivers/net/dummy.c\n\n\
                      deps_drivers/net/dummy.o := \\\n  drivers/net/dummy.h \\\n  include/net.h \\\n\n\
                      drivers/net/dummy.o: $(deps_drivers/net/dummy.o)\n";
        self.write("home/drivers/net/.dummy.o.cmd", record)?;
        self.write("home/drivers/net/dummy.ko", module(&[], "876153ABE857CD4A9E631A0")?)
    }

    /// What modpost, genksyms and fixdep are given by hand.
    fn objects(&self) -> io::Result<()> {
        // One that may be linked, and one that may not.
        for (name, symbols) in [("own.o", &["printk"][..]), ("m.o", &["printk", "modul_put", "dma_buf_get"])] {
            let uses: String = symbols.iter().map(|symbol| format!("\t.quad {symbol}\n")).collect();
            let start =
                "\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n\t.asciz \"description=x\"\n\t.data\nd:\n";
            self.write(&format!("home/{name}"), assemble(&format!("{start}{uses}"))?)?;
        }
        self.write("home/m.mod", "\n")?;
        self.write("home/own.mod", "\n")?;
        self.write("home/Module.symvers", EXPORTS)?;
        SOURCES.iter().try_for_each(|(name, text)| self.write(&format!("home/{name}"), text))
    }

    /// A tree with the programs of Debian's headers.
    fn headers(&self) -> io::Result<()> {
        let modpost = V6_1.program(Tool::Modpost, Target::Lsb64)?.program;
        let scripts = modpost.parent().and_then(Path::parent).unwrap_or(Path::new("/")).to_owned();
        fs::create_dir_all(self.path("usr/src/linux"))?;
        copy(&scripts, &self.path("usr/src/linux/scripts"))?;
        self.write("usr/src/linux/include/config/kernel.release", format!("{}\n", V6_1.version()))?;
        fs::create_dir_all(self.path("usr/lib"))
    }

    /// Ours, as they are installed, and what the machine would do.
    fn programs(&self) -> io::Result<()> {
        let dir = self.path("ours");
        fs::create_dir_all(&dir)?;
        for name in [
            "modpost",
            "mk_elfconfig",
            "fixdep",
            "genksyms",
            "file2alias",
            "sumversion",
            "modcheck",
            "kbuild-rs-prove",
            "kbuild-rs-swap",
        ] {
            symlink(ours(name)?.program, dir.join(name))?;
        }
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        symlink(top.join("scripts-compat/Kbuild"), dir.join("Kbuild"))?;
        symlink(top.join("tests/recorded/cases.tar.zst"), dir.join("cases.tar.zst"))
    }

    /// Runs a command as somebody would type it. What it says has the machine's paths.
    pub(crate) fn run(&self, command: &str) -> io::Result<(Output, String)> {
        let root = self.root.path().display().to_string();
        let there = ["/lib/modules", "/usr/src/", "/sys/"];
        let command =
            there.iter().fold(command.to_owned(), |command, path| command.replace(path, &format!("{root}{path}")));
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("{PRELUDE}\n{command}")]).current_dir(self.path("home")).env_clear();
        shell.env("PATH", format!("{root}/ours:/usr/local/bin:/usr/bin:/bin")).env("ROOT", &root).env("LC_ALL", "C");
        shell.env("DPKG_ROOT", &root).env("HOME", self.path("home")).env("KBUILD_RS_KERNEL", "6.12.107");
        let output = shell.stdin(Stdio::null()).output()?;
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said).replace(&root, "");
        Ok((output, said))
    }
}

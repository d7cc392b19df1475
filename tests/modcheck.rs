//! modcheck as its users call it, on kernels that are made for it. What real kernels say is
//! `make check-boot`'s.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use kbuild_rs_tests::command::output;
use kbuild_rs_tests::compression::{self, compressed};
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::ours;
use kbuild_rs_tests::signing::{Key, P384, PLAIN, RSA};
use serde_json::Value;
use tempfile::TempDir;

/// A module for a kernel of this version magic, with what else is in it.
fn module(name: &str, vermagic: &str, more: &str) -> io::Result<Vec<u8>> {
    assemble(&format!(
        "\t.section .modinfo, \"a\"\n\t.asciz \"name={name}\"\n\t.asciz \"vermagic={vermagic}\"\n\
         \t.asciz \"license=GPL\"\n\t.asciz \"intree=Y\"\n\
         \t.section .gnu.linkonce.this_module, \"aw\"\n\t.skip 1280\n{more}\n"
    ))
}

const VERMAGIC: &str = "6.12.0 SMP mod_unload ";

/// A module that exports something, and one that imports it.
const EXPORTS: &str = "\t.section __ksymtab, \"a\"\n__ksymtab_own_symbol:\n\t.long 0, 0, 0";
const IMPORTS: &str = "\t.data\n\t.quad own_symbol";

/// A kernel with its headers, some of its modules, and one that was built outside of its
/// tree.
fn kernel() -> io::Result<TempDir> {
    let dir = tempfile::tempdir()?;
    let write = |path: &str, bytes: &[u8]| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
        fs::write(path, bytes)
    };
    let modules = "lib/modules/6.12.0";
    write(&format!("{modules}/build/Module.symvers"), b"0x0\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n")?;
    write(&format!("{modules}/build/include/config/kernel.release"), b"6.12.0\n")?;
    let config = b"CONFIG_X86_64=y\nCONFIG_SMP=y\nCONFIG_MODULE_UNLOAD=y\n";
    write(&format!("{modules}/build/include/config/auto.conf"), config)?;
    write(&format!("{modules}/kernel/a.ko"), &module("a", VERMAGIC, "\t.data\n\t.quad printk")?)?;
    write(&format!("{modules}/updates/provider.ko"), &module("provider", VERMAGIC, EXPORTS)?)?;
    write(&format!("{modules}/modules.symbols"), b"alias symbol:own_symbol provider\n")?;
    write("good.ko", &module("good", VERMAGIC, "\t.data\n\t.quad printk")?)?;
    write("user.ko", &module("user", VERMAGIC, IMPORTS)?)?;
    write("other.ko", &module("other", "6.11.0 SMP mod_unload ", IMPORTS)?)?;
    Ok(dir)
}

/// What modcheck prints, and its status.
fn said(place: &Path, arguments: &str) -> io::Result<(String, i32)> {
    let mut modcheck = Command::new(ours("modcheck")?.program);
    let output = modcheck.args(arguments.split_whitespace()).current_dir(place).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((String::from_utf8_lossy(&text).into_owned(), output.status.code().unwrap_or(-1)))
}

const KERNEL: &str = "--root . --kernel 6.12.0";

#[test]
fn verdicts_and_statuses() -> io::Result<()> {
    let place = kernel()?;
    for (arguments, expected, status) in [
        (format!("{KERNEL} good.ko"), "good.ko: would load on 6.12.0\n", 0),
        (format!("{KERNEL} user.ko"), "user.ko: would load on 6.12.0\n", 0),
        (format!("{KERNEL} -q user.ko"), "", 0),
        (format!("{KERNEL} --all"), "2 of 2 modules would load on 6.12.0\n", 0),
        (
            format!("{KERNEL} other.ko"),
            "other.ko: would not load on 6.12.0: Invalid module format\n  other: version magic '6.11.0 SMP mod_unload ' \
             should be '6.12.0 SMP mod_unload '\n    it was built for another kernel or configuration; built for \
             6.11.0: rebuild it against this kernel's headers\n",
            1,
        ),
        (
            "--headers lib/modules/6.12.0/build user.ko".to_owned(),
            "user.ko: would not load on 6.12.0: Unknown symbol in module\n  user: Unknown symbol own_symbol (err -2)\n    \
             neither the kernel nor any of the modules that are known exports it; built for 6.12.0: rebuild it against \
             this kernel's headers\n",
            1,
        ),
        (
            // What is asked about together is loaded together.
            "--headers lib/modules/6.12.0/build user.ko lib/modules/6.12.0/updates/provider.ko".to_owned(),
            "user.ko: would load on 6.12.0\nlib/modules/6.12.0/updates/provider.ko: would load on 6.12.0\n",
            0,
        ),
    ] {
        assert_eq!(said(place.path(), &arguments)?, (expected.to_owned(), status), "{arguments}");
    }
    Ok(())
}

/// What is said of symbols if the kernel's exports aren't known.
const NOWHERE: &str =
    ": not exported by anything that is known, and the kernel's own exports aren't known; its headers list them";

#[test]
fn what_is_not_known_is_said() -> io::Result<()> {
    let place = kernel()?;
    let (text, status) = said(place.path(), "--symvers lib/modules/6.12.0/build/Module.symvers good.ko")?;
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("the kernel's version magic isn't known"), "{text}");
    fs::remove_dir_all(place.path().join("lib/modules/6.12.0/build"))?;
    let (text, status) = said(place.path(), &format!("{KERNEL} good.ko"))?;
    assert_eq!(status, 2, "{text}");
    assert!(text.contains(&format!("    printk{NOWHERE}\n")), "{text}");
    Ok(())
}

#[test]
fn unknown_exports_are_told_once() -> io::Result<()> {
    let place = kernel()?;
    fs::remove_dir_all(place.path().join("lib/modules/6.12.0/build"))?;
    let several = "\t.data\n\t.quad printk, memset, kfree, own_symbol\n\t.weak memcpy\n\t.quad memcpy";
    fs::write(place.path().join("several.ko"), module("several", VERMAGIC, several)?)?;
    let (text, status) = said(place.path(), &format!("{KERNEL} several.ko"))?;
    assert_eq!(status, 2, "{text}");
    let told: Vec<_> = text.lines().filter_map(|line| line.strip_suffix(NOWHERE)).collect();
    assert_eq!(told, ["    printk and 2 more"], "{text}");
    Ok(())
}

/// A kernel's release, which is in its version magic, need not be what kbuild was told.
#[test]
fn the_release_is_what_the_kernel_calls_itself() -> io::Result<()> {
    let place = kernel()?;
    let generated = place.path().join("lib/modules/6.12.0/build/include/generated");
    fs::create_dir_all(&generated)?;
    fs::write(generated.join("utsrelease.h"), "#define UTS_RELEASE \"6.11.0\"\n")?;
    let (text, status) = said(place.path(), "--headers lib/modules/6.12.0/build good.ko")?;
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("version magic '6.12.0 SMP mod_unload ' should be '6.11.0 SMP mod_unload '"), "{text}");
    Ok(())
}

/// The kernel for 64-bit PowerPC defines `.TOC.` itself, and looks for other symbols
/// without the dot that the names of code begin with.
#[test]
fn symbols_of_a_machine() -> io::Result<()> {
    let place = kernel()?;
    let headers = place.path().join("lib/modules/6.12.0/build");
    let config = "CONFIG_PPC64=y\nCONFIG_CPU_LITTLE_ENDIAN=y\nCONFIG_SMP=y\nCONFIG_MODULE_UNLOAD=y\n";
    fs::write(headers.join("include/config/auto.conf"), config)?;
    let mut dotted = module("dotted", VERMAGIC, "\t.data\n\t.quad .TOC., .printk")?;
    // The machine's number in the ELF header.
    dotted[18] = 21;
    fs::write(place.path().join("dotted.ko"), &dotted)?;
    fs::write(place.path().join("lib/modules/6.12.0/kernel/a.ko"), dotted)?;
    let (text, status) = said(place.path(), &format!("{KERNEL} dotted.ko"))?;
    assert_eq!((&*text, status), ("dotted.ko: would load on 6.12.0\n", 0));
    Ok(())
}

#[test]
fn a_module_is_refused_with_those_that_it_needs() -> io::Result<()> {
    let place = kernel()?;
    let provider = module("provider", "6.11.0 SMP mod_unload ", EXPORTS)?;
    fs::write(place.path().join("lib/modules/6.12.0/updates/provider.ko"), provider)?;
    let (text, status) = said(place.path(), &format!("{KERNEL} --json user.ko"))?;
    let object: Value = serde_json::from_str(&text).map_err(io::Error::other)?;
    assert_eq!((status, &object["verdict"]), (1, &Value::from("refused")), "{text}");
    assert_eq!(object["findings"][0]["line"], "user: Unknown symbol own_symbol (err -2)", "{text}");
    Ok(())
}

/// An installed module that is needed needs another itself, which is proprietary.
#[test]
fn what_is_needed_needs_others() -> io::Result<()> {
    let place = kernel()?;
    let installed = place.path().join("lib/modules/6.12.0");
    let mut proprietary = module("provider", VERMAGIC, EXPORTS)?;
    let license = proprietary.windows(11).position(|bytes| bytes == b"license=GPL").unwrap_or_default();
    proprietary[license..license + 11].copy_from_slice(b"license=MIT");
    fs::write(installed.join("updates/provider.ko"), proprietary)?;
    let between = format!("{IMPORTS}\n{}", EXPORTS.replace("own_symbol", "other_symbol"));
    fs::write(installed.join("updates/between.ko"), module("between", VERMAGIC, &between)?)?;
    let list = "alias symbol:own_symbol provider\nalias symbol:other_symbol between\n";
    fs::write(installed.join("modules.symbols"), list)?;
    fs::write(place.path().join("heir.ko"), module("heir", VERMAGIC, "\t.data\n\t.quad other_symbol")?)?;
    let (text, status) = said(place.path(), &format!("{KERNEL} --json heir.ko"))?;
    let object: Value = serde_json::from_str(&text).map_err(io::Error::other)?;
    assert_eq!((status, &object["verdict"]), (0, &Value::from("loads")), "{text}");
    let line = "heir: module uses symbols other_symbol from proprietary module between, inheriting taint.";
    assert_eq!(object["findings"][0]["line"], line, "{text}");
    Ok(())
}

/// An image of a kernel that exports two symbols and has a certificate, as it was linked.
fn vmlinux(certificate: &[u8]) -> io::Result<Vec<u8>> {
    let dir = tempfile::tempdir()?;
    let [object, linked] = ["vmlinux.o", "vmlinux"].map(|name| dir.path().join(name));
    let bytes: String = certificate.iter().map(|byte| format!("\t.byte {byte}\n")).collect();
    let exports = "\t.section __ksymtab, \"a\"\n\t.long 0\n\t.long 0f - .\n\t.long 0\n\
        \t.section __ksymtab_gpl, \"a\"\n\t.long 0\n\t.long 1f - .\n\t.long 2f - .\n\
        \t.section __ksymtab_strings, \"a\"\n0:\t.asciz \"printk\"\n1:\t.asciz \"gpl_symbol\"\n2:\t.asciz \"OWN\"\n";
    fs::write(&object, assemble(&format!("{exports}\t.section .init.rodata, \"a\"\n{bytes}"))?)?;
    output(Command::new("ld").args(["-e", "0", "-o"]).args([&linked, &object]))?;
    fs::read(linked)
}

/// A kernel image for a boot loader: the compressed vmlinux, and its length.
fn vmlinuz(vmlinux: &[u8], way: &str) -> io::Result<Vec<u8>> {
    let mut payload = compressed(vmlinux, way)?;
    payload.extend((vmlinux.len() as u32).to_le_bytes());
    let mut image = vec![0; 1024];
    image[0x1f1] = 1;
    image[0x202..0x208].copy_from_slice(b"HdrS\x0f\x02");
    image[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    Ok([image, payload].concat())
}

/// A kernel without headers, with this image and configuration.
fn kernel_alone(image: &[u8], config: &str) -> io::Result<TempDir> {
    let place = kernel()?;
    fs::remove_dir_all(place.path().join("lib/modules/6.12.0/build"))?;
    fs::create_dir(place.path().join("boot"))?;
    fs::write(place.path().join("boot/vmlinuz-6.12.0"), image)?;
    fs::write(place.path().join("boot/config-6.12.0"), config)?;
    Ok(place)
}

#[test]
fn exports_are_read_of_the_image() -> io::Result<()> {
    let vmlinux = vmlinux(&[])?;
    let mut images = vec![vmlinux.clone()];
    for way in compression::SUFFIXES {
        images.push(vmlinuz(&vmlinux, way)?);
    }
    for image in images {
        let place = kernel_alone(&image, "CONFIG_X86_64=y\n")?;
        let gpl = module("gpl", VERMAGIC, "\t.data\n\t.quad gpl_symbol, no_symbol")?;
        fs::write(place.path().join("gpl.ko"), gpl)?;
        let expected = (
            "good.ko: would load on 6.12.0\n\
             gpl.ko: would not load on 6.12.0: Unknown symbol in module\n  \
             gpl: module uses symbol (gpl_symbol) from namespace OWN, but does not import it.\n  \
             gpl: Unknown symbol gpl_symbol (err -22)\n    \
             the module has no MODULE_IMPORT_NS(OWN); built for 6.12.0: rebuild it against this kernel's headers\n  \
             gpl: Unknown symbol no_symbol (err -2)\n    \
             neither the kernel nor any of the modules that are known exports it; built for 6.12.0: rebuild it against \
             this kernel's headers\n"
                .to_owned(),
            1,
        );
        assert_eq!(said(place.path(), &format!("{KERNEL} good.ko gpl.ko"))?, expected);
    }
    Ok(())
}

/// What a kernel's own modules export is read from them where no list has it, and then
/// the same is said.
#[test]
fn own_modules_export_without_a_list() -> io::Result<()> {
    let listed = kernel()?;
    let alone = kernel_alone(&vmlinux(&[])?, "CONFIG_X86_64=y\n")?;
    let list = "0x0\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n0x0\tother_symbol\tkernel/b\tEXPORT_SYMBOL\t\n";
    fs::write(listed.path().join("lib/modules/6.12.0/build/Module.symvers"), list)?;
    let exports = EXPORTS.replace("own_symbol", "other_symbol");
    let imports = IMPORTS.replace("own_symbol", "other_symbol");
    let refused = "./lib/modules/6.12.0/kernel/b.ko: would not load on 6.12.0: Invalid module format\n  \
        b: version magic '6.11.0 SMP mod_unload ' should be '6.12.0 SMP mod_unload '\n    \
        it was built for another kernel or configuration; built for 6.11.0: rebuild it against this kernel's headers\n\
        ./lib/modules/6.12.0/kernel/c.ko: would not load on 6.12.0: Unknown symbol in module\n  \
        c: Unknown symbol other_symbol (err -2)\n    \
        b, which exports it, would not be loaded itself; see what modcheck says of b\n\
        2 of 4 modules would load on 6.12.0\n";
    let all = "4 of 4 modules would load on 6.12.0\n";
    for (vermagic, expected, status) in [(VERMAGIC, all, 0), ("6.11.0 SMP mod_unload ", refused, 1)] {
        for place in [&listed, &alone] {
            let own = place.path().join("lib/modules/6.12.0/kernel");
            fs::write(own.join("b.ko"), module("b", vermagic, &exports)?)?;
            fs::write(own.join("c.ko"), module("c", VERMAGIC, &imports)?)?;
            assert_eq!(said(place.path(), &format!("{KERNEL} --all"))?, (expected.to_owned(), status));
        }
    }
    Ok(())
}

#[test]
fn signatures_are_verified() -> io::Result<()> {
    for kind in [RSA, P384] {
        let (key, other) = (Key::new(kind)?, Key::new(kind)?);
        let image = vmlinux(&key.certificate()?)?;
        let place = kernel_alone(&image, "CONFIG_X86_64=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_FORCE=y\n")?;
        let plain = fs::read(place.path().join("good.ko"))?;
        let mut changed = key.signed(&plain, PLAIN)?;
        changed[plain.len() - 1] ^= 1;
        let rejected = "would not load on 6.12.0: Key was rejected by service";
        for (name, module, expected, line) in [
            ("sha256.ko", key.signed(&plain, PLAIN)?, "would load on 6.12.0", ""),
            ("sha512.ko", key.signed(&plain, &["-noattr", "-md", "sha512"])?, "would load on 6.12.0", ""),
            ("changed.ko", changed, rejected, ""),
            (
                "other.ko",
                other.signed(&plain, PLAIN)?,
                rejected,
                "  Loading of module with unavailable key is rejected\n",
            ),
            ("plain.ko", plain, rejected, "  Loading of unsigned module is rejected\n"),
        ] {
            fs::write(place.path().join(name), module)?;
            let (text, status) = said(place.path(), &format!("{KERNEL} {name}"))?;
            assert!(text.starts_with(&format!("{name}: {expected}\n{line}")), "{name}: {text}");
            assert_eq!(status, i32::from(expected == rejected), "{name}: {text}");
        }
    }
    Ok(())
}

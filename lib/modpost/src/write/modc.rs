//! `.mod.c`, the source that is compiled into each module, and
//! `.vmlinux.export.c`, its counterpart for the kernel itself.

use base::bytes::base_name;

use crate::buffer::Buffer;
use crate::cli::Options;
use crate::dialect::Dialect;
use crate::export::{Export, License};
use crate::link::{Link, Module, ModuleId, Resolution, Versions};

/// The longest name for the state of the source that Android's modpost records, in
/// bytes.
const SCMVERSION_MAX: usize = 63;

/// The contents of `NAME.mod.c`; `supported` is how SUSE supports the module.
#[must_use]
pub fn render(link: &Link, id: ModuleId, resolution: &Resolution, crcs: &Versions, supported: Option<&[u8]>) -> Buffer {
    let Link { dialect, options, .. } = link;
    let module = link.module(id);
    let mut out = Buffer::with_capacity(1024 + crcs.basic.len() * 40 + module.facts.aliases.size());
    header(&mut out, module, dialect, options);
    exports(&mut out, link, module);
    if let Some(how) = supported {
        out.format(&[b"\nMODULE_INFO(supported, \"", how, b"\");\n"]);
    }
    let wants_basic = options.wants_basic_versions(dialect);
    if wants_basic && dialect.packed_versions {
        packed_versions(&mut out, crcs, module.facts.is_big_endian);
    } else if wants_basic {
        versions(&mut out, crcs, dialect);
    }
    if options.extended_versions {
        extended_versions(&mut out, crcs);
    }
    depends(&mut out, link, resolution);
    out.format(&[b"\n"]);
    module.facts.aliases.write_to(&mut out);
    if let Some(sum) = &module.facts.srcversion {
        out.format(&[b"\n"]);
        out.format(&[b"MODULE_INFO(srcversion, \"", sum.as_bytes(), b"\");\n"]);
    }
    if let Some((major, minor)) = dialect.kernel.rhel_version {
        out.format(&[format!("MODULE_INFO(rhelversion, \"{major}.{minor}\");\n").as_bytes()]);
    }
    if !dialect.scmversion_after_intree {
        scmversion(&mut out, options);
    }
    if let Some(release) = &dialect.kernel.suse_release {
        out.format(&[b"\n"]);
        out.format(&[b"MODULE_INFO(suserelease, \"", release, b"\");\n"]);
    }
    out
}

/// The contents of `.vmlinux.export.c`.
#[must_use]
pub(crate) fn render_vmlinux(link: &Link, id: ModuleId) -> Buffer {
    let mut out = Buffer::default();
    out.format(&[b"#include <linux/export-internal.h>\n"]);
    let module = link.module(id);
    exports(&mut out, link, module);
    if link.dialect.tables_name_their_module {
        out.format(&[b"#include <linux/module.h>\n#undef __MODULE_INFO_PREFIX\n#define __MODULE_INFO_PREFIX\n"]);
        for (alias, module) in module.facts.aliases.with_modules() {
            out.format(&[b"MODULE_INFO(", module, b".alias, \"", alias, b"\");\n"]);
        }
    }
    out
}

fn scmversion(out: &mut Buffer, options: &Options) {
    if let Some(version) = options.scmversion.as_deref().filter(|version| !version.is_empty()) {
        let version = &version[..version.len().min(SCMVERSION_MAX)];
        out.format(&[b"\nMODULE_INFO(scmversion, \"", version, b"\");\n"]);
    }
}

fn header(out: &mut Buffer, module: &Module, dialect: &Dialect, options: &Options) {
    let mut put = |text: &str| out.format(&[text.as_bytes()]);
    let when = |condition, put: &mut dyn FnMut(&str), text| {
        if condition {
            put(text);
        }
    };
    put("#include <linux/module.h>\n");
    if dialect.vermagic {
        put("#define INCLUDE_VERMAGIC\n");
        put("#include <linux/build-salt.h>\n");
        when(dialect.build_lto_info, &mut put, "#include <linux/elfnote-lto.h>\n");
        when(dialect.export_internal_header, &mut put, "#include <linux/export-internal.h>\n");
        put("#include <linux/vermagic.h>\n#include <linux/compiler.h>\n");
        let orc = "\n#ifdef CONFIG_UNWINDER_ORC\n#include <asm/orc_header.h>\nORC_HEADER;\n#endif\n";
        when(dialect.orc_header, &mut put, orc);
        put("\nBUILD_SALT;\n");
        when(dialect.build_lto_info, &mut put, "BUILD_LTO_INFO;\n");
        put("\nMODULE_INFO(vermagic, VERMAGIC_STRING);\nMODULE_INFO(name, KBUILD_MODNAME);\n");
    } else {
        put("#include <linux/export-internal.h>\n#include <linux/compiler.h>\n");
        put("\nMODULE_INFO(name, KBUILD_MODNAME);\n");
    }
    put("\n__visible struct module __this_module\n__section(\".gnu.linkonce.this_module\") = {\n");
    put("\t.name = KBUILD_MODNAME,\n");
    if module.facts.has_init {
        put("\t.init = init_module,\n");
    }
    if module.facts.has_cleanup {
        put("#ifdef CONFIG_MODULE_UNLOAD\n\t.exit = cleanup_module,\n#endif\n");
    }
    put("\t.arch = MODULE_ARCH_INIT,\n};\n");
    if !options.external {
        put("\nMODULE_INFO(intree, \"Y\");\n");
    }
    if dialect.scmversion_after_intree {
        scmversion(out, options);
    }
    let mut put = |text: &str| out.format(&[text.as_bytes()]);
    if dialect.vermagic {
        let option = if dialect.mitigation_retpoline { "CONFIG_MITIGATION_RETPOLINE" } else { "CONFIG_RETPOLINE" };
        put(&format!("\n#ifdef {option}\nMODULE_INFO(retpoline, \"Y\");\n#endif\n"));
    }
    if module.facts.name.starts_with(b"drivers/staging") {
        put("\nMODULE_INFO(staging, \"Y\");\n");
    }
    if dialect.test_flag && module.facts.name.starts_with(b"tools/testing") {
        put("\nMODULE_INFO(test, \"Y\");\n");
    }
}

/// The entries of the table of exports, in kernels that have them here, and CRCs.
fn exports(out: &mut Buffer, link: &Link, module: &Module) {
    let Link { dialect, options, .. } = link;
    let license = |export: &Export| if export.license == License::Gpl { "_gpl" } else { "" };
    if dialect.export_symbol_section {
        out.format(&[b"\n"]);
        for export in link.kept_exports(module) {
            let kind: &[u8] = if export.is_function { b"KSYMTAB_FUNC(" } else { b"KSYMTAB_DATA(" };
            let license =
                if dialect.symbol_flags { ", \"".to_owned() } else { format!(", \"{}\", \"", license(export)) };
            let namespace = &export.namespace;
            out.format(&[kind, &export.name, license.as_bytes(), namespace, b"\");\n"]);
            if dialect.symbol_flags {
                let flags: &[u8] = if export.license == License::Gpl { b", 0x01);\n" } else { b", 0x00);\n" };
                out.format(&[b"SYMBOL_FLAGS(", &export.name, flags]);
            }
        }
    }
    if options.modversions && dialect.crcs_from_cmd {
        out.format(&[b"\n"]);
        let written = |export: &&Export| export.crc.is_some() || dialect.missing_crcs_written;
        for export in link.kept_exports(module).filter(written) {
            let crc = export.crc.unwrap_or(0);
            let rest = if dialect.symbol_flags {
                format!(", 0x{crc:08x});\n")
            } else {
                format!(", 0x{crc:08x}, \"{}\");\n", license(export))
            };
            out.format(&[b"SYMBOL_CRC(", &export.name, rest.as_bytes()]);
        }
    }
}

fn extended_versions(out: &mut Buffer, crcs: &Versions) {
    out.format(&[b"\nstatic const u32 ____version_ext_crcs[]\n__used __section(\"__version_ext_crcs\") = {\n"]);
    for (crc, _) in &crcs.extended {
        out.format(&[format!("\t0x{crc:08x},\n").as_bytes()]);
    }
    out.format(&[b"};\nstatic const char ____version_ext_names[]\n__used __section(\"__version_ext_names\") =\n"]);
    for (_, name) in &crcs.extended {
        out.format(&[b"\t\"", name, b"\\0\"\n"]);
    }
    out.format(&[b";\n"]);
}

fn versions(out: &mut Buffer, crcs: &Versions, dialect: &Dialect) {
    out.format(&[b"\nstatic const struct modversion_info ____versions[]\n__used __section(\"__versions\") = {\n"]);
    for (crc, name) in &crcs.basic {
        // C's `%#8x` has no prefix before a zero.
        let crc = if dialect.extended_versions {
            format!("0x{crc:08x}")
        } else if *crc == 0 {
            "0".to_owned()
        } else {
            format!("{crc:#x}")
        };
        out.format(&[format!("\t{{ {crc:>8}, \"").as_bytes(), name, b"\" },\n"]);
    }
    out.format(&[b"};\n"]);
}

/// Ubuntu's form: for each symbol the offset of the next, the CRC, and the name
/// with NULs up to a multiple of four; an offset of zero ends them.
fn packed_versions(out: &mut Buffer, crcs: &Versions, is_big_endian: bool) {
    let word = |value: u32| {
        let bytes = if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        bytes.map(|byte| format!("\\x{byte:02x}")).concat()
    };
    out.format(&[b"\nstatic const char ____versions[]\n__used __section(\"__versions\") =\n"]);
    for (crc, name) in &crcs.basic {
        let padded = (name.len() + 1 + 3) & !3;
        let numbers = word(8 + padded as u32) + &word(*crc);
        out.format(&[b"\t\"", numbers.as_bytes(), b"\"\n"]);
        out.format(&[b"\t\"", name]);
        for _ in name.len()..padded {
            out.format(&[b"\\0"]);
        }
        out.format(&[b"\"\n"]);
    }
    out.format(&[b"\t\"", word(0).as_bytes(), word(0).as_bytes(), b"\";\n"]);
}

fn depends(out: &mut Buffer, link: &Link, resolution: &Resolution) {
    out.format(&[b"\nMODULE_INFO(depends, \""]);
    for (n, id) in resolution.depends.iter().enumerate() {
        let comma: &[u8] = if n == 0 { b"" } else { b"," };
        out.format(&[comma, base_name(&link.module(*id).facts.name)]);
    }
    out.format(&[b"\");\n"]);
}

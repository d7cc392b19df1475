//! `.mod.c`, the source that is compiled into each module, and
//! `.vmlinux.export.c`, its counterpart for the kernel itself.

use crate::buffer::Buffer;
use crate::bytes::base_name;
use crate::dialect::Dialect;
use crate::link::{Link, Module, ModuleId, Resolution};

/// What of the run is in the file.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// The kernel.
    pub dialect: &'a Dialect,
    /// `-e`: the module is not of the kernel's tree.
    pub external: bool,
    /// `-m`: CRCs are wanted.
    pub modversions: bool,
}

/// The contents of `NAME.mod.c`.
#[must_use]
pub fn render(link: &Link, id: ModuleId, resolution: &Resolution, style: Style) -> Buffer {
    let module = link.module(id);
    let mut out = Buffer::with_capacity(1024 + resolution.versions.len() * 40 + module.facts.aliases.bytes().len());
    header(&mut out, module, style);
    if style.modversions && style.dialect.crcs_from_cmd {
        export_crcs(&mut out, link, module);
    }
    if style.modversions {
        versions(&mut out, resolution);
    }
    depends(&mut out, link, resolution);
    out.format(&[b"\n"]);
    out.write(module.facts.aliases.bytes());
    if let Some(sum) = &module.facts.srcversion {
        out.format(&[b"\n"]);
        out.format(&[b"MODULE_INFO(srcversion, \"", sum.as_bytes(), b"\");\n"]);
    }
    out
}

/// The contents of `.vmlinux.export.c`.
#[must_use]
pub fn render_vmlinux(link: &Link, id: ModuleId, style: Style) -> Buffer {
    let mut out = Buffer::default();
    out.format(&[b"#include <linux/export-internal.h>\n"]);
    if style.modversions {
        export_crcs(&mut out, link, link.module(id));
    }
    out
}

fn header(out: &mut Buffer, module: &Module, style: Style) {
    let mut put = |text: &str| out.format(&[text.as_bytes()]);
    put("#include <linux/module.h>\n");
    put("#define INCLUDE_VERMAGIC\n");
    put("#include <linux/build-salt.h>\n");
    if style.dialect.build_lto_info {
        put("#include <linux/elfnote-lto.h>\n");
    }
    if style.dialect.export_internal_header {
        put("#include <linux/export-internal.h>\n");
    }
    put("#include <linux/vermagic.h>\n#include <linux/compiler.h>\n");
    put("\nBUILD_SALT;\n");
    if style.dialect.build_lto_info {
        put("BUILD_LTO_INFO;\n");
    }
    put("\nMODULE_INFO(vermagic, VERMAGIC_STRING);\nMODULE_INFO(name, KBUILD_MODNAME);\n");
    put("\n__visible struct module __this_module\n__section(\".gnu.linkonce.this_module\") = {\n");
    put("\t.name = KBUILD_MODNAME,\n");
    if module.facts.has_init {
        put("\t.init = init_module,\n");
    }
    if module.facts.has_cleanup {
        put("#ifdef CONFIG_MODULE_UNLOAD\n\t.exit = cleanup_module,\n#endif\n");
    }
    put("\t.arch = MODULE_ARCH_INIT,\n};\n");
    if !style.external {
        put("\nMODULE_INFO(intree, \"Y\");\n");
    }
    put("\n#ifdef CONFIG_RETPOLINE\nMODULE_INFO(retpoline, \"Y\");\n#endif\n");
    if module.facts.name.starts_with(b"drivers/staging") {
        put("\nMODULE_INFO(staging, \"Y\");\n");
    }
    if style.dialect.test_flag && module.facts.name.starts_with(b"tools/testing") {
        put("\nMODULE_INFO(test, \"Y\");\n");
    }
}

fn export_crcs(out: &mut Buffer, link: &Link, module: &Module) {
    out.format(&[b"\n"]);
    for symbol in module.exports.iter().map(|id| link.symbols.get(*id)) {
        let section = if symbol.license == crate::object::License::Gpl { "_gpl" } else { "" };
        let crc = symbol.crc.unwrap_or(0);
        let rest = format!(", 0x{crc:08x}, \"{section}\");\n");
        out.format(&[b"SYMBOL_CRC(", &symbol.name, rest.as_bytes()]);
    }
}

fn versions(out: &mut Buffer, resolution: &Resolution) {
    out.format(&[b"\nstatic const struct modversion_info ____versions[]\n__used __section(\"__versions\") = {\n"]);
    for (crc, name) in &resolution.versions {
        // C's `%#8x` has no prefix before a zero.
        let crc = if *crc == 0 { "0".to_owned() } else { format!("{crc:#x}") };
        out.format(&[format!("\t{{ {crc:>8}, \"").as_bytes(), name, b"\" },\n"]);
    }
    out.format(&[b"};\n"]);
}

fn depends(out: &mut Buffer, link: &Link, resolution: &Resolution) {
    out.format(&[b"\nMODULE_INFO(depends, \""]);
    for (n, id) in resolution.depends.iter().enumerate() {
        let comma: &[u8] = if n == 0 { b"" } else { b"," };
        out.format(&[comma, base_name(&link.module(*id).facts.name)]);
    }
    out.format(&[b"\");\n"]);
}

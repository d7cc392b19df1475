//! `elfconfig.h`: what mk_elfconfig tells the C build about its target
//! (`scripts/mod/mk_elfconfig.c`).

use elf::header::{EI_CLASS, EI_DATA, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, ELFMAG, SIZEOF_IDENT};

use crate::dialect::Dialect;

/// What mk_elfconfig prints, and whether it succeeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElfConfig {
    /// For standard output.
    pub output: String,
    /// For standard error.
    pub error: &'static str,
    /// Whether the exit status is 0; else it is 1.
    pub success: bool,
}

/// The definitions for an object that begins with these bytes.
#[must_use]
pub fn elfconfig(object: &[u8], dialect: &Dialect) -> ElfConfig {
    let mut config = ElfConfig::default();
    let Some(ident) = object.get(..SIZEOF_IDENT) else {
        config.error = "Error: input truncated\n";
        return config;
    };
    if !ident.starts_with(ELFMAG) {
        config.error = "Error: not ELF\n";
        return config;
    }
    let class = match ident[EI_CLASS] {
        ELFCLASS32 => "ELFCLASS32",
        ELFCLASS64 => "ELFCLASS64",
        _ => return config,
    };
    config.output = format!("#define KERNEL_ELFCLASS {class}\n");
    if !dialect.elfconfig_class_only {
        let data = match ident[EI_DATA] {
            ELFDATA2LSB => "ELFDATA2LSB",
            ELFDATA2MSB => "ELFDATA2MSB",
            // The first line has been printed by now.
            _ => return config,
        };
        let host_class = if cfg!(target_pointer_width = "32") { "ELFCLASS32" } else { "ELFCLASS64" };
        let host_data = if cfg!(target_endian = "big") { "ELFDATA2MSB" } else { "ELFDATA2LSB" };
        config.output += &format!(
            "#define KERNEL_ELFDATA {data}\n#define HOST_ELFCLASS {host_class}\n#define HOST_ELFDATA {host_data}\n"
        );
    }
    config.success = true;
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

    fn run(version: (u16, u16), object: &[u8]) -> ElfConfig {
        elfconfig(object, &Dialect::new(Version::new(version.0, version.1, 0)))
    }

    #[test]
    fn both_forms_and_the_errors() {
        let ident = |class, data| [b"\x7fELF", &[class, data, 1][..], &[0; 9]].concat();
        let old = run((6, 1), &ident(2, 2));
        assert!(
            old.success
                && old.output.starts_with("#define KERNEL_ELFCLASS ELFCLASS64\n#define KERNEL_ELFDATA ELFDATA2MSB\n")
        );
        assert_eq!(old.output.lines().count(), 4);
        assert_eq!(run((6, 12), &ident(1, 9)).output, "#define KERNEL_ELFCLASS ELFCLASS32\n");
        assert_eq!(run((6, 1), b"\x7fELF").error, "Error: input truncated\n");
        assert_eq!(run((6, 1), &[0; 16]).error, "Error: not ELF\n");
        assert_eq!(run((6, 1), &ident(3, 1)), ElfConfig::default());
        let half = run((6, 1), &ident(2, 3));
        assert_eq!((half.success, half.output.lines().count()), (false, 1));
    }
}

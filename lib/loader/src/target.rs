//! A kernel into which modules are loaded, as far as it is known.

use crate::btf::{Btf, Rules};
use crate::certificate::Certificate;
use crate::config::Config;
use crate::dialect::Dialect;
use crate::exports::Exports;
use crate::image::Image;
pub use crate::signature::Signer;
use crate::signature::{self, Signature};
pub use crate::view::Native;
use crate::vmlinux::Types;

/// What a kernel that runs says of itself. What it doesn't say is as after its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What tainted it: bits, as in `/proc/sys/kernel/tainted`.
    pub tainted: u64,
    /// Signatures are demanded (`module.sig_enforce`).
    pub enforces_signatures: bool,
    /// It is locked down.
    pub is_locked_down: bool,
}

/// A kernel.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// What it is called.
    pub name: Vec<u8>,
    /// How its loader does things.
    pub dialect: Dialect,
    /// What it runs on.
    pub native: Option<Native>,
    /// Its version magic.
    pub vermagic: Option<Vec<u8>>,
    /// The size of its own structure in a module, `struct module`.
    pub module_size: Option<u64>,
    /// Its configuration.
    pub config: Option<Config>,
    /// What it and its modules export.
    pub exports: Exports<'a>,
    /// Who signed its own modules, with a key that it has.
    pub signer: Option<Signer>,
    /// The certificates that are known to be in it.
    pub(crate) certificates: &'a [Certificate],
    /// Whether there are no others.
    pub(crate) knows_keys: bool,
    /// Its types for BPF.
    pub(crate) types: &'a Types,
    /// What it says of itself.
    pub state: State,
}

impl<'a> Target<'a> {
    /// Its types for BPF, if they are known. They are read when they are wanted first.
    pub(crate) fn btf(&self) -> Option<Btf<'a>> {
        self.types.get(Rules { native: self.native?, dialect: &self.dialect, is_lenient: false })
    }

    /// Whether they have been looked for, so that asking for them takes no time.
    pub(crate) fn has_looked_for_types(&self) -> bool {
        self.native.is_none() || self.types.are_read()
    }

    /// Whether an option of its configuration is set. Where the configuration isn't
    /// known, that is what nearly every distribution's kernel has.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        match (&self.config, option) {
            (Some(config), _) => config.has(option),
            (None, "MODVERSIONS") => match &self.vermagic {
                Some(vermagic) => memchr::memmem::find(vermagic, b" modversions ").is_some(),
                None => self.exports.have_versions(),
            },
            (None, "STRICT_MODULE_RWX" | "MODULE_SIG" | "LIVEPATCH") => true,
            (None, _) => false,
        }
    }
}

/// What one of a kernel's own modules says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What it runs on.
    pub native: Native,
    /// Its version magic.
    pub vermagic: Vec<u8>,
    /// The size of its own structure.
    pub module_size: u64,
    /// Who signed it.
    pub signer: Option<Signer>,
}

impl Sample {
    /// Reads a module; `None` if it is none.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (bytes, signature) = signature::split(bytes);
        let native = Native::of(bytes)?;
        let image = Image::of_any(bytes, native)?;
        let signer = match signature {
            Signature::By(signed) => Some(signed.signer),
            _ => None,
        };
        let vermagic = image.modinfo(b"vermagic")?.to_vec();
        Some(Self { native, vermagic, module_size: image.module_size, signer })
    }
}

/// Machines by the options that say so: the option, the machine, and whether it has 64
/// bits; `None` if `64BIT` says it.
const MACHINES: &[(&str, u16, Option<bool>)] = &[
    ("X86_64", 62, Some(true)),
    ("X86_32", 3, Some(false)),
    ("ARM64", 183, Some(true)),
    ("ARM", 40, Some(false)),
    ("RISCV", 243, None),
    ("S390", 22, Some(true)),
    ("PPC64", 21, Some(true)),
    ("PPC", 20, Some(false)),
    ("LOONGARCH", 258, None),
    ("MIPS", 8, None),
    ("SPARC64", 43, Some(true)),
    ("PARISC", 15, None),
    ("M68K", 4, Some(false)),
];

/// Machines whose most significant byte comes first unless the configuration says else.
const BIG: &[u16] = &[22, 43, 15, 4, 20, 21];

/// What a kernel with this configuration runs on.
#[must_use]
pub fn native(config: &Config) -> Option<Native> {
    let &(_, machine, is_64) = MACHINES.iter().find(|(option, ..)| config.has(option))?;
    let is_big = config.has("CPU_BIG_ENDIAN") || BIG.contains(&machine) && !config.has("CPU_LITTLE_ENDIAN");
    Some(Native { is_64: is_64.unwrap_or_else(|| config.has("64BIT")), is_little: !is_big, machine })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_configuration_is_for() {
        let big = native(&Config::parse(b"CONFIG_PPC64=y\nCONFIG_PPC=y\n"));
        assert_eq!(big, Some(Native { is_64: true, is_little: false, machine: 21 }));
    }
}

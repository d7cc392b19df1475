//! The version magic of a kernel by its release and configuration
//! (`include/linux/vermagic.h` of all kernels from 5.10 on).

use base::message::text;
use goblin::elf::header::{
    EM_68K, EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PARISC, EM_PPC, EM_PPC64, EM_RISCV, EM_S390,
    EM_SPARCV9, EM_X86_64,
};
use kernel::Version;

use crate::config::Config;
use crate::target::native;

/// Words by options: the first counts whose option is set, or that has none.
type Words = &'static [(&'static str, &'static str)];

const SMP: Words = &[("SMP", "SMP "), ("", "")];
const PREEMPT: Words = &[("PREEMPT_RT", "preempt_rt "), ("PREEMPT_BUILD", "preempt "), ("", "")];
/// Kernels to 5.15 have no dynamic preemption.
const PREEMPT_TO_5_15: Words = &[("PREEMPT_RT", "preempt_rt "), ("PREEMPT", "preempt "), ("", "")];
const UNLOAD: Words = &[("MODULE_UNLOAD", "mod_unload "), ("", "")];
const VERSIONS: Words = &[("MODVERSIONS", "modversions "), ("", "")];

/// Each machine's own (`arch/*/include/asm/vermagic.h`).
const MACHINES: &[(u16, &[Words])] = &[
    (EM_X86_64, &[]),
    (EM_S390, &[]),
    (EM_SPARCV9, &[]),
    (EM_PARISC, &[]),
    (EM_68K, &[]),
    (EM_AARCH64, &[&[("", "aarch64")]]),
    (EM_RISCV, &[&[("", "riscv")]]),
    (EM_386, &[X86]),
    (EM_ARM, &[ARM, &[("THUMB2_KERNEL", "thumb2 "), ("", "")], &[("ARM_PATCH_PHYS_VIRT", "p2v8 "), ("", "")]]),
    (EM_MIPS, &[MIPS, BITS]),
    (EM_LOONGARCH, &[&[("", "LOONGARCH ")], BITS]),
    (EM_PPC, POWERPC),
    (EM_PPC64, POWERPC),
];

const BITS: Words = &[("32BIT", "32BIT "), ("64BIT", "64BIT ")];
const POWERPC: &[Words] = &[
    &[
        ("ARCH_USING_PATCHABLE_FUNCTION_ENTRY", "patchable-function-entry "),
        ("MPROFILE_KERNEL", "mprofile-kernel "),
        ("", ""),
    ],
    &[("RELOCATABLE", "relocatable "), ("", "")],
];

/// Of several architectures a kernel is for, the oldest (`arch/arm/Makefile`).
const ARM: Words = &[
    ("CPU_32v3", "ARMv3 "),
    ("CPU_32v4", "ARMv4 "),
    ("CPU_32v4T", "ARMv4 "),
    ("CPU_32v5", "ARMv5 "),
    ("CPU_32v6", "ARMv6 "),
    ("CPU_32v7", "ARMv7 "),
    ("CPU_32v7M", "ARMv7 "),
];

const X86: Words = &[
    ("M486SX", "486SX "),
    ("M486", "486 "),
    ("M586", "586 "),
    ("M586TSC", "586TSC "),
    ("M586MMX", "586MMX "),
    ("MCORE2", "CORE2 "),
    ("MATOM", "ATOM "),
    ("M686", "686 "),
    ("MPENTIUMII", "PENTIUMII "),
    ("MPENTIUMIII", "PENTIUMIII "),
    ("MPENTIUMM", "PENTIUMM "),
    ("MPENTIUM4", "PENTIUM4 "),
    ("MK6", "K6 "),
    ("MK7", "K7 "),
    ("MK8", "K8 "),
    ("MELAN", "ELAN "),
    ("MCRUSOE", "CRUSOE "),
    ("MEFFICEON", "EFFICEON "),
    ("MWINCHIPC6", "WINCHIPC6 "),
    ("MWINCHIP3D", "WINCHIP3D "),
    ("MCYRIXIII", "CYRIXIII "),
    ("MVIAC3_2", "VIAC3-2 "),
    ("MVIAC7", "VIAC7 "),
    ("MGEODEGX1", "GEODEGX1 "),
    ("MGEODE_LX", "GEODE "),
];

const MIPS: Words = &[
    ("CPU_BMIPS", "BMIPS "),
    ("CPU_MIPS32_R1", "MIPS32_R1 "),
    ("CPU_MIPS32_R2", "MIPS32_R2 "),
    ("CPU_MIPS32_R5", "MIPS32_R5 "),
    ("CPU_MIPS32_R6", "MIPS32_R6 "),
    ("CPU_MIPS64_R1", "MIPS64_R1 "),
    ("CPU_MIPS64_R2", "MIPS64_R2 "),
    ("CPU_MIPS64_R5", "MIPS64_R5 "),
    ("CPU_MIPS64_R6", "MIPS64_R6 "),
    ("CPU_R3000", "R3000 "),
    ("CPU_TX39XX", "TX39XX "),
    ("CPU_VR41XX", "VR41XX "),
    ("CPU_R4300", "R4300 "),
    ("CPU_R4X00", "R4X00 "),
    ("CPU_TX49XX", "TX49XX "),
    ("CPU_R5000", "R5000 "),
    ("CPU_R5500", "R5500 "),
    ("CPU_NEVADA", "NEVADA "),
    ("CPU_R10000", "R10000 "),
    ("CPU_RM7000", "RM7000 "),
    ("CPU_SB1", "SB1 "),
    ("CPU_LOONGSON32", "LOONGSON32 "),
    ("CPU_LOONGSON2EF", "LOONGSON2EF "),
    ("CPU_LOONGSON64", "LOONGSON64 "),
    ("CPU_CAVIUM_OCTEON", "OCTEON "),
    ("CPU_P5600", "P5600 "),
    ("CPU_XLR", "XLR "),
    ("CPU_XLP", "XLP "),
];

/// The version magic of a kernel; `None` if its machine's words aren't known, or if it has
/// a random part.
pub(crate) fn vermagic(release: &[u8], version: Version, config: &Config) -> Option<Vec<u8>> {
    if config.has("RANDSTRUCT") || config.has("GCC_PLUGIN_RANDSTRUCT") {
        return None;
    }
    let machine = native(config)?.machine;
    let (_, machine) = MACHINES.iter().find(|(known, _)| *known == machine)?;
    let preempt = if version < Version::new(5, 16, 0) { PREEMPT_TO_5_15 } else { PREEMPT };
    let word = |words: &Words| {
        let set = words.iter().find(|(option, _)| option.is_empty() || config.has(option));
        set.map(|(_, word)| *word)
    };
    let words: Option<String> = [SMP, preempt, UNLOAD, VERSIONS].iter().chain(*machine).map(word).collect();
    Some(text!("{} {}", release, words?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_options() {
        let of = |release: &str, options: &str| {
            let lines: String = options.split(' ').map(|option| format!("CONFIG_{option}=y\n")).collect();
            let version = Version::parse(release.as_bytes())?;
            vermagic(release.as_bytes(), version, &Config::parse(lines.as_bytes()))
                .map(|magic| String::from_utf8_lossy(&magic).into_owned())
        };
        for (options, expected) in [
            ("X86_64 SMP PREEMPT_BUILD MODULE_UNLOAD MODVERSIONS", "6.1 SMP preempt mod_unload modversions "),
            ("ARM64 PREEMPT_RT PREEMPT_BUILD", "6.1 preempt_rt aarch64"),
            ("X86_32 SMP MGEODE_LX", "6.1 SMP GEODE "),
            ("ARM CPU_32v7 CPU_32v6K THUMB2_KERNEL ARM_PATCH_PHYS_VIRT", "6.1 ARMv7 thumb2 p2v8 "),
            ("ARM CPU_32v7 CPU_32v6", "6.1 ARMv6 "),
            ("MIPS CPU_MIPS64_R2 64BIT", "6.1 MIPS64_R2 64BIT "),
            ("PPC64 PPC MPROFILE_KERNEL RELOCATABLE", "6.1 mprofile-kernel relocatable "),
            ("LOONGARCH 64BIT", "6.1 LOONGARCH 64BIT "),
            ("S390 SMP", "6.1 SMP "),
        ] {
            assert_eq!(of("6.1", options).as_deref(), Some(expected), "{options}");
        }
        assert_eq!(of("5.10.0", "X86_64 PREEMPT").as_deref(), Some("5.10.0 preempt "));
        for unknown in ["X86_64 RANDSTRUCT", "X86_32 SMP", "SUPERH"] {
            assert_eq!(of("6.1", unknown), None, "{unknown}");
        }
    }
}

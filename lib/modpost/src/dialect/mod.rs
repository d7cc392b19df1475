//! What the programs of `scripts/mod` do differently from kernel to kernel: the
//! only place where their behaviour is tied to versions.
//!
//! Every behaviour that changed between two kernels is one named flag of
//! [`Dialect`], set from one table. The rest of the library asks
//! `dialect.crcs_from_cmd`, never for a version.

mod source;
mod vendor;

use kernel::{BEFORE_ALL, VENDORS_ALONE, document};

kernel::dialect! {
    vendors vendor::VENDORS, judge vendor::judge;

    // --- what is read, and in which order -------------------------------
    /// Modules, undefined symbols and namespaces keep their reading order.
    /// Before, each list grew at its head, and Module.symvers was written in
    /// the order of a hash table.
    lists_in_order: (5, 19), until None, stable &[], commits &["f841536e8c5b"];
    /// Objects must be relocatable.
    only_relocatable_objects: (6, 0), until None, stable &[], commits &["5764f6626f5f"];
    /// Objects must be named `*.o`.
    object_suffix_checked: (5, 19), until None, stable &[], commits &["8c9ce89c5b79"];
    /// A symbol is exported by lying in a `___ksymtab+` or `___ksymtab_gpl+`
    /// section; before, a `__ksymtab_` symbol in any other section counts as
    /// an export of kind `(unknown)`.
    exports_by_section: (5, 19), until None, stable &[], commits &["2a66c3124afd"];
    /// CRCs come from `#SYMVER` lines in `.cmd` files and are written out as
    /// `SYMBOL_CRC()`, vmlinux's into `.vmlinux.export.c`; before, they are
    /// the values of `__crc_` symbols.
    crcs_from_cmd: (5, 19), until None, stable &[], commits &["f292d875d0dc", "7b4537199a4a"];
    /// The export kinds `EXPORT_UNUSED_SYMBOL`, `EXPORT_UNUSED_SYMBOL_GPL` and
    /// `EXPORT_SYMBOL_GPL_FUTURE` exist.
    unused_exports: BEFORE_ALL, until Some((5, 12)), stable &[], commits &["367948220fce"];
    /// Exports come from `.export_symbol`, where `__export_symbol_NAME` labels
    /// license and namespace, and are written out as `KSYMTAB_FUNC()` and
    /// `KSYMTAB_DATA()`.
    export_symbol_section: (6, 5), until None, stable &[], commits &["ddb5cdbafaaa"];
    /// PA-RISC 64's millicode (`STT_LOPROC`) is exported as functions.
    parisc64_functions: (6, 6), until None, stable &[(6, 5, 4)], commits &["08700ec70504"];
    /// Without `-M` `.export_symbol` is like any other section.
    module_option: (6, 6), until None, stable &[], commits &["481461f51099"];
    /// `-t` trims exports that no module uses and `-u` doesn't list.
    trim_option: (6, 5), until None, stable &[], commits &["5e9e95cc9148"];
    /// All modules are checked before the first file is written.
    checks_before_files: (6, 5), until None, stable &[], commits &["5e9e95cc9148"];
    /// A file's suffix is looked at before the file.
    suffix_before_contents: (7, 3), until None, stable &[(6, 1, 188), (6, 12, 110), (7, 2, 6)], commits &["9a5b76027ed9"];
    /// `-T -` is a file of that name.
    list_from_dash_is_a_file: (6, 2), until None, stable &[], commits &["f65a486821cf"];
    /// Byte order is taken from each object, and one of none ends the run.
    byte_order_of_objects: (6, 12), until None, stable &[], commits &["a660deb0f1f6"];
    /// `-b` asks for `____versions`, `-x` for versions of names of any length.
    extended_versions: (6, 14), until None, stable &[], commits &["fc7d5e3210ae"];
    /// Modules of one name in several Module.symvers are several.
    modules_by_dump_file: (6, 13), until None, stable &[], commits &["9435dc77a33f"];
    /// Symbols listed in `.no_trim_symbol` are kept.
    no_trim_symbol: (6, 14), until None, stable &[], commits &["4c56eb33e603"];
    /// A namespace `module:…` lists the modules that have it.
    module_namespaces: (6, 16), until None, stable &[], commits &["520b1a147d91"];
    /// `.cmd` files are found by the object's name without `.o`, and without
    /// `.thinlto-native`.
    cmd_file_by_stem: (7, 2), until None, stable &[], commits &["9f2aee8f7d18"];
    /// A trailing `.lto` is cut off symbols and module names.
    lto_suffix: (5, 12), until Some((5, 18)), stable &[], commits &["7ac204b545f2", "d31ed5d767c0"];
    /// A trailing `.prelink` is cut off symbols and module names.
    prelink_suffix: (5, 18), until Some((5, 19)), stable &[], commits &["d31ed5d767c0"];
    /// A numeric suffix that the compiler gave (`name.12`) is cut off symbols;
    /// before, a slip kept it.
    numeric_suffix: (5, 19), until None, stable &[(5, 10, 122), (5, 15, 47), (5, 17, 15), (5, 18, 4)], commits &["b5beffa20d83"];
    /// Exports that were read from a Module.symvers aren't written into another;
    /// before, that held for external modules alone.
    own_exports_dumped: (5, 13), until None, stable &[(5, 10, 38), (5, 11, 22), (5, 12, 5)], commits &["69bc8d386aeb"];
    /// An export that has no CRC is written with one of zero; before, it is
    /// left out.
    missing_crcs_written: (6, 0), until None, stable &[(5, 19, 4)], commits &["5b8a9a8fd1f0"];
    /// A section index beyond the table names the section "".
    section_index_checked: (6, 0), until None, stable &[], commits &["125ed24a4ab0"];

    // --- what is complained about ---------------------------------------
    /// Whatever is called an error makes the run fail at its end, a missing
    /// license, static exports and misuse of GPL-only symbols among it;
    /// before, those were warnings or ended the run.
    errors_fail_at_the_end: (5, 11), until None, stable &[], commits &["0fd3fbadd9b1", "1d6cd3929360"];
    /// What ends a run is introduced by `ERROR:`; before, by `FATAL:`.
    fatal_is_called_error: (6, 8), until None, stable &[], commits &["16a473f60edc"];
    /// Undefined symbols are reported without vmlinux, too, but not more than
    /// ten.
    undefined_reports_capped: (5, 13), until None, stable &[], commits &["4475dff55c54"];
    /// An export without a CRC is told where its prototype may be missing.
    crc_prototype_hint: (5, 14), until None, stable &[], commits &["4a6795933a89"];
    /// A failed CRC is told in full even if the hint on its prototype follows;
    /// before, that message ends in an ellipsis.
    crc_failure_in_full: (5, 18), until None, stable &[(5, 15, 33), (5, 16, 19), (5, 17, 2)], commits &["bf5c0c2231bc"];
    /// An empty namespace is, to a message, `(null)`.
    empty_namespace_is_null: (5, 4), until Some((5, 19)), stable &[], commits &["79f646e8654b"];
    /// An export that no object defines globally is complained of.
    static_export_check: (5, 4), until Some((5, 19)), stable &[], commits &["31cb50b5590f"];
    /// A symbol exported twice is an error and counts twice; before, a
    /// warning, and the first stays.
    exported_twice_is_error: (5, 19), until None, stable &[], commits &["b8422711080f"];
    /// Android's: a symbol exported twice ends the run.
    exported_twice_is_fatal: VENDORS_ALONE, until None, stable &[], commits &[];
    /// A module that refers to its own export without defining it is told
    /// so; before, the symbol is called undefined.
    export_without_definition: (5, 19), until None, stable &[], commits &["23beb44a0eff"];
    /// Once an error was reported, no file is written.
    errors_stop_output: (5, 19), until None, stable &[], commits &["c155a47d83ab"];
    /// An unknown kind of export in Module.symvers is an error.
    unknown_license_is_error: (5, 19), until None, stable &[], commits &["2a66c3124afd"];
    /// S/390 expoline thunks may be undefined.
    s390_expolines: (5, 18), until Some((6, 10)), stable &[], commits &["eed38cd2f46f"];
    /// PowerPC64's helpers for floating point and `-Os` may be undefined.
    ppc64_os_helpers: (7, 0), until None, stable &[(5, 10, 252), (5, 15, 202), (6, 1, 165), (6, 6, 128), (6, 12, 75), (6, 18, 16), (6, 19, 6)], commits &["3cd9763ce4ad"];

    /// `-W` asks for a `MODULE_DESCRIPTION()`.
    description_wanted: (6, 5), until None, stable &[], commits &["1fffe7a34c89"];
    /// Every module is asked for a `MODULE_DESCRIPTION()`, with `-W` or without.
    description_always_wanted: (6, 15), until None, stable &[], commits &["6c6c1fc09de3"];
    /// Messages on a module begin with its name.
    messages_begin_with_module: (7, 3), until None, stable &[], commits &[];
    /// The linker's `__start_` and `__stop_` symbols may be undefined.
    section_bounds_ignored: (6, 19), until None, stable &[], commits &["4109043bff31"];

    /// Android's: a section without contents need not be allocated.
    empty_sections_unchecked: VENDORS_ALONE, until None, stable &[], commits &[];

    // --- section mismatches ---------------------------------------------
    /// Reports call an object by its module's name; before, by its path.
    reports_name_module: (6, 5), until None, stable &[], commits &["94d6cb68124b"];
    /// Symbols are looked for in a section, not in all of its name, and advice
    /// on an exception table is a message of its own.
    symbols_by_section: (6, 5), until None, stable &[], commits &["faee9defd8fc", "9990ca35870b"];
    /// A mismatch's source is told as symbol and offset, an exception table's
    /// like any other.
    mismatch_offsets: (6, 5), until None, stable &[], commits &["f234627898d7"];
    /// Of symbols at one address, the first is nearest, and of two at one
    /// distance, the one below; before, the last in the table.
    nearest_is_first: (6, 7), until None, stable &[(6, 6, 26)], commits &["4074532758c5"];
    /// A target near which no symbol lies keeps its own; before, it is
    /// `(unknown)`.
    target_keeps_its_name: (6, 9), until None, stable &[(6, 6, 26), (6, 8, 5)], commits &["1102f9f85bf6"];
    /// Where there is no name, an address is told; before, `(unknown)`.
    nameless_by_address: (6, 12), until None, stable &[], commits &["7a7f974594cd"];
    /// Symbols that begin with `.L` or `L0` are nobody's.
    tools_symbols_ignored: (6, 4), until None, stable &[], commits &["87e5b1e8f257", "0a3bf86092c3"];
    /// Symbols that begin with `$` are nobody's; before, only `$a`, `$d`, `$t`
    /// and `$x`, alone or before a dot.
    dollar_symbols_ignored: (6, 6), until None, stable &[], commits &["ff09f6fd2972"];
    /// An addend of a relocation's own counts from its symbol; before, since
    /// 6.5, from the section's start.
    addends_from_symbol: (6, 7), until None, stable &[(6, 5, 13), (6, 6, 7)], commits &["1c4a7587d1bb"];
    /// Relocations without addend must be of a machine that is known, and one
    /// of a type that isn't is near no symbol.
    rel_needs_machine: (6, 5), until None, stable &[], commits &["8e86ebefdd5c"];
    /// SuperH 64's `.cranges` isn't looked at.
    cranges_ignored: BEFORE_ALL, until Some((6, 0)), stable &[], commits &["028062ec222d"];
    /// The namespace of an export of `.export_symbol` is set by looking its
    /// name up again, which passes over a dot before it.
    namespace_by_name: (5, 4), until Some((6, 5)), stable &[], commits &["ddb5cdbafaaa"];
    /// Memory hotplug has init sections of its own, `.meminit`.
    meminit_sections: BEFORE_ALL, until Some((6, 11)), stable &[(6, 6, 64)], commits &["73db3abdca58"];
    /// Of data, only `*_ops`, `*_probe` and `*_console` may refer to init and
    /// exit sections.
    few_data_symbols: (6, 7), until None, stable &[], commits &["e1dc1bfe5b27"];
    /// Data called `*_probe` may refer to init and exit sections.
    probe_symbols: BEFORE_ALL, until Some((7, 0)), stable &[], commits &["a4df2071f1a2"];
    /// Data called `*_ops.llvm.*`, as LLVM renames it, may refer to init and exit
    /// sections.
    llvm_data_symbols: (7, 2), until None, stable &[], commits &["9a289cc425bf"];
    /// LLVM's coverage data isn't looked at.
    coverage_ignored: (7, 2), until None, stable &[], commits &["29c52907334a"];
    /// Livepatch's symbol ids aren't looked at.
    klp_symbols_ignored: (7, 3), until None, stable &[(7, 2, 6)], commits &["029223d30162"];
    /// LLVM's call graph profile isn't looked at.
    call_graph_profile: (6, 6), until None, stable &[], commits &["1ef061a4e264"];
    /// One line per mismatch; before, a paragraph.
    short_mismatch_reports: (6, 0), until None, stable &[], commits &["072dd2c8928f"];
    /// The relocated section is the one in `sh_info`; before, the one that
    /// the relocation section's name tells.
    relocated_by_sh_info: (6, 0), until None, stable &[], commits &["5419aa2a8dee"];
    /// Every `.text.*` is a text section in all rules.
    text_globs: (6, 2), until None, stable &[(5, 15, 174), (6, 1, 79)], commits &["19331e84c387"];
    /// `.ltext` and `.ltext.*` are text sections.
    ltext: (6, 8), until None, stable &[(6, 1, 79), (6, 6, 18), (6, 7, 6)], commits &["397586506c3d"];
    /// `.irqentry.text` is text, beside `.softirqentry.text`.
    irqentry_text: (6, 13), until None, stable &[(5, 10, 231), (5, 15, 174), (6, 1, 120), (6, 6, 66), (6, 12, 5)], commits &["7912405643a1"];
    /// Android's desktop kernels: `.pkvm.text`, `.pkvm.init.text` and `.pkvm.noinstr.text`
    /// are text.
    pkvm_text: VENDORS_ALONE, until None, stable &[], commits &[];
    /// `.softirqentry.text` is text.
    softirqentry_text: (5, 15), until None, stable &[], commits &["1e688dd2a3d6"];
    /// Memory hotplug has exit sections of its own, `.memexit`.
    memexit_sections: BEFORE_ALL, until Some((6, 7)), stable &[(6, 1, 79), (6, 6, 18)], commits &["6a4e59eeedc3"];
    /// The symbols that may refer to init and exit sections are one list, in
    /// which `*driver` may refer to `.meminit` and exit sections; before, each
    /// rule had a list.
    data_symbol_rules: (6, 0), until None, stable &[], commits &["672fb6740cbf"];
    /// `*driver` may refer to exit sections unless `-W` is given.
    drivers_checked_with_w: (6, 6), until None, stable &[(6, 1, 79)], commits &["f177cd0c15fc"];
    /// `*driver` may not refer to exit sections.
    drivers_checked: (6, 11), until None, stable &[], commits &["7308bf8a2c3d"];
    /// `.meminit` is like `.init` to drivers and to what is exported.
    meminit_is_init: (6, 7), until None, stable &[(6, 6, 64)], commits &["473a45bb35f0"];
    /// `-W` asks for more warnings.
    extra_warn: (6, 5), until None, stable &[(6, 1, 79)], commits &["20ff36856fe0"];
    /// An exception table entry outside executable sections is an error;
    /// before, it ends the run.
    extable_mismatch_is_error: (6, 5), until None, stable &[(5, 15, 121), (6, 1, 39), (6, 3, 13), (6, 4, 4)], commits &["d0acc76a49aa"];
    /// What refers to an init section is looked at even if it is called
    /// `reference___initcall…`.
    initcall_references_checked: (6, 0), until None, stable &[], commits &["a25efd6ef1ef"];
    /// linux-hardened's: references from writable data to code are counted, and `-f`
    /// reports each of them.
    writable_pointers_option: VENDORS_ALONE, until None, stable &[], commits &[];
    /// RISC-V's relative exception table is understood.
    riscv_extable: (5, 17), until None, stable &[], commits &["bb1f85d6046f"];
    /// LoongArch's relative exception table is understood.
    loongarch_extable: (6, 2), until None, stable &[], commits &["3d36f4298ba9"];
    /// LoongArch's relocations that mark what may be relaxed refer to nothing.
    loongarch_markers_passed: (6, 8), until None, stable &[], commits &["2772ae4d66d1"];
    /// ARM addends are read from the relocated word; before, a host address
    /// took their place, near which no symbol lies.
    arm_addends: (6, 5), until None, stable &[(5, 10, 188), (5, 15, 121), (6, 1, 39), (6, 3, 13), (6, 4, 4)], commits &["b7c63520f670"];
    /// Exports of what is in init and exit sections are found; before, a slip
    /// in a pattern kept them out of sight.
    exports_checked: (5, 19), until None, stable &[(5, 10, 127), (5, 15, 51), (5, 18, 8)], commits &["28438794aba4"];

    // --- device tables and sources --------------------------------------
    /// `struct pci_device_id` has `override_only`.
    pci_override_only: (5, 15), until None, stable &[], commits &["cc6711b0bf36"];
    /// ACPI ids have 16 bytes; before, 9.
    acpi_id_16: (5, 18), until None, stable &[], commits &["d273845ecb0e"];
    /// `struct rpmsg_device_id` has `driver_data`.
    rpmsg_driver_data: (5, 14), until None, stable &[], commits &["60302ce4ea07"];
    /// Tables of auxiliary devices.
    auxiliary_tables: (5, 11), until None, stable &[], commits &["7de3697e9cbd"];
    /// Tables of Surface System Aggregator and of device feature list devices.
    ssam_and_dfl_tables: (5, 12), until None, stable &[], commits &["eb0e90a82098"];
    /// Tables of mhi_ep devices.
    mhi_ep_tables: (5, 19), until None, stable &[], commits &["ee0360b20b3f"];
    /// Tables of ISHTP devices.
    ishtp_tables: (5, 16), until None, stable &[], commits &["fa443bc3c1e4"];
    /// Aliases are a list without duplicates, a table that isn't one is an
    /// error, and tables are called `__mod_device_table__TYPE__NAME`; before,
    /// lines, the end of the run, and `__mod_TYPE__NAME_device_table`.
    alias_list: (6, 13), until None, stable &[], commits &["f4fdb17ca5a5", "054a9cd395a7"];
    /// Tables are called `__mod_device_table__kmod_MODULE__TYPE__NAME`, and
    /// vmlinux's are written, too.
    tables_name_their_module: (6, 18), until None, stable &[], commits &["83fb49389bbe", "5ab23c7923a1"];
    /// An input or DMI alias that is too long ends the run.
    alias_bounds: (7, 1), until None, stable &[], commits &["49f8fcde6889"];
    /// What follows an unknown `override_only` is undefined: the return after
    /// the warning is missing.
    pci_override_undefined: (6, 13), until None, stable &[], commits &["f4fdb17ca5a5"];
    /// An auxiliary device's name has 40 bytes; before, 32.
    auxiliary_name_40: (6, 19), until None, stable &[], commits &["d3d25f430cad"];
    /// `struct ap_device_id` has no `driver_info`.
    ap_without_info: (7, 3), until None, stable &[], commits &[];
    /// Tables of MCB devices.
    mcb_tables: (6, 19), until None, stable &[(6, 18, 4)], commits &["1f4ea4838b13"];
    /// A Type-C alias has no mode.
    typec_without_mode: (6, 14), until None, stable &[], commits &["8541bf0239b8"];
    /// A WMI GUID's digits are checked and written in upper case.
    wmi_checked: (7, 2), until None, stable &[], commits &["3429ae7b2f02"];
    /// A platform device's name has 24 bytes; before, 20.
    platform_name_24: (6, 16), until None, stable &[], commits &["655862865c97"];
    /// `struct x86_cpu_id` has `type`.
    x86_cpu_type: (6, 15), until None, stable &[], commits &["00d7fc04b703"];
    /// `struct x86_cpu_id` has `platform_mask`.
    x86_cpu_platform: (7, 1), until None, stable &[], commits &["fab0c75d500f"];
    /// Input devices have one switch more.
    input_switch_17: (6, 16), until None, stable &[], commits &["67890d579402"];
    /// An ACPI entry's class is read in the target's byte order.
    acpi_class_order: (6, 12), until None, stable &[], commits &["2e766a1f5f94"];
    /// Tables of CDX devices.
    cdx_tables: (6, 4), until None, stable &[], commits &["2959ab247061"];
    /// CDX entries may be for an override alone, and for any device.
    cdx_override: (6, 5), until None, stable &[], commits &["234489ac5613"];
    /// CDX ids have a subsystem and a class.
    cdx_class: (6, 7), until None, stable &[], commits &["fa10f413091a"];
    /// Tables of SLIMbus devices.
    slim_tables: (6, 12), until None, stable &[], commits &["b4b818305578"];
    /// Tables of VCHIQ devices.
    vchiq_tables: (6, 7), until None, stable &[], commits &["027e5703de6b"];
    /// Tables of coreboot devices.
    coreboot_tables: (6, 9), until None, stable &[], commits &["f1cebae1dbf8"];
    /// An input table's bitmaps are read up to and including their maximum.
    input_bits_inclusive: (6, 13), until None, stable &[(5, 10, 233), (5, 15, 176), (6, 1, 124), (6, 6, 70), (6, 12, 9)], commits &["bf36b4bf1b9a"];
    /// A TEE or ISHTP id's UUID is a sequence of bytes; before, one number in
    /// the target's byte order.
    guids_in_order: (6, 7), until None, stable &[(5, 10, 201), (5, 15, 139), (6, 1, 63), (6, 5, 12), (6, 6, 2)], commits &["7f54e00e5842"];
    /// A `.mod` file lists one object a line; before, all on one line.
    mod_file_by_line: (5, 19), until None, stable &[], commits &["c6031b1dbbbf"];
    /// Messages on a module's list of objects name the module; before, the
    /// object.
    srcversion_by_module: (5, 15), until None, stable &[], commits &["e54dd93a0822"];
    /// A malformed `.cmd` file costs the srcversion; before, since 5.19, the
    /// run crashed.
    malformed_cmd_survived: (6, 12), until None, stable &[], commits &["4b60a5655528"];
    /// Leading spaces of a `.cmd` file's lines don't count.
    cmd_leading_spaces: (6, 8), until None, stable &[(5, 10, 210), (5, 15, 149), (6, 1, 79), (6, 6, 18), (6, 7, 6)], commits &["5d9a16b2a4d9"];

    // --- what is written ------------------------------------------------
    /// SUSE's: `-S` names a file of modules that are supported.
    supported_option: VENDORS_ALONE, until None, stable &[], commits &[];
    /// SUSE's: `-l` names a file for the list of livepatch modules. Their symbols
    /// `.klp.sym.rela.…` may be undefined.
    livepatch_option: VENDORS_ALONE, until None, stable &[], commits &[];
    /// Android's: `-v` tells the state of the source, which is written into
    /// each module.
    scmversion_option: VENDORS_ALONE, until None, stable &[], commits &[];
    /// Android's `scmversion` follows `intree`; before, it comes last.
    scmversion_after_intree: (5, 19), until None, stable &[], commits &[];
    /// Amazon's: `-c` passes over undefined symbols and writes the exports of
    /// modules alone to `crypto/fips140/.fips140.symvers`.
    fips140_option: VENDORS_ALONE, until None, stable &[], commits &[];
    /// Ubuntu's: `____versions` is an array of bytes, in which each CRC and name
    /// says where the next is, so that names may be long.
    packed_versions: VENDORS_ALONE, until None, stable &[], commits &[];
    /// `.mod.c` includes `<linux/elfnote-lto.h>` and has `BUILD_LTO_INFO`.
    build_lto_info: (5, 13), until Some((6, 12)), stable &[], commits &["1fdd7433a98a", "fdf94e4403ec"];
    /// `.mod.c` has `ORC_HEADER`.
    orc_header: (6, 4), until Some((6, 12)), stable &[], commits &["b9f174c811e3", "fdf94e4403ec"];
    /// The retpoline mark asks for `CONFIG_MITIGATION_RETPOLINE`.
    mitigation_retpoline: (6, 9), until Some((6, 12)), stable &[], commits &["aefb2f2e619b", "fdf94e4403ec"];
    /// Exports' licenses are `SYMBOL_FLAGS()`.
    symbol_flags: (7, 1), until None, stable &[], commits &["16d0e04f546f", "f18540256b70"];
    /// `.mod.c` has version magic, `intree`, `retpoline` and their like; since
    /// 6.12, `module-common.c` does.
    vermagic: BEFORE_ALL, until Some((6, 12)), stable &[], commits &["fdf94e4403ec"];
    /// A line that is too long for the original's array ends the run.
    long_line_is_fatal: (7, 2), until None, stable &[(6, 1, 189), (6, 12, 111)], commits &["d7231d8cb262"];
    /// `.mod.c` includes `<linux/export-internal.h>`.
    export_internal_header: (5, 19), until None, stable &[], commits &["7b4537199a4a"];
    /// mk_elfconfig tells the class alone: byte order is read from objects.
    elfconfig_class_only: (6, 12), until None, stable &[], commits &["a660deb0f1f6"];
    /// `MODULE_IMPORT_NS()` takes a string.
    namespaces_are_strings: (6, 13), until None, stable &[], commits &["cdd30ebb1b9f"];
    /// Modules below `tools/testing` are marked as tests.
    test_flag: (6, 0), until None, stable &[], commits &["8370b400f5ab"];
}

const INTRODUCTION: &str = "# What differs between kernels

Made by `modpost --dialects`. A kernel behaves as its mainline release did, and
a stable one has besides what its series took.

Where the numbers come from:

- The originals of 5.10.262, 6.1.176, 6.12.117, 7.2.12 and 7.3.4, recorded runs
  of 5.15.100, 6.6.87 and 6.18.2, and recorded cases of 33 more mainline
  versions, from 5.10.13 to 7.1.5, are compared in every run of the tests;
  others, compiled from the sources in Debian's archive, by `make check-history`.
- The commits are those of the mainline tree: `git show COMMIT` there says why a
  behaviour changed, and two commits are two steps of one change, or its
  beginning and its end. A row without a commit rests on the releases alone.
- The mainline release of a change is from these sources for 6.16 to 7.3, and
  before from the pull request that brought it. Of 5.13 and 6.15 there is neither
  an original nor a recording: what these releases brought rests on reading
  alone, as their rows say.
- What vendors' kernels have of their own is in `lib/modpost/src/dialect/vendor.rs`, and how it
  is known in `docs/kernels.md`.
- Of stable releases, those of 5.10, 6.1 and 6.12 are named by Debian's
  changelogs, most others by the review lists of their first candidates, and
  7.2.6 is the first that was seen to have a change and at most two too late:
  `docs/kernels.md` says of each how it is known.
- Not known: in which sublevel 6.18 took what 6.12.110 and 6.12.111 did. 5.15.215
  and 6.6.150 had not.

";

/// The table of changes, for people.
#[must_use]
pub fn table() -> String {
    INTRODUCTION.to_owned() + &document::section("The programs of `scripts/mod`", CHANGES)
}

#[cfg(test)]
mod tests {
    use kernel::Version;

    use super::*;

    #[test]
    fn commits_are_abbreviated_to_twelve_digits() {
        let is_digit = |digit: char| digit.is_ascii_digit() || ('a'..='f').contains(&digit);
        for commit in CHANGES.iter().flat_map(|change| change.commits) {
            assert!(commit.len() == 12 && commit.chars().all(is_digit), "{commit}");
        }
    }

    #[test]
    fn stable_releases_take_changes() {
        assert!(!Dialect::new(Version::new(5, 15, 100)).arm_addends);
        assert!(Dialect::new(Version::new(5, 15, 190)).arm_addends);
    }
}

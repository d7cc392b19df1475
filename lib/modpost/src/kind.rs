//! What modpost's messages say. Kernels word them differently; for a program that
//! reads a report, the kind is the same.

use base::message::Kind;

/// An object is missing, and `-n` allows that.
pub(crate) const IGNORED: Kind = Kind("ignored");
/// An object's name doesn't end in `.o`.
pub(crate) const OBJECT_SUFFIX: Kind = Kind("object-suffix");
/// A path is too long for the original's array.
pub(crate) const PATH_TOO_LONG: Kind = Kind("path-too-long");
/// A line is too long for the original's buffer.
pub(crate) const LINE_TOO_LONG: Kind = Kind("line-too-long");
/// A module's name is too long for the kernel's array.
pub(crate) const MODULE_NAME_TOO_LONG: Kind = Kind("module-name-too-long");
/// A symbol's name is too long for the kernel's array.
pub(crate) const SYMBOL_NAME_TOO_LONG: Kind = Kind("symbol-name-too-long");
/// A file is not an object, or breaks the gABI.
pub const MALFORMED_OBJECT: Kind = Kind("malformed-object");
/// A `Module.symvers` has a malformed line.
pub(crate) const MALFORMED_SYMVERS: Kind = Kind("malformed-symvers");
/// A `.mod` file is malformed.
pub(crate) const MALFORMED_MOD: Kind = Kind("malformed-mod");
/// A `.cmd` file is malformed.
pub(crate) const MALFORMED_CMD: Kind = Kind("malformed-cmd");
/// There is no `MODULE_LICENSE()`.
pub(crate) const MISSING_LICENSE: Kind = Kind("missing-license");
/// There is no `MODULE_DESCRIPTION()`.
pub(crate) const MISSING_DESCRIPTION: Kind = Kind("missing-description");
/// A module imports a namespace that must not be imported.
pub(crate) const FORBIDDEN_NAMESPACE: Kind = Kind("forbidden-namespace");
/// A module doesn't import a namespace that it needs.
pub(crate) const MISSING_NAMESPACE: Kind = Kind("missing-namespace");
/// A namespace is given for a symbol that nobody exports.
pub(crate) const STRAY_NAMESPACE: Kind = Kind("stray-namespace");
/// A symbol is in `SHN_COMMON`.
pub(crate) const COMMON_SYMBOL: Kind = Kind("common-symbol");
/// An exported symbol has no CRC.
pub(crate) const EXPORT_WITHOUT_CRC: Kind = Kind("export-without-crc");
/// A used symbol has no CRC.
pub(crate) const USE_WITHOUT_CRC: Kind = Kind("use-without-crc");
/// A symbol is exported twice.
pub(crate) const EXPORTED_TWICE: Kind = Kind("exported-twice");
/// A symbol is exported but not defined by the module.
pub(crate) const EXPORTED_UNDEFINED: Kind = Kind("exported-undefined");
/// A symbol is exported but local.
pub(crate) const EXPORTED_STATIC: Kind = Kind("exported-static");
/// A symbol is exported but freed after initialisation.
pub(crate) const EXPORTED_INIT: Kind = Kind("exported-init");
/// An entry of `.export_symbol` isn't what `EXPORT_SYMBOL` makes.
pub(crate) const MALFORMED_EXPORT: Kind = Kind("malformed-export");
/// The kind of an export is unknown.
pub(crate) const UNKNOWN_LICENSE: Kind = Kind("unknown-license");
/// Nobody exports a symbol.
pub(crate) const UNDEFINED_SYMBOL: Kind = Kind("undefined-symbol");
/// How many undefined symbols more there are.
pub(crate) const UNDEFINED_MORE: Kind = Kind("undefined-more");
/// The kernel's exports are unknown, so undefined symbols are not reported.
pub(crate) const NO_VMLINUX: Kind = Kind("no-vmlinux");
/// A symbol may be used by GPL-compatible modules alone.
pub(crate) const GPL_ONLY: Kind = Kind("gpl-only");
/// A symbol is marked unused.
pub(crate) const UNUSED_SYMBOL: Kind = Kind("unused-symbol");
/// A section lacks `SHF_ALLOC`.
pub(crate) const NON_ALLOCATABLE: Kind = Kind("non-allocatable");
/// A section refers to one that won't live as long.
pub(crate) const SECTION_MISMATCH: Kind = Kind("section-mismatch");
/// There are section mismatches, and `-E` makes them errors.
pub(crate) const SECTION_MISMATCHES: Kind = Kind("section-mismatches");
/// Writable data refers to code.
pub(crate) const WRITABLE_POINTERS: Kind = Kind("writable-pointers");
/// An exception table refers to what isn't known to be code.
pub(crate) const EXTABLE: Kind = Kind("extable");
/// The machine's relocations are unknown.
pub(crate) const UNKNOWN_MACHINE: Kind = Kind("unknown-machine");
/// A device table's size is not a multiple of its entries' size.
pub(crate) const TABLE_SIZE: Kind = Kind("table-size");
/// A device table has no terminator.
pub(crate) const TABLE_UNTERMINATED: Kind = Kind("table-unterminated");
/// An entry of a device table makes no alias.
pub(crate) const DEVICE_ID: Kind = Kind("device-id");
/// A pattern in SUSE's list of supported modules is malformed.
pub(crate) const SUPPORTED_PATTERN: Kind = Kind("supported-pattern");

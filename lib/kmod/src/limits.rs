//! The largest size to which a file of each kind is read, in bytes.
//!
//! The sizes that the limits are compared with are those of Debian's kernels from 5.10 to
//! 7.3 for amd64.

/// Modules and images of kernels. Graphics drivers with all debugging information have
/// less than half of it, and an image without any has 8 MiB.
pub const OBJECT: u64 = 1 << 30;

/// Lists of symbols, aliases or devices (`Module.symvers`, `modules.alias`, `modules.dep`,
/// `pci.ids`, `mountinfo`), which have up to 2.4 MiB, and the types of a kernel for BPF,
/// which have 7 MiB.
pub const LIST: u64 = 1 << 26;

/// Sources of modules, of which generated lists of registers are the largest.
pub const SOURCE: u64 = 1 << 27;

/// Configurations of kernels, which have up to 300 KiB.
pub const CONFIG: u64 = 1 << 22;

/// Files of a few lines, such as attributes in sysfs and generated headers, and variables
/// of the firmware with certificates.
pub const SMALL: u64 = 1 << 20;

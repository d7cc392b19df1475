//! The largest sizes of files that are read, in bytes. A larger file is refused.
//!
//! The limits are compared with the sizes of files in Debian's packages for amd64: of
//! kernel 5.10, kernel 7.3, and the releases between them.

/// Modules and images of kernels. Graphics drivers with all debugging information have
/// less than half of it, and an image without any has 8 MiB.
pub const OBJECT: u64 = 1 << 30;

/// Lists of symbols, aliases or devices (`Module.symvers`, `modules.alias`, `modules.dep`,
/// `pci.ids`, `mountinfo`), which have up to 2.4 MiB, and the types of a kernel for BPF,
/// which have 7 MiB.
pub const LIST: u64 = 1 << 26;

/// `Module.symvers` after decompression: eight times the largest, which has 2.4 million
/// bytes.
pub const SYMVERS: u64 = 20 << 20;

/// Images of kernels after decompression: eight times the largest, which has 66 million
/// bytes.
pub const IMAGE: u64 = 512 << 20;

/// Sources of modules. Generated headers that list registers are the largest.
pub const SOURCE: u64 = 1 << 27;

/// Configurations of kernels, which have up to 300 KiB.
pub const CONFIG: u64 = 1 << 22;

/// Files of a few lines, such as attributes in sysfs and generated headers, and variables
/// of the firmware with certificates.
pub const SMALL: u64 = 1 << 20;

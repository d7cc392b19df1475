//! Whether a kernel would load a module: what `kernel/module/` checks, in its order,
//! and the lines that it logs.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`dialect`] | what changed between kernels |
//! | [`finding`] | what is found, and the verdict |
//! | [`config`] | a kernel's configuration |
//! | `view` | bytes as a kernel reads them |
//! | `signature` | the signature at a module's end |
//! | `certificate` | certificates, and whether a signature is right |
//! | `btf` | types for BPF, and whether they go with the kernel's |
//! | `image` | a module's sections, and what keeps a kernel from reading them |
//! | `machine` | what is particular to a machine's symbols |
//! | `versions` | the versions of symbols that a module was built with |
//! | [`exported`] | what a module itself exports |
//! | `vmlinux` | a kernel's image |
//! | [`exports`] | what a kernel and its modules export |
//! | [`target`] | a kernel, as far as it is known |
//! | `vermagic` | the version magic of a kernel by its configuration |
//! | [`place`] | where a kernel's files are |
//! | `additions` | types for BPF in a module |
//! | `symbols` | symbols that a module imports |
//! | [`check`] | all checks of one module |
//! | [`judge`] | modules together, with those that they depend on |

#![forbid(unsafe_code)]

mod additions;
mod btf;
mod certificate;
pub mod check;
pub mod config;
pub mod dialect;
pub mod exported;
pub mod exports;
pub mod finding;
mod image;
pub mod judge;
mod machine;
pub mod place;
mod signature;
mod symbols;
pub mod target;
mod vermagic;
mod versions;
mod view;
mod vmlinux;

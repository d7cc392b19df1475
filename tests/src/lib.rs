//! The one suite that runs against the originals and ours: each case runs
//! both in equal directories and compares standard output, standard error,
//! exit status and every file, byte for byte.

#![forbid(unsafe_code)]

pub use kbuild_rs_proof::{compare, parallel, run};

pub mod bench;
pub mod boot;
pub mod calls;
pub mod case;
pub mod command;
pub mod compression;
pub mod corpus;
pub mod declarations;
pub mod declared;
pub mod depfiles;
pub mod depmod;
pub mod documents;
pub mod external;
pub mod fetch;
pub mod fixture;
pub mod golden;
pub mod headers;
pub mod history;
pub mod host;
pub mod kernel;
pub mod layouts;
pub mod loads;
pub mod machine;
pub mod manual;
pub mod mutants;
pub mod mutate;
pub mod needs;
pub mod observed;
pub mod original;
pub mod packaged;
pub mod privilege;
pub mod recording;
pub mod route;
pub mod scratch_tree;
pub mod signing;
pub mod sums;
pub mod swapped;
pub mod symvers;
pub mod synthetic;
pub mod tables;
pub mod tally;
pub mod texts;
pub mod variants;

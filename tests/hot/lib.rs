//! Nothing: see `hot.rs`, which measures functions of the library.

#![forbid(unsafe_code)]

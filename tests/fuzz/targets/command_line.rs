//! A command line: a byte for the kernel and one for `POSIXLY_CORRECT`, then
//! arguments, each ended by a NUL.

#![no_main]

mod dialects;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use kernel::{Invocation, Version};
use libfuzzer_sys::fuzz_target;
use modpost::cli;

fuzz_target!(|data: &[u8]| {
    let [kernel, posixly_correct, arguments @ ..] = data else { return };
    let words = arguments.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let invocation = Invocation { name: "modpost".into(), arguments: words.collect() };
    let _ = cli::parse(&invocation, posixly_correct & 1 != 0, dialects::dialect(*kernel));
    let _ = Version::parse(arguments);
});

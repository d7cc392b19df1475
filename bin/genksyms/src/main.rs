//! genksyms: computes versions of exported symbols of preprocessed C.

#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::process::ExitCode;

use base::streams;
use kernel::Invocation;
use symversions::run;

fn main() -> ExitCode {
    let mut stdin = io::stdin().lock();
    let source = streams::is_input_readable().then_some(&mut stdin as &mut dyn Read);
    ExitCode::from(run::genksyms(&Invocation::current(), source, &mut io::stdout().lock(), &mut io::stderr()))
}

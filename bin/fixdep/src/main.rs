//! fixdep: makes what kbuild includes of a compiler's dependency file.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use base::streams::{self, Output};
use fixdep::run;
use kernel::Invocation;

fn main() -> ExitCode {
    let mut stdout = Output::new();
    let out = (!streams::was_output_closed()).then_some(&mut stdout as &mut dyn Write);
    ExitCode::from(run::fixdep(&Invocation::current(), out, &mut io::stderr()))
}

//! fixdep: makes what kbuild includes of a compiler's dependency file.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use base::streams;
use fixdep::run;
use kernel::Invocation;

fn main() -> ExitCode {
    let mut stdout = io::stdout().lock();
    let out = if streams::was_closed(&stdout) { None } else { Some(&mut stdout as &mut dyn Write) };
    ExitCode::from(run::fixdep(&Invocation::current(), out, &mut io::stderr()))
}

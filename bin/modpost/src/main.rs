//! modpost: matches modules' symbols with exports and writes `.mod.c` files.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use base::streams::Output;
use kernel::Invocation;
use modpost::run;

fn main() -> ExitCode {
    ExitCode::from(run::modpost(&Invocation::current(), &mut Output::new(), &mut io::stderr()))
}

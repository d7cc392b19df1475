//! modpost: matches modules' symbols with exports and writes `.mod.c` files.

#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use kernel::Invocation;
use modpost::run;

fn main() -> ExitCode {
    let mut err = BufWriter::new(io::stderr().lock());
    let status = run::modpost(&Invocation::current(), &mut io::stdout().lock(), &mut err);
    // Who doesn't listen to errors can't be told of one.
    let _ = err.flush();
    ExitCode::from(status)
}

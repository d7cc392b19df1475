//! mk_elfconfig: tells which target an object on standard input is for.

#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::process::ExitCode;

use kernel::Invocation;
use modpost::elfconfig::elfconfig;

fn main() -> ExitCode {
    let dialect = match Invocation::current().dialect(&mut io::stderr()) {
        Ok(dialect) => dialect,
        Err(fatal) => {
            let _ = io::stderr().write_all(&fatal.message.line("mk_elfconfig", b""));
            return ExitCode::FAILURE;
        }
    };
    let mut object = Vec::new();
    // A read that fails leaves too little, which is what is complained of.
    let _ = io::stdin().lock().take(16).read_to_end(&mut object);
    let config = elfconfig(&object, &dialect);
    let _ = io::stderr().write_all(config.error.as_bytes());
    let written = io::stdout().write_all(config.output.as_bytes());
    if config.success && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

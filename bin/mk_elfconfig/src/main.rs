//! mk_elfconfig: tells which target an object on standard input is for.

#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use base::message::strerror;
use base::streams::Output;
use kernel::Invocation;
use modpost::elfconfig::elfconfig;

const HELP: &str = "Tell which target an object on standard input is for, as scripts/mod/elfconfig.h

Usage: mk_elfconfig <OBJECT

Options:
      --help     Print this help
      --version  Print version

Exit status: 0 if all went well, 1 if the input is no ELF object.
";

fn main() -> ExitCode {
    // The original takes no notice of arguments. Whoever calls it by hand is helped.
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let wants = |word: &str| arguments.iter().any(|argument| argument == word);
    let version = || format!("mk_elfconfig {}\n", cli::version());
    let asked = wants("--help").then(|| HELP.to_owned());
    if let Some(text) = asked.or_else(|| wants("--version").then(version)) {
        let printed = Output::new().write_all(text.as_bytes());
        return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if !arguments.is_empty() && io::stdin().is_terminal() {
        let _ = io::stderr().write_all(b"mk_elfconfig: reads standard input, and no file: mk_elfconfig <OBJECT\n");
        return ExitCode::from(2);
    }
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
    // The original says nothing. No error is reported here if standard output is closed.
    let written = io::stdout().write_all(config.output.as_bytes());
    if let Err(error) = &written {
        let _ = writeln!(io::stderr(), "mk_elfconfig: standard output: {}", strerror(error));
    }
    if config.success && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

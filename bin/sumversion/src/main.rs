//! sumversion: prints the sum of modules' sources that modpost records as
//! their srcversion.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use clap::{Arg, Command, value_parser};
use kbuild_rs::diag::Fatal;
use kbuild_rs::run::Invocation;
use kbuild_rs::srcversion;

fn command() -> Command {
    Command::new("sumversion")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Print the srcversion that modpost gives modules, from their .mod and .cmd files")
        .arg(
            Arg::new("modules")
                .value_name("NAME")
                .help("A module's path, with or without .mod or .o")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(OsString)),
        )
}

fn main() -> ExitCode {
    let matches = command().get_matches();
    let modules: Vec<&OsString> = matches.get_many("modules").into_iter().flatten().collect();
    let result = sum(&modules, &mut io::stdout().lock(), &mut io::stderr().lock());
    result.unwrap_or_else(|Fatal(message)| {
        let _ = message.write_to(&mut io::stderr());
        ExitCode::FAILURE
    })
}

/// One line a module; with several, each after its name.
fn sum(modules: &[&OsString], out: &mut dyn Write, err: &mut dyn Write) -> Result<ExitCode, Fatal> {
    let dialect = Invocation::current().dialect(err)?;
    let mut status = ExitCode::SUCCESS;
    for module in modules {
        let path = module.as_bytes();
        let name = path.strip_suffix(b".mod").or(path.strip_suffix(b".o")).unwrap_or(path);
        let mut messages = Vec::new();
        let sum = srcversion::of_module(name, &dialect, &mut messages);
        for message in messages {
            let _ = message.write_to(err);
        }
        let Some(sum) = sum? else {
            status = ExitCode::FAILURE;
            continue;
        };
        let name = if modules.len() > 1 { [name, b": "].concat() } else { Vec::new() };
        let line = [&name[..], sum.as_bytes(), b"\n"].concat();
        out.write_all(&line).map_err(|error| Fatal::perror(b"sumversion", &error))?;
    }
    Ok(status)
}

//! file2alias: which devices modules claim, and which module claims a device.

#![forbid(unsafe_code)]

mod command;
mod find;
mod json;
mod print;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

/// An error that ends a program: what is wrong, in one line.
type Ended<T> = Result<T, String>;

fn main() -> ExitCode {
    let matches = command::command().get_matches();
    let mut out = BufWriter::new(io::stdout());
    let mut err = io::stderr();
    let status = match matches.subcommand() {
        Some(("match", matches)) => find::by_modalias(matches, &mut out, &mut err),
        Some((_, matches)) => find::for_vfio(matches, &mut out, &mut err),
        None => print::print(&matches, &mut out, &mut err),
    };
    let status = match (status, out.flush()) {
        (Ok(_), Err(error)) if error.kind() != ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        (status, _) => status,
    };
    match status {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            let _ = writeln!(err, "file2alias: {what}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a piece of the output. Who reads no more has what was wanted.
fn put(out: &mut dyn Write, bytes: &[u8]) -> Ended<()> {
    match out.write_all(bytes) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(|error| format!("standard output: {error}")),
    }
}

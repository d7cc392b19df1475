//! file2alias: which devices modules claim, and which module claims a device.

#![forbid(unsafe_code)]

mod command;
mod devices;
mod find;
mod hand;
mod json;
mod print;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use base::message::Fatal;
use base::streams::Output;

/// The program, as it calls itself.
const NAME: &str = "file2alias";

fn main() -> ExitCode {
    let matches = command::command().get_matches();
    let mut out = BufWriter::new(Output::new());
    let mut err = io::stderr();
    let status = match matches.subcommand() {
        Some(("match", matches)) => find::by_modalias(matches, &mut out, &mut err),
        Some((_, matches)) => find::for_vfio(matches, &mut out, &mut err),
        None => print::print(&matches, &mut out, &mut err),
    };
    let flushed = written(out.flush());
    match flushed.and(status) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fatal) => {
            say(&fatal, &mut err);
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong in one line.
fn say(fatal: &Fatal, err: &mut dyn Write) {
    // stderr is closed: nobody to report to.
    let _ = err.write_all(&fatal.message.line(NAME, b""));
}

/// Writes a piece of the output.
fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Fatal> {
    written(out.write_all(bytes))
}

/// A reader that closes the pipe has what it wanted.
fn written(result: io::Result<()>) -> Result<(), Fatal> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(|error| Fatal::perror(b"standard output", error)),
    }
}

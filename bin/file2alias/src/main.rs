//! file2alias: which devices modules claim, and which module claims a device.

#![forbid(unsafe_code)]

mod command;
mod complete;
mod devices;
mod find;
mod hand;
mod json;
mod print;

use std::io::{self, BufWriter};
use std::process::ExitCode;

use base::streams::Output;
use clap_complete::CompleteEnv;
use cli::Streams;

/// The program, as it calls itself.
const NAME: &str = "file2alias";

fn main() -> ExitCode {
    CompleteEnv::with_factory(complete::command).var(cli::COMPLETE).complete();
    let matches = cli::matches(command::command);
    let (mut out, mut err) = (BufWriter::new(Output::new()), io::stderr());
    let (name, arguments) = matches.subcommand().unwrap_or((NAME, &matches));
    let mut streams = Streams::new(NAME, arguments, &mut out, &mut err);
    let result = match name {
        "match" => find::by_modalias(arguments, &mut streams),
        "vfio" => find::for_vfio(arguments, &mut streams),
        _ => print::print(arguments, &mut streams),
    };
    streams.end(result).into()
}

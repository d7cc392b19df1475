//! file2alias: prints the aliases of modules' device tables, as modpost
//! writes them into `.mod.c`.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use clap::{Arg, Command, value_parser};
use kbuild_rs::archive;
use kbuild_rs::diag::Fatal;
use kbuild_rs::object::{self, Context, Scratch};
use kbuild_rs::run::Invocation;
use kbuild_rs::section::Rules;

fn command() -> Command {
    Command::new("file2alias")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Print the MODULE_ALIAS() lines of objects' device tables")
        .arg(
            Arg::new("objects")
                .value_name("OBJECT")
                .help("An object or module, compressed or not")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(OsString)),
        )
}

fn main() -> ExitCode {
    let matches = command().get_matches();
    let objects = matches.get_many("objects").into_iter().flatten();
    match print(objects, &mut io::stdout().lock(), &mut io::stderr().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Fatal(message)) => {
            let _ = message.write_to(&mut io::stderr());
            ExitCode::FAILURE
        }
    }
}

fn print<'a>(
    objects: impl Iterator<Item = &'a OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Fatal> {
    let invocation = Invocation::current();
    let dialect = invocation.dialect(err)?;
    let offsets = invocation.offsets();
    let rules = Rules::new(&dialect);
    let context = Context::new(&dialect, &rules, offsets.as_ref());
    let mut scratch = Scratch::default();
    for object in objects {
        let path = object.as_bytes();
        let source = archive::open(Path::new(object)).map_err(|error| Fatal::perror(path, &error))?;
        let tables = object::device_tables(path, &source, &context, &mut scratch);
        for message in &tables.messages {
            let _ = message.write_to(err);
        }
        out.write_all(tables.lines.bytes()).map_err(|error| Fatal::perror(b"file2alias", &error))?;
        if let Some(fatal) = tables.fatal {
            return Err(fatal);
        }
    }
    Ok(())
}

//! debian-fetch: brings packages of one kernel's series into the cache, and
//! prints the directory of each, in which it lies unpacked; of a source package,
//! Debian's part.
//!
//! Arguments: a suite, an architecture, a series, and names in which `*`
//! matches the kernel's release.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use kbuild_rs_debian::package::{self, Found};
use kbuild_rs_debian::{Rule, SOURCE, Suite, Which};

fn fetch(arguments: Vec<String>) -> io::Result<()> {
    // Suites are named in constants everywhere else.
    let mut arguments = arguments.into_iter().map(|argument| -> &'static str { argument.leak() });
    let (Some(name), Some(architecture), Some(series)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err(io::Error::other("a suite, an architecture, a series and names of packages are wanted"));
    };
    let suite = Suite { name, architecture };
    let mut packages: Vec<Found> = Vec::new();
    for name in arguments {
        // All of the first one's version.
        let which = packages.first().map_or(Which::Series(series), |first| Which::Version(&first.version));
        let found = Rule { suite, name, which }.find()?;
        packages.push(found);
    }
    if architecture != SOURCE {
        package::announce(&packages)?;
    }
    for package in &packages {
        println!("{}", package.unpacked()?.display());
    }
    Ok(())
}

fn main() -> ExitCode {
    match fetch(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("debian-fetch: {error}");
            ExitCode::FAILURE
        }
    }
}

//! check-layouts: compares our device-id structures with the kernels' own
//! headers, as compilers for each class of alignment lay them out.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::layouts::{self, COMPILERS, HEADERS};
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let tally = Tally::default();
    for (version, package) in HEADERS {
        let headers = package.unpacked();
        for compiler in COMPILERS {
            let verdict = match (&headers, layouts::compare(version, package, compiler)) {
                (Err(error), _) => Verdict::NotCompared(error.to_string()),
                (_, Ok((agreeing, report))) if report.is_empty() && agreeing > 0 => {
                    println!("{version:9} {:6} {agreeing:4} sizes and offsets agree", compiler.name);
                    Verdict::Passed
                }
                (_, Ok((_, report))) => Verdict::Failed(report),
                (_, Err(error)) => Verdict::Failed(format!("  {error}\n")),
            };
            tally.note(&format!("layouts {version} {}", compiler.name), verdict);
        }
    }
    tally.finish()
}

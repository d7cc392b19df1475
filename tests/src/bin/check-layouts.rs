//! check-layouts: compares our device-id structures with the kernels' own
//! headers, as compilers for each class of alignment lay them out.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::layouts::{self, COMPILERS};
use kbuild_rs_tests::original::KERNELS;
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let tally = Tally::default();
    for kernel in KERNELS {
        let version = kernel.version();
        let headers = layouts::headers(kernel);
        for compiler in COMPILERS {
            let verdict = match headers.as_ref().map_err(Verdict::not_compared).and_then(|headers| {
                compiler.available().map_err(|error| Verdict::not_compared(&error)).map(|()| headers)
            }) {
                Err(verdict) => verdict,
                Ok(headers) => match layouts::compare(kernel, headers, compiler) {
                    Ok((agreeing, report)) if report.is_empty() && agreeing > 0 => {
                        println!("{version:9} {:6} {agreeing:4} sizes and offsets agree", compiler.name);
                        Verdict::Passed
                    }
                    Ok((_, report)) => Verdict::Failed(report),
                    Err(error) => Verdict::Failed(format!("  {error}\n")),
                },
            };
            tally.note(&format!("layouts {version} {}", compiler.name), verdict.of(kernel));
        }
    }
    tally.finish()
}

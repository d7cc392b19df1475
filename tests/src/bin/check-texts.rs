//! check-texts: gives corrupted sources and dependency files to the originals of
//! genksyms and fixdep, and to ours. The argument is how many of each, for each kernel;
//! `TOOL N` prints the one of number N.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use kbuild_rs_tests::original::{KERNELS, Target, Tool};
use kbuild_rs_tests::tally::{Tally, Verdict};
use kbuild_rs_tests::texts::{self, Fate};

fn check(count: u64) -> ExitCode {
    let tally = Tally::default();
    for kernel in KERNELS {
        for tool in [Tool::Fixdep, Tool::Genksyms] {
            let name = format!("{} {}", kernel.version(), tool.name());
            if let Err(error) = kernel.program(tool, Target::Lsb64) {
                tally.note(&name, Verdict::not_compared(&error));
                continue;
            }
            // Other texts for each kernel.
            let first = u64::from(kernel.release.bytes().fold(0u32, |sum, byte| sum * 31 + u32::from(byte))) << 20;
            let numbers: Vec<u64> = (first..first + count).collect();
            match texts::compare(kernel, tool, &numbers) {
                Err(error) => tally.note(&name, Verdict::Failed(format!("  {error}\n"))),
                Ok(fates) => {
                    let undefined = fates.iter().filter(|(_, fate)| *fate == Fate::Undefined).count();
                    println!("{name}: {} texts, {undefined} undefined to the original", fates.len());
                    for (number, fate) in fates {
                        let verdict = match fate {
                            Fate::Same | Fate::Undefined => Verdict::Passed,
                            Fate::Wrong(report) => Verdict::Failed(report).of(kernel),
                        };
                        tally.note(&format!("{name} {number}"), verdict);
                    }
                }
            }
        }
    }
    tally.finish()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse().ok();
    let tool = |name: &String| Tool::ALL.into_iter().find(|tool| tool.name() == name);
    match &arguments[..] {
        [count] if number(count).is_some() => check(number(count).unwrap_or(0)),
        [name, count] => match (tool(name), number(count)) {
            (Some(tool), Some(number)) => {
                let written = io::stdout().write_all(&texts::text(tool, number));
                if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            _ => ExitCode::from(2),
        },
        _ => ExitCode::from(2),
    }
}

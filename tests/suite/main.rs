//! The suite's cases, and running them.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use kbuild_rs_debian::Unavailable;
use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::history::{self, Source, Sources};
use kbuild_rs_tests::original;
use kbuild_rs_tests::tally::{Tally, Verdict};

mod asm;
mod command_line;
mod device_tables;
mod exports;
mod machines;
mod objects;
mod outputs;
mod refusals;
mod sections;
mod sources;

/// `KBUILD_RS_HISTORY` names versions whose source the archive has, or `all`:
/// one on each side of every change that our table knows. Their originals are
/// compiled and run, instead of those that have a package.
fn select_history(tally: &Tally) {
    let Some(wanted) = std::env::var_os("KBUILD_RS_HISTORY").filter(|wanted| !wanted.is_empty()) else { return };
    let wanted = wanted.to_string_lossy();
    let Sources { sources, failures } = history::sources();
    for (suite, error) in failures {
        tally.note(&format!("history: {suite}"), Verdict::not_compared(&error.into()));
    }
    let edges = history::edges(&sources);
    let mut chosen = Vec::new();
    for version in wanted.split_whitespace() {
        let named = sources.iter().find(|source| source.version() == version);
        match (version, named) {
            ("all", _) => chosen.extend(&edges),
            (_, Some(source)) => chosen.push(source),
            (_, None) => {
                let known: Vec<_> = sources.iter().map(Source::version).collect();
                let why = format!("the archive has no source of {version}; it has {}", known.join(" "));
                tally.note(&format!("history: {version}"), Verdict::not_compared(&Unavailable::Gone(why).into()));
            }
        }
    }
    let mut kernels = Vec::new();
    for source in chosen {
        match source.kernel() {
            Ok(kernel) => kernels.push(kernel),
            Err(error) => tally.note(source.version(), Verdict::not_compared(&error)),
        }
    }
    original::select(kernels);
}

fn cases() -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    cases.extend(objects::cases()?);
    cases.extend(exports::cases()?);
    cases.extend(sections::cases()?);
    cases.extend(outputs::cases()?);
    let variants =
        |case: &Case| -> Vec<Case> { case.kernel.variants.iter().map(|options| case.with_options(options)).collect() };
    let more: Vec<_> = cases.iter().flat_map(variants).collect();
    cases.extend(more);
    cases.extend(command_line::cases()?);
    cases.extend(device_tables::cases()?);
    cases.extend(sources::cases()?);
    cases.extend(machines::cases()?);
    Ok(cases)
}

fn main() -> ExitCode {
    // `cargo test --test suite NAME` runs the cases whose names contain NAME.
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let tally = Tally::default();
    select_history(&tally);
    let cases: Vec<_> = match cases() {
        Ok(cases) => cases.into_iter().filter(|case| wanted(&case.name)).collect(),
        Err(error) => {
            tally.note("fixtures", Verdict::Failed(format!("  {error}\n")));
            return tally.finish();
        }
    };
    let versions: Vec<_> = original::kernels().iter().map(|kernel| kernel.version()).collect();
    println!("originals: {}", versions.join(", "));
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            tally.note(&case.name, case.verdict());
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    if let Err(error) = refusals::run(&tally, &wanted) {
        tally.note("refusals", Verdict::Failed(format!("  {error}\n")));
    }
    tally.finish()
}

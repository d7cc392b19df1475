//! The suite's cases, and running them.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::sync::Mutex;

use kbuild_rs_debian::Unavailable;
use kbuild_rs_proof::recording::add;
use kbuild_rs_proof::recording::pack::Pack;
use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::history::{self, Source, Sources};
use kbuild_rs_tests::original::{self, Kernel};
use kbuild_rs_tests::parallel;
use kbuild_rs_tests::tally::{Tally, Verdict};
use kbuild_rs_tests::{recording, run};
use modpost::dialect::Dialect;

mod asm;
mod command_line;
mod corrupted;
mod device_tables;
mod exports;
mod fixdep;
mod genksyms;
mod machines;
mod objects;
mod outputs;
mod refusals;
mod sections;
mod sources;
mod vendors;

/// `KBUILD_RS_HISTORY` names versions whose source the archive has; series, of which
/// it is the newest version; or `all`: one on each side of every change that our
/// table knows. Their originals are compiled and run, instead of those that have a
/// package.
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
        // What was replaced a moment ago may be in the index still, and in the archive no more.
        let of_series = |source: &&Source| source.version().strip_prefix(version).is_some_and(|v| v.starts_with('.'));
        let can_be_had = |source: &&Source| of_series(source) && source.kernel().is_ok();
        let named = sources.iter().find(|source| source.version() == version);
        let named = named.or_else(|| sources.iter().rfind(can_be_had));
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

/// `KBUILD_RS_RECORD` names the kernel of the original in the directory
/// `KBUILD_RS_ORIGINAL`, `VERSION` or `VENDOR/VERSION`: what it does is added to
/// the recorded cases. With `packaged` for a name, the originals that have a
/// package are recorded. `KBUILD_RS_COMPARE` names it to have it compared with
/// ours.
fn record(cases: &[Case], name: &str) -> io::Result<()> {
    let mut pack = Pack::read(&recording::file())?;
    for kernel in original::kernels() {
        let name = if name == PACKAGED { kernel.version() } else { name };
        let recorded = Mutex::new(Vec::new());
        let of_kernel: Vec<_> = cases.iter().filter(|case| case.kernel.version() == kernel.version()).collect();
        parallel::each(&of_kernel, |case| match case.record() {
            Ok(one) => recorded.lock().expect("no thread panics with the lock").push(one),
            Err(error) => eprintln!("not recorded: {}: {error}", case.name),
        });
        let mut recorded = recorded.into_inner().expect("all threads have ended");
        recorded.sort_by(|a, b| a.name.cmp(&b.name));
        println!("{name}: {} cases", recorded.len());
        add(&mut pack, name, kernel.version(), &recorded)?;
    }
    pack.write(&recording::file())
}

const PACKAGED: &str = "packaged";

/// Selects the original in a directory.
fn select_original(name: &str) {
    let Some(dir) = std::env::var_os("KBUILD_RS_ORIGINAL").filter(|dir| !dir.is_empty()) else { return };
    // As long as the program runs, like the kernels that have a package.
    let name: &'static str = name.to_owned().leak();
    let known = Dialect::named(name.as_bytes());
    let version: &'static str =
        known.map_or_else(|| name.to_owned(), |dialect| dialect.kernel.version.to_string()).leak();
    let release = version.rsplit_once('.').map_or(version, |(release, _)| release);
    let kernel = Kernel::compiled(version, release, history::variants(name), dir.into());
    let kernel = if name.contains('/') { kernel.of_vendor(name) } else { kernel };
    original::select(vec![Box::leak(Box::new(kernel))]);
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
    cases.extend(corrupted::cases()?);
    cases.extend(vendors::cases()?);
    cases.extend(fixdep::cases());
    cases.extend(genksyms::cases());
    Ok(cases)
}

fn main() -> ExitCode {
    // `cargo test --test suite NAME` runs the cases whose names contain NAME.
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let tally = Tally::default();
    run::settle_umask();
    let named = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let (to_record, to_compare) = (named("KBUILD_RS_RECORD"), named("KBUILD_RS_COMPARE"));
    match to_record.as_ref().or(to_compare.as_ref()) {
        Some(name) => select_original(name),
        None => select_history(&tally),
    }
    let cases: Vec<_> = match cases() {
        Ok(cases) => cases.into_iter().filter(|case| wanted(&case.name)).collect(),
        Err(error) => {
            tally.note("fixtures", Verdict::Failed(format!("  {error}\n")));
            return tally.finish();
        }
    };
    if let Some(name) = to_record {
        let result = record(&cases, &name);
        tally.note("recording", result.map_or_else(|e| Verdict::Failed(format!("  {e}\n")), |()| Verdict::Passed));
        return tally.finish();
    }
    let versions: Vec<_> = original::kernels().iter().map(|kernel| kernel.version()).collect();
    println!("originals: {}", versions.join(", "));
    parallel::each(&cases, |case| tally.note(&case.name, case.verdict()));
    if let Err(error) = refusals::run(&tally, &wanted) {
        tally.note("refusals", Verdict::Failed(format!("  {error}\n")));
    }
    tally.finish()
}

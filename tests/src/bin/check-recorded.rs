//! check-recorded: runs ours on recorded cases, and compares with what the
//! originals did.
//!
//! Arguments are names of recordings, all if there are none, and before them
//! `--pack FILE` for another pack than the repository's.

#![forbid(unsafe_code)]

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use kbuild_rs_proof::recording::pack::Pack;
use kbuild_rs_tests::run::Outcome;
use kbuild_rs_tests::tally::{Tally, Verdict};
use kbuild_rs_tests::{parallel, recording, run};
use modpost::dialect::Dialect;

fn check(mut names: Vec<String>, tally: &Tally) -> io::Result<()> {
    run::settle_umask();
    let is_root = nix::unistd::geteuid().is_root();
    let mut file = recording::file();
    if names.first().is_some_and(|name| name == "--pack") && names.len() > 1 {
        file = PathBuf::from(names.remove(1));
        names.remove(0);
    }
    let pack = Pack::read(&file)?;
    if names.is_empty() {
        names = pack.names()?;
        // Vendors' are called VENDOR/RELEASE.
        let is_served = |name: &String| !name.contains('/') || Dialect::named(name.as_bytes()).is_some();
        let (served, others): (Vec<_>, Vec<_>) = names.into_iter().partition(is_served);
        names = served;
        for name in others {
            let why = "its dialect is not served yet".to_owned();
            tally.note(&name, Verdict::NotCompared { why, gone: true });
        }
    }
    for name in names {
        let recorded = recording::cases(&pack, &name)?;
        let crashed = |outcomes: &[Outcome]| outcomes.iter().any(|outcome| outcome.status.code().is_none());
        let crashes = recorded.iter().filter(|(_, outcomes)| crashed(outcomes)).count();
        println!("{name}: {} cases, {crashes} of them crashed the original", recorded.len());
        parallel::each(&recorded, |(case, outcomes)| {
            let verdict = if case.depends_on_root() && !is_root {
                let why = "recorded as root: for others, the system removes the set-user-id bit".to_owned();
                Verdict::NotCompared { why, gone: false }
            } else {
                case.verdict_beside(outcomes)
            };
            tally.note(&case.name, verdict);
        });
    }
    Ok(())
}

fn main() -> ExitCode {
    let tally = Tally::default();
    if let Err(error) = check(std::env::args().skip(1).collect(), &tally) {
        tally.note("recorded cases", Verdict::Failed(format!("  {error}\n")));
    }
    tally.finish()
}

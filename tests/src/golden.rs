//! Recorded outputs of originals that no distribution ships any more.
//!
//! `golden/KERNEL/{A,B}.sha256` hold the digest of every file that the run
//! wrote, standard error included. The input is a corpus with a `.mod` file of
//! one newline beside each object.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kbuild_rs_debian::Unavailable;
use sha2::{Digest, Sha256};

use crate::corpus::{self, Beside, Corpus};
use crate::observed::Observed;
use crate::original;
use crate::run::Call;

/// A recorded run.
#[derive(Debug)]
pub struct Golden {
    /// The kernel's version, in full.
    pub kernel: &'static str,
    /// The directory of its records.
    pub directory: &'static str,
    /// The run's letter.
    pub run: &'static str,
    options: &'static str,
    /// How many objects of the list are read.
    objects: usize,
}

/// The version of the modules' package that the runs were recorded on. Other
/// modules give other outputs.
const RECORDED: &str = "6.1.176-1";
/// The digest of the input's list, which the records were made with.
const LIST_SHA256: &str = "41b51fc9147d70f8d24f91035979aa7cdd2bf0d8e89477a85f0d72fb244881e2";
/// The digest of the input's exports.
const SYMVERS_SHA256: &str = "76b11fb9af5f91e514ab4b2af7b3190adc2ea6609abd9e09b981c1797786e570";

const ALL: usize = usize::MAX;

/// Every recorded run.
pub static GOLDENS: &[Golden] = &[
    Golden { kernel: "5.15.100", directory: "5.15", run: "A", options: "-m -e -i in.symvers -N -w", objects: ALL },
    Golden { kernel: "5.15.100", directory: "5.15", run: "B", options: "-m -a -E -i in.symvers", objects: 400 },
    Golden { kernel: "6.6.87", directory: "6.6", run: "A", options: "-m -e -i in.symvers -N -w", objects: ALL },
    Golden {
        kernel: "6.18.2",
        directory: "6.18",
        run: "A",
        options: "-M -b -x -m -e -i in.symvers -N -w",
        objects: ALL,
    },
    Golden { kernel: "6.18.2", directory: "6.18", run: "B", options: "-M -b -x -m -a -E -i in.symvers", objects: 400 },
    Golden { kernel: "6.6.87", directory: "6.6", run: "B", options: "-m -a -E -i in.symvers", objects: 400 },
];

pub(crate) fn digest(contents: &[u8]) -> String {
    Sha256::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_input(name: &str, contents: &[u8], expected: &str) -> io::Result<()> {
    if digest(contents) == expected {
        Ok(())
    } else {
        Err(io::Error::other(format!("{name} is not the one that the records were made with")))
    }
}

impl Golden {
    /// Runs ours and tells how many files agree, and what differs.
    ///
    /// # Errors
    /// If the input can't be had.
    pub fn check(&self) -> io::Result<(usize, String)> {
        let corpus = Corpus::named("6.1-amd64").ok_or_else(|| io::Error::other("no such corpus"))?;
        let version = &corpus.kernel.found()?.version;
        if version != RECORDED {
            let why = format!("recorded on the modules of {RECORDED}; the archive has {version} now");
            return Err(Unavailable::Gone(why).into());
        }
        let directory = corpus.directory()?;
        let list = fs::read_to_string(directory.join(corpus::LIST))?;
        check_input(corpus::LIST, list.as_bytes(), LIST_SHA256)?;
        check_input(corpus::SYMVERS, &fs::read(directory.join(corpus::SYMVERS))?, SYMVERS_SHA256)?;

        let dir = corpus::working_directory()?;
        let dir = dir.path();
        corpus::lay_out(&directory, dir, Beside::EmptyMods)?;
        let objects: Vec<_> = list.lines().take(self.objects).collect();
        let mut arguments: Vec<OsString> = self.options.split(' ').map(OsString::from).collect();
        let symvers = format!("{}.symvers", self.run);
        // Kernels since 6.1 were run with a file, which /dev/stdin is to all.
        let list = if self.directory == "5.15" { "-" } else { "/dev/stdin" };
        arguments.extend(["-o", &symvers, "-T", list].map(OsString::from));
        let call = Call { arguments, stdin: (objects.join("\n") + "\n").into_bytes(), ..Call::default() };
        let ours = Observed::of(&original::ours("modpost")?, dir, self.kernel, &call)?;
        let mut report = String::new();
        if let Some(status) = ours.status.filter(|status| !status.success()) {
            report += &format!("  {status}\n");
        }

        let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(self.directory);
        let records = fs::read_to_string(records.join(format!("{}.sha256", self.run)))?;
        let mut recorded = BTreeSet::new();
        let mut agreeing = 0;
        for (expected, name) in records.lines().filter_map(|line| line.split_once("  ./")) {
            let is_stderr = name == format!("{}.stderr", self.run);
            let contents = if is_stderr { Ok(ours.stderr.clone()) } else { fs::read(dir.join(name)) };
            match contents.map(|contents| digest(&contents)) {
                Ok(found) if found == expected => agreeing += 1,
                Ok(_) => report += &format!("  {name} differs\n"),
                Err(error) => report += &format!("  {name}: {error}\n"),
            }
            recorded.insert(PathBuf::from(name));
        }
        for path in ours.files.keys().filter(|path| !recorded.contains(*path)) {
            report += &format!("  {} was not written by the original\n", path.display());
        }
        Ok((agreeing, report))
    }
}

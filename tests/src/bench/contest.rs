//! The original and ours on the same files, in turns.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::cost::{Cost, Process, Spread};
use crate::original::{self, Kernel, Subject};
use crate::run;

/// In which state a run finds the `.mod.c` files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// As it would write them itself.
    Unchanged,
    /// There are none.
    Absent,
}

/// What both subjects are to do.
#[derive(Clone, Debug)]
pub struct Contest {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// The original.
    pub original: Subject,
    /// Where the original runs, and where ours does; may be the same directory.
    pub dirs: [PathBuf; 2],
    /// Options and objects.
    pub arguments: String,
    /// The file that lists all objects.
    pub list: &'static str,
    /// In which state the outputs are found.
    pub outputs: Outputs,
    /// How many workers ours may have.
    pub jobs: usize,
}

/// The costs of all runs, in their order.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// The original's.
    pub original: Vec<Cost>,
    /// Ours.
    pub ours: Vec<Cost>,
    /// Those of reading the tables and no more.
    pub floor: Vec<Cost>,
}

impl Costs {
    /// How many times as long the original takes.
    #[must_use]
    pub fn ratio(&self) -> Spread {
        Spread::of(self.original.iter().zip(&self.ours).map(|(original, ours)| original.wall / ours.wall))
    }

    /// How much less CPU time ours takes, in per cent.
    #[must_use]
    pub fn saved(&self) -> Spread {
        Spread::of(self.original.iter().zip(&self.ours).map(|(original, ours)| 100.0 * (1.0 - ours.cpu / original.cpu)))
    }

    /// How many times as long as the floor ours takes.
    #[must_use]
    pub fn distance(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.floor).map(|(ours, floor)| ours.wall / floor.wall))
    }
}

/// The `Module.symvers` that both write.
const OUT: &str = "out.symvers";

fn is_output(path: &Path) -> bool {
    [".mod.c", ".vmlinux.export.c", OUT].iter().any(|end| path.to_string_lossy().ends_with(end))
}

impl Contest {
    fn process(&self, subject: &Subject, jobs: usize) -> Process {
        let mut words = subject.words();
        words.extend(self.arguments.split(' ').map(OsString::from));
        words.extend(["-o", OUT].map(OsString::from));
        let kernel = ("KERNELVERSION", self.kernel.version().to_owned());
        Process { words, environment: vec![kernel, ("KBUILD_RS_JOBS", jobs.to_string())], input: None }
    }

    /// Moves outputs out of the way. Removing them would burden the next runs:
    /// ext4 steps over the numbers of files that were removed a while ago.
    fn prepare(&self, dir: &Path, trash: &Path) -> io::Result<()> {
        if self.outputs == Outputs::Absent {
            let trash = tempfile::tempdir_in(trash)?.keep();
            for (number, path) in run::stamps(dir)?.into_keys().filter(|path| is_output(path)).enumerate() {
                fs::rename(dir.join(path), trash.join(number.to_string()))?;
            }
        }
        Ok(())
    }

    /// Runs both once, to see that they do the same and to warm the cache,
    /// then so many times in turns.
    ///
    /// # Errors
    /// If something can't be run, or if they don't do the same.
    pub fn run(&self, pairs: usize, trash: &Path, with_floor: bool) -> io::Result<Costs> {
        let ours = original::ours("modpost")?;
        let processes = [self.process(&self.original, self.jobs), self.process(&ours, self.jobs)];
        let floor = original::ours("floor")?;
        let words = [floor.program.into(), self.list.into(), self.jobs.to_string().into()];
        let floor = Process { words: words.to_vec(), environment: Vec::new(), input: None };

        let mut seen = Vec::new();
        for (process, dir) in processes.iter().zip(&self.dirs) {
            let cost = process.measure(dir)?;
            seen.push((cost.status, run::contents(dir, is_output)?));
        }
        if seen[0] != seen[1] {
            return Err(io::Error::other(format!("{}: the two don't do the same", self.arguments)));
        }
        let dirs = [&*self.dirs[0], &self.dirs[1]];
        in_turns(pairs, &processes, dirs, with_floor.then_some(&floor), |turn| self.prepare(dirs[turn], trash))
    }
}

/// Runs two processes, the original's and ours, so many times in turns, each after
/// something was prepared for it, and the floor after both.
///
/// # Errors
/// If something can't be run or prepared.
pub fn in_turns(
    pairs: usize,
    processes: &[Process; 2],
    dirs: [&Path; 2],
    floor: Option<&Process>,
    prepare: impl Fn(usize) -> io::Result<()>,
) -> io::Result<Costs> {
    let mut costs = Costs::default();
    for pair in 0..pairs {
        // Neither is always the first.
        for turn in [pair % 2, 1 - pair % 2] {
            prepare(turn)?;
            let cost = processes[turn].measure(dirs[turn])?;
            if turn == 0 { &mut costs.original } else { &mut costs.ours }.push(cost);
        }
        if let Some(floor) = floor {
            costs.floor.push(floor.measure(dirs[1])?);
        }
    }
    Ok(costs)
}

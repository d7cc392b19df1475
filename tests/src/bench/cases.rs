//! What is measured.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::contest::{Contest, Costs, Outputs};
use super::{build, calls, tools};
use crate::corpus::{self, Beside, Corpus, LIST};
use crate::kernel::{self, Tree};
use crate::original::Subject;
use crate::synthetic;

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// By which the case is called.
    pub letter: &'static str,
    /// What it is.
    pub what: String,
    /// What it cost.
    pub costs: Costs,
    /// How many times as fast as the original ours is to be.
    pub wanted: f64,
    /// How many times the floor ours may take.
    pub floor: f64,
}

/// One point of a curve.
#[derive(Debug)]
pub struct Point {
    /// How much there was to do, in what the curve counts.
    pub size: usize,
    /// What it cost.
    pub costs: Costs,
}

/// A module of Debian's that is small, for those who build one.
const ONE: &str = "drivers/hid/hid-apple.o";
/// How many modules the points of a curve have.
const MODULES: [usize; 5] = [250, 500, 1000, 2000, 4000];
/// Sections and relocations of a synthetic object, a curve's last point, and
/// into which parts they are divided for the others.
const SECTIONS: usize = 100_000;
const RELOCATIONS: usize = 2_000_000;
const PARTS: [usize; 3] = [4, 2, 1];
/// How many times the floor modpost may take.
const FLOOR: f64 = 3.0;
/// The kernel that most cases are of.
const FIRST: &str = "6.1";

/// The kernel that is built.
fn first() -> io::Result<&'static Tree> {
    Tree::named(FIRST).ok_or_else(|| io::Error::other("no such kernel"))
}

/// The directory in which all is measured, and the files of kernels in it.
#[derive(Debug)]
pub struct Cases {
    /// How many pairs of runs are made.
    pub pairs: usize,
    /// The machine's processors.
    pub processors: usize,
    dir: tempfile::TempDir,
    trash: PathBuf,
    laid_out: BTreeMap<String, (Subject, [PathBuf; 2])>,
}

impl Cases {
    /// Before any.
    ///
    /// # Errors
    /// If there can't be a directory.
    pub fn new(pairs: usize) -> io::Result<Self> {
        let dir = corpus::working_directory()?;
        let trash = dir.path().join("trash");
        fs::create_dir(&trash)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { pairs, processors, dir, trash, laid_out: BTreeMap::new() })
    }

    fn say(&self, what: &str) {
        eprintln!("measuring {what}, {} pairs", self.pairs);
    }

    /// All modules of a Debian kernel, in two directories.
    fn all(&mut self, release: &str) -> io::Result<Contest> {
        let name = format!("{release}-amd64");
        let corpus = Corpus::named(&name).ok_or_else(|| io::Error::other(format!("no corpus {name}")))?;
        if !self.laid_out.contains_key(&name) {
            let directory = corpus.directory()?;
            let dirs = ["original", "ours"].map(|subject| self.dir.path().join(format!("{name}-{subject}")));
            for dir in &dirs {
                corpus::lay_out(&directory, dir, Beside::EmptyMods)?;
            }
            self.laid_out.insert(name.clone(), (corpus.kernel.modpost(corpus.target)?, dirs));
        }
        let (original, dirs) = self.laid_out[&name].clone();
        let options = corpus.option_sets[0].options;
        Ok(Contest {
            kernel: corpus.kernel,
            original,
            dirs,
            arguments: format!("{options} -T {LIST}"),
            list: LIST,
            outputs: Outputs::Unchanged,
            jobs: self.processors,
        })
    }

    fn row(&self, letter: &'static str, what: String, wanted: f64, contest: &Contest) -> io::Result<Row> {
        self.say(&format!("({letter}) {what}"));
        let with_floor = matches!(letter, "a" | "b" | "f");
        let costs = contest.run(self.pairs, &self.trash, with_floor)?;
        Ok(Row { letter, what, costs, wanted, floor: FLOOR })
    }

    /// The cases of a letter.
    ///
    /// # Errors
    /// If what they take can't be had, or the two subjects don't do the same.
    pub fn rows(&mut self, letter: &'static str) -> io::Result<Vec<Row>> {
        match letter {
            "d" => return Ok(vec![self.kernel()?]),
            "k" => {
                eprintln!("measuring (k)");
                return calls::rows(letter, first()?);
            }
            "h" | "i" => {
                self.say(&format!("({letter})"));
                return tools::rows(letter, self.pairs, self.dir.path());
            }
            _ => {}
        }
        let unchanged = "`.mod.c` unchanged";
        let cases = match letter {
            "a" => vec![(10.0, FIRST, unchanged, self.all(FIRST)?)],
            "b" => vec![(10.0, FIRST, "no `.mod.c`", Contest { outputs: Outputs::Absent, ..self.all(FIRST)? })],
            "c" => {
                let mut cases = Vec::new();
                for release in ["5.10", "6.12", "7.3"] {
                    let contest = self.all(release)?;
                    cases.push((8.0, release, unchanged, contest.clone()));
                    cases.push((8.0, release, "no `.mod.c`", Contest { outputs: Outputs::Absent, ..contest }));
                }
                cases
            }
            "e" => {
                let arguments = format!("-e -i {} -N -w {ONE}", corpus::SYMVERS);
                let what = "one module, the kernel's `Module.symvers`".to_owned();
                let contest = Contest { arguments, ..self.all(FIRST)? };
                return Ok(vec![self.row(letter, what, 5.0, &contest)?]);
            }
            "f" => vec![(5.0, FIRST, "`.mod.c` unchanged, one worker", Contest { jobs: 1, ..self.all(FIRST)? })],
            _ => return Err(io::Error::other(format!("no case {letter}"))),
        };
        let row = |(wanted, release, state, contest)| {
            self.row(letter, format!("all modules of {release} amd64, {state}"), wanted, &contest)
        };
        cases.into_iter().map(row).collect()
    }

    /// vmlinux.o and all modules of a kernel that was built.
    fn kernel(&self) -> io::Result<Row> {
        let tree = first()?;
        let dir = tree.built()?;
        let modules = kernel::write_list(&dir)?;
        let contest = Contest {
            kernel: tree.kernel,
            original: Subject::new(dir.join("scripts/mod/modpost")),
            dirs: [dir.clone(), dir],
            arguments: format!("-m -a -T {} vmlinux.o", kernel::LIST),
            list: kernel::LIST,
            outputs: Outputs::Unchanged,
            jobs: self.processors,
        };
        self.row("d", format!("`vmlinux.o` and {modules} modules of a {FIRST} kernel built small"), 8.0, &contest)
    }

    /// A kernel's whole build, with what its objects' versions take.
    ///
    /// # Errors
    /// As for [`Cases::rows`].
    pub fn build(&self) -> io::Result<Costs> {
        eprintln!("measuring (j) a whole build");
        build::in_turns(first()?, self.processors)
    }

    /// The curve over numbers of modules.
    ///
    /// # Errors
    /// As for [`Cases::rows`].
    pub fn modules(&mut self) -> io::Result<Vec<Point>> {
        let contest = self.all(FIRST)?;
        let list = fs::read_to_string(contest.dirs[0].join(LIST))?;
        let all: Vec<&str> = list.lines().collect();
        let mut points = Vec::new();
        for size in MODULES {
            self.say(&format!("(g) {size} modules"));
            // Evenly from all directories: the mix is the same.
            let some: String = (0..size).map(|number| format!("{}\n", all[number * all.len() / size])).collect();
            let name = format!("list-{size}");
            for dir in &contest.dirs {
                fs::write(dir.join(&name), &some)?;
            }
            let arguments = contest.arguments.replace(&format!("-T {LIST}"), &format!("-T {name}"));
            let contest = Contest { arguments, ..contest.clone() };
            points.push(Point { size, costs: contest.run(self.pairs, &self.trash, false)? });
        }
        Ok(points)
    }

    /// The curve over an object's sections.
    ///
    /// # Errors
    /// As for [`Cases::rows`].
    pub fn sections(&mut self) -> io::Result<Vec<Point>> {
        let contest = self.all(FIRST)?;
        let mut points = Vec::new();
        for part in PARTS {
            let size = SECTIONS / part;
            self.say(&format!("(g) an object of {size} sections"));
            let object = synthetic::object(size, RELOCATIONS / part).map_err(io::Error::other)?;
            let name = format!("sections-{size}");
            for dir in &contest.dirs {
                fs::write(dir.join(format!("{name}.o")), &object)?;
                fs::write(dir.join(format!("{name}.mod")), "\n")?;
            }
            let contest = Contest { arguments: format!("-w {name}.o"), ..contest.clone() };
            points.push(Point { size, costs: contest.run(self.pairs, &self.trash, false)? });
        }
        Ok(points)
    }
}

//! The document that says what was measured.

use std::process::Command;

use super::cases::{Point, Row};
use super::contest::Costs;
use super::cost::{Cost, Spread};

/// All that was measured.
#[derive(Debug, Default)]
pub struct Report {
    /// The cases.
    pub rows: Vec<Row>,
    /// A kernel's whole build.
    pub build: Costs,
    /// The curve over numbers of modules.
    pub modules: Vec<Point>,
    /// The curve over an object's sections.
    pub sections: Vec<Point>,
    /// How many pairs of runs there were of each.
    pub pairs: usize,
}

/// How many times the memory of the original ours may take.
const MEMORY: f64 = 2.0;
/// By how many per cent of CPU time a kernel's build is to be shorter.
const SAVED: f64 = 8.0;
/// How much longer twice the modules may take.
const DOUBLE: f64 = 2.2;

fn median(costs: &[Cost], field: impl Fn(&Cost) -> f64) -> f64 {
    Spread::of(costs.iter().map(field)).median
}

fn seconds(costs: &[Cost]) -> String {
    format!("{:.4}, {:.4}", median(costs, |cost| cost.wall), median(costs, |cost| cost.cpu))
}

fn spread(Spread { median, least, most }: Spread) -> String {
    format!("**{median:.1}** ({least:.1} to {most:.1})")
}

const fn verdict(reached: bool) -> &'static str {
    if reached { "yes" } else { "**no**" }
}

/// The first line that a program prints.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").trim().to_owned()
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    format!(
        "{processors} processors ({model}), {} GiB of memory, Linux {}",
        memory.unwrap_or(0u64).div_ceil(1 << 20),
        first_line("uname", &["-r"])
    )
}

impl Row {
    fn line(&self) -> String {
        let Costs { original, ours, .. } = &self.costs;
        let ratio = self.costs.ratio();
        format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            self.letter,
            self.what,
            seconds(original),
            seconds(ours),
            spread(ratio),
            self.wanted,
            verdict(ratio.median >= self.wanted)
        )
    }

    fn memory_line(&self) -> String {
        let [original, ours] = [&self.costs.original, &self.costs.ours].map(|costs| median(costs, |cost| cost.peak));
        format!(
            "| {} | {original:.1} | {ours:.1} | {:.2} | {} |\n",
            self.letter,
            ours / original,
            verdict(ours <= MEMORY * original)
        )
    }

    fn floor_line(&self) -> String {
        let distance = self.costs.distance();
        format!(
            "| {} | {:.4} | {:.4} | {} | {} | {} |\n",
            self.letter,
            median(&self.costs.floor, |cost| cost.wall),
            median(&self.costs.ours, |cost| cost.wall),
            spread(distance),
            self.floor,
            verdict(distance.median <= self.floor)
        )
    }
}

fn curve(points: &[Point], what: &str) -> String {
    let mut text =
        format!("| {what} | original, s | ours, s | times the one before | ratio |\n| --- | --- | --- | --- | --- |\n");
    let mut before: Option<f64> = None;
    for Point { size, costs } in points {
        let wall = median(&costs.ours, |cost| cost.wall);
        let growth = before.map_or(String::new(), |before| format!("{:.2}", wall / before));
        before = Some(wall);
        let original = median(&costs.original, |cost| cost.wall);
        text += &format!("| {size} | {original:.3} | {wall:.3} | {growth} | {} |\n", spread(costs.ratio()));
    }
    text
}

/// Whether twice as much never took much more than twice the time.
fn proportional(points: &[Point]) -> bool {
    let walls: Vec<f64> = points.iter().map(|point| median(&point.costs.ours, |cost| cost.wall)).collect();
    walls.windows(2).all(|pair| pair[1] <= DOUBLE * pair[0])
}

impl Report {
    /// The table of the cases alone.
    #[must_use]
    pub fn table(&self) -> String {
        let head =
            "| case | what | original: wall, CPU in s | ours: wall, CPU in s | ratio of walls | wanted | reached |\n";
        let mut text = head.to_owned() + "| --- | --- | --- | --- | --- | --- | --- |\n";
        text.extend(self.rows.iter().map(Row::line));
        text += "\nPeak memory, in MiB; wanted is at most twice the original's:\n\n";
        text += "| case | original | ours | ours / original | reached |\n| --- | --- | --- | --- | --- |\n";
        text.extend(self.rows.iter().map(Row::memory_line));
        text += "\nThe floor is a program that reads every byte of the same objects' symbol tables,\n";
        text += "string tables and relocations once, by pread(2), on as many threads, and does\n";
        text += "nothing with them; for fixdep, one that reads the same files. Wanted is at most so\n";
        text += "many times its time, writing included:\n\n";
        text += "| case | floor, s | ours, s | ours / floor | wanted | reached |\n";
        text += "| --- | --- | --- | --- | --- | --- |\n";
        text.extend(self.rows.iter().filter(|row| !row.costs.floor.is_empty()).map(Row::floor_line));
        text
    }

    /// The table of the whole build.
    #[must_use]
    pub fn building(&self) -> String {
        let mut text =
            "(j): a small 6.1 kernel with MODVERSIONS is built from clean, with the originals and\n".to_owned();
        text += "from the swapped tree in turns, by the compilers themselves. CPU time is that of all\n";
        text += "processes, most of which are compilers:\n\n";
        text += "| builds of each | original: wall, CPU in s | ours: wall, CPU in s | less CPU time, % | wanted | reached |\n";
        text += "| --- | --- | --- | --- | --- | --- |\n";
        let Costs { original, ours, .. } = &self.build;
        if !ours.is_empty() {
            let saved = self.build.saved();
            text += &format!(
                "| {} | {} | {} | {} | {SAVED} | {} |\n",
                ours.len(),
                seconds(original),
                seconds(ours),
                spread(saved),
                verdict(saved.median >= SAVED)
            );
        }
        text
    }

    /// The tables of the curves.
    #[must_use]
    pub fn growth(&self) -> String {
        let mut text = "Modules of 6.1 amd64, evenly from all directories, `.mod.c` unchanged:\n\n".to_owned();
        text += &curve(&self.modules, "modules");
        text += "\nOne object with a function a section, half of the sections holding the other\nhalf's relocations, 20 for each section:\n\n";
        text += &curve(&self.sections, "sections");
        text += &format!(
            "\nTwice the work takes at most {DOUBLE} times the time: {}, {}.\n",
            verdict(proportional(&self.modules)),
            verdict(proportional(&self.sections))
        );
        text
    }

    /// The whole document. `picture` is the file with the curves.
    #[must_use]
    pub fn document(&self, picture: &str) -> String {
        let commit = first_line("git", &["describe", "--always", "--dirty"]);
        let mut text = "# Benchmarks\n\nWritten by `make bench`; not by hand.\n\n".to_owned();
        text += &format!("- Machine: {}.\n", machine());
        text += &format!("- kbuild-rs {commit}, {}; a release build.\n", first_line("rustc", &["--version"]));
        text += "- Originals: Debian's, and for (d), (j) and (k) those that the kernel's build compiled.\n";
        text += &format!(
            "- {} pairs of runs a case, the original and ours in turns on the same files in the\n  page cache; ",
            self.pairs
        );
        text += "whole processes, their standard error going to `/dev/null`; both have\n  to exit with the same status and write the same bytes. Of (k) the status alone is\n  compared here, and the bytes by `make check-calls`.\n";
        text += "- Ratios are of each pair; given are their median, least and most. Times and\n  memory are medians. Where nothing else is said, there is a worker for each processor.\n\n";
        text += "## Cases\n\n";
        text += &self.table();
        text += "\n## A whole build\n\n";
        text += &self.building();
        text += "\n## Growth\n\n";
        text += &self.growth();
        text += &format!(
            "\n![Ratios of all cases; time over numbers of modules, and over sections of one object]({picture})\n"
        );
        text
    }
}

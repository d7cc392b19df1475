//! What a process costs.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The argument by which the benchmark's own program becomes the small process
/// that starts one other, waits for it and says what it cost: a process's peak
/// memory can be told only of one's children, the largest of all.
pub const MEASURE: &str = "--measure";

/// What one process cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From its start to its end, in seconds.
    pub wall: f64,
    /// On all processors, in user and kernel mode, in seconds.
    pub cpu: f64,
    /// The most memory that was resident, in MiB.
    pub peak: f64,
    /// Its exit status, -1 for a signal.
    pub status: i32,
}

/// A process to be measured.
#[derive(Clone, Debug)]
pub struct Process {
    /// The program and its arguments.
    pub words: Vec<OsString>,
    /// Its environment.
    pub environment: Vec<(&'static str, String)>,
    /// The file that it reads from standard input.
    pub input: Option<PathBuf>,
}

impl Process {
    /// Runs it in a directory; what it prints goes to `/dev/null`.
    ///
    /// # Errors
    /// If it can't be run.
    pub fn measure(&self, dir: &Path) -> io::Result<Cost> {
        let input = match &self.input {
            Some(path) => File::open(path)?.into(),
            None => Stdio::null(),
        };
        let output = Command::new(std::env::current_exe()?)
            .arg(MEASURE)
            .args(&self.words)
            .current_dir(dir)
            .env_clear()
            .env("LC_ALL", "C")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(input)
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [wall, cpu, peak, status] = numbers[..] else {
            return Err(io::Error::other(format!("{:?}: not measured", self.words)));
        };
        Ok(Cost { wall, cpu, peak, status: status as i32 })
    }
}

fn child(words: &[OsString]) -> io::Result<Cost> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("no program"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::inherit()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let wall = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time() + usage.system_time();
    Ok(Cost {
        wall,
        cpu: cpu.num_microseconds() as f64 / 1e6,
        // Linux counts in KiB.
        peak: usage.max_rss() as f64 / 1024.0,
        status: status.code().unwrap_or(-1),
    })
}

/// Is the process that [`MEASURE`] asks for.
#[must_use]
pub fn measure_child(words: &[OsString]) -> ExitCode {
    match child(words) {
        Ok(cost) => {
            println!("{} {} {} {}", cost.wall, cost.cpu, cost.peak, cost.status);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{words:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The middle of some values, and the least and the most.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// Of values of which there is at least one.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let half = values.len() / 2;
        let median = if values.len() % 2 == 0 { (at(half.wrapping_sub(1)) + at(half)) / 2.0 } else { at(half) };
        Self { median, least: at(0), most: at(values.len().wrapping_sub(1)) }
    }
}

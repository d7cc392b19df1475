//! Trees of users. Root changes nothing in them with its own rights.
//!
//! A tree's programs are run to compare them with ours, and whoever owns a tree chooses
//! these programs and can exchange every file in it at any moment. So a process of the
//! owner's does the work. It is a new process of this program, without terminal,
//! environment or any other right of root's. What it prints is escaped here, since the
//! owner may have changed that process, too.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use base::message::strerror;
use swap::Error;
use swap::owner::{self, Owner, User};

use crate::command::ON_BEHALF;
use crate::report::Report;
use crate::run::{Options, What};

/// The search path of such a process.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// The longest line that is passed on, in bytes.
const MAX_LINE: u64 = 1 << 16;
/// The number of lines that wait until they are shown.
const MAX_WAITING: usize = 64;

/// Finds the owner of a tree for root. Other users work with their own rights in any case.
///
/// # Errors
/// If several users own parts of the tree.
pub(crate) fn owner_of(tree: &Path) -> Result<Owner, Error> {
    if nix::unistd::geteuid().is_root() { owner::of_tree(tree) } else { Ok(Owner::Root) }
}

/// Ends this process together with the one that has started it, and leaves the terminal.
pub(crate) fn settle() -> std::io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    Ok(())
}

/// Does what is to be done in a tree as its owner. Returns whether everything was done.
///
/// # Errors
/// If no process can be started as that user.
pub(crate) fn run_as(user: &User, tree: &Path, options: &Options, report: &mut Report<'_, '_>) -> Result<bool, Error> {
    let program = std::env::current_exe().map_err(|error| Error::Io("/proc/self/exe".into(), error))?;
    let failed = |error| Error::Refused(program.clone(), format!("{user} can't run it: {}", strerror(&error)));
    let absolute = std::path::absolute(tree).map_err(|error| Error::Io(tree.to_owned(), error))?;
    let mut command = Command::new(&program);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C.UTF-8").current_dir("/");
    if let Some(home) = &user.home {
        command.env("HOME", home);
    }
    command.args([&format!("--{ON_BEHALF}"), "--color=never", "--from"]).arg(&options.from);
    let what = match options.what {
        What::Swap => None,
        What::Undo => Some("--undo"),
        What::Check => Some("--check"),
        What::Status => Some("--status"),
    };
    let flags = [
        what,
        options.is_forced.then_some("--force"),
        report.is_json.then_some("--json"),
        report.streams.is_quiet().then_some("--quiet"),
        report.streams.is_verbose().then_some("--verbose"),
    ];
    command.args(flags.into_iter().flatten());
    let state = options.is_state_given.then(|| options.state.path().as_os_str());
    let host = options.host.map(|host| OsStr::new(host.name));
    for (name, value) in [("--state", state), ("--host", host), ("--kernel", options.kernel.as_deref())] {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    }
    for name in options.only.iter().flatten() {
        command.args(["--only", name]);
    }
    command.arg("--").arg(absolute);
    // With another user's number, the standard library also drops all groups of root's.
    command.uid(user.uid).gid(user.gid);
    report.notice(&format!("{}: working with the rights of its owner, {user}", tree.display()));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let streams: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|out| Box::new(out) as _), child.stderr.take().map(|err| Box::new(err) as _)];
    // A process that prints more than can be shown has to wait.
    let (sender, receiver) = mpsc::sync_channel(MAX_WAITING);
    std::thread::scope(|scope| {
        for (number, stream) in streams.into_iter().enumerate() {
            let sender = sender.clone();
            scope.spawn(move || stream.map(|stream| lines(stream).try_for_each(|line| sender.send((number, line)))));
        }
        drop(sender);
        for (number, line) in receiver {
            if number == 0 { report.pass_on(&line) } else { report.pass_on_message(&line) }
        }
    });
    Ok(child.wait().map_err(failed)?.success())
}

/// The lines of a stream; a longer one is cut into several.
fn lines(stream: impl Read) -> impl Iterator<Item = Vec<u8>> {
    let mut reader = BufReader::new(stream);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        let length = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).unwrap_or(0);
        (length > 0).then_some(line)
    })
}

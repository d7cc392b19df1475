//! Faults of the machine and of who calls: whatever happens, the programs end
//! by themselves, and outputs are whole or what they were.
//!
//! What takes minutes or privileges is ignored here, and run by
//! `make check-faults`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use kbuild_rs_tests::bench::cost::MEASURE;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{KERNELS, Kernel, Subject, Target, Tool, V6_1, ours};
use kbuild_rs_tests::privilege::without_privilege;
use kbuild_rs_tests::tables::Numbers;
use kbuild_rs_tests::{fixture, synthetic, tally};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use tempfile::TempDir;

const KERNEL: &str = "6.1.176";

/// A directory with modules.
struct Place(TempDir);

const MODULE: &str = "\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n\t.asciz \"description=x\"\n\
                      \t.data\nd:\t.quad printk\n";

impl Place {
    /// A directory with so many modules, `m0.o` and so on.
    fn new(modules: usize) -> io::Result<Self> {
        let place = Self(tempfile::tempdir()?);
        let object = assemble(MODULE)?;
        for number in 0..modules {
            place.write(&format!("m{number}.o"), &object)?;
        }
        let list: String = (0..modules).map(|number| format!("m{number}.o\n")).collect();
        place.write("list", list)?;
        place.write("in", "0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n")?;
        Ok(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> io::Result<()> {
        fs::write(self.path(name), contents)
    }

    /// modpost, ours, on all modules.
    fn command(&self) -> io::Result<Command> {
        self.command_of(&ours("modpost")?, &["-i", "in", "-o", "out", "-T", "list"])
    }

    fn command_of(&self, subject: &Subject, arguments: &[&str]) -> io::Result<Command> {
        let words = subject.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments).env("KERNELVERSION", KERNEL).current_dir(self.0.path());
        Ok(command)
    }

    /// Every file that modpost may have written or left: outputs and what is
    /// beside them.
    fn outputs(&self) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
        let mut outputs = BTreeMap::new();
        for entry in fs::read_dir(self.0.path())? {
            let path = entry?.path();
            let name = PathBuf::from(path.file_name().unwrap_or_default());
            let is_input =
                name.extension() == Some(OsStr::new("o")) || ["list", "in"].iter().any(|n| name == Path::new(n));
            if !is_input {
                outputs.insert(name, fs::read(path)?);
            }
        }
        Ok(outputs)
    }
}

/// The original that a test compares with; `None` if it can't be had.
fn original(test: &str) -> io::Result<Option<Subject>> {
    tally::available(test, V6_1.modpost(Target::Lsb64))
}

/// Exit status and standard error.
fn ended(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// One line that begins `FATAL:`, and exit status 1.
fn is_refused(output: &Output) -> bool {
    let (code, stderr) = ended(output);
    code == Some(1) && stderr.starts_with("FATAL: modpost: ") && stderr.lines().count() == 1
}

/// A run that is ended in its middle, at a moment that a number decides.
fn killed(place: &Place, numbers: &mut Numbers, longest: Duration) -> io::Result<bool> {
    let mut child = place.command()?.stderr(Stdio::null()).spawn()?;
    std::thread::sleep(longest.mul_f64((numbers.next() % 1000) as f64 / 1000.0));
    let running = child.try_wait()?.is_none();
    child.kill()?;
    child.wait()?;
    Ok(running)
}

#[test]
fn killed_at_any_moment() -> io::Result<()> {
    let place = Place::new(300)?;
    let begin = Instant::now();
    assert!(place.command()?.status()?.success());
    let mut longest = begin.elapsed();
    let new = place.outputs()?;
    assert_eq!(new.len(), 301);
    let mut numbers = Numbers::new(7);
    let (mut interrupted, mut round) = (0, 0);
    // How long a run takes depends on what else the machine does.
    while interrupted < 100 {
        round += 1;
        assert!(round < 10_000, "{interrupted} of {round} runs were still running when they were killed");
        // Some are there and current, some are others', some are missing.
        for (number, (name, contents)) in new.iter().enumerate() {
            match (number + round) % 3 {
                0 => fs::write(place.path(&name.to_string_lossy()), contents)?,
                1 => fs::write(place.path(&name.to_string_lossy()), "old")?,
                _ => drop(fs::remove_file(place.path(&name.to_string_lossy()))),
            }
        }
        let begin = Instant::now();
        if killed(&place, &mut numbers, longest)? {
            interrupted += 1;
        } else {
            longest = longest.min(begin.elapsed());
        }
        for (name, contents) in place.outputs()? {
            if name.to_string_lossy().ends_with(".tmp") {
                // `make clean` removes these, by their names.
                assert!(name.to_string_lossy().starts_with('.'), "{}", name.display());
                fs::remove_file(place.path(&name.to_string_lossy()))?;
            } else {
                let is_whole = Some(&contents) == new.get(&name) || contents == b"old";
                assert!(is_whole, "round {round}: {} is a part: {} bytes", name.display(), contents.len());
            }
        }
    }
    Ok(())
}

/// Both ends of a pipe with a name: a reader of an object waits for a writer.
#[test]
fn a_fifo_as_object() -> io::Result<()> {
    let Some(original) = original("a_fifo_as_object")? else { return Ok(()) };
    let run = |subject: &Subject| -> io::Result<Output> {
        let place = Place::new(0)?;
        let fifo = place.path("m.o");
        mkfifo(&fifo, Mode::S_IRWXU)?;
        let child = place.command_of(subject, &["-o", "out", "m.o"])?.stderr(Stdio::piped()).spawn()?;
        drop(OpenOptions::new().write(true).open(fifo)?);
        child.wait_with_output()
    };
    assert_eq!(ended(&run(&ours("modpost")?)?), ended(&run(&original)?));
    Ok(())
}

/// A pipe with a name takes an output as it is: nothing is renamed over it.
#[test]
fn a_fifo_as_output() -> io::Result<()> {
    let Some(original) = original("a_fifo_as_output")? else { return Ok(()) };
    let run = |subject: &Subject| -> io::Result<(Vec<u8>, Option<i32>)> {
        let place = Place::new(1)?;
        let fifo = place.path("out");
        mkfifo(&fifo, Mode::S_IRWXU)?;
        let mut child = place.command_of(subject, &["-w", "-o", "out", "m0.o"])?.spawn()?;
        let text = fs::read(&fifo)?;
        Ok((text, child.wait()?.code()))
    };
    assert_eq!(run(&ours("modpost")?)?, run(&original)?);
    Ok(())
}

/// Runs a program through the shell, with redirections.
fn redirected(place: &Place, subject: &Subject, arguments: &str, redirections: &str) -> io::Result<Output> {
    let words: Vec<String> = subject.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let line = format!("exec {} {arguments} {redirections}", words.join(" "));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).env("KERNELVERSION", KERNEL).current_dir(place.0.path()).output()
}

#[test]
fn closed_streams() -> io::Result<()> {
    let Some(original) = original("closed_streams")? else { return Ok(()) };
    for redirections in [">&-", "2>&-", "<&-", "<&- >&- 2>&-"] {
        for arguments in ["-i in -o out m0.o", "-o out m0.o", "-o out missing.o"] {
            let run = |subject: &Subject| -> io::Result<_> {
                let place = Place::new(1)?;
                let output = redirected(&place, subject, arguments, redirections)?;
                Ok((ended(&output), place.outputs()?))
            };
            assert_eq!(run(&ours("modpost")?)?, run(&original)?, "{arguments} {redirections}");
        }
    }
    Ok(())
}

#[test]
fn a_full_device_for_messages() -> io::Result<()> {
    let Some(original) = original("a_full_device_for_messages")? else { return Ok(()) };
    let place = Place::new(1)?;
    let run = |subject: &Subject| redirected(&place, subject, "-o out m0.o", "2>/dev/full");
    assert_eq!(ended(&run(&ours("modpost")?)?), ended(&run(&original)?));
    Ok(())
}

/// The original ends by SIGPIPE; ours goes on, and fails as it would have.
#[test]
fn a_reader_of_messages_who_goes() -> io::Result<()> {
    let place = Place::new(1)?;
    let mut child = place.command_of(&ours("modpost")?, &["-o", "out", "missing.o"])?.stderr(Stdio::piped()).spawn()?;
    drop(child.stderr.take());
    assert_eq!(child.wait()?.code(), Some(1));
    Ok(())
}

/// Stopped and continued again and again, system calls are interrupted.
#[test]
fn interrupted_system_calls() -> io::Result<()> {
    let place = Place::new(100)?;
    assert!(place.command()?.status()?.success());
    let expected = place.outputs()?;
    for name in expected.keys() {
        fs::remove_file(place.path(&name.to_string_lossy()))?;
    }
    let list = fs::read(place.path("list"))?;
    let mut command = place.command_of(&ours("modpost")?, &["-i", "in", "-o", "out", "-T", "-"])?;
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    let pid = Pid::from_raw(child.id() as i32);
    let mut stdin = child.stdin.take();
    for line in list.split_inclusive(|&byte| byte == b'\n') {
        if let Some(stdin) = &mut stdin {
            stdin.write_all(line)?;
        }
        kill(pid, Signal::SIGSTOP)?;
        kill(pid, Signal::SIGCONT)?;
    }
    drop(stdin);
    while child.try_wait()?.is_none() {
        kill(pid, Signal::SIGSTOP)?;
        kill(pid, Signal::SIGCONT)?;
    }
    assert!(child.wait()?.success());
    assert_eq!(place.outputs()?, expected);
    Ok(())
}

/// An object that shrinks and grows while it is read.
#[test]
fn a_file_that_changes_while_it_is_read() -> io::Result<()> {
    let place = Place::new(1)?;
    let object = fs::read(place.path("m0.o"))?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| -> io::Result<()> {
        let writer = scope.spawn(|| -> io::Result<()> {
            let file = File::options().write(true).open(place.path("m0.o"))?;
            let mut numbers = Numbers::new(3);
            while !stop.load(Ordering::Relaxed) {
                file.set_len(numbers.next() % (object.len() as u64 * 2))?;
                fs::write(place.path("m0.o"), &object)?;
            }
            Ok(())
        });
        let ends = (0..300).map(|_| place.command()?.output());
        let ends: io::Result<Vec<Output>> = ends.collect();
        stop.store(true, Ordering::Relaxed);
        writer.join().map_err(|_| io::Error::other("the writer panicked"))??;
        for output in ends? {
            let (code, stderr) = ended(&output);
            assert!(matches!(code, Some(0 | 1)) && !stderr.contains("panicked"), "{}: {stderr}", output.status);
        }
        Ok(())
    })
}

/// A run says what it knows when it knows it, and so has said it when it is
/// killed: here, while it waits for its second object.
#[test]
fn messages_of_a_run_that_is_killed() -> io::Result<()> {
    for jobs in ["1", "4"] {
        let place = Place::new(0)?;
        place.write("first.o", assemble("\t.data\nd:\t.quad 0\n")?)?;
        mkfifo(&place.path("second.o"), Mode::S_IRUSR | Mode::S_IWUSR)?;
        let mut command = place.command_of(&ours("modpost")?, &["first.o", "second.o"])?;
        let mut child = command.env("KBUILD_RS_JOBS", jobs).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().ok_or_else(|| io::Error::other("no standard error"))?;
        let (sender, receiver) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let _ = sender.send(line);
            }
        });
        let said = receiver.recv_timeout(Duration::from_secs(60));
        child.kill()?;
        child.wait()?;
        reader.join().map_err(|_| io::Error::other("the reader panicked"))?;
        let said = said.map_err(io::Error::other)??;
        assert_eq!(said, "ERROR: modpost: missing MODULE_LICENSE() in first.o", "{jobs}");
    }
    Ok(())
}

/// A library that, loaded before others, has one pread(2) fail.
fn failing_reads(dir: &Path) -> io::Result<PathBuf> {
    let library = dir.join("reads.so");
    let source = fixture::directory().join("reads.c");
    let status = Command::new("gcc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status()?;
    if status.success() { Ok(library) } else { Err(io::Error::other(format!("gcc: {status}"))) }
}

/// What the disk can't give is no malformed object, and nothing that is passed
/// over.
#[test]
fn reads_that_fail() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let library = failing_reads(dir.path())?;
    let mut failed = 0;
    loop {
        let place = Place::new(1)?;
        let mut command = place.command()?;
        let number = (failed + 1).to_string();
        let output = command.args(["-w", "m0.o"]).env("LD_PRELOAD", &library).env("FAILING_READ", number).output()?;
        let (code, stderr) = ended(&output);
        if code == Some(0) {
            break;
        }
        failed += 1;
        let is_said = stderr.starts_with("FATAL: modpost: m0.o: Input/output error (offset ");
        assert!(code == Some(1) && is_said && stderr.lines().count() == 1, "{failed}: {stderr}");
        assert!(place.outputs()?.is_empty(), "{failed}");
    }
    assert!(failed > 2, "only {failed} reads");
    let place = Place::new(1)?;
    let mut file2alias = Command::new(ours("file2alias")?.program);
    file2alias.arg("m0.o").current_dir(place.0.path()).env("LD_PRELOAD", &library).env("FAILING_READ", "1");
    let (code, stderr) = ended(&file2alias.output()?);
    assert_eq!((code, &stderr[..]), (Some(1), "file2alias: m0.o: Input/output error\n"));
    Ok(())
}

/// A directory in which nothing new can be made: what is there is written in
/// place, what isn't can't be.
#[test]
fn a_folder_that_cannot_be_written() -> io::Result<()> {
    let Some(original) = original("a_folder_that_cannot_be_written")? else { return Ok(()) };
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let run = |subject: &Subject, there: &[&str], file_mode: u32| -> io::Result<_> {
        let place = Place::new(2)?;
        for name in there {
            place.write(name, "old")?;
            mode(&place.path(name), file_mode)?;
        }
        mode(place.0.path(), 0o555)?;
        let output = without_privilege(place.command_of(subject, &["-w", "-o", "out", "m0.o"])?).output()?;
        mode(place.0.path(), 0o755)?;
        Ok((ended(&output), place.outputs()?))
    };
    let (theirs, ours) = (original, ours("modpost")?);
    for (there, file_mode) in [(&[][..], 0), (&["out", "m0.mod.c"], 0o666), (&["out", "m0.mod.c"], 0o444)] {
        assert_eq!(run(&ours, there, file_mode)?, run(&theirs, there, file_mode)?, "{there:?} {file_mode:o}");
    }
    Ok(())
}

/// Runs a command with no more than so much address space.
fn within(place: &Place, kilobytes: u64, arguments: &str) -> io::Result<Output> {
    let line = format!("ulimit -v {kilobytes}; exec {} {arguments}", ours("modpost")?.program.display());
    let mut command = Command::new("sh");
    command.args(["-c", &line]).env("KERNELVERSION", KERNEL).env("KBUILD_RS_JOBS", "1");
    command.current_dir(place.0.path()).output()
}

/// What an object claims to hold takes no memory, only what it holds.
#[test]
fn claims_take_no_memory() -> io::Result<()> {
    const KILOBYTES: u64 = 60_000;
    let place = Place::new(1)?;
    let object = fs::read(place.path("m0.o"))?;
    let word = |at: usize| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|n| object[at + n])) as usize;
    let headers = word(40);
    let of_type = |sh_type: u32| {
        let mut all = (headers..object.len()).step_by(64);
        all.find(|at| object[at + 4..at + 8] == sh_type.to_le_bytes()).unwrap_or(headers)
    };
    let patch = |patches: &[(usize, &[u8])]| {
        let mut object = object.clone();
        for (at, bytes) in patches {
            object[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        place.write("m0.o", object)
    };
    assert!(within(&place, KILOBYTES, "-i in -o out m0.o")?.status.success());

    patch(&[(60, &[0, 0]), (headers + 32, &u64::MAX.to_le_bytes())])?;
    assert!(is_refused(&within(&place, KILOBYTES, "-i in -o out m0.o")?), "2^32 sections");
    // The size of a string table doesn't count.
    patch(&[(of_type(3) + 32, &(4u64 << 30).to_le_bytes())])?;
    assert!(within(&place, KILOBYTES, "-i in -o out m0.o")?.status.success(), "a string table of 4 GB");
    for size in [4u64 << 30, 24 * 10_000_000, 1 << 62] {
        patch(&[(of_type(2) + 32, &size.to_le_bytes())])?;
        assert!(is_refused(&within(&place, KILOBYTES, "-i in -o out m0.o")?), "a symbol table of {size} bytes");
    }
    Ok(())
}

/// Where memory ends, so does the run, and nothing is half written.
#[test]
fn little_memory() -> io::Result<()> {
    let place = Place::new(100)?;
    assert!(place.command()?.status()?.success());
    let whole = place.outputs()?;
    let symvers = synthetic::symvers(200_000);
    place.write("in", symvers + "0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n")?;
    let mut ends = BTreeMap::new();
    for kilobytes in (10_000..80_000).step_by(2_000) {
        for name in place.outputs()?.keys() {
            fs::remove_file(place.path(&name.to_string_lossy()))?;
        }
        let output = within(&place, kilobytes, "-i in -o out -T list")?;
        *ends.entry((output.status.code(), output.status.signal())).or_insert(0) += 1;
        for (name, contents) in place.outputs()? {
            let beside = name.to_string_lossy().ends_with(".tmp");
            assert!(beside || whole.get(&name) == Some(&contents), "{kilobytes} kB: {}", name.display());
        }
    }
    // Without memory even for a message, the runtime aborts, or the loader
    // gives up.
    let abort = Some(Signal::SIGABRT as i32);
    let known = |(code, signal): &(Option<i32>, Option<i32>)| matches!(code, Some(0 | 1 | 127)) || *signal == abort;
    assert!(ends.keys().all(known), "{ends:?}");
    assert!(ends.contains_key(&(Some(0), None)), "{ends:?}");
    Ok(())
}

/// Exit status and peak memory of ours, in bytes.
fn peak(place: &Place, arguments: &[&str]) -> io::Result<(i32, u64)> {
    let mut command = place.command_of(&ours("bench")?, &[MEASURE])?;
    let output = command.arg(ours("modpost")?.program).args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [_, _, peak, status] = numbers[..] else { return Err(io::Error::other(text.into_owned())) };
    Ok((status as i32, (peak * 1048576.0) as u64))
}

#[test]
#[ignore = "minutes: make check-faults"]
fn ten_million_symbols() -> io::Result<()> {
    let place = Place::new(0)?;
    let object = synthetic::symbols(10_000_000).map_err(io::Error::other)?;
    place.write("m.o", &object)?;
    let (code, bytes) = peak(&place, &["-w", "-o", "out", "m.o"])?;
    assert_eq!(code, 0);
    let size = object.len() as u64;
    assert!(bytes < 6 * size, "{bytes} bytes of memory for an object of {size}");
    Ok(())
}

#[test]
#[ignore = "minutes: make check-faults"]
fn a_name_of_a_hundred_megabytes() -> io::Result<()> {
    let Some(original) = original("a_name_of_a_hundred_megabytes")? else { return Ok(()) };
    let source = format!("{MODULE}\t.quad {}\n", "n".repeat(100 << 20));
    let object = assemble(&source)?;
    let run = |subject: &Subject| -> io::Result<_> {
        let place = Place::new(0)?;
        place.write("m.o", &object)?;
        let output = place.command_of(subject, &["-w", "-o", "out", "m.o"])?.output()?;
        Ok((ended(&output), place.outputs()?))
    };
    assert!(run(&ours("modpost")?)? == run(&original)?, "they differ");
    Ok(())
}

#[test]
#[ignore = "minutes: make check-faults"]
fn exports_of_a_gigabyte() -> io::Result<()> {
    let place = Place::new(1)?;
    let symvers = synthetic::symvers(15_000_000) + "0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n";
    let size = symvers.len() as u64;
    assert!(size > 1 << 30, "{size}");
    place.write("in", symvers)?;
    let (code, bytes) = peak(&place, &["-i", "in", "-o", "out", "m0.o"])?;
    assert_eq!(code, 0);
    assert!(bytes < 5 * size, "{bytes} bytes of memory for {size}");
    Ok(())
}

/// A disk that is full: on a small tmpfs, which takes the right to mount one.
#[test]
#[ignore = "privileges: make check-faults"]
fn a_full_disk() -> io::Result<()> {
    let place = Place::new(200)?;
    assert!(place.command()?.status()?.success());
    let whole = place.outputs()?;
    let ours = ours("modpost")?.program;
    let mut short = 0;
    for kilobytes in [300, 400, 600, 800, 1000, 1200] {
        let disk = tempfile::tempdir()?;
        let line = format!(
            "mount -t tmpfs -o size={kilobytes}k none {disk} && cp *.o list in {disk} 2>/dev/null; cd {disk} && \
             echo old >out && echo old >m7.mod.c && {ours} -i in -o out -T list; status=$?; cp -a . {back}; exit $status",
            disk = disk.path().display(),
            ours = ours.display(),
            back = place.path("back").display()
        );
        fs::create_dir(place.path("back"))?;
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &line]).env("KERNELVERSION", KERNEL);
        let output = command.current_dir(place.0.path()).output()?;
        let (code, stderr) = ended(&output);
        assert!(matches!(code, Some(0 | 1)), "{kilobytes}: {code:?} {stderr}");
        assert!(!stderr.contains("mount"), "{stderr}");
        if code == Some(1) {
            short += usize::from(stderr.contains("No space left on device"));
        }
        for entry in fs::read_dir(place.path("back"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            assert!(!name.ends_with(".tmp"), "{kilobytes}: {name} is left");
            if name.ends_with(".mod.c") || name == "out" {
                let contents = fs::read(&path)?;
                let is_whole = whole.get(Path::new(&name)) == Some(&contents) || contents == b"old\n";
                assert!(is_whole, "{kilobytes}: {name} is a part");
            }
        }
        fs::remove_dir_all(place.path("back"))?;
    }
    assert!(short > 0, "no disk was small enough");
    Ok(())
}

/// Runs fixdep from a shell; returns its output, and what is in the file `both` then.
fn fixdep(
    subject: &Subject,
    kernel: &Kernel,
    place: &Place,
    before: &str,
    after: &str,
) -> io::Result<(Output, String)> {
    let words: Vec<_> = subject.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let line = format!("{before} exec {} {after}", words.join(" "));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).env("KERNELVERSION", kernel.version()).current_dir(place.0.path());
    let output = command.output()?;
    let both = fs::read(place.path("both")).unwrap_or_default();
    let _ = fs::remove_file(place.path("both"));
    Ok((output, String::from_utf8_lossy(&both).into_owned()))
}

/// What the originals of all kernels do with outputs around the size of stdio's buffer.
/// To 5.17 they don't notice that what is left in the buffer can't be written; ours does.
#[test]
fn what_fixdep_cannot_write() -> io::Result<()> {
    for kernel in KERNELS {
        let Some(original) = tally::available("what_fixdep_cannot_write", kernel.program(Tool::Fixdep, Target::Lsb64))?
        else {
            continue;
        };
        let place = Place::new(0)?;
        place.write("a.c", "CONFIG_A")?;
        place.write("whole", "a.o: a.c\n")?;
        place.write("cut", "a.o: a.c missing.h\n")?;
        for (depfile, length) in
            [("whole", 1), ("whole", 5000), ("whole", 9000), ("cut", 1), ("cut", 5000), ("missing", 5000)]
        {
            for redirections in [">/dev/full", ">&-", ">both 2>&1"] {
                let after = format!("{depfile} a.o {} {redirections}", "x".repeat(length));
                let run = |subject: &Subject| fixdep(subject, kernel, &place, "", &after);
                let (ours, theirs) = (run(&ours("fixdep")?)?, run(&original)?);
                if redirections == ">/dev/full" && theirs.0.status.success() {
                    let said = String::from_utf8_lossy(&ours.0.stderr);
                    let lost = (Some(1), "fixdep: not all data was written to the output\n");
                    assert_eq!((ours.0.status.code(), &*said), lost, "{} {after}", kernel.version());
                } else {
                    assert_eq!(ours, theirs, "{} {after}", kernel.version());
                }
            }
        }
    }
    Ok(())
}

/// And with a file that is larger than memory.
#[test]
fn what_fixdep_has_no_memory_for() -> io::Result<()> {
    for kernel in KERNELS {
        let program = kernel.program(Tool::Fixdep, Target::Lsb64);
        let Some(original) = tally::available("what_fixdep_has_no_memory_for", program)? else {
            continue;
        };
        let place = Place::new(0)?;
        place.write("a.c", "CONFIG_A")?;
        File::create(place.path("large.h"))?.set_len(1 << 30)?;
        place.write("deps", "a.o: a.c large.h b.h\n")?;
        let run = |subject: &Subject| fixdep(subject, kernel, &place, "ulimit -v 100000;", "deps a.o cc");
        assert_eq!(run(&ours("fixdep")?)?, run(&original)?, "{}", kernel.version());
    }
    Ok(())
}

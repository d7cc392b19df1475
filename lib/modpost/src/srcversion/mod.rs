//! The sum of a module's sources (`scripts/mod/sumversion.c`), by which user
//! space tells whether a module was built from what it thinks.
//!
//! `NAME.mod` lists the module's objects; each object's `.cmd` file names its
//! source and what that includes. The source, and included files of the same
//! directory, are summed.

mod md4;
mod source;

use base::bytes::{cmd_file, is_space, split_path};
use base::message::{Fatal, Message, Severity, text};
use base::read_buffer::ReadBuffer;
use base::textfile::{self, Open};
pub use md4::Md4;
use memchr::{memmem, memrchr};
pub use source::strip;

use crate::dialect::Dialect;
use crate::kind;

/// How many digits the original keeps.
const DIGITS: usize = 23;

/// What went into a sum, or didn't, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An object of the module: what follows is of its `.cmd` file.
    Object(Vec<u8>),
    /// A library, whose sources don't count.
    Library(Vec<u8>),
    /// A file that was summed.
    File {
        /// Its path.
        path: Vec<u8>,
        /// The object was compiled from it; else that includes it.
        is_source: bool,
        /// Its size in bytes, up to the first NUL.
        size: usize,
        /// The sum of it alone.
        digest: String,
    },
    /// The number of included files that lie in another directory than the object.
    Elsewhere(usize),
}

/// Does what [`of_module`] does, and returns how the sum came about.
///
/// # Errors
/// As for [`of_module`].
pub fn explain(
    name: &[u8],
    dialect: &Dialect,
    open: Open,
    messages: &mut Vec<Message>,
) -> Result<(Option<String>, Vec<Step>), Fatal> {
    let mut sum = Sum { steps: Some(Vec::new()), ..Sum::new(open) };
    let digits = sum.of_module(name, dialect, messages)?;
    Ok((digits, sum.steps.unwrap_or_default()))
}

/// The srcversion of the module `name` (its path without `.o` or `.mod`);
/// `None` if its files don't say what it was made of, which `messages` then
/// tells. `open` opens the files.
///
/// # Errors
/// The end of the run, if a file can't be read.
pub fn of_module(
    name: &[u8],
    dialect: &Dialect,
    open: Open,
    messages: &mut Vec<Message>,
) -> Result<Option<String>, Fatal> {
    Sum::new(open).of_module(name, dialect, messages)
}

/// The sum in progress, and buffers that are reused.
#[derive(Debug)]
struct Sum {
    open: Open,
    md4: Md4,
    commands: ReadBuffer,
    source: ReadBuffer,
    kept: Vec<u8>,
    /// How it came about, if that is wanted.
    steps: Option<Vec<Step>>,
}

impl Sum {
    fn new(open: Open) -> Self {
        let (commands, source) = (ReadBuffer::default(), ReadBuffer::default());
        Self { open, md4: Md4::default(), commands, source, kept: Vec::new(), steps: None }
    }

    fn of_module(
        &mut self,
        name: &[u8],
        dialect: &Dialect,
        messages: &mut Vec<Message>,
    ) -> Result<Option<String>, Fatal> {
        let mut list = ReadBuffer::default();
        textfile::read_into(&[name, b".mod"].concat(), self.open, &mut list)?;
        let objects: Vec<&[u8]> = if dialect.mod_file_by_line {
            list.split(|&byte| byte == b'\n').collect()
        } else {
            let Some(line) = textfile::lines(&list).next() else {
                let suffix = if dialect.srcversion_by_module { "" } else { ".o" };
                let text = text!("bad ending versions file for {}{}\n", name, suffix);
                messages.push(Message::new(Severity::Warning, kind::MALFORMED_MOD, text));
                return Ok(None);
            };
            line.split(|&byte| byte == b' ').collect()
        };
        let mut objects = objects.into_iter();
        while let Some(object) = objects.next() {
            if object.is_empty() {
                continue;
            }
            if object.ends_with(b".a") {
                self.note(|| Step::Library(object.to_vec()));
                continue;
            }
            if !self.add_object(object, dialect, messages)? {
                // The list's memory is freed from its middle, unless none is left.
                if dialect.mod_file_by_line && !dialect.malformed_cmd_survived && objects.next().is_some() {
                    return Err(Fatal::refusal(kind::MALFORMED_CMD, text!("{}: malformed .cmd file\n", object)));
                }
                return Ok(None);
            }
        }
        let mut sum = std::mem::take(&mut self.md4).finish();
        sum.truncate(DIGITS);
        Ok(Some(sum))
    }

    fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.steps {
            steps.push(step());
        }
    }

    /// Sums the sources of one object; `false` if its `.cmd` file is malformed.
    fn add_object(&mut self, object: &[u8], dialect: &Dialect, messages: &mut Vec<Message>) -> Result<bool, Fatal> {
        let (dir, _) = split_path(object);
        let mut commands = std::mem::take(&mut self.commands);
        textfile::read_into(&cmd_file(object), self.open, &mut commands)?;
        self.note(|| Step::Object(object.to_vec()));
        let mut in_dependencies = false;
        let mut elsewhere = 0;
        for line in textfile::lines(&commands) {
            let line = if dialect.cmd_leading_spaces { trim_start(line) } else { line };
            if line.starts_with(b"source_") {
                let Some(space) = memrchr(b' ', line) else {
                    let text = text!("malformed line: {}\n", line);
                    messages.push(Message::new(Severity::Warning, kind::MALFORMED_CMD, text));
                    return Ok(false);
                };
                self.add_file(&line[space + 1..], true)?;
            } else if line.starts_with(b"deps_") {
                in_dependencies = true;
            } else if in_dependencies {
                if line.last() != Some(&b'\\') {
                    break;
                }
                let end = line.iter().position(|&byte| is_space(byte)).unwrap_or(line.len());
                let file = &line[..end];
                if is_below(file, dir) {
                    self.add_file(file, false)?;
                } else {
                    elsewhere += 1;
                }
            }
        }
        if elsewhere > 0 {
            self.note(|| Step::Elsewhere(elsewhere));
        }
        self.commands = commands;
        Ok(true)
    }

    fn add_file(&mut self, name: &[u8], is_source: bool) -> Result<(), Fatal> {
        textfile::read_into(name, self.open, &mut self.source)?;
        strip(&self.source, &mut self.kept);
        self.md4.update(&self.kept);
        if let Some(steps) = &mut self.steps {
            let mut alone = Md4::default();
            alone.update(&self.kept);
            let (path, size) = (name.to_vec(), self.source.len());
            steps.push(Step::File { path, is_source, size, digest: alone.finish() });
        }
        Ok(())
    }
}

fn trim_start(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|&byte| !is_space(byte)).unwrap_or(line.len());
    &line[start..]
}

/// Whether the first mention of `dir` in the path is what comes before its
/// last `/`: the file lies in the directory, wherever that is.
fn is_below(file: &[u8], dir: &[u8]) -> bool {
    let (directory, _) = split_path(file);
    // Mostly the directory is another, and no search is needed to tell.
    !dir.is_empty() && directory.ends_with(dir) && memmem::find(file, dir) == Some(directory.len() - dir.len())
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn files_in_the_objects_directory() {
        for (file, dir, expected) in [
            ("drivers/net/a.h", "drivers/net/", true),
            ("/src/drivers/net/a.h", "drivers/net/", true),
            ("drivers/net/sub/a.h", "drivers/net/", false),
            ("include/a.h", "drivers/net/", false),
            ("drivers/net/drivers/net/a.h", "drivers/net/", false),
            ("a.h", "", false),
        ] {
            assert_eq!(is_below(file.as_bytes(), dir.as_bytes()), expected, "{file} {dir}");
        }
    }
}

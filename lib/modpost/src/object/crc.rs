//! Symbol CRCs that genksyms left in `.cmd` files, as `#SYMVER NAME CRC`.

use base::bytes::{cmd_file, strtoul};
use base::message::{Fatal, Message, Severity, text};
use base::read_buffer::ReadBuffer;
use base::textfile;
use base::workers::Workers;
use memchr::{memchr, memmem};

use crate::dialect::Dialect;
use crate::kind;
use crate::step::Step;

/// The size of the original's arrays for paths, in bytes, including the NUL.
const PATH_MAX: usize = 4096;
const MARK: &[u8] = b"\n#SYMVER ";

fn too_long(path: &[u8]) -> Step {
    let text = text!("{}: too long path was truncated\n", &path[..PATH_MAX - 1]);
    Step::Say(Message::new(Severity::Error, kind::PATH_TOO_LONG, text))
}

/// The message on an export without a CRC. The module's name has its suffix.
#[must_use]
pub fn missing(symbol: &[u8], module: &[u8], dialect: &Dialect) -> Message {
    let text = if dialect.messages_begin_with_module {
        text!(
            "{}: EXPORT symbol '{}' version generation failed, symbol will not be versioned.\nIs '{}' prototyped in <asm/asm-prototypes.h>?\n",
            module,
            symbol,
            symbol
        )
    } else {
        let failed = if dialect.crc_prototype_hint && !dialect.crc_failure_in_full {
            text!("EXPORT symbol \"{}\" [{}] version ...\n", symbol, module)
        } else {
            text!(
                "EXPORT symbol \"{}\" [{}] version generation failed, symbol will not be versioned.\n",
                symbol,
                module
            )
        };
        let hint = text!("Is \"{}\" prototyped in <asm/asm-prototypes.h>?\n", symbol);
        if dialect.crc_prototype_hint { [failed, hint].concat() } else { failed }
    };
    Message::new(Severity::Warning, kind::EXPORT_WITHOUT_CRC, text).symbol(symbol)
}

/// The CRCs of all symbols that a module's objects export, one `Step::Crc`
/// each. The objects are listed in `NAME.mod`, vmlinux's in `.vmlinux.objs`;
/// these are some thousands, and `workers` share them.
///
/// # Errors
/// The end of the run, if a file can't be read.
pub fn symbol_crcs(
    module: &[u8],
    is_vmlinux: bool,
    dialect: &Dialect,
    workers: &Workers,
    steps: &mut Vec<Step>,
) -> Result<(), Fatal> {
    let list = if is_vmlinux { b".vmlinux.objs".to_vec() } else { [module, b".mod"].concat() };
    if list.len() >= PATH_MAX {
        steps.push(too_long(&list));
        return Ok(());
    }
    let list = textfile::read(&list)?;
    let objects: Vec<_> = list.split(|&byte| byte == b'\n').take_while(|object| !object.is_empty()).collect();
    let shares: Vec<_> = objects.chunks(SHARE).collect();
    for (crcs, result) in workers.map(&shares, |objects| crcs_of(objects, dialect)) {
        steps.extend(crcs);
        result?;
    }
    Ok(())
}

/// How many objects a worker takes at once.
const SHARE: usize = 32;

/// The CRCs of some objects, up to the first that can't be read.
fn crcs_of(objects: &[&[u8]], dialect: &Dialect) -> (Vec<Step>, Result<(), Fatal>) {
    let (mut steps, mut text) = (Vec::new(), ReadBuffer::default());
    for object in objects {
        let commands = if dialect.cmd_file_by_stem { cmd_file_by_stem(object) } else { cmd_file(object) };
        if commands.len() >= PATH_MAX {
            steps.push(too_long(&commands));
            continue;
        }
        if let Err(fatal) = textfile::read_into(&commands, textfile::open, &mut text) {
            return (steps, Err(fatal));
        }
        steps.extend(crcs(&text).map(|(name, crc)| Step::Crc { symbol: name.to_vec(), crc, own: true }));
    }
    (steps, Ok(()))
}

/// The `.cmd` file of what the object was compiled from: two bytes, whatever
/// they are, give way to `.o`, and `.thinlto-native` before them goes.
fn cmd_file_by_stem(object: &[u8]) -> Vec<u8> {
    let stem = object.strip_suffix(b".thinlto-native.o");
    let stem = stem.unwrap_or(&object[..object.len().saturating_sub(2)]);
    cmd_file(&[stem, b".o"].concat())
}

/// The well-formed `#SYMVER` lines of a `.cmd` file. The first line doesn't count.
fn crcs(text: &[u8]) -> impl Iterator<Item = (&[u8], u32)> {
    let mark = memmem::Finder::new(MARK);
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let name = &rest[mark.find(rest)? + MARK.len()..];
            let space = memchr(b' ', name)?;
            let (name, number) = (&name[..space], &name[space + 1..]);
            rest = number;
            if !number.first().is_some_and(u8::is_ascii_digit) {
                continue;
            }
            let (crc, after) = strtoul(number, 0);
            rest = after;
            if after.first() == Some(&b'\n') {
                return Some((name, crc as u32));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_lines_count() {
        let text =
            b"#SYMVER first 0x1\n#SYMVER a 0x12345678\n#SYMVER b x\n#SYMVER c 0x1 \n#SYMVER d 10\nx\n#SYMVER e 0x2";
        let found: Vec<_> = crcs(text).collect();
        assert_eq!(found, [(&b"a"[..], 0x1234_5678), (b"d", 10)]);
    }
}

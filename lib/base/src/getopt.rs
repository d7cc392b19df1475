//! getopt(3) as glibc has it, in front of clap.
//!
//! clap knows the options and parses them, but it has manners of its own: it
//! refuses what getopt(3) takes, words its errors in its own way, and doesn't
//! know `POSIXLY_CORRECT`. Here a command line is brought into the one form on
//! which both agree: each option on its own, then `--`, then the operands.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::Command;

use crate::message::{Fatal, Kind, Message, Severity, text};

/// The error that getopt(3) reports for an option's letter; `program` is the name
/// that the program was called by.
fn bad_usage(program: &[u8], what: &str, letter: u8) -> Fatal {
    Message::new(Severity::Plain, Kind::USAGE, text!("{}: {} -- '{}'\n", program, what, [letter])).into()
}

/// The arguments (without the command's name) in plain form.
///
/// The command's own long options are let through; any other word that
/// begins with `--` is, to getopt(3), the option `-`.
///
/// # Errors
/// The first error that getopt(3) would report, naming the program as it was called.
pub fn normalize(
    command: &Command,
    program: &[u8],
    arguments: impl IntoIterator<Item = OsString>,
    posixly_correct: bool,
) -> Result<Vec<OsString>, Fatal> {
    let mut options = Vec::new();
    let mut operands = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let bytes = argument.as_bytes();
        if bytes == b"--" {
            break;
        }
        if is_long(command, bytes) {
            options.push(argument);
            continue;
        }
        if bytes.len() < 2 || bytes[0] != b'-' {
            operands.push(argument);
            if posixly_correct {
                break;
            }
            continue;
        }
        let mut letters = &bytes[1..];
        while let Some((&letter, rest)) = letters.split_first() {
            letters = rest;
            options.push(OsString::from_vec(vec![b'-', letter]));
            let option = command.get_arguments().find(|option| option.get_short() == Some(char::from(letter)));
            let Some(option) = option else { return Err(bad_usage(program, "invalid option", letter)) };
            if !option.get_action().takes_values() {
                continue;
            }
            let value = if rest.is_empty() {
                let missing = || bad_usage(program, "option requires an argument", letter);
                arguments.next().ok_or_else(missing)?
            } else {
                OsStr::from_bytes(rest).to_owned()
            };
            options.push(value);
            break;
        }
    }
    options.push("--".into());
    operands.extend(arguments);
    options.append(&mut operands);
    Ok(options)
}

fn is_long(command: &Command, argument: &[u8]) -> bool {
    argument.strip_prefix(b"--").is_some_and(|name| {
        command.get_arguments().any(|option| option.get_long().is_some_and(|long| long.as_bytes() == name))
    })
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    fn normalize(arguments: &[&str], posixly_correct: bool) -> Result<String, String> {
        let command = Command::new("x")
            .arg(Arg::new("e").short('e').action(ArgAction::SetTrue))
            .arg(Arg::new("i").short('i').action(ArgAction::Append))
            .arg(Arg::new("dialects").long("dialects").action(ArgAction::SetTrue));
        let words = super::normalize(&command, b"x", arguments.iter().map(OsString::from), posixly_correct);
        let words = words.map_err(|fatal| fatal.to_string())?;
        Ok(words.join(OsStr::new(" ")).into_string().unwrap_or_default())
    }

    #[test]
    fn as_getopt_does() {
        for (arguments, expected) in [
            (&["a.o", "-e", "b.o"][..], Ok("-e -- a.o b.o")),
            (&["-ei", "x", "-ix", "-i-e"], Ok("-e -i x -i x -i -e --")),
            (&["-i", "--", "-e"], Ok("-i -- -e --")),
            (&["-e", "--", "-e"], Ok("-e -- -e")),
            (&["-", "-e"], Ok("-e -- -")),
            (&["--dialects"], Ok("--dialects --")),
            (&["--other"], Err("x: invalid option -- '-'")),
            (&["-ex"], Err("x: invalid option -- 'x'")),
            (&["-e", "-i"], Err("x: option requires an argument -- 'i'")),
        ] {
            assert_eq!(
                normalize(arguments, false),
                expected.map(str::to_owned).map_err(str::to_owned),
                "{arguments:?}"
            );
        }
        assert_eq!(normalize(&["a.o", "-e"], true), Ok("-- a.o -e".to_owned()));
    }
}

//! getopt(3) as glibc has it, in front of clap.
//!
//! clap knows the options and parses them, but it has manners of its own: it
//! refuses what getopt(3) takes, words its errors in its own way, and doesn't
//! know `POSIXLY_CORRECT`. Here a command line is brought into the one form on
//! which both agree: each option on its own, then `--`, then the operands.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::Command;

use crate::message::text;

/// What getopt(3) complains of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The command has no such option.
    Invalid(u8),
    /// The option's argument is missing.
    MissingArgument(u8),
}

impl Error {
    /// How getopt(3) puts it, for a program as it was called.
    #[must_use]
    pub fn text(self, program: &[u8]) -> Vec<u8> {
        let (what, letter) = match self {
            Self::Invalid(letter) => ("invalid option", letter),
            Self::MissingArgument(letter) => ("option requires an argument", letter),
        };
        text!("{}: {} -- '{}'\n", program, what, [letter])
    }
}

/// The arguments (without the command's name) in plain form.
///
/// The command's own long options are let through; any other word that
/// begins with `--` is, to getopt(3), the option `-`.
///
/// # Errors
/// The first that getopt(3) would find.
pub fn normalize(
    command: &Command,
    arguments: impl IntoIterator<Item = OsString>,
    posixly_correct: bool,
) -> Result<Vec<OsString>, Error> {
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
            if !takes_value(command, letter)? {
                continue;
            }
            let value = if rest.is_empty() {
                arguments.next().ok_or(Error::MissingArgument(letter))?
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

fn takes_value(command: &Command, letter: u8) -> Result<bool, Error> {
    let option = command.get_arguments().find(|option| option.get_short() == Some(char::from(letter)));
    option.map(|option| option.get_action().takes_values()).ok_or(Error::Invalid(letter))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    fn normalize(arguments: &[&str], posixly_correct: bool) -> Result<String, Error> {
        let command = Command::new("x")
            .arg(Arg::new("e").short('e').action(ArgAction::SetTrue))
            .arg(Arg::new("i").short('i').action(ArgAction::Append))
            .arg(Arg::new("dialects").long("dialects").action(ArgAction::SetTrue));
        let words = super::normalize(&command, arguments.iter().map(OsString::from), posixly_correct)?;
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
            (&["--other"], Err(Error::Invalid(b'-'))),
            (&["-ex"], Err(Error::Invalid(b'x'))),
            (&["-e", "-i"], Err(Error::MissingArgument(b'i'))),
        ] {
            assert_eq!(normalize(arguments, false).as_deref(), expected.as_ref().copied(), "{arguments:?}");
        }
        assert_eq!(normalize(&["a.o", "-e"], true).as_deref(), Ok("-- a.o -e"));
    }
}

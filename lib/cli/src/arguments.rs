//! Options that each program has, versions of kernels, examples.

use std::ffi::OsString;
use std::fmt::Write;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ColorChoice, Command};
use kernel::Version;

/// A command that help and manual show. The tests run each.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it does.
    pub what: &'static str,
    /// What to type.
    pub command: &'static str,
}

/// How wide help is.
const COLUMNS: usize = 80;

/// What the statuses other than 0 and 2 mean is each program's.
#[must_use]
fn statuses(failure: &str, other: &str) -> String {
    format!("Exit status: 0 if all went well; 1 {failure}; 2 {other}if the arguments make no sense.")
}

/// The end of a help text: examples, in the long one, and the exit statuses. `failure` says
/// when the status is 1, beginning with "if".
#[must_use]
pub fn ending(command: Command, failure: &str, examples: &[Example]) -> Command {
    ending_or(command, failure, "", examples)
}

/// The same of a program that ends with status 2 for another reason, too: `other` says
/// which, and ends in "or ".
#[must_use]
pub fn ending_or(command: Command, failure: &str, other: &str, examples: &[Example]) -> Command {
    let mut long = String::from("Examples:\n");
    for Example { what, command } in examples {
        // Nothing is written anywhere but to the text.
        let _ = writeln!(long, "  {what}:\n    {command}");
    }
    let statuses = statuses(failure, other);
    command.after_help(statuses.clone()).after_long_help(format!("{long}\n{statuses}"))
}

/// The version, with the commit that it was built from, if that is known: a build of the
/// Makefile's knows it.
#[must_use]
pub fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("KBUILD_RS_COMMIT").filter(|commit| !commit.is_empty()) {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    }
}

/// A program: its name, its version, and the options that all have, which its subcommands
/// have, too.
#[must_use]
pub fn program(name: &'static str) -> Command {
    let flag = |name: &'static str, letter, help| {
        let arg = Arg::new(name).long(name).short(letter).help(help).action(ArgAction::SetTrue);
        arg.global(true).help_heading("Output").display_order(100)
    };
    Command::new(name)
        .version(version())
        .color(color(std::env::args_os()))
        .term_width(COLUMNS)
        .arg(flag("quiet", 'q', "Print no results: the exit status tells").conflicts_with("verbose"))
        .arg(flag("verbose", 'v', "Say on standard error which kernel it is, and how that is known"))
        .arg(
            Arg::new("color")
                .long("color")
                .value_name("WHEN")
                .value_parser(PossibleValuesParser::new(["auto", "always", "never"]))
                .default_value("auto")
                .help("Colour headings and verdicts")
                .global(true)
                .help_heading("Output")
                .display_order(101),
        )
}

/// The option that names a kernel.
#[must_use]
pub fn kernel(help: &'static str) -> Arg {
    Arg::new("kernel").long("kernel").value_name("KERNEL").help(help)
}

/// The option that makes results JSON.
#[must_use]
pub fn json() -> Arg {
    Arg::new("json")
        .long("json")
        .help("Print one JSON object a line, as kbuild-rs-json(5) describes them")
        .action(ArgAction::SetTrue)
        .help_heading("Output")
        .display_order(99)
}

/// Whether help is to be coloured, by the arguments as they are: help is printed before
/// they are known.
fn color(arguments: impl IntoIterator<Item = OsString>) -> ColorChoice {
    let mut arguments = arguments.into_iter().filter_map(|argument| argument.into_string().ok());
    let mut choice = ColorChoice::Auto;
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix("--color") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        choice = match value.as_deref() {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            _ => choice,
        };
    }
    choice
}

/// A kernel that `--kernel` names: a release as in `6.12.0-5-amd64`, or a version as in
/// `6.12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelName {
    /// As it was given.
    pub text: String,
    /// Its version.
    pub version: Version,
}

impl KernelName {
    /// Whether this is what a release begins with, up to where a number ends: `6.1` is
    /// that of `6.1.0-50-amd64`, and not of `6.12.0`.
    #[must_use]
    pub fn begins(&self, release: &str) -> bool {
        let rest = release.strip_prefix(self.text.as_str());
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    }
}

/// Reads the name of a kernel of which it is known how it does things.
///
/// # Errors
/// If it isn't one, for people.
pub fn served(text: &str) -> Result<KernelName, String> {
    let name = named(text)?;
    if name.version.is_too_old() || name.version.is_newer_than_known() {
        let (Version { major, minor, .. }, newest) = (Version::OLDEST, Version::NEWEST);
        return Err(format!("the kernels that are known are {major}.{minor} to {}.{}", newest.0, newest.1));
    }
    Ok(name)
}

/// Reads the name of a kernel, which may be any.
///
/// # Errors
/// If it isn't one, for people.
pub fn named(text: &str) -> Result<KernelName, String> {
    let version = Version::parse(text.as_bytes()).ok_or("not a kernel's release or version, as in 6.1 or 6.1.176")?;
    Ok(KernelName { text: text.to_owned(), version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_color_counts() {
        let of = |words: &str| color(words.split(' ').map(OsString::from));
        assert_eq!(of("p --color always x"), ColorChoice::Always);
        assert_eq!(of("p --color=always --color=never"), ColorChoice::Never);
        assert_eq!(of("p --colors=always --color=sometimes"), ColorChoice::Auto);
    }

    #[test]
    fn versions_begin_releases() {
        let begins = |name: &str, release| named(name).is_ok_and(|name| name.begins(release));
        assert!(begins("6.1", "6.1.0-50-amd64"));
        assert!(begins("6.1", "6.1-rc2"));
        assert!(!begins("6.1", "6.12.0"));
        assert!(!begins("6.1.0", "6.1"));
    }

    #[test]
    fn kernels_that_are_not_known() {
        assert!(served("6.12.0-5-amd64").is_ok());
        for name in ["4.19", "99.1", "new", ""] {
            assert!(served(name).is_err(), "{name}");
        }
    }
}

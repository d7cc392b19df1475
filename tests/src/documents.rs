//! Manual pages and completions, made of the command lines themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command};
use clap_complete::{Generator, Shell};
use cli::COMPLETE;
use kernel::Version;
use modpost::dialect::Dialect;

use crate::manual;

#[path = "../../bin/file2alias/src/command.rs"]
mod file2alias;
#[path = "../../bin/kbuild-rs-swap/src/command.rs"]
mod kbuild_rs_swap;
#[path = "../../bin/modcheck/src/command.rs"]
mod modcheck;
#[path = "../../bin/sumversion/src/command.rs"]
mod sumversion;

/// Programs of our own: their command lines.
type Own = (fn() -> Command, &'static [&'static str]);

/// Each, with its pages and those of its subcommands.
const OWN: [Own; 4] = [
    (file2alias::command, &["file2alias.1", "file2alias-match.1", "file2alias-vfio.1"]),
    (kbuild_rs_swap::command, &["kbuild-rs-swap.8"]),
    (modcheck::command, &["modcheck.1"]),
    (sumversion::command, &["sumversion.1"]),
];

/// Pages of which no part is made from a command line.
const OTHER_PAGES: [&str; 6] =
    ["modpost.1", "mk_elfconfig.1", "fixdep.1", "genksyms.1", "kbuild-rs-json.5", "kbuild-rs.7"];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The command that a page is of.
fn command_of(mut command: Command, page: &str) -> Command {
    let name = page.rsplit_once('.').map_or(page, |(name, _)| name);
    command.build();
    let of_subcommand =
        command.get_subcommands().find(|sub| format!("{}-{}", command.get_name(), sub.get_name()) == name);
    of_subcommand.cloned().unwrap_or(command)
}

/// The command lines of what kbuild calls, as far as completions go.
fn commands_of_kbuild() -> [Command; 3] {
    let newest = Version::new(Version::NEWEST.0, Version::NEWEST.1, 0);
    let is_file = |arg: Arg| match arg.get_value_names() {
        Some([name]) if name == "FILE" || name == "OBJECT" => arg.value_hint(ValueHint::FilePath),
        _ => arg,
    };
    let modpost = modpost::cli::command(&Dialect::new(newest)).mut_args(is_file);
    let genksyms = symversions::options::described().fold(Command::new("genksyms"), |command, option| {
        let arg = Arg::new(option.name).long(option.name).short(option.letter).help(option.help);
        command.arg(if option.takes_file {
            arg.value_hint(ValueHint::FilePath)
        } else {
            arg.action(ArgAction::SetTrue)
        })
    });
    let genksyms = genksyms.disable_help_flag(true).disable_version_flag(true);
    [modpost, genksyms, Command::new("mk_elfconfig").version(env!("CARGO_PKG_VERSION"))]
}

/// The completions of a program that knows them itself, which the shell reads when they
/// are wanted first.
fn dynamic(shell: Shell, name: &str) -> Option<String> {
    let function = format!("_clap_dynamic_completer_{}", name.replace('-', "_"));
    match shell {
        Shell::Bash => Some(format!("source <({COMPLETE}=bash {name})\n")),
        Shell::Zsh => Some(format!("#compdef {name}\nsource <({COMPLETE}=zsh {name})\n{function} \"$@\"\n")),
        Shell::Fish => Some(format!("{COMPLETE}=fish {name} | source\n")),
        _ => None,
    }
}

/// Writes them into a directory's `man` and `completions`.
///
/// # Errors
/// Those of the file system.
pub fn write(into: &Path) -> io::Result<()> {
    let (man, completions) = (into.join("man"), into.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    for page in OTHER_PAGES {
        let template = fs::read_to_string(docs().join("man/templates").join(page))?;
        fs::write(man.join(page), manual::page(&template, &Command::new("kbuild-rs")))?;
    }
    let shells = [Shell::Bash, Shell::Zsh, Shell::Fish];
    for (command, pages) in OWN {
        for page in pages {
            let template = fs::read_to_string(docs().join("man/templates").join(page))?;
            fs::write(man.join(page), manual::page(&template, &command_of(command(), page)))?;
        }
        let name = command().get_name().to_owned();
        for shell in shells {
            let path = completions.join(shell.file_name(&name));
            fs::write(path, dynamic(shell, &name).unwrap_or_default())?;
        }
    }
    for mut command in commands_of_kbuild() {
        let name = command.get_name().to_owned();
        for shell in shells {
            clap_complete::generate_to(shell, &mut command, &name, &completions)?;
        }
    }
    Ok(())
}

/// The examples in the help of all programs and their subcommands.
#[must_use]
pub fn examples() -> Vec<String> {
    let mut examples = Vec::new();
    for (command, _) in OWN {
        let command = command();
        let all = std::iter::once(&command).chain(command.get_subcommands());
        examples.extend(all.flat_map(manual::examples_of).map(|(_, typed)| typed));
    }
    examples
}

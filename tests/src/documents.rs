//! Manual pages and completions, made of the command lines themselves.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;

#[path = "../../bin/file2alias/src/command.rs"]
mod file2alias;
#[path = "../../bin/kbuild-rs-swap/src/command.rs"]
mod kbuild_rs_swap;
#[path = "../../bin/sumversion/src/command.rs"]
mod sumversion;

/// Writes them into a directory's `man` and `completions`.
///
/// # Errors
/// Those of the file system.
pub fn write(docs: &Path) -> io::Result<()> {
    let (man, completions) = (docs.join("man"), docs.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    // The manual of kbuild-rs-swap says more than its command line does.
    let commands: [(fn() -> Command, bool); 3] =
        [(file2alias::command, true), (kbuild_rs_swap::command, false), (sumversion::command, true)];
    for (command, is_manual) in commands {
        if is_manual {
            clap_mangen::generate_to(command().disable_help_subcommand(true), &man)?;
        }
        let name = command().get_name().to_owned();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            clap_complete::generate_to(shell, &mut command(), &name, &completions)?;
        }
    }
    Ok(())
}

/// The options of kbuild-rs-swap.
#[must_use]
pub fn options_of_swap() -> Vec<String> {
    kbuild_rs_swap::command().get_opts().filter_map(|option| option.get_long().map(str::to_owned)).collect()
}

/// Whether docs/examples.md shows this command with this output.
///
/// # Errors
/// If it can't be read.
pub fn examples_show(command: &str, output: &str) -> io::Result<bool> {
    let examples = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples.md"))?;
    let lines: String = output.lines().map(|line| format!("    {line}\n")).collect();
    Ok(examples.contains(&format!("    $ {command}\n{lines}\n")))
}

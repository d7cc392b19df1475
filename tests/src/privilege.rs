//! What root may do and others mayn't.

use std::process::Command;

/// The same command without root's right to pass over permissions.
#[must_use]
pub fn without_privilege(command: Command) -> Command {
    if !nix::unistd::geteuid().is_root() {
        return command;
    }
    let mut other = Command::new("setpriv");
    other.args(["--bounding-set", "-dac_override,-dac_read_search"]).arg(command.get_program());
    other.args(command.get_args()).envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(dir) = command.get_current_dir() {
        other.current_dir(dir);
    }
    other
}

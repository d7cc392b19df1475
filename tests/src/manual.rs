//! Manual pages: templates, in which lines between `@` are filled from the command line.

use clap::{Arg, ArgAction, Command};

/// A part of a page, of a command line.
type Piece = fn(&Command) -> String;

/// What fills the lines of a template.
const PIECES: &[(&str, Piece)] = &[
    ("@name@", name),
    ("@synopsis@", synopsis),
    ("@description@", description),
    ("@options@", options),
    ("@examples@", examples),
    ("@status@", status),
];

/// How long a line of a page is at most.
const COLUMNS: usize = 76;

/// Text as roff has it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

/// Lines of text, none of which roff takes for a request.
fn filled(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace().map(escaped) {
        let line = lines.last_mut().expect("there is a line");
        if line.is_empty() {
            *line = word;
        } else if line.len() + 1 + word.len() > COLUMNS {
            lines.push(word);
        } else {
            *line += " ";
            *line += &word;
        }
    }
    let guarded = |line: String| if line.starts_with(['.', '\'']) { format!("\\&{line}\n") } else { line + "\n" };
    lines.into_iter().map(guarded).collect()
}

fn name(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut about = about.chars();
    let first = about.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    let called = called(command).replace(' ', "-");
    filled(&format!("{called} - {first}{}", about.as_str()))
}

/// What is typed to call it.
fn called(command: &Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn values(arg: &Arg) -> String {
    let names: Vec<_> = arg.get_value_names().unwrap_or_default().iter().map(|name| escaped(name)).collect();
    names.join(" ")
}

/// All but those for help: a program's own, then what all have.
fn arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_shown = |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    let (own, common): (Vec<_>, Vec<_>) =
        command.get_arguments().filter(is_shown).partition(|arg| arg.get_help_heading().is_none());
    own.into_iter().chain(common)
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// What an option is called, the short name first.
fn names(arg: &Arg) -> Vec<String> {
    let short = arg.get_short().map(|letter| format!("\\-{letter}"));
    let long = arg.get_long().map(|word| escaped(&format!("--{word}")));
    short.into_iter().chain(long).collect()
}

/// All that can be given, each once.
fn synopsis(command: &Command) -> String {
    let mut text = format!(".SY \"{}\"\n", escaped(&called(command)));
    for arg in arguments(command).filter(|arg| !arg.is_positional()) {
        let name = names(arg).swap_remove(0);
        text += &if takes_value(arg) { format!(".OP {name} \"{}\"\n", values(arg)) } else { format!(".OP {name}\n") };
    }
    for arg in arguments(command).filter(|arg| arg.is_positional()) {
        let many = arg.get_num_args().is_some_and(|count| count.max_values() > 1);
        let dots = if many { " ..." } else { "" };
        let value = values(arg);
        text += &if arg.is_required_set() { format!(".I {value}{dots}\n") } else { format!(".RI [ {value}{dots} ]\n") };
    }
    text + ".YS\n"
}

fn description(command: &Command) -> String {
    let text = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    text.split("\n\n").map(filled).collect::<Vec<_>>().join(".PP\n")
}

fn heading(arg: &Arg) -> String {
    if arg.is_positional() {
        return format!(".I {}\n", values(arg));
    }
    let names = names(arg);
    match (&names[..], takes_value(arg)) {
        ([one], true) => format!(".BI {one} \" {}\"\n", values(arg)),
        ([short, long], true) => format!(".BR {short} \", \" {long} \" \\fI{}\"\n", values(arg)),
        ([short, long], false) => format!(".BR {short} \", \" {long}\n"),
        _ => format!(".B {}\n", names.join(" ")),
    }
}

fn options(command: &Command) -> String {
    let one = |arg: &Arg| {
        let mut help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let possible: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        if takes_value(arg) && !possible.is_empty() {
            help += &format!(": {}", possible.join(", "));
        }
        if let ([default], true) = (arg.get_default_values(), takes_value(arg)) {
            help += &format!(" (by default {})", default.to_string_lossy());
        }
        format!(".TP\n{}{}", heading(arg), filled(&format!("{help}.")))
    };
    arguments(command).map(one).collect()
}

/// The examples in the long help: what each does, and the command.
#[must_use]
pub fn examples_of(command: &Command) -> Vec<(String, String)> {
    let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let lines: Vec<_> = text.lines().skip_while(|line| *line != "Examples:").skip(1).collect();
    let pairs = lines.chunks(2).take_while(|pair| pair[0].starts_with("  ") && pair.len() == 2);
    pairs.map(|pair| (pair[0].trim().trim_end_matches(':').to_owned(), pair[1].trim().to_owned())).collect()
}

fn examples(command: &Command) -> String {
    let one = |(what, typed): (String, String)| {
        format!("{}.PP\n.in +4n\n.EX\n{}\n.EE\n.in\n", filled(&format!("{what}:")), escaped(&typed))
    };
    examples_of(command).into_iter().map(one).collect::<Vec<_>>().join(".PP\n")
}

fn status(command: &Command) -> String {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let statuses = text.trim_start_matches("Exit status: ").trim_end_matches('.').split("; ");
    let one = |status: &str| {
        let (number, when) = status.split_once(' ').unwrap_or((status, ""));
        format!(".TP\n.B {number}\n{}", filled(&format!("{when}.")))
    };
    statuses.map(one).collect()
}

/// A page of a template.
#[must_use]
pub fn page(template: &str, command: &Command) -> String {
    let piece = |line: &str| PIECES.iter().find(|(name, _)| *name == line).map(|(_, piece)| piece(command));
    let version = env!("CARGO_PKG_VERSION");
    let lines = template.lines().map(|line| piece(line).unwrap_or_else(|| line.replace("@version@", version) + "\n"));
    lines.collect()
}

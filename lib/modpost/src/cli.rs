//! modpost's command line.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use base::getopt;
use base::message::{Fatal, Kind, Message, Severity};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use kernel::Invocation;

use crate::dialect::Dialect;

/// What modpost was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-e`: the modules are not of the kernel's tree.
    pub external: bool,
    /// `-m`: CRCs are wanted.
    pub modversions: bool,
    /// `-n`: a missing object is not an error.
    pub ignore_missing: bool,
    /// `-a`: a srcversion for all modules.
    pub all_versions: bool,
    /// `-M`: the kernel has modules.
    pub module_enabled: bool,
    /// `-t`: exports that nobody uses are left out.
    pub trim_unused: bool,
    /// `-u`: a file of exports that are kept.
    pub keep: Option<Vec<u8>>,
    /// `-b`: `____versions` are wanted.
    pub basic_versions: bool,
    /// `-x`: versions of names of any length are wanted.
    pub extended_versions: bool,
    /// `-S`: SUSE's list of supported modules.
    pub supported: Option<Vec<u8>>,
    /// `-l`: the file of livepatch modules to write.
    pub livepatches: Option<Vec<u8>>,
    /// `-f`: references from writable data to code are reported.
    pub writable_pointers: bool,
    /// `-v`: what Android calls the state of the source.
    pub scmversion: Option<Vec<u8>>,
    /// `-c`: Amazon's FIPS 140 module is made.
    pub fips140: bool,
    /// `-W`: more warnings.
    pub extra_warn: bool,
    /// `-w`: undefined symbols are not errors.
    pub warn_unresolved: bool,
    /// `-E`: section mismatches are errors.
    pub mismatch_is_error: bool,
    /// `-N`: missing imports of namespaces are not errors.
    pub allow_missing_imports: bool,
    /// `-i`: files of exports to read.
    pub dumps: Vec<Vec<u8>>,
    /// `-o`: the file of exports to write.
    pub dump: Option<Vec<u8>>,
    /// `-T`: a file that lists objects.
    pub list: Option<Vec<u8>>,
    /// `-d`: the file of missing imports to write.
    pub nsdeps: Option<Vec<u8>>,
    /// Objects.
    pub objects: Vec<Vec<u8>>,
}

impl Options {
    /// Whether `____versions` are made: since 6.14 if `-b` asks for them, before
    /// with all CRCs.
    #[must_use]
    pub(crate) const fn wants_basic_versions(&self, dialect: &Dialect) -> bool {
        if dialect.extended_versions { self.basic_versions } else { self.modversions }
    }
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A run.
    Run(Box<Options>),
    /// Text for standard output.
    Print(String),
}

/// modpost's options in a dialect.
#[must_use]
pub fn command(dialect: &Dialect) -> Command {
    let flag = |letter: char, help: &'static str| {
        Arg::new(letter.to_string()).short(letter).action(ArgAction::Count).help(help)
    };
    let file = |letter: char, help: &'static str| {
        Arg::new(letter.to_string())
            .short(letter)
            .value_name("FILE")
            .action(ArgAction::Append)
            .allow_hyphen_values(true)
            .value_parser(value_parser!(OsString))
            .help(help)
    };
    let word = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).overrides_with(name).help(help)
    };
    Command::new("modpost")
        .term_width(80)
        .about("Match modules' symbols with exports and write their .mod.c files")
        .after_help("Exit status: 0 if all went well, 1 after an error.")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args([
            flag('e', "The modules are not of the kernel's tree"),
            file('i', "Read exports from FILE, a Module.symvers"),
            flag('m', "Record symbol versions"),
            flag('n', "Pass over objects that are missing"),
            file('T', "Read the names of objects from FILE, or from standard input for -"),
            file('o', "Write exports to FILE"),
            flag('a', "Record the sum of their sources for all modules"),
        ])
        .args(dialect.module_option.then(|| flag('M', "The kernel has modules")))
        .args(dialect.trim_option.then(|| flag('t', "Leave out exports that no module uses")))
        .args(dialect.trim_option.then(|| file('u', "Keep the exports that FILE lists")))
        .args(dialect.extra_warn.then(|| flag('W', "Warn about more references between sections")))
        .args([
            flag('w', "Warn about undefined symbols instead of failing"),
            flag('E', "Fail for references between sections instead of warning"),
            flag('N', "Warn about namespaces that are not imported instead of failing"),
            file('d', "Write the namespaces that modules should import to FILE"),
        ])
        .args(dialect.extended_versions.then(|| flag('x', "Record symbol versions for names of any length")))
        .args(dialect.extended_versions.then(|| flag('b', "Record symbol versions for short names")))
        .args(dialect.supported_option.then(|| file('S', "Mark the modules that FILE lists as supported")))
        .args(dialect.livepatch_option.then(|| file('l', "Write the names of livepatch modules to FILE")))
        .args(dialect.writable_pointers_option.then(|| flag('f', "Report each reference from writable data to code")))
        .args(
            dialect.scmversion_option.then(|| {
                file('v', "Record SCMVERSION, the state of the source, in all modules").value_name("SCMVERSION")
            }),
        )
        .args(dialect.fips140_option.then(|| flag('c', "Write the exports of the FIPS 140 module")))
        .args([
            word("help", "Print this help"),
            word("version", "Print the version"),
            word("dialects", "Print what differs between the kernels served"),
            Arg::new("objects")
                .value_name("OBJECT")
                .num_args(0..)
                .value_parser(value_parser!(OsString))
                .help("A module's object, or vmlinux.o"),
        ])
}

/// Parses the command line.
///
/// # Errors
/// What getopt(3) reports, or else what clap does, in its own words.
pub fn parse(invocation: &Invocation, posixly_correct: bool, dialect: &Dialect) -> Result<Request, Fatal> {
    let mut command = command(dialect);
    let arguments = invocation.arguments.iter().cloned();
    let words = getopt::normalize(&command, invocation.name.as_bytes(), arguments, posixly_correct)?;
    let name = OsString::from("modpost");
    Ok(match command.try_get_matches_from_mut([name].into_iter().chain(words)) {
        Ok(matches) if matches.get_flag("help") => Request::Print(command.render_help().to_string()),
        Ok(matches) if matches.get_flag("version") => {
            Request::Print(format!("modpost (kbuild-rs) {}\n", ::cli::version()))
        }
        Ok(matches) if matches.get_flag("dialects") => Request::Print(crate::dialect::table()),
        Ok(matches) => Request::Run(Box::new(options(&matches))),
        Err(error) => {
            return Err(Message::new(Severity::Plain, Kind::USAGE, error.to_string().into_bytes()).into());
        }
    })
}

fn options(matches: &ArgMatches) -> Options {
    // An option that a dialect doesn't have is not given.
    let flag = |name: &str| matches.try_get_one::<u8>(name).ok().flatten().is_some_and(|&count| count > 0);
    let values = |name: &str| -> Vec<Vec<u8>> {
        let values = matches.try_get_many::<OsString>(name).ok().flatten().into_iter().flatten();
        values.map(|value| value.clone().into_vec()).collect()
    };
    Options {
        external: flag("e"),
        modversions: flag("m"),
        ignore_missing: flag("n"),
        all_versions: flag("a"),
        module_enabled: flag("M"),
        trim_unused: flag("t"),
        keep: values("u").pop(),
        basic_versions: flag("b"),
        extended_versions: flag("x"),
        supported: values("S").pop(),
        livepatches: values("l").pop(),
        writable_pointers: flag("f"),
        scmversion: values("v").pop(),
        fips140: flag("c"),
        extra_warn: flag("W"),
        warn_unresolved: flag("w"),
        mismatch_is_error: flag("E"),
        allow_missing_imports: flag("N"),
        dumps: values("i"),
        dump: values("o").pop(),
        list: values("T").pop(),
        nsdeps: values("d").pop(),
        objects: values("objects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

    fn parse_in(version: Version, arguments: &[&str]) -> Result<Request, String> {
        let invocation =
            Invocation { name: "modpost".into(), arguments: arguments.iter().map(OsString::from).collect() };
        parse(&invocation, false, &Dialect::new(version)).map_err(|fatal| fatal.to_string())
    }

    #[test]
    fn a_kernels_call() {
        let arguments = ["-m", "-a", "-o", "Module.symvers", "-e", "-i", "-x", "-i", "b", "-T", "-", "vmlinux.o"];
        let Ok(Request::Run(options)) = parse_in(Version::new(6, 1, 176), &arguments) else {
            unreachable!("a plain command line")
        };
        let expected = Options {
            modversions: true,
            all_versions: true,
            external: true,
            dump: Some(b"Module.symvers".to_vec()),
            dumps: vec![b"-x".to_vec(), b"b".to_vec()],
            list: Some(b"-".to_vec()),
            objects: vec![b"vmlinux.o".to_vec()],
            ..Options::default()
        };
        assert_eq!(*options, expected);
    }

    #[test]
    fn oddities_that_getopt_takes() {
        let arguments = ["-eee", "-o", "", "-o=x", "-T", "--", "-dx", "--", "-e", "--help"];
        let Ok(Request::Run(options)) = parse_in(Version::new(6, 1, 176), &arguments) else {
            unreachable!("a plain command line")
        };
        let expected = Options {
            external: true,
            dump: Some(b"=x".to_vec()),
            list: Some(b"--".to_vec()),
            nsdeps: Some(b"x".to_vec()),
            objects: vec![b"-e".to_vec(), b"--help".to_vec()],
            ..Options::default()
        };
        assert_eq!(*options, expected);
    }

    #[test]
    fn options_differ_by_dialect() {
        let invalid = "modpost: invalid option -- 'W'".to_owned();
        assert_eq!(parse_in(Version::new(5, 15, 100), &["-W"]), Err(invalid));
        assert!(parse_in(Version::new(6, 1, 176), &["-W"]).is_ok());
    }

    #[test]
    fn words_may_be_repeated() {
        for word in ["--help", "--version", "--dialects"] {
            let [once, twice] = [&[word][..], &[word, word]].map(|words| parse_in(Version::new(6, 1, 176), words));
            assert!(matches!(once, Ok(Request::Print(_))));
            assert_eq!(once, twice);
        }
    }
}

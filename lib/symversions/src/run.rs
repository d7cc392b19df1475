//! A run of genksyms, from its arguments to its exit status.

use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;

use base::message::{Fatal, text};
use kernel::{Invocation, is_on};

use crate::dialect::Dialect;
use crate::explain::Explanation;
use crate::input::Input;
use crate::lex::Lexer;
use crate::names::Names;
use crate::options::{self, Dump, Ended, Options, Reference};
use crate::parse::Parser;
use crate::reference::{self, Refused};
use crate::say::Say;
use crate::symbols::Symbols;
use crate::undefined::{Stopped, Undefined};

/// The exit status of a failure.
const FAILED: u8 = 1;
/// The exit status if the source can't be read.
const UNREADABLE: u8 = 2;

/// Does what the command line asks for.
fn run(options: Options, dialect: &Dialect, explains: bool, source: Option<&mut dyn Read>, say: &mut Say<'_>) -> u8 {
    say.wanted = options.wanted;
    let Options { reference, dumps, .. } = options;
    let mut symbols = Symbols::new(dialect);
    let (mut input, mut names) = (Input::new(source), Names::new());
    // The first names are keywords.
    let lexer = Lexer::new(&mut names, dialect);
    if let Some(Reference { path, file: Some(mut file) }) = reference {
        match reference::read(path.as_bytes(), &mut file, &mut names, &mut symbols, say) {
            Ok(()) => {}
            Err(Refused::Malformed(what)) => {
                say.err(&what);
                options::empty(dumps);
                return FAILED;
            }
            Err(Refused::Undefined(what)) => {
                say.err(&what);
                return FAILED;
            }
        }
    }
    let mut parser = Parser::new(dialect, &mut input, lexer, &mut names, symbols, say);
    parser.explanation = explains.then(Explanation::default);
    if let Err(stopped) = parser.parse() {
        let what = match stopped {
            Stopped::Unreadable => {
                parser.say.err(b"input in flex scanner failed\n");
                options::empty(dumps);
                return UNREADABLE;
            }
            Stopped::TooLarge => "the source is too large",
            Stopped::Undefined(Undefined(what)) => what,
        };
        parser.say.err(b"FATAL: genksyms: ");
        parser.say.location();
        parser.say.err(&text!("{}\n", what));
        return FAILED;
    }
    let Parser { symbols, expander, explanation, .. } = parser;
    let last = dumps.len().saturating_sub(1);
    for (number, Dump { path, file }) in dumps.into_iter().enumerate() {
        let types = if number == last { reference::dump(&names, &symbols, &expander.visited) } else { Vec::new() };
        if let Err(error) = file.write(&types) {
            // The original says nothing.
            say.err(&Fatal::perror(path.as_bytes(), error).message.text);
            say.failed = true;
        }
    }
    if say.wanted.debug > 0 {
        let count = symbols.count();
        let text = text!("Hash table occupancy {}/{} = {}\n", count.to_string(), BUCKETS.to_string(), share(count));
        say.err(&text);
    }
    if let Some(explanation) = explanation {
        say.err(explanation.text());
    }
    if say.failed { FAILED } else { 0 }
}

/// How many buckets the original's table of symbols has.
const BUCKETS: usize = 4096;

/// How full the original's table of symbols would be, with six significant digits as
/// printf(3) has it for `%g`.
fn share(count: usize) -> String {
    let share = count as f64 / BUCKETS as f64;
    let before = share.log10().floor().max(-5.0) as i32 + 1;
    let text = format!("{share:.*}", usize::try_from(6 - before).unwrap_or(0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Runs genksyms and returns its exit status. `source` is missing if standard input is
/// closed.
pub fn genksyms(
    invocation: &Invocation,
    source: Option<&mut dyn Read>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let dialect: Dialect = match invocation.dialect(err) {
        Ok(dialect) => dialect,
        Err(fatal) => {
            let _ = err.write_all(&fatal.message.line("genksyms", b""));
            return FAILED;
        }
    };
    genksyms_of(&dialect, is_on("KBUILD_RS_EXPLAIN"), invocation, source, (out, err))
}

/// Runs one kernel's genksyms, with an explanation if one is wanted; returns its exit
/// status.
pub fn genksyms_of(
    dialect: &Dialect,
    explains: bool,
    invocation: &Invocation,
    source: Option<&mut dyn Read>,
    (out, err): (&mut dyn Write, &mut dyn Write),
) -> u8 {
    let mut says = Vec::new();
    let options = options::parse(&invocation.name, &invocation.arguments, dialect, &mut says);
    let mut say = Say::new(out, err);
    say.err(&says);
    let status = match options {
        Ok(options) => run(options, dialect, explains, source, &mut say),
        Err(Ended { says, failed }) => {
            say.err(&says);
            u8::from(failed) * FAILED
        }
    };
    if let Err(error) = say.finish() {
        let why = Fatal::perror(b"genksyms: standard output", error).message.text;
        say.err(&why);
        let _ = say.finish();
        return FAILED;
    }
    status
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use kernel::{Flags, Invocation, Version};

    use super::{genksyms_of, share};
    use crate::dialect::Dialect;

    #[test]
    fn shares_as_printf_has_them() {
        let shares = [0, 1, 7, 4096, 5000, 123_456, 40_960_000].map(share);
        assert_eq!(shares, ["0", "0.000244141", "0.00170898", "1", "1.2207", "30.1406", "10000"]);
    }

    /// Gives a few bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(self.1).min(buffer.len());
            let (piece, rest) = self.0.split_at(length);
            buffer[..length].copy_from_slice(piece);
            self.0 = rest;
            Ok(length)
        }
    }

    /// What goes on over lines, and what is looked at twice.
    const SOURCE: &str = "# 1 \"a.c\"
# 1 \"include/a.h\" 1
struct one { int a; /
# 7 \"include/a.h\"
  char *b; };
static inline const char *text(void) { return \"}
# 9 { \" L\"\\\"}\"
# 20 \"include/a.h\" 3 4
\n; '{' }
typedef struct { int a; } two;
two three(struct one *) __attribute__((alias(\"a
b\"))), four;
int five six { two seven;
# 12 \"include/a.h\"
 { struct one; } }
 eight;
typeof(two) nine(int (*)(typeof(struct one)));
enum { TEN = 'a' + sizeof(\"\\\"\"), ELEVEN };
# 2 \"a.c\" 2
struct twelve { struct one one; two three; };
int thirteen(struct twelve, int [ELEVEN]) { '
}
__GENKSYMS_EXPORT_SYMBOL(three); __GENKSYMS_EXPORT_SYMBOL(four);
__GENKSYMS_EXPORT_SYMBOL(five); __GENKSYMS_EXPORT_SYMBOL(eight);
__GENKSYMS_EXPORT_SYMBOL(nine);
__GENKSYMS_EXPORT_SYMBOL(thirteen);
int fourteen; \"unclosed
__GENKSYMS_EXPORT_SYMBOL(fourteen); {";

    fn said(kernel: Version, source: &[u8], size: usize) -> (u8, String, String) {
        let arguments = ["-w", "-d", "-D"].map(Into::into).to_vec();
        let invocation = Invocation { name: "genksyms".into(), arguments };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut source = Pieces(source, size);
        let dialect = Dialect::of_version(kernel);
        let status = genksyms_of(&dialect, true, &invocation, Some(&mut source), (&mut out, &mut err));
        (status, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
    }

    #[test]
    fn it_does_not_matter_how_much_is_read_at_once() {
        for kernel in [Version::new(5, 10, 0), Version::new(6, 13, 0), Version::new(6, 14, 0), Version::new(7, 0, 0)] {
            for end in 0..=SOURCE.len() {
                let source = &SOURCE.as_bytes()[..end];
                let at_once = said(kernel, source, usize::MAX);
                for size in [1, 2, 3, 7, 50] {
                    assert_eq!(said(kernel, source, size), at_once, "{kernel:?}, {end} bytes, {size} at once");
                }
            }
        }
    }
}

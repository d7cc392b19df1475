//! `Module.symvers`: lines of CRC, symbol, module, kind of export and
//! namespace, with tabs between them.

use base::bytes::strtoul;
use base::message::{Fatal, Message, Severity, text};
use base::read_buffer::no_memory;
use base::textfile;
use memchr::{memchr, memchr_iter};

use crate::buffer::Buffer;
use crate::dialect::Dialect;
use crate::export::{Export, License};
use crate::kind;
use crate::link::{Link, Log, Module, Symbol};

/// Reads the text of a file into the table of exports, which borrows from it.
///
/// # Errors
/// The end of the run, if a line is malformed or there is no memory.
pub fn read<'a>(text: &'a [u8], name: &[u8], link: &mut Link<'a>, log: &mut Log) -> Result<(), Fatal> {
    let dialect = link.dialect;
    if !link.begin_import(memchr_iter(b'\n', text).count()) {
        return Err(Fatal::perror(name, no_memory()));
    }
    for line in textfile::lines(text) {
        let Some(Line { module, export, word }) = parse(line, dialect) else {
            let text = text!("parse error in symbol dump file\n");
            return Err(Fatal::new(kind::MALFORMED_SYMVERS, text));
        };
        if export.license == License::Unknown && dialect.unknown_license_is_error {
            // No newline: the next message follows on the same line.
            let text = text!("{}: unknown license {}. skip", export.name, word);
            let message = Message::new(Severity::Error, kind::UNKNOWN_LICENSE, text);
            log.say(message.module(module).symbol(&export.name));
        } else {
            link.import(module, export, name, log)?;
        }
    }
    Ok(())
}

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    /// The module that exports the symbol.
    module: &'a [u8],
    export: Export<'a>,
    /// The word for the kind of export, which may be unknown.
    word: &'a [u8],
}

/// A line, if it is well-formed.
fn parse<'a>(line: &'a [u8], dialect: &Dialect) -> Option<Line<'a>> {
    let mut rest = line;
    let mut field = || {
        let tab = memchr(b'\t', rest)?;
        let field = &rest[..tab];
        rest = &rest[tab + 1..];
        Some(field)
    };
    let (crc, symbol, module, word) = (field()?, field()?, field()?, field()?);
    let namespace = rest;
    let (crc, after) = strtoul(crc, 16);
    if symbol.is_empty() || module.is_empty() || !after.is_empty() {
        return None;
    }
    let license = License::from_export_word(word, dialect);
    let export = Export { namespace: namespace.into(), crc: Some(crc as u32), ..Export::new(symbol, license) };
    Some(Line { module, export, word })
}

/// The file for what the objects of this run export, or only the modules
/// among them.
#[must_use]
pub fn render(link: &Link, vmlinux: bool) -> Buffer {
    let dialect = link.dialect;
    let mut buffer = Buffer::default();
    let mut line = |module: &Module, export: &Export| {
        buffer.format(&[
            format!("0x{:08x}\t", export.crc.unwrap_or(0)).as_bytes(),
            &export.name,
            b"\t",
            &module.facts.name,
            b"\t",
            export.license.export_word().as_bytes(),
            b"\t",
            &export.namespace,
            b"\n",
        ]);
    };
    if dialect.lists_in_order {
        let modules = link.written().into_iter().map(|id| link.module(id));
        for module in modules.filter(|module| vmlinux || !module.facts.is_vmlinux) {
            link.kept_exports(module).for_each(|export| line(module, export));
        }
    } else {
        let all = !dialect.own_exports_dumped && !link.options.external;
        let dumped = |symbol: &Symbol| all || !link.module(symbol.module).from_dump;
        for symbol in link.symbols.in_hash_order(dumped) {
            line(link.module(symbol.module), &symbol.export);
        }
    }
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

    #[test]
    fn lines_of_symvers() {
        let dialect = Dialect::new(Version::new(6, 1, 176));
        let parse = |line: &'static str| parse(line.as_bytes(), &dialect);
        let exported = |crc| {
            let export = Export { crc: Some(crc), ..Export::new(&b"f"[..], License::Any) };
            Some(Line { module: b"m", export, word: b"EXPORT_SYMBOL" })
        };
        assert_eq!(parse("0x12345678\tf\tm\tEXPORT_SYMBOL\t"), exported(0x1234_5678));
        assert_eq!(parse("\tf\tm\tEXPORT_SYMBOL\t"), exported(0));
        for bad in ["", "0x1\tf\tm\tEXPORT_SYMBOL", "0x1\t\tm\tEXPORT_SYMBOL\t", "0x1z\tf\tm\tEXPORT_SYMBOL\t"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let line = parse("0x1\tf\tm\tEXPORT_UNUSED\tNS").map(|line| line.export);
        assert!(line.is_some_and(|export| export.license == License::Unknown && *export.namespace == *b"NS"));
    }
}

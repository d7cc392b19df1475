//! `Module.symvers`: lines of CRC, symbol, module, kind of export and
//! namespace, with tabs between them.

use base::bytes::strtoul;
use base::message::{Fatal, Message, Severity, text};
use base::textfile;
use memchr::{memchr, memchr_iter};

use crate::buffer::Buffer;
use crate::dialect::Dialect;
use crate::kind;
use crate::link::{Exported, Link, Log, Symbol};
use crate::object::License;

/// Reads the text of a file into the table of exports, which borrows from it.
///
/// # Errors
/// The end of the run, if a line is malformed or there is no memory.
pub fn read<'a>(
    text: &'a [u8],
    name: &[u8],
    dialect: &Dialect,
    link: &mut Link<'a>,
    log: &mut Log,
) -> Result<(), Fatal> {
    if !link.begin_import(memchr_iter(b'\n', text).count()) {
        return Err(Fatal::perror(name, &textfile::no_memory()));
    }
    for line in textfile::lines(text) {
        match parse(line, dialect) {
            Ok(exported) => link.import(exported, name, log),
            Err(Bad::License(message)) => log.say(message),
            Err(Bad::Line) => {
                let text = text!("parse error in symbol dump file\n");
                return Err(Fatal::new(kind::MALFORMED_SYMVERS, text));
            }
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Bad {
    Line,
    /// The line is passed over.
    License(Message),
}

fn parse<'a>(line: &'a [u8], dialect: &Dialect) -> Result<Exported<'a>, Bad> {
    let mut rest = line;
    let mut field = || {
        let tab = memchr(b'\t', rest).ok_or(Bad::Line)?;
        let field = &rest[..tab];
        rest = &rest[tab + 1..];
        Ok(field)
    };
    let (crc, symbol, module, kind) = (field()?, field()?, field()?, field()?);
    let namespace = rest;
    let (crc, after) = strtoul(crc, 16);
    if symbol.is_empty() || module.is_empty() || !after.is_empty() {
        return Err(Bad::Line);
    }
    let license = License::from_export_word(kind, dialect);
    if license == License::Unknown && dialect.unknown_license_is_error {
        // No newline: the next message follows on the same line.
        let text = text!("{}: unknown license {}. skip", symbol, kind);
        let message = Message::new(Severity::Error, kind::UNKNOWN_LICENSE, text);
        return Err(Bad::License(message.module(module).symbol(symbol)));
    }
    Ok(Exported { symbol, module, license, namespace, crc: crc as u32 })
}

/// The file for what the objects of this run export, or only the modules
/// among them.
#[must_use]
pub fn render(link: &Link, dialect: &Dialect, vmlinux: bool) -> Buffer {
    let mut buffer = Buffer::default();
    let mut line = |symbol: &Symbol| {
        buffer.format(&[
            format!("0x{:08x}\t", symbol.crc.unwrap_or(0)).as_bytes(),
            &symbol.name,
            b"\t",
            &link.module(symbol.module).facts.name,
            b"\t",
            symbol.license.export_word().as_bytes(),
            b"\t",
            symbol.namespace.as_deref().unwrap_or_default(),
            b"\n",
        ]);
    };
    if dialect.lists_in_order {
        let modules = link.written().into_iter().map(|id| link.module(id));
        for module in modules.filter(|module| vmlinux || !module.facts.is_vmlinux) {
            link.kept_exports(module).for_each(&mut line);
        }
    } else {
        let all = !dialect.own_exports_dumped && !link.external;
        let dumped = |symbol: &Symbol| all || !link.module(symbol.module).from_dump;
        link.symbols.in_hash_order(dumped).into_iter().for_each(line);
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
        let exported = |crc| Exported { symbol: b"f", module: b"m", license: License::Any, namespace: b"", crc };
        assert_eq!(parse("0x12345678\tf\tm\tEXPORT_SYMBOL\t"), Ok(exported(0x1234_5678)));
        assert_eq!(parse("\tf\tm\tEXPORT_SYMBOL\t"), Ok(exported(0)));
        for bad in ["", "0x1\tf\tm\tEXPORT_SYMBOL", "0x1\t\tm\tEXPORT_SYMBOL\t", "0x1z\tf\tm\tEXPORT_SYMBOL\t"] {
            assert_eq!(parse(bad), Err(Bad::Line), "{bad}");
        }
        assert!(matches!(parse("0x1\tf\tm\tEXPORT_UNUSED\t"), Err(Bad::License(_))));
        let old = Dialect::new(Version::new(5, 15, 100));
        let line = super::parse(b"0x1\tf\tm\tEXPORT_UNUSED\tNS", &old);
        assert_eq!(line.map(|line| (line.license, line.namespace)), Ok((License::Unknown, &b"NS"[..])));
    }
}

//! What a kernel checks in each type by itself, and in chains of them
//! (`btf_check_all_metas()`).

use base::message::text;

use super::format::{Btf, TYPE, Type};
use super::kinds::{CONST, Check, Details, KINDS, Kind, RESTRICT, TYPE_TAG, TYPEDEF, UNION, VOLATILE};
use super::{Invalid, Rules};
use crate::dialect::Dialect;
use crate::finding::Errno;

/// The greatest number of a type.
const MOST_TYPES: u32 = 0x000f_ffff;
/// Bits of the word that tells kind and elements, where some have no meaning.
const INFO: u32 = 0x9f00_ffff;
/// Links of a chain of modifiers.
const MOST_LINKS: u32 = 32;

/// Why a type is refused: the message, and whether its details are told.
enum Reason {
    /// About the type.
    Type(String, bool),
    /// About one of its elements, which is described.
    Element(Vec<u8>, String),
    /// About something that messages don't name.
    Bare(String),
    /// The type, with another error.
    Unsupported(String),
}

fn of_type(message: &str) -> Reason {
    Reason::Type(message.to_owned(), true)
}

/// What a byte may be in a name.
const FIRST: u8 = 1;
const LATER: u8 = 2;
const DOT: u8 = 4;

/// That of each byte. Letters are those of Latin-1, as to the kernel.
static ROLES: [u8; 256] = {
    let mut roles = [0; 256];
    let mut byte = 0;
    while byte < roles.len() {
        roles[byte] = match byte as u8 {
            b'0'..=b'9' => LATER,
            b'.' => DOT,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => FIRST | LATER,
            0xd7 | 0xf7 => 0,
            0xc0.. => FIRST | LATER,
            _ => 0,
        };
        byte += 1;
    }
    roles
};

/// Whether the bytes before the first NUL, or all of them, are an identifier.
fn is_identifier(bytes: &[u8], has_dots: bool, dialect: &Dialect) -> bool {
    let roles = if has_dots { LATER | DOT } else { LATER };
    let is = |byte: u8, roles: u8| ROLES[usize::from(byte)] & roles != 0;
    let len = bytes.iter().position(|&byte| !is(byte, roles)).unwrap_or(bytes.len());
    let (name, rest) = bytes.split_at(len);
    name.first().is_some_and(|&first| is(first, roles & !LATER | FIRST))
        && len <= longest(dialect)
        && matches!(rest, [] | [0, ..])
}

/// The longest name (`KSYM_NAME_LEN`).
fn longest(dialect: &Dialect) -> usize {
    if dialect.long_names { 512 } else { 128 }
}

/// A type that is checked.
struct Checked<'a, 'b> {
    btf: &'b Btf<'a>,
    kind: &'static Kind,
    found: Type<'a>,
    rules: Rules<'b>,
}

impl<'a> Checked<'a, '_> {
    fn is_identifier(&self, place: u32) -> bool {
        self.is_name(place, self.rules.dialect.btf_dots)
    }

    fn is_name(&self, place: u32, has_dots: bool) -> bool {
        self.btf.strings_from(place).is_some_and(|bytes| is_identifier(bytes, has_dots, self.rules.dialect))
    }

    fn is_section(&self, place: u32) -> bool {
        if !self.rules.dialect.btf_sections {
            return self.is_name(place, true);
        }
        let is_printed = |byte: &u8| matches!(byte, 0x20..=0x7e | 0xa0..);
        let name = self.btf.string(place).unwrap_or_default();
        !name.is_empty() && name.len() <= longest(self.rules.dialect) && name.iter().all(is_printed)
    }

    fn element(&self, number: usize) -> [u32; 3] {
        let at = self.kind.words + number * self.kind.element;
        [0, 1, 2].map(|word| self.found.word(at + word))
    }

    fn elements(&self) -> impl Iterator<Item = [u32; 3]> {
        (0..self.found.count as usize).map(|number| self.element(number))
    }

    /// Why a check fails, if it does.
    fn fails(&self, check: Check) -> Option<Reason> {
        let found = &self.found;
        let has_name = found.name != 0;
        let is_number = |number: u32| number != 0 && number <= MOST_TYPES;
        let (fails, message) = match check {
            Check::NoElements => (found.count != 0, "vlen != 0"),
            Check::NoFlag => (found.flag, "Invalid btf_info kind_flag"),
            Check::NoFlagOfTag => (found.flag && !self.rules.dialect.btf_flags_of_tags, "Invalid btf_info kind_flag"),
            Check::Unnamed => (has_name, "Invalid name"),
            Check::Identifier => (!has_name || !self.is_identifier(found.name), "Invalid name"),
            Check::IdentifierOrNone => (has_name && !self.is_identifier(found.name), "Invalid name"),
            Check::Section => (!has_name || !self.is_section(found.name), "Invalid name"),
            Check::Tag => (self.btf.string(found.name).is_none_or(<[u8]>::is_empty), "Invalid name"),
            Check::Value => (self.btf.string(found.name).is_none_or(<[u8]>::is_empty), "Invalid value"),
            Check::NoType => (found.size != 0, "type != 0"),
            Check::NoSize => (found.size != 0, "size != 0"),
            Check::Size => (found.size == 0, "size == 0"),
            Check::EnumSize => (found.size > 8 || !found.size.is_power_of_two(), "Unexpected size"),
            Check::FloatSize => (!matches!(found.size, 2 | 4 | 8 | 12 | 16), "Invalid type_size"),
            Check::Type => (found.size > MOST_TYPES, "Invalid type_id"),
            Check::TypeNotVoid => (!is_number(found.size), "Invalid type_id"),
            Check::Element => (!is_number(found.word(0)), "Invalid elem"),
            Check::Index => (!is_number(found.word(1)), "Invalid index"),
            Check::FunctionLinkage => (found.count > 1, "Invalid func linkage"),
            Check::VariableLinkage => (found.word(0) > 1, "Linkage not supported"),
            Check::Component => ((found.word(0) as i32) < -1, "Invalid component_idx"),
            Check::Integer => return self.integer(),
            Check::Members => return self.members(),
            Check::Enumerators => return self.enumerators(),
            Check::Variables => return self.variables(),
        };
        fails.then(|| of_type(message))
    }

    fn integer(&self) -> Option<Reason> {
        let word = self.found.word(0);
        let bits = (word & 0xff) + (word >> 16 & 0xff);
        if word & 0xf000_0000 != 0 {
            Some(Reason::Type(format!("Invalid int_data:{word:x}"), false))
        } else if bits > 128 {
            Some(of_type("nr_bits exceeds 16"))
        } else if bits.div_ceil(8) > self.found.size {
            Some(of_type("nr_bits exceeds type_size"))
        } else if !matches!(word >> 24, 0 | 1 | 2 | 4) {
            Some(Reason::Unsupported("Unsupported encoding".to_owned()))
        } else {
            None
        }
    }

    fn members(&self) -> Option<Reason> {
        let found = &self.found;
        let mut last = 0;
        for [name, number, word] in self.elements() {
            let offset = if found.flag { word & 0x00ff_ffff } else { word };
            let message = if !self.btf.has_string(name) {
                format!("Invalid member name_offset:{name}")
            } else if name != 0 && !self.is_identifier(name) {
                "Invalid name".to_owned()
            } else if number == 0 || number > MOST_TYPES {
                "Invalid type_id".to_owned()
            } else if found.kind == UNION && offset != 0 || last > offset {
                "Invalid member bits_offset".to_owned()
            } else if offset.div_ceil(8) > found.size {
                "Member bits_offset exceeds its struct size".to_owned()
            } else {
                last = offset;
                continue;
            };
            let called = self.btf.called(name);
            let what = if found.flag {
                format!(" type_id={number} bitfield_size={} bits_offset={offset}", word >> 24)
            } else {
                format!(" type_id={number} bits_offset={offset}")
            };
            return Some(Reason::Element(text!("\t{}{}", called, what), message));
        }
        None
    }

    fn enumerators(&self) -> Option<Reason> {
        self.elements().find_map(|[name, ..]| {
            if !self.btf.has_string(name) {
                Some(Reason::Bare(format!("\tInvalid name_offset:{name}")))
            } else {
                (name == 0 || !self.is_identifier(name)).then(|| of_type("Invalid name"))
            }
        })
    }

    fn variables(&self) -> Option<Reason> {
        let all = self.found.size;
        let (mut last, mut sum) = (0_u64, 0_u64);
        for [number, offset, size] in self.elements() {
            let end = u64::from(offset) + u64::from(size);
            let message = if number == 0 || number > MOST_TYPES {
                "Invalid type_id"
            } else if u64::from(offset) < last || offset >= all {
                "Invalid offset"
            } else if size == 0 || size > all {
                "Invalid size"
            } else if u64::from(offset.wrapping_add(size)) > u64::from(all) {
                "Invalid offset+size"
            } else {
                (last, sum) = (end, sum + u64::from(size));
                continue;
            };
            let what = format!("\t type_id={number} offset={offset} size={size}");
            return Some(Reason::Element(what.into(), message.to_owned()));
        }
        (u64::from(all) < sum).then(|| of_type("Invalid btf_info size"))
    }

    /// What messages say of it: each part is a line.
    fn details(&self) -> Vec<Vec<u8>> {
        let found = &self.found;
        let (size, count) = (found.size, found.count);
        let one = |line: String| vec![line.into_bytes()];
        match self.kind.details {
            Details::Integer => {
                let word = found.word(0);
                let encoding = match word >> 24 & 0xf {
                    0 => "(none)",
                    1 => "SIGNED",
                    2 => "CHAR",
                    4 => "BOOL",
                    _ => "UNKN",
                };
                let (offset, bits) = (word >> 16 & 0xff, word & 0xff);
                one(format!("size={size} bits_offset={offset} nr_bits={bits} encoding={encoding}"))
            }
            Details::Reference => one(format!("type_id={size}")),
            Details::Forward => one(if found.flag { "union" } else { "struct" }.to_owned()),
            Details::Array => {
                let [element, index, number] = [0, 1, 2].map(|word| found.word(word));
                one(format!("type_id={element} index_type_id={index} nr_elems={number}"))
            }
            Details::SizeAndCount => one(format!("size={size} vlen={count}")),
            Details::Size => one(format!("size={size}")),
            Details::Variable => one(format!("type_id={size} linkage={}", found.word(0))),
            Details::Tag => one(format!("type={size} component_idx={}", found.word(0) as i32)),
            Details::Function => self.function(),
        }
    }

    fn function(&self) -> Vec<Vec<u8>> {
        let mut lines = vec![format!("return={} args=(", self.found.size).into_bytes()];
        let arguments: Vec<[u32; 3]> = self.elements().collect();
        for (at, &[name, number, _]) in arguments.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            // A last argument without a type is `...`.
            lines.push(if number == 0 && at + 1 == arguments.len() {
                format!("{comma}vararg").into_bytes()
            } else {
                text!("{}{} {}", comma, number.to_string(), self.btf.called(name))
            });
        }
        if arguments.is_empty() {
            lines.push(b"void".to_vec());
        }
        lines.push(b")".to_vec());
        lines
    }

    /// What the kernel logs: each part of a message becomes a line.
    fn invalid(&self, number: u32, reason: Reason) -> Invalid {
        // Of additions that may be wrong it doesn't log which is.
        let is_quiet = self.rules.is_lenient && self.btf.has_base();
        let mut parts = Vec::new();
        let errno = if matches!(reason, Reason::Unsupported(_)) { Errno::ENOTSUPP } else { Errno::EINVAL };
        let (message, details) = match reason {
            Reason::Bare(message) => return Invalid::new(message),
            Reason::Element(what, message) => {
                parts.push(what);
                (message, None)
            }
            Reason::Type(message, has_details) => (message, Some(has_details)),
            Reason::Unsupported(message) => (message, Some(true)),
        };
        let is_variable = self.kind.checks.contains(&Check::Variables);
        if is_quiet && (details.is_some() || !is_variable) {
            return Invalid { lines: Vec::new(), errno };
        }
        if let Some(has_details) = details {
            let called = self.btf.called(self.found.name);
            let space = if has_details { " " } else { "" };
            parts.push(text!("[{}] {} {}{}", number.to_string(), self.kind.name, called, space));
            if has_details {
                parts.extend(self.details());
            }
        }
        parts.extend([b" ".to_vec(), message.into_bytes(), Vec::new()]);
        Invalid { lines: parts.iter().map(|part| text!("BPF: {}", part)).collect(), errno }
    }
}

/// Checks all types.
///
/// # Errors
/// If one is wrong.
pub(super) fn check(btf: &Btf, rules: Rules) -> Result<(), Invalid> {
    let mut bytes = btf.bytes();
    let mut number = btf.numbers().start;
    while !bytes.is_empty() {
        let Some(found) = Type::read(bytes, rules.native, rules.dialect.btf_wide) else {
            return Err(Invalid::new(format!("[{number}] meta_left:{} meta_needed:{TYPE}", bytes.len())));
        };
        if !rules.dialect.btf_wide && found.info & !INFO != 0 {
            return Err(Invalid::new(format!("[{number}] Invalid btf_info:{:x}", found.info)));
        }
        let Some(kind) = KINDS.get(found.kind).filter(|_| found.kind != 0) else {
            return Err(Invalid::new(format!("[{number}] Invalid kind:{}", found.kind)));
        };
        if !btf.has_string(found.name) {
            return Err(Invalid::new(format!("[{number}] Invalid name_offset:{}", found.name)));
        }
        let needed = found.size_of_rest().unwrap_or(0);
        let checked = Checked { btf, kind, found, rules };
        if found.rest.len() < needed {
            let message = format!("meta_left:{} meta_needed:{needed}", found.rest.len());
            return Err(checked.invalid(number, Reason::Type(message, false)));
        }
        if let Some(reason) = kind.checks.iter().find_map(|&check| checked.fails(check)) {
            return Err(checked.invalid(number, reason));
        }
        bytes = &found.rest[needed..];
        number += 1;
    }
    chains(btf, rules)
}

/// Chains of modifiers end.
fn chains(btf: &Btf, rules: Rules) -> Result<(), Invalid> {
    let numbers = btf.numbers();
    let types: Vec<Type> = btf.iter(rules).collect();
    let is_modifier = |found: &Type| matches!(found.kind, TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG);
    let mut good = numbers.start - 1;
    for start in numbers.clone() {
        let mut found = types[(start - numbers.start) as usize];
        if !is_modifier(&found) {
            continue;
        }
        let (mut current, mut links) = (start, 0);
        let mut in_tags = found.kind == TYPE_TAG;
        while is_modifier(&found) {
            if links == MOST_LINKS {
                return Err(Invalid::cycle());
            }
            links += 1;
            if rules.dialect.btf_tags_first && found.kind == TYPE_TAG && !in_tags {
                return Err(Invalid::new("Type tags don't precede modifiers"));
            }
            in_tags &= found.kind == TYPE_TAG;
            if current <= good {
                break;
            }
            current = found.size;
            if current < numbers.start {
                // What it adds to was checked before.
                break;
            }
            let next = types.get((current - numbers.start) as usize);
            found = *next.ok_or(Invalid { lines: Vec::new(), errno: Errno::EINVAL })?;
        }
        good = start;
    }
    Ok(())
}

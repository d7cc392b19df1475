//! Types for BPF that a module is given.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::cases::{Case, Edit, LLC, MII};
use crate::command::{output, run};

/// A section of types: their words, and their strings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Types {
    words: &'static [u32],
    strings: &'static [u8],
}

impl Types {
    /// The section, for a machine whose least significant byte comes first.
    pub(super) fn bytes(self) -> Vec<u8> {
        let (types, strings) = (self.words.len() as u32 * 4, self.strings.len() as u32);
        let header = [0x0001_eb9f, 24, 0, types, types, strings];
        let words = header.iter().chain(self.words).flat_map(|word| word.to_le_bytes());
        words.chain(self.strings.iter().copied()).collect()
    }
}

const fn types(words: &'static [u32], strings: &'static [u8]) -> Types {
    Types { words, strings }
}

const INT: u32 = 1 << 24;
const PTR: u32 = 2 << 24;
const STRUCT: u32 = 4 << 24;
const UNION: u32 = 5 << 24;
const ENUM: u32 = 6 << 24;
const FWD: u32 = 7 << 24;
const TYPEDEF: u32 = 8 << 24;
const FLAG: u32 = 1 << 31;

/// The strings of a base, and what is added to it: `own` and `item` are at 25 and 29.
const BASE: &[u8] = b"\0int\0list_head\0pid_type\0";
const OWN: &[u8] = b"own\0item\0";
/// Of 32 bits, with a sign.
const SIGNED: u32 = 1 << 24 | 32;

const fn based(name: &'static str, base: &'static [u32], added: &'static [u32]) -> Case<'static> {
    Case { name, module: MII, edit: Edit::Types(types(added, OWN), Some(types(base, BASE))) }
}

/// A structure `own` with one member of type 2.
const WITH_MEMBER: &[u32] = &[25, STRUCT | 1, 24, 29, 2, 0];
/// A pointer to type 2.
const POINTER: &[u32] = &[0, PTR, 2];

/// Modules that have a part of the kernel's types themselves.
pub(super) const BASES: &[Case<'static>] = &[
    based("types with a base", &[1, INT, 4, SIGNED, 5, STRUCT, 16], WITH_MEMBER),
    based("types whose base has a member of another size", &[1, INT, 4, SIGNED, 5, STRUCT, 24], WITH_MEMBER),
    based("types whose base has another size", &[1, INT, 4, SIGNED, 5, STRUCT, 24], POINTER),
    based("types whose base has another kind", &[1, INT, 4, SIGNED, 5, UNION, 16], POINTER),
    based("types whose base has another kind that isn't named", &[1, INT, 4, SIGNED, 5, FWD | FLAG, 0], POINTER),
    based("types whose base is declared alone", &[1, INT, 4, SIGNED, 5, FWD, 0], POINTER),
    based("types whose base has an enumeration", &[1, INT, 4, SIGNED, 15, ENUM, 4], POINTER),
    based("types whose base has an enumeration of another size", &[1, INT, 4, SIGNED, 15, ENUM, 8], POINTER),
    based("types whose base has an integer of another size", &[1, INT, 8, SIGNED, 5, STRUCT, 16], POINTER),
    based("types whose base has an integer without a sign", &[1, INT, 4, 32, 5, STRUCT, 16], POINTER),
    based("types whose base isn't in the kernel", &[1, INT, 4, SIGNED, 6, STRUCT, 16], POINTER),
    based("types whose base has a type without a name", &[1, INT, 4, SIGNED, 0, STRUCT, 16], POINTER),
    based("types whose base has a pointer", &[1, INT, 4, SIGNED, 0, PTR, 1], POINTER),
    based("types whose base has a name that is none", &[1, INT, 4, SIGNED, 99, STRUCT, 16], POINTER),
    based("types whose name is in the base but no type's", &[1, INT, 4, SIGNED, 5, STRUCT, 16], &[2, STRUCT, 24]),
    based("types in a circle", &[1, INT, 4, SIGNED, 5, STRUCT, 16], &[25, TYPEDEF, 4, 29, TYPEDEF, 3]),
    based("types that refer to none", &[1, INT, 4, SIGNED, 5, STRUCT, 16], &[25, TYPEDEF, 99]),
    based("no types but a base", &[1, INT, 4, SIGNED, 5, STRUCT, 16], &[]),
    based("types with an empty base", &[], POINTER),
];

/// What a word becomes.
const EDITS: &[fn(u32) -> u32] = &[
    |word| word ^ 1,
    |_| 0,
    |word| word | FLAG,
    |word| word.wrapping_add(0x0100_0000),
    |_| u32::MAX,
    |word| word.wrapping_add(2),
    |word| word << 3,
    |word| word | 0x00ff_0000,
    |_| 0x0010_0000,
];

/// How many modules are made with another word among their types.
pub(super) const EDITED: usize = 160;

/// The module of one of them.
pub(super) fn module(number: usize) -> &'static str {
    if number % 2 == 0 { MII } else { LLC }
}

/// Types with one word that is another. The header's ten come first.
pub(super) fn edited(types: &mut [u8], number: usize) {
    let words = types.len() / 4;
    let place = if number < 20 { number / 2 } else { number * 7919 } % words * 4;
    if let Some(Ok(word)) = types.get(place..place + 4).map(<[u8; 4]>::try_from) {
        let word = EDITS[number % EDITS.len()](u32::from_le_bytes(word));
        types[place..place + 4].copy_from_slice(&word.to_le_bytes());
    }
}

/// The types of a module; `None` if it has none.
pub(super) fn of(module: &Path, dir: &Path) -> io::Result<Option<Vec<u8>>> {
    // Of no such section objcopy warns, and the file stays empty.
    let file = tempfile::NamedTempFile::new_in(dir)?;
    let option = format!("--dump-section=.BTF={}", file.path().display());
    output(Command::new("objcopy").arg(option).args([module, Path::new("/dev/null")]))?;
    Ok(Some(fs::read(file.path())?).filter(|types| !types.is_empty()))
}

/// Gives a module types.
pub(super) fn put(module: &Path, types: &[u8], base: Option<&[u8]>, dir: &Path) -> io::Result<()> {
    let (file, base_file) = (dir.join("types"), dir.join("base"));
    fs::write(&file, types)?;
    let mut objcopy = Command::new("objcopy");
    objcopy.arg(format!("--update-section=.BTF={}", file.display()));
    if let Some(base) = base {
        fs::write(&base_file, base)?;
        objcopy.arg(format!("--add-section=.BTF.base={}", base_file.display()));
    }
    run(objcopy.arg(module))
}

//! A kernel's image, as a boot loader reads it or as it was linked: what it exports, its
//! types for BPF, and the certificates in it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base::bytes::until_nul;
use base::regular;
use goblin::elf::section_header::SectionHeader;
use kmod::archive::{self, Streams};
use kmod::limits;

use crate::btf::{Btf, Rules};
use crate::certificate::{self, Certificate};
use crate::exported::{Exported, GPL_ONLY};
use crate::view::{self, Native};

/// The magic number of x86's boot protocol, and where it is (the kernel's
/// `Documentation/arch/x86/boot.rst`).
const MAGIC: (usize, &[u8]) = (0x202, b"HdrS");
/// The protocol's version that says first where the compressed kernel is: 2.08.
const FIRST: (usize, u16) = (0x206, 0x0208);
/// Sectors of the part that runs in real mode, without the first, each of 512 bytes.
const SECTORS: usize = 0x1f1;
/// Where the compressed kernel begins, from that part's end, and its length.
const PAYLOAD: (usize, usize) = (0x248, 0x24c);

/// Machines whose tables of exports hold distances: i386, s390, x86-64, AArch64.
const HAVE_DISTANCES: &[u16] = &[3, 22, 62, 183];
/// The size of an export, and where in it the distances to its name and namespace are.
const ENTRY: usize = 12;
const NAME: usize = 4;
const NAMESPACE: usize = 8;

/// A kernel as it was linked, maybe without its symbols.
#[derive(Debug)]
pub(crate) struct Vmlinux {
    bytes: Vec<u8>,
    native: Native,
    sections: Vec<SectionHeader>,
    /// The section of the sections' names.
    names: usize,
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// The compressed kernel in an image for x86.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let version = image.get(FIRST.0..FIRST.0 + 2)?;
    if !image.get(MAGIC.0..)?.starts_with(MAGIC.1) || u16::from_le_bytes(version.try_into().ok()?) < FIRST.1 {
        return None;
    }
    // None means four.
    let sectors = image.get(SECTORS).map_or(0, |&sectors| if sectors == 0 { 4 } else { usize::from(sectors) });
    let start = number(image, PAYLOAD.0)?.checked_add((sectors + 1) * 512)?;
    image.get(start..start.checked_add(number(image, PAYLOAD.1)?)?)
}

impl Vmlinux {
    /// Reads an image: an ELF file, one that is compressed, or one for x86's boot loaders;
    /// `None` if it isn't there, is none of them, or damaged.
    ///
    /// # Errors
    /// [`archive::Error::TooLarge`] or [`archive::Error::Demanding`].
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, archive::Error> {
        let Ok(image) = regular::read(path, limits::OBJECT) else { return Ok(None) };
        if image.starts_with(b"\x7fELF") {
            return Ok(Self::of(image));
        }
        // After the compressed kernel there may be the length that it has.
        match archive::unpack(payload(&image).unwrap_or(&image), Streams::One, limits::IMAGE) {
            Err(error @ (archive::Error::TooLarge(_) | archive::Error::Demanding(_))) => Err(error),
            bytes => Ok(bytes.ok().flatten().and_then(Self::of)),
        }
    }

    fn of(bytes: Vec<u8>) -> Option<Self> {
        let native = Native::of(&bytes)?;
        let header = native.header(&bytes)?;
        let sections = native.sections(&bytes, header.e_shoff, header.e_shnum.into())?;
        let names = usize::from(header.e_shstrndx);
        sections.get(names)?;
        Some(Self { bytes, native, sections, names })
    }

    /// The contents of the section of a name, with its address.
    fn section(&self, name: &[u8]) -> Option<(u64, &[u8])> {
        let names = view::contents(&self.bytes, &self.sections[self.names]);
        let section = self.sections.iter().find(|section| view::name_at(names, section.sh_name) == name)?;
        Some((section.sh_addr, view::contents(&self.bytes, section)))
    }

    /// What the kernel itself exports, where its tables hold distances (`struct
    /// kernel_symbol` with `CONFIG_HAVE_ARCH_PREL32_RELOCATIONS`).
    pub(crate) fn exports(&self) -> Vec<Exported> {
        let strings = self.section(b"__ksymtab_strings").filter(|_| HAVE_DISTANCES.contains(&self.native.machine));
        let Some((start, strings)) = strings else { return Vec::new() };
        let string_at = |place: u64| {
            let at = usize::try_from(place.wrapping_sub(start)).ok()?;
            strings.get(at..).map(until_nul)
        };
        let contents = |name: &[u8]| self.section(name).map_or(&[][..], |(_, bytes)| bytes);
        let flags = contents(b"__kflagstab");
        let mut exports = Vec::new();
        for (table, crcs, of_gpl) in
            [(&b"__ksymtab"[..], &b"__kcrctab"[..], false), (b"__ksymtab_gpl", b"__kcrctab_gpl", true)]
        {
            let (address, table) = self.section(table).unwrap_or_default();
            let crcs = contents(crcs);
            for (number, entry) in table.chunks_exact(ENTRY).enumerate() {
                let string = |at: usize| {
                    let distance = self.native.u32(entry, at).filter(|&distance| distance != 0)? as i32;
                    // Addresses are what the image says, and may be any numbers.
                    let place = address.wrapping_add((number * ENTRY + at) as u64);
                    string_at(place.wrapping_add_signed(distance.into()))
                };
                let Some(name) = string(NAME) else { continue };
                exports.push(Exported {
                    name: name.to_vec(),
                    crc: self.native.u32(crcs, number * 4),
                    is_gpl: of_gpl || flags.get(number).is_some_and(|flag| flag & GPL_ONLY != 0),
                    namespace: string(NAMESPACE).unwrap_or_default().to_vec(),
                });
            }
        }
        exports
    }

    /// Its types for BPF.
    pub(crate) fn types(&self) -> Option<&[u8]> {
        self.section(b".BTF").map(|(_, types)| types)
    }

    /// The certificates in it.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        certificate::all(&self.bytes)
    }
}

/// A kernel's types for BPF, which are read when they are wanted first: an image takes as
/// long to decompress as a thousand modules to check.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// Where images are that may have them.
    images: Vec<PathBuf>,
    section: OnceLock<Option<Vec<u8>>>,
    /// The number after the last type's; `None` if the section isn't what it should be.
    end: OnceLock<Option<u32>>,
}

impl Types {
    /// Takes them from somewhere else, unless they have been found.
    pub(crate) fn take(&mut self, section: Option<Vec<u8>>) {
        if self.section.get().is_none() && section.is_some() {
            self.section = section.into();
        }
    }

    /// Looks for them in these images if need be.
    pub(crate) fn look_in(&mut self, images: Vec<PathBuf>) {
        self.images = images;
    }

    /// Finds them.
    pub(crate) fn get(&self, rules: Rules) -> Option<Btf<'_>> {
        let read = || self.images.iter().find_map(|path| Vmlinux::read(path).ok()??.types().map(<[u8]>::to_vec));
        let section = self.section.get_or_init(read).as_ref();
        let end = || Some(Btf::read(section?, None, rules).ok()?.numbers().end);
        let end = self.end.get_or_init(end);
        Btf::again(section?, (*end)?, rules)
    }

    /// Whether they have been looked for.
    pub(crate) fn are_read(&self) -> bool {
        self.end.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with a section of strings and a table of exports, at these addresses.
    fn image(e_shoff: u64, addresses: [u64; 2], distance: u32) -> Vec<u8> {
        let names = b"\0__ksymtab_strings\0__ksymtab\0";
        let (strings, table) = (b"\0name\0\0\0", [1, distance, distance].map(u32::to_le_bytes).concat());
        let contents = [&names[..], strings, &table].concat();
        let section = |name: u32, address: u64, offset: usize, size: usize| {
            let words = [u64::from(name) | 1 << 32, 0, address, offset as u64, size as u64, 0, 0, 0];
            words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()
        };
        let at = [64, 64 + names.len(), 64 + names.len() + strings.len()];
        let headers = [
            section(0, 0, at[0], names.len()),
            section(1, addresses[0], at[1], strings.len()),
            section(19, addresses[1], at[2], table.len()),
        ];
        let e_shoff = if e_shoff == 0 { 64 + contents.len() as u64 } else { e_shoff };
        let mut header = vec![0; 64];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        header[18] = 62;
        header[40..48].copy_from_slice(&e_shoff.to_le_bytes());
        header[58] = 64;
        header[60] = 3;
        [header, contents, headers.concat()].concat()
    }

    fn names(image: Vec<u8>) -> Option<Vec<String>> {
        let exports = Vmlinux::of(image)?.exports();
        Some(exports.into_iter().map(|export| String::from_utf8_lossy(&export.name).into_owned()).collect())
    }

    #[test]
    fn addresses_and_offsets_may_be_any_numbers() {
        // The distance to the name is that from its own place, 4 bytes into the table.
        let name = vec!["name".to_owned()];
        assert_eq!(names(image(0, [0x1000, 0x2000], 1u32.wrapping_sub(0x1004))), Some(name.clone()));
        assert_eq!(names(image(0, [u64::MAX - 7, u64::MAX - 1], 0u32.wrapping_sub(9))), Some(name));
        assert_eq!(names(image(0, [0, u64::MAX - 3], 9)), Some(Vec::new()));
        for e_shoff in [u64::MAX, u64::MAX - 63, u64::MAX - 100, 1 << 63, 1 << 40] {
            assert_eq!(names(image(e_shoff, [0, 0], 1)), None, "{e_shoff:x}");
        }
    }
}

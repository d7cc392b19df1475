//! Modules that a kernel is given: its own, and such with a fault.

use std::io;
use std::path::Path;
use std::process::Command;

use super::Booted;
use super::types::{self, Types};
use crate::command::run;
use crate::signing::{Key, PLAIN, RSA};

/// What is done to a module. All but the signature's own faults take the signature away,
/// which would be wrong afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    /// Nothing.
    None,
    /// Nothing, but the modules that it needs are missing.
    Alone,
    /// Its signature is taken away.
    Unsigned,
    /// The last byte of its signature's marker is another, so that it has none.
    Unmarked,
    /// The length that its signature says is greater than the file.
    LongSignature,
    /// Its signature says that it is of another kind.
    OtherSignature,
    /// Its signature's structure says what it must not.
    OddSignature,
    /// The message that signs it is no PKCS#7.
    NoMessage,
    /// Something that it signs is another.
    Altered,
    /// It is signed with another key; these are openssl's options.
    Signed(&'static [&'static str]),
    /// Its types for BPF are those that the same module of another kernel has.
    TypesOf(&'static str),
    /// They have one word that is another, by this number.
    TypesEdited(usize),
    /// They are these, and those of `.BTF.base`.
    Types(Types, Option<Types>),
    /// Wherever these bytes are, those are written.
    Bytes(&'static [u8], &'static [u8]),
    /// The byte there, from the start, becomes this.
    Byte(usize, u8),
    /// This many bytes are left.
    Length(usize),
    /// A half is left.
    Half,
    /// objcopy does this.
    Objcopy(&'static [&'static str]),
    /// A section's flags become these.
    Flags(&'static str, u64),
    /// The CRC of a symbol in `__versions` is another.
    Crc(&'static str),
}

/// A module that is inserted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) name: &'a str,
    /// Its path below `kernel`, without suffix.
    pub(super) module: &'a str,
    pub(super) edit: Edit,
}

const fn case(name: &'static str, module: &'static str, edit: Edit) -> Case<'static> {
    Case { name, module, edit }
}

/// A small module that prints nothing and needs no other.
pub(super) const MII: &str = "drivers/net/mii";
/// One that needs another, `lib/crc/crc-itu-t` or where it was before.
pub(super) const LLC: &str = "net/llc/llc";

/// The kernel's own.
pub(super) const REAL: &[&str] = &[
    "drivers/net/mii",
    "drivers/net/dummy",
    "drivers/net/mdio",
    "net/802/stp",
    "net/llc/llc",
    "net/bridge/bridge",
    "net/802/garp",
    "net/802/mrp",
    "net/8021q/8021q",
    "fs/nls/nls_utf8",
    "fs/nls/nls_cp437",
    "fs/nls/nls_ascii",
    "fs/fat/fat",
    "fs/fat/vfat",
    "fs/minix/minix",
    "fs/configfs/configfs",
    "crypto/cast_common",
    "crypto/cast5_generic",
    "crypto/cast6_generic",
    "crypto/serpent_generic",
    "crypto/rmd160",
    "crypto/wp512",
    "net/sched/sch_tbf",
    "net/sched/sch_sfq",
    "net/netfilter/nfnetlink",
];

/// Those with a fault, and those that look as if they had one.
pub(super) const DOCTORED: &[Case] = &[
    case("without a signature", MII, Edit::Unsigned),
    case("with a marker that is none", MII, Edit::Unmarked),
    case("with a signature that is too long", MII, Edit::LongSignature),
    case("with a signature of another kind", MII, Edit::OtherSignature),
    case("with a signature whose structure is odd", MII, Edit::OddSignature),
    case("with a signature that is no message", MII, Edit::NoMessage),
    case("changed after it was signed", MII, Edit::Altered),
    case("signed with another key", MII, Edit::Signed(PLAIN)),
    case("signed with another key and its certificate", MII, Edit::Signed(&["-noattr", "-md", "sha256"])),
    case("signed with more than itself", MII, Edit::Signed(&["-nosmimecap", "-nocerts", "-md", "sha256"])),
    case("signed with what a signer can do", MII, Edit::Signed(&["-nocerts", "-md", "sha256"])),
    case("empty but for a header", MII, Edit::Length(64)),
    case("cut in the header", MII, Edit::Length(50)),
    case("cut in half", MII, Edit::Half),
    case("of no ELF", MII, Edit::Byte(1, b'F')),
    case("of another type", MII, Edit::Byte(16, 2)),
    case("for a machine of 32 bits", MII, Edit::Byte(18, 3)),
    case("for AArch64", MII, Edit::Byte(18, 183)),
    case("with section headers of another size", MII, Edit::Byte(58, 63)),
    case("with its section headers nowhere", MII, Edit::Byte(44, 1)),
    case("with no section of names", MII, Edit::Byte(62, 0)),
    case("with names in a section that isn't there", MII, Edit::Byte(63, 2)),
    case("with names in another section", MII, Edit::Byte(62, 1)),
    case("without symbols", MII, Edit::Objcopy(&["--strip-all"])),
    case("without its structure", MII, Edit::Objcopy(&["--remove-section=.gnu.linkonce.this_module"])),
    case(
        "with its structure renamed",
        MII,
        Edit::Bytes(b".gnu.linkonce.this_module\0", b".gnu.linkonce.that_module\0"),
    ),
    case("with a structure that isn't loaded", MII, Edit::Flags(".gnu.linkonce.this_module", 1)),
    case("without versions", MII, Edit::Objcopy(&["--remove-section=__versions"])),
    case("with another version of module_layout", MII, Edit::Crc("module_layout")),
    case("with another version of a symbol", MII, Edit::Crc("netif_carrier_on")),
    case("without the version of a symbol", MII, Edit::Bytes(b"netif_carrier_on\0\0", b"netif_carrier_or\0\0")),
    case("with a symbol that nothing exports", MII, Edit::Bytes(b"\0netif_carrier_on\0", b"\0netif_carrier_xx\0")),
    case("for another kernel", MII, Edit::Bytes(b"vermagic=", b"vermagic=9")),
    case("without preemption", MII, Edit::Bytes(b" SMP preempt mod_unload", b" SMP preemqt mod_unload")),
    case("without SMP", MII, Edit::Bytes(b" SMP ", b" UMP ")),
    case("without version magic", MII, Edit::Bytes(b"vermagic=", b"verMagic=")),
    case("of another tree", MII, Edit::Bytes(b"intree=Y", b"inTree=Y")),
    case("of a proprietary licence, without need", MII, Edit::Bytes(b"license=GPL", b"license=MIT")),
    case("of a proprietary licence", LLC, Edit::Bytes(b"license=GPL", b"license=MIT")),
    case("without a licence", MII, Edit::Bytes(b"license=GPL", b"lizense=GPL")),
    case("without retpolines", MII, Edit::Bytes(b"retpoline=Y", b"retpolina=Y")),
    case("from staging", MII, Edit::Bytes(b"author=", b"staging=")),
    case("a live patch", MII, Edit::Bytes(b"retpoline=", b"livepatch=")),
    case("with a section to write and run", MII, Edit::Flags(".text", 7)),
    case("with exports without versions", LLC, Edit::Objcopy(&["--rename-section=__kcrctab=.kcrctab"])),
    case("with exports without flags", LLC, Edit::Objcopy(&["--rename-section=__kflagstab=.kflagstab"])),
    case("with an export of the kernel's", LLC, Edit::Bytes(b"llc_sap_open\0", b"netdev_alert\0")),
    case("with types of another kernel", MII, Edit::TypesOf("6.1")),
    case("with namespaces not imported", "net/bridge/bridge", Edit::Bytes(b"import_ns=", b"export_ns=")),
    case("without the module that it needs", "net/802/stp", Edit::Alone),
    case("without the modules that it needs", "net/bridge/bridge", Edit::Alone),
    case("with another version of llc's symbol", "net/802/stp", Edit::Crc("llc_sap_open")),
];

/// Writes `new` wherever `old` begins. Returns how often.
fn replace(module: &mut [u8], old: &[u8], new: &[u8]) -> usize {
    let places: Vec<usize> = memchr::memmem::find_iter(module, old).collect();
    for &place in &places {
        let end = (place + new.len()).min(module.len());
        module[place..end].copy_from_slice(&new[..end - place]);
    }
    places.len()
}

/// Where a module's signature begins, by the length that its structure says.
fn signature(module: &[u8]) -> Option<usize> {
    let rest = module.strip_suffix(b"~Module signature appended~\n")?;
    let size = u32::from_be_bytes(rest.get(rest.len() - 4..)?.try_into().ok()?) as usize;
    rest.len().checked_sub(12 + size)
}

impl Edit {
    /// Does it; `None` if the module has nothing to do it to.
    ///
    /// # Errors
    /// If objcopy fails, or those of the file system.
    pub(super) fn apply(self, module: &[u8], dir: &Path) -> io::Result<Option<Vec<u8>>> {
        let start = signature(module);
        let mut whole = module.to_vec();
        let info = whole.len().saturating_sub(28 + 12);
        let of_signature = match self {
            Self::None | Self::Alone => return Ok(Some(whole)),
            Self::Unmarked => Some((whole.len() - 1, b'!')),
            Self::LongSignature => Some((info + 8, 1)),
            Self::OtherSignature => Some((info + 2, 1)),
            Self::OddSignature => Some((info + 1, 4)),
            Self::NoMessage => Some((start.unwrap_or(0), 0)),
            // The name of a section that no kernel reads.
            Self::Altered => memchr::memmem::find(&whole, b".comment").map(|place| (place, b'!')),
            _ => None,
        };
        if let Some((place, byte)) = of_signature {
            whole[place] = byte;
            return Ok(start.map(|_| whole));
        }
        let mut module = module[..start.unwrap_or(module.len())].to_vec();
        let done = match self {
            Self::Bytes(old, new) => replace(&mut module, old, new) > 0,
            Self::Byte(place, byte) => {
                module[place] = byte;
                true
            }
            Self::Length(length) => {
                module.truncate(length);
                true
            }
            Self::Half => {
                module.truncate(module.len() / 2);
                true
            }
            Self::Objcopy(options) => {
                let file = dir.join("objcopy.ko");
                std::fs::write(&file, &module)?;
                run(Command::new("objcopy").args(options).arg(&file))?;
                module = std::fs::read(&file)?;
                true
            }
            Self::Signed(options) => {
                module = Key::new(RSA)?.signed(&module, options)?;
                true
            }
            Self::TypesOf(_) | Self::TypesEdited(_) | Self::Types(..) => return self.with_types(&module, dir),
            Self::Flags(section, flags) => set_flags(&mut module, section, flags),
            Self::Crc(symbol) => {
                let name = [symbol.as_bytes(), b"\0\0"].concat();
                let place = memchr::memmem::find_iter(&module, &name).find(|place| {
                    // An entry of a version begins with a CRC in eight bytes, of which four are null.
                    module.get(place - 4..*place) == Some(&[0; 4])
                });
                place.inspect(|&place| module[place - 8] ^= 1).is_some()
            }
            _ => true,
        };
        Ok(done.then_some(module))
    }

    /// Gives a module other types for BPF; `None` if it has none.
    fn with_types(self, module: &[u8], dir: &Path) -> io::Result<Option<Vec<u8>>> {
        let file = dir.join("types.ko");
        std::fs::write(&file, module)?;
        let Some(own) = types::of(&file, dir)? else { return Ok(None) };
        let (types, base) = match self {
            Self::Types(types, base) => (types.bytes(), base.map(Types::bytes)),
            Self::TypesEdited(number) => {
                let mut edited = own;
                types::edited(&mut edited, number);
                (edited, None)
            }
            Self::TypesOf(release) => {
                let other = Booted::named(release).map(|booted| booted.module(MII)).transpose()?;
                std::fs::write(&file, other.unwrap_or_default())?;
                let types = types::of(&file, dir)?;
                std::fs::write(&file, module)?;
                (types.unwrap_or_default(), None)
            }
            _ => (own, None),
        };
        types::put(&file, &types, base.as_deref(), dir)?;
        std::fs::read(&file).map(Some)
    }
}

/// Sets a section's flags; the module is for a machine of 64 bits whose least significant
/// byte comes first.
fn set_flags(module: &mut [u8], section: &str, flags: u64) -> bool {
    let number = |module: &[u8], place: usize, size: usize| {
        let bytes = module.get(place..place + size).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
    };
    let (headers, count, names) = (number(module, 40, 8), number(module, 60, 2), number(module, 62, 2));
    let names = number(module, headers + names * 64 + 24, 8);
    let is_it = |header: &usize| {
        let name = names + number(module, *header, 4);
        module.get(name..).is_some_and(|rest| rest.starts_with(&[section.as_bytes(), b"\0"].concat()))
    };
    let found = (0..count).map(|number| headers + number * 64).find(is_it);
    found.inspect(|header| module[header + 8..header + 16].copy_from_slice(&flags.to_le_bytes())).is_some()
}

//! What a kernel and its modules export, as `Module.symvers` lists it.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kmod::module_name;

use crate::exported::Exported;

/// The kernel itself, as who exports something.
pub const KERNEL: &[u8] = b"vmlinux";

/// An exported symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export<'a> {
    /// Who exports it: [`KERNEL`], or a module's path without suffix.
    pub owner: &'a [u8],
    /// Its CRC, where symbols have versions.
    pub crc: u32,
    /// It is for modules with a licence that is compatible with the GPL.
    pub is_gpl: bool,
    /// The namespace that its users must import, "" for none.
    pub namespace: &'a [u8],
    /// Its module is known to be proprietary.
    pub is_proprietary: bool,
}

impl Export<'_> {
    /// The module that exports it; `None` if that is the kernel.
    #[must_use]
    pub fn module(&self) -> Option<Vec<u8>> {
        (self.owner != KERNEL).then(|| module_name(self.owner))
    }
}

/// All exported symbols. Of several with one name the first is found.
#[derive(Clone, Debug, Default)]
pub struct Exports<'a>(HashMap<&'a [u8], Export<'a>, RandomState>);

impl<'a> Exports<'a> {
    /// Adds those of a `Module.symvers`. A line that isn't one is passed over. Returns
    /// whether the text is one, which it isn't if it has no other lines.
    pub fn add_symvers(&mut self, text: &'a [u8]) -> bool {
        self.0.reserve(text.len() / 64);
        let mut is_one = text.is_empty();
        for (name, export) in text.split(|&byte| byte == b'\n').filter_map(line) {
            self.add(name, export);
            is_one = true;
        }
        is_one
    }

    /// Adds those of a module, by its path without suffix; it may be one that
    /// `is_proprietary`.
    pub fn add_exported(&mut self, owner: &'a [u8], exported: &'a [Exported], is_proprietary: bool) {
        for Exported { name, crc, is_gpl, namespace } in exported {
            let crc = crc.unwrap_or(0);
            self.add(name, Export { owner, crc, is_gpl: *is_gpl, namespace, is_proprietary });
        }
    }

    fn add(&mut self, name: &'a [u8], export: Export<'a>) {
        self.0.entry(name).or_insert(export);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The export of a name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Export<'a>> {
        self.0.get(name)
    }

    /// Whether any of them has a version.
    #[must_use]
    pub fn have_versions(&self) -> bool {
        self.0.values().any(|export| export.crc != 0)
    }

    /// Whether the kernel's own are among them.
    #[must_use]
    pub fn have_kernel(&self) -> bool {
        // Every kernel with modules exports this.
        self.get(b"module_layout").is_some() || self.0.values().any(|export| export.owner == KERNEL)
    }
}

/// A line of a `Module.symvers`: CRC, name, who exports it, how, and the namespace.
fn line(line: &[u8]) -> Option<(&[u8], Export<'_>)> {
    let mut fields = line.split(|&byte| byte == b'\t');
    let mut field = || fields.next();
    let crc = std::str::from_utf8(field()?.strip_prefix(b"0x")?).ok()?;
    let (name, owner, how) = (field()?, field()?, field()?);
    let namespace = field().unwrap_or_default();
    let is_gpl = how.ends_with(b"_GPL");
    Some((name, Export { owner, crc: u32::from_str_radix(crc, 16).ok()?, is_gpl, namespace, is_proprietary: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_symvers() {
        let text = b"0x01\tf\tvmlinux\tEXPORT_SYMBOL\t\n0xff\tg\tdrivers/net/a-b\tEXPORT_SYMBOL_GPL\tNS\n0x02\tf\tx\tEXPORT_SYMBOL\n?";
        let mut exports = Exports::default();
        assert!(exports.add_symvers(text));
        let f = Export { owner: KERNEL, crc: 1, is_gpl: false, namespace: b"", is_proprietary: false };
        assert_eq!(exports.get(b"f"), Some(&f));
        assert_eq!(f.module(), None);
        let g = exports.get(b"g").expect("g");
        assert_eq!((g.crc, g.is_gpl, g.namespace, g.module()), (255, true, &b"NS"[..], Some(b"a_b".to_vec())));
        assert!(exports.have_kernel());
        assert!(!Exports::default().add_symvers(b"nothing"));
    }
}

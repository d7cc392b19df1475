//! Whether the part of a kernel's types that a module has itself is found in the kernel's
//! (`btf_relocate()`).

use std::collections::{HashMap, HashSet};

use base::message::text;

use super::format::{Btf, Type};
use super::kinds::{
    ARRAY, CONST, ENUM, ENUM64, FLOAT, FUNC_PROTO, FWD, INT, RESTRICT, STRUCT, TYPE_TAG, TYPEDEF, UNION, VOLATILE,
};
use super::{Invalid, Rules};
use crate::finding::Errno;

/// The kernel's line, which isn't its verifier's.
fn invalid(line: Vec<u8>) -> Invalid {
    Invalid { lines: vec![line], errno: Errno::EINVAL }
}

fn is_composite(found: &Type) -> bool {
    matches!(found.kind, STRUCT | UNION)
}

/// What a module has of the kernel's types, and what it adds.
struct Relocation<'a> {
    base: Vec<Type<'a>>,
    added: Vec<Type<'a>>,
}

impl<'a> Relocation<'a> {
    /// A type by its number; there is none for `void`.
    fn of(&self, number: u32) -> Option<&Type<'a>> {
        let at = (number as usize).checked_sub(1)?;
        self.base.get(at).or_else(|| self.added.get(at.checked_sub(self.base.len())?))
    }

    /// Which of the base's types are parts of those that are added, so that their sizes
    /// matter; by their numbers.
    ///
    /// # Errors
    /// If types are parts of themselves, where the kernel would go on without end.
    fn embedded(&self) -> Result<Vec<bool>, Invalid> {
        let mut embedded = vec![false; self.base.len() + 1];
        // Each type is followed once: its number, and the last type of its chain.
        let mut ends: HashMap<u32, u32> = HashMap::new();
        let mut chain = Vec::new();
        for composite in self.added.iter().filter(|found| is_composite(found)) {
            for member in 0..composite.count as usize {
                let mut number = composite.word(member * 3 + 1);
                while let Some(found) = self.of(number) {
                    if let Some(&end) = ends.get(&number) {
                        number = end;
                        break;
                    }
                    let next = match found.kind {
                        CONST | RESTRICT | VOLATILE | TYPEDEF | TYPE_TAG => found.size,
                        ARRAY => found.word(0),
                        _ => break,
                    };
                    chain.push(number);
                    if chain.len() > self.base.len() + self.added.len() {
                        return Err(Invalid::cycle());
                    }
                    number = next;
                }
                ends.extend(chain.drain(..).map(|link| (link, number)));
                let place = embedded.get_mut(number as usize);
                if let (Some(place), Some(true)) = (place, self.of(number).map(is_composite)) {
                    *place = true;
                }
            }
        }
        Ok(embedded)
    }
}

/// Only types of these kinds are in a base, each with a name.
fn check_base(base: &[Type]) -> Result<(), Invalid> {
    for (number, found) in (1..).zip(base) {
        let (number, kind): (u32, _) = (number, found.kind);
        if !matches!(found.kind, INT | FLOAT | ENUM | STRUCT | UNION | FWD) {
            let line = format!("type [{number}] in distilled based BTF has unexpected kind [{kind}]");
            return Err(invalid(line.into()));
        }
        if found.name == 0 {
            let line = format!("type [{number}], kind [{kind}] is invalid for distilled base BTF; it is anonymous");
            return Err(invalid(line.into()));
        }
    }
    Ok(())
}

/// Whether a type of the kernel's is one of the base's.
fn is_same(of_base: &Type, of_kernel: &Type, is_embedded: bool) -> bool {
    let encoding = |found: &Type| found.word(0) >> 24 & 0xf;
    match of_base.kind {
        FWD => match of_kernel.kind {
            FWD => of_base.flag == of_kernel.flag,
            STRUCT => !of_kernel.flag,
            UNION => of_kernel.flag,
            _ => false,
        },
        INT => of_kernel.kind == INT && encoding(of_base) == encoding(of_kernel),
        FLOAT => of_kernel.kind == FLOAT,
        ENUM => matches!(of_kernel.kind, ENUM | ENUM64),
        _ => !is_embedded || of_base.size == of_kernel.size,
    }
}

/// Finds the base's types in the kernel's, and the names of what is added in the base's.
///
/// # Errors
/// If one isn't there, or more than once.
pub(super) fn check(types: &Btf, base: &Btf, kernel: &Btf, rules: Rules) -> Result<(), Invalid> {
    let relocation = Relocation { base: base.iter(rules).collect(), added: types.iter(rules).collect() };
    check_base(&relocation.base)?;
    let embedded = relocation.embedded()?;
    let of_kernel: Vec<Type> = kernel.iter(rules).collect();
    let mut composites: HashMap<u32, u32> = HashMap::new();
    for found in of_kernel.iter().filter(|found| is_composite(found) && found.name != 0) {
        *composites.entry(found.name).or_default() += 1;
    }
    // The numbers of the base's types, the largest first, by their names.
    let mut by_name: HashMap<&[u8], Vec<u32>> = HashMap::new();
    for (number, found) in (1..).zip(&relocation.base) {
        by_name.entry(base.called(found.name)).or_default().push(number);
    }
    for numbers in by_name.values_mut() {
        numbers.sort_by_key(|&number| std::cmp::Reverse(relocation.of(number).map(|found| found.size)));
    }

    let mut mapped: Vec<u32> = vec![0; relocation.base.len() + 1];
    for (number, found) in (1..).zip(&of_kernel).filter(|(_, found)| found.name != 0) {
        let needs_size = match found.kind {
            INT | FLOAT | ENUM | ENUM64 => true,
            FWD => false,
            STRUCT | UNION => composites[&found.name] > 1,
            _ => continue,
        };
        let name = kernel.called(found.name);
        for &candidate in by_name.get(name).into_iter().flatten() {
            let Some(of_base) = relocation.of(candidate) else { continue };
            let place = candidate as usize;
            if needs_size && of_base.size != found.size || !is_same(of_base, found, embedded[place]) {
                continue;
            }
            if mapped[place] != 0 {
                let (size, before) = (found.size, mapped[place]);
                let what = format!(
                    "' [{candidate}], size {size} has multiple candidates of the same size (ids [{number}, {before}]) in base BTF"
                );
                return Err(invalid(text!("distilled base BTF type '{}{}", name, what)));
            }
            mapped[place] = number;
        }
    }
    let lost = (1..).zip(&relocation.base).find(|(number, _)| mapped[*number] == 0);
    if let Some((number, found)) = lost {
        let what = format!("' [{number}] is not mapped to base BTF id");
        return Err(invalid(text!("distilled base BTF type '{}{}", base.called(found.name), what)));
    }
    check_names(&relocation, base)
}

/// The names that what is added has from the base are those of types there.
fn check_names(relocation: &Relocation, base: &Btf) -> Result<(), Invalid> {
    let names: HashSet<u32> = relocation.base.iter().map(|found| found.name).collect();
    for found in &relocation.added {
        let words = match found.kind {
            STRUCT | UNION | ENUM64 => 3,
            ENUM | FUNC_PROTO => 2,
            _ => 0,
        };
        let elements = if words == 0 { 0 } else { found.count as usize };
        let of_elements = (0..elements).map(|element| found.word(element * words));
        let lost = std::iter::once(found.name)
            .chain(of_elements)
            .find(|&name| name != 0 && base.has_string(name) && !names.contains(&name));
        if let Some(name) = lost {
            // The name itself isn't told.
            let line = format!("string '' [offset {name}] is not mapped to base BTF");
            return Err(Invalid { errno: Errno::ENOENT, ..invalid(line.into()) });
        }
    }
    Ok(())
}

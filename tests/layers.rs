//! Which module may use which.
//!
//! - A crate of `lib/` depends on those above it in [`LAYERS`] alone; Cargo
//!   keeps it from using others, and this from declaring them.
//! - Inside a crate, the table in its `lib.rs` names every module, and each
//!   uses those above it in the table alone.
//! - Files of one directory below that don't use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates of `lib/`, from the lowest up.
const LAYERS: &[&str] =
    &["base", "kernel", "cli", "elf", "kmod", "loader", "modpost", "fixdep", "lalr", "symversions", "proof", "swap"];

fn lib() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of a directory's entries.
fn entries(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// The modules of a directory: files and directories, without what is the
/// directory's own module.
fn modules(dir: &Path) -> BTreeSet<String> {
    let names = entries(dir).into_iter().map(|name| name.trim_end_matches(".rs").to_owned());
    names.filter(|name| name != "lib" && name != "mod").collect()
}

/// The source of a module, with that of all modules in it. Comments and tests
/// don't count.
fn source(dir: &Path, module: &str) -> String {
    let file = dir.join(format!("{module}.rs"));
    let text = if file.exists() {
        read(&file)
    } else {
        let dir = dir.join(module);
        let inner = modules(&dir).into_iter().map(|inner| source(&dir, &inner));
        inner.chain([read(&dir.join("mod.rs"))]).collect()
    };
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The first names of the paths that begin with a prefix: `use PREFIX::a`,
/// `use PREFIX::{b, c}`, or `PREFIX::d` in the code.
fn names_after<'a>(code: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let name = |text: &'a str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        &text[..end]
    };
    let mut names = BTreeSet::new();
    // What a macro's `$crate` means is another crate's.
    for (at, _) in code.match_indices(prefix).filter(|(at, _)| !code[..*at].ends_with('$')) {
        let rest = &code[at + prefix.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = &list[..list.find(';').unwrap_or(list.len())];
            names.extend(list.split([',', '{', '}']).map(|item| name(item.trim())));
        } else {
            names.insert(name(rest));
        }
    }
    names
}

/// The modules in the table of a `lib.rs`, in order.
fn table(text: &str) -> Vec<String> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    let names = rows.skip(2).flat_map(|row| row.split(" | ").next().unwrap_or_default().split(", "));
    names.map(|name| name.trim_matches(['[', ']', '`']).to_owned()).collect()
}

#[test]
fn crates_depend_on_lower_ones() {
    let crates: BTreeSet<String> = LAYERS.iter().map(|&layer| layer.to_owned()).collect();
    assert_eq!(entries(&lib()), crates, "LAYERS names every crate");
    for (layer, name) in LAYERS.iter().enumerate() {
        let manifest = read(&lib().join(name).join("Cargo.toml"));
        for upper in &LAYERS[layer..] {
            assert!(!manifest.contains(&format!("\n{upper}.workspace")), "{name} depends on {upper}");
        }
    }
}

#[test]
fn modules_use_those_above_them_in_the_table() {
    for name in LAYERS {
        let dir = lib().join(name).join("src");
        let order = table(&read(&dir.join("lib.rs")));
        let modules = modules(&dir);
        assert_eq!(order.iter().cloned().collect::<BTreeSet<_>>(), modules, "{name}: the table in lib.rs");
        for (place, module) in order.iter().enumerate() {
            let code = source(&dir, module);
            let used = names_after(&code, "crate::");
            for lower in &order[place + 1..] {
                assert!(!used.contains(&lower[..]), "{name}: {module} uses {lower}");
            }
        }
    }
}

/// A circle among modules that use each other, if there is one.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left = uses.clone();
    while let Some(free) = left.iter().find(|(_, used)| used.iter().all(|name| !left.contains_key(name))) {
        let free = free.0.clone();
        left.remove(&free);
    }
    (!left.is_empty()).then(|| left.into_keys().collect())
}

#[test]
fn files_use_each_other_in_no_circle() {
    let mut dirs: Vec<(PathBuf, String)> =
        LAYERS.iter().map(|name| (lib().join(name).join("src"), "crate::".to_owned())).collect();
    while let Some((dir, path)) = dirs.pop() {
        let siblings = modules(&dir);
        let uses = siblings.iter().map(|module| {
            let code = source(&dir, module);
            let mut used = names_after(&code, &path);
            if dir.join(format!("{module}.rs")).exists() {
                used.extend(names_after(&code, "super::"));
            }
            let used = used.into_iter().filter(|name| siblings.contains(*name) && name != module);
            (module.clone(), used.map(str::to_owned).collect())
        });
        assert_eq!(circle(&uses.collect()), None, "{}", dir.display());
        let inner = siblings.iter().filter(|module| dir.join(module).is_dir());
        dirs.extend(inner.map(|module| (dir.join(module), format!("{path}{module}::"))));
    }
}

#[test]
fn circles_are_found() {
    let uses = |pairs: &[(&str, &[&str])]| {
        let set = |used: &[&str]| used.iter().map(|&name| name.to_owned()).collect();
        pairs.iter().map(|(name, used)| ((*name).to_owned(), set(used))).collect()
    };
    assert_eq!(circle(&uses(&[("a", &["b"]), ("b", &["c"]), ("c", &[])])), None);
    let found = circle(&uses(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]));
    assert_eq!(found, Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
    assert_eq!(
        names_after("use crate::{a, b::{c, d}};\nuse crate::e::f;\nlet g = crate::h(1);\n", "crate::"),
        BTreeSet::from(["", "a", "b", "c", "d", "e", "h"])
    );
}

//! Whether two have the same srcversion.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base::message::{Fatal, text};
use base::textfile;
use kmod::archive;
use kmod::modinfo;
use modpost::dialect::Dialect;
use modpost::kind;

use crate::{of_tree, put};

/// One side of a comparison: what it is called, and its srcversion.
type Side<'a> = (&'a [u8], Option<Vec<u8>>);

/// What a module's file has.
pub(crate) fn of_file(path: &[u8]) -> Result<Option<Vec<u8>>, Fatal> {
    let refusal = |what: &str| Fatal::refusal(kind::MALFORMED_OBJECT, text!("{}: {}\n", path, what));
    let source = archive::open(textfile::path(path)).map_err(|error| refusal(&error.to_string()))?;
    if !archive::is_elf(&source).map_err(|error| refusal(&error.to_string()))? {
        return Err(refusal("not a module"));
    }
    modinfo::value(&source, b"srcversion").map_err(|error| refusal(&error.to_string()))
}

/// Says whether they are equal, and why one may be absent.
fn say(sides: &[Side; 2], out: &mut dyn Write) -> Result<bool, Fatal> {
    for (name, sum) in sides {
        let sum = sum.as_deref().unwrap_or(b"no srcversion");
        put(out, &[*name, b": ", sum, b"\n"].concat())?;
    }
    let verdict: &[u8] = match (&sides[0].1, &sides[1].1) {
        (Some(first), Some(second)) if first == second => b"equal\n",
        (Some(_), Some(_)) => b"different\n",
        _ => {
            b"absent: modpost gives one to modules with a MODULE_VERSION(), and to all if the kernel has \
              CONFIG_MODULE_SRCVERSION_ALL\n"
        }
    };
    put(out, verdict)?;
    Ok(verdict == b"equal\n")
}

/// Two modules.
pub(crate) fn modules(first: &[u8], second: &[u8], out: &mut dyn Write) -> Result<bool, Fatal> {
    say(&[(first, of_file(first)?), (second, of_file(second)?)], out)
}

/// A module and the tree in which it lies.
pub(crate) fn with_tree(
    file: &[u8],
    dialect: &Dialect,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool, Fatal> {
    let tree = of_tree(file, dialect, err)?.map(String::into_bytes);
    say(&[(file, of_file(file)?), (b"its tree", tree)], out)
}

/// Modules, each a file or a tree's, and a loaded one.
pub(crate) fn with_loaded(
    modules: &[&[u8]],
    loaded: &str,
    sysfs: &Path,
    dialect: &Dialect,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool, Fatal> {
    let path = sysfs.join("module").join(loaded.replace('-', "_"));
    let what = path.as_os_str().as_bytes();
    // A loaded module has a directory, if not a srcversion.
    fs::metadata(&path).map_err(|error| Fatal::perror(what, error))?;
    let sum = fs::read(path.join("srcversion")).ok().map(|text| text.trim_ascii_end().to_vec());
    if modules.is_empty() {
        put(out, &[what, b": ", sum.as_deref().unwrap_or(b"no srcversion"), b"\n"].concat())?;
        return Ok(sum.is_some());
    }
    let mut all = true;
    for &module in modules {
        let own = if module.ends_with(b".ko") || module.windows(4).any(|part| part == b".ko.") {
            of_file(module)?
        } else {
            of_tree(module, dialect, err)?.map(String::into_bytes)
        };
        all &= say(&[(module, own), (what, sum.clone())], out)?;
    }
    Ok(all)
}

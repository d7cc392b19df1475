//! Where downloads and what is made of them are kept, outside the tree.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A directory of the cache, made if need be.
///
/// # Errors
/// If it can't be made.
pub fn directory(name: &str) -> io::Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
    };
    let dir = base.join("kbuild-rs").join(name);
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// One lock for each directory that was asked for.
static LOCKS: Mutex<BTreeMap<String, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());

/// Makes a directory whole or not at all: `make` fills one beside it, which is
/// then renamed. Other threads that want the same one wait; `make` may ask for
/// others.
///
/// # Errors
/// Those of `make`, and of the file system.
pub fn once(name: &str, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    // What a thread that panicked left behind is a `.part` directory at most.
    let lock = LOCKS.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default().clone();
    let _held = lock.lock().unwrap_or_else(PoisonError::into_inner);
    let target = directory("")?.join(name);
    if target.exists() {
        return Ok(target);
    }
    let mut part = target.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    fs::create_dir_all(&part)?;
    make(&part)?;
    fs::rename(&part, &target)?;
    Ok(target)
}

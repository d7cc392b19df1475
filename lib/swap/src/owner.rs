//! The owner of a kernel tree. Its programs are run and replaced with the owner's rights.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base::regular;

use crate::directory::{Ancestor, Directory};
use crate::error::{Error, at};
use crate::group::GROUPS;

/// The list of the system's users (passwd(5)).
const USERS: &str = "/etc/passwd";
/// No list of a machine's own users is larger, in bytes.
const MAX_USERS: u64 = 64 << 20;

/// The owner of a tree.
#[derive(Debug, PartialEq, Eq)]
pub enum Owner {
    /// Root alone can change the tree, or anything on the way to it.
    Root,
    /// A user's.
    User(User),
}

/// A user of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The number of the user's own group; 65534 (nobody) if
    /// `/etc/passwd` doesn't have the user.
    pub gid: u32,
    /// The login name, if `/etc/passwd` has the user.
    pub name: Option<String>,
    /// The home directory, if `/etc/passwd` has the user.
    pub home: Option<PathBuf>,
}

impl User {
    /// The user of a number. Network services are not asked for users: a static program
    /// can't load their libraries.
    #[must_use]
    pub fn of(uid: u32) -> Self {
        let text = regular::read(Path::new(USERS), MAX_USERS).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let entry = text.lines().find_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            let [name, _, number, group, _, home, _] = fields[..] else { return None };
            (number.parse() == Ok(uid)).then(|| Some((name.to_owned(), group.parse().ok()?, home.to_owned())))
        });
        match entry.flatten() {
            Some((name, gid, home)) => Self { uid, gid, name: Some(name), home: Some(home.into()) },
            None => Self { uid, gid: 65534, name: None, home: None },
        }
    }
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (uid {})", self.uid),
            None => write!(f, "uid {}", self.uid),
        }
    }
}

/// Whether others than the owner can write to something of this mode and group. Files in
/// a kernel's tarball can be written by their group, and root unpacks them with its own.
fn is_shared(mode: u32, gid: u32) -> bool {
    mode & 0o002 != 0 || mode & 0o020 != 0 && gid != 0
}

/// Why others than root can change something of this owner and mode; `None` if they can't.
fn not_roots(uid: u32, is_shared: bool, mode: u32) -> Option<String> {
    if uid != 0 {
        Some(format!("belongs to {}", User::of(uid)))
    } else {
        is_shared.then(|| format!("can be written by others than root (mode {mode:o})"))
    }
}

/// The first path on the way to a directory that others than root can change, and why.
/// Others may write to a sticky directory such as `/tmp`, where they can't rename or
/// remove what belongs to root.
fn not_roots_way(way: &[Ancestor]) -> Option<(PathBuf, String)> {
    way.iter().enumerate().find_map(|(number, Ancestor { path, uid, gid, mode })| {
        let is_sticky = mode & 0o1000 != 0 && number + 1 < way.len();
        Some((path.clone(), not_roots(*uid, is_shared(*mode, *gid) && !is_sticky, *mode)?))
    })
}

/// Checks that root alone can change a directory and everything on the way to it.
///
/// # Errors
/// The path that others can change.
pub fn check_roots(ancestors: &[Ancestor]) -> Result<(), Error> {
    match not_roots_way(ancestors) {
        None => Ok(()),
        Some((path, why)) => Err(Error::refused(path, format!("{why}, so root does not work below it"))),
    }
}

/// All directories and files that a swap reads, executes or replaces.
struct Parts {
    /// The directories on the way to the tree, and to each directory of programs.
    ways: Vec<Vec<Ancestor>>,
    /// The files in the directories of programs.
    files: Vec<(PathBuf, Metadata)>,
}

impl Parts {
    fn of(tree: &Path) -> Result<Self, Error> {
        let mut parts = Self { ways: vec![at(tree, Directory::walk(tree))?.1], files: Vec::new() };
        for group in &GROUPS {
            let path = tree.join("scripts").join(group.directory);
            let (directory, way) = match Directory::walk(&path) {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
                walked => at(&path, walked)?,
            };
            parts.ways.push(way);
            for name in group.files() {
                let path = directory.join(name);
                let metadata = at(&path, directory.metadata_of(name))?;
                parts.files.extend(metadata.map(|metadata| (path, metadata)));
            }
        }
        Ok(parts)
    }

    /// The first path that others than root can change, and why.
    fn not_roots(&self) -> Option<(PathBuf, String)> {
        let file = |(path, metadata): &(PathBuf, Metadata)| {
            let why = not_roots(metadata.uid(), is_shared_file(metadata), metadata.mode() & 0o7777)?;
            Some((path.clone(), why))
        };
        self.ways.iter().find_map(|way| not_roots_way(way)).or_else(|| self.files.iter().find_map(file))
    }

    /// The first path that belongs to another user than this one. Directories on the way
    /// to the tree may be root's; what is in it may not.
    fn not_users(&self, user: u32) -> Option<(PathBuf, String)> {
        let dirs = self.ways.iter().flat_map(|way| {
            way.iter().enumerate().map(|(number, dir)| (&dir.path, dir.uid, dir.uid == 0 && number + 1 < way.len()))
        });
        let files = self.files.iter().map(|(path, metadata)| (path, metadata.uid(), false));
        let other = dirs.chain(files).find(|(_, uid, is_on_the_way)| *uid != user && !is_on_the_way);
        other.map(|(path, uid, _)| (path.clone(), format!("belongs to {}", User::of(uid))))
    }
}

/// Whether others than its owner can write to a file. The mode of a symbolic link doesn't
/// count.
fn is_shared_file(metadata: &Metadata) -> bool {
    !metadata.is_symlink() && is_shared(metadata.mode(), metadata.gid())
}

/// Finds the owner of a tree.
///
/// # Errors
/// It returns the system's error, and refuses a tree if several users own parts of it.
pub fn of_tree(tree: &Path) -> Result<Owner, Error> {
    let parts = Parts::of(tree)?;
    let Some((path, why)) = parts.not_roots() else { return Ok(Owner::Root) };
    let uid = parts.ways[0].last().map_or(0, |tree| tree.uid);
    // Other users can write to this directory of root's, or to one on the way to it.
    let other = if uid == 0 { Some((path, why)) } else { parts.not_users(uid) };
    match other {
        None => Ok(Owner::User(User::of(uid))),
        Some((path, why)) => {
            let says = format!("{why}, and {} belongs to {}", tree.display(), User::of(uid));
            Err(Error::refused(path, format!("{says}: a tree of several owners is not touched")))
        }
    }
}

/// Directories of programs that root is asked to run: the first path that isn't root's
/// alone, and why.
///
/// # Errors
/// It returns that path, or the system's error.
pub fn check_programs(directories: &[&Path]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for path in directories.iter().filter(|path| path.exists()) {
        let real = at(path, fs::canonicalize(path))?;
        if seen.insert(real) {
            let (directory, ancestors) = at(path, Directory::walk(path))?;
            check_roots(&ancestors)?;
            for name in at(path, directory.names())? {
                let metadata = at(path, directory.metadata_of(&name))?;
                if metadata.is_some_and(|metadata| metadata.uid() != 0 || is_shared_file(&metadata)) {
                    return Err(Error::refused(directory.join(name), "can be changed by others than root"));
                }
            }
        }
    }
    Ok(())
}

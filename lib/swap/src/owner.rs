//! Whose a kernel tree is, which decides with whose rights its programs are run and
//! replaced.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base::regular;

use crate::directory::{Ancestor, Directory};
use crate::error::{Error, at};
use crate::group::{GROUPS, Group};

/// Where the system names its users (passwd(5)).
const USERS: &str = "/etc/passwd";
/// No list of a machine's own users is larger, in bytes.
const MAX_USERS: u64 = 64 << 20;

/// The user to whom a tree belongs.
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
    /// The number of the user's own group; that of nobody (65534) if [`USERS`] doesn't
    /// have the user.
    pub gid: u32,
    /// The login name, if [`USERS`] has the user.
    pub name: Option<String>,
    /// The home directory, if [`USERS`] has the user.
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

/// Who else than root can change something on the way to a directory: the first path, and
/// why. Others may write to a sticky directory such as `/tmp`, where they can't rename or
/// remove what belongs to root.
fn not_roots(ancestors: &[Ancestor]) -> Option<(&Path, String)> {
    ancestors.iter().enumerate().find_map(|(number, ancestor)| {
        let Ancestor { path, uid, gid, mode } = ancestor;
        let is_sticky = mode & 0o1000 != 0 && number + 1 < ancestors.len();
        let why = if *uid != 0 {
            format!("belongs to {}", User::of(*uid))
        } else if is_shared(*mode, *gid) && !is_sticky {
            format!("can be written by others than root (mode {mode:o})")
        } else {
            return None;
        };
        Some((path.as_path(), why))
    })
}

/// Checks that root alone can change a directory and everything on the way to it.
///
/// # Errors
/// The path that others can change.
pub fn check_roots(ancestors: &[Ancestor]) -> Result<(), Error> {
    match not_roots(ancestors) {
        None => Ok(()),
        Some((path, why)) => Err(Error::refused(path, format!("{why}, so root does not work below it"))),
    }
}

/// A path of a tree: its owner, and whether others than the owner can write to it.
struct Owned {
    path: PathBuf,
    uid: u32,
    is_shared: bool,
}

impl Owned {
    fn is_roots(&self) -> bool {
        self.uid == 0 && !self.is_shared
    }
}

/// The directories and files that a swap executes, replaces or copies, with all
/// directories on the way to them.
fn parts(tree: &Path, groups: &[&Group]) -> Result<(Vec<Ancestor>, Vec<Vec<Ancestor>>, Vec<Owned>), Error> {
    let (_, to_tree) = at(tree, Directory::walk(tree))?;
    let (mut to_places, mut files) = (Vec::new(), Vec::new());
    for group in groups {
        let path = tree.join("scripts").join(group.directory);
        let (directory, ancestors) = match Directory::walk(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            walked => at(&path, walked)?,
        };
        to_places.push(ancestors);
        for name in group.files() {
            let path = directory.join(name);
            let Some(metadata) = at(&path, directory.metadata_of(name))? else { continue };
            files.push(Owned { path, uid: metadata.uid(), is_shared: is_shared_file(&metadata) });
        }
    }
    Ok((to_tree, to_places, files))
}

/// Whether others than its owner can write to a file. The mode of a symbolic link doesn't
/// count.
fn is_shared_file(metadata: &Metadata) -> bool {
    !metadata.is_symlink() && is_shared(metadata.mode(), metadata.gid())
}

/// Whose a tree is.
///
/// # Errors
/// If something can't be looked at, or if several users own parts of the tree.
pub fn of_tree(tree: &Path) -> Result<Owner, Error> {
    let groups: Vec<_> = GROUPS.iter().collect();
    let (to_tree, to_places, files) = parts(tree, &groups)?;
    let ways = || to_places.iter().chain([&to_tree]);
    if ways().all(|way| not_roots(way).is_none()) && files.iter().all(Owned::is_roots) {
        return Ok(Owner::Root);
    }
    let uid = to_tree.last().map_or(0, |last| last.uid);
    let mixed = |path: &Path, why: String| {
        let says = format!("{why}, and {} belongs to {}", tree.display(), User::of(uid));
        Err(Error::refused(path, format!("{says}: nobody's rights fit a tree of several owners")))
    };
    if uid == 0 {
        // Root's own directory, but somebody else can change what is in it or where it is.
        let first = ways().find_map(|way| not_roots(way)).map(|(path, why)| (path.to_owned(), why));
        let shared = || files.iter().find(|file| !file.is_roots());
        let of_file = |file: &Owned| {
            let why = if file.uid == 0 {
                "can be written by others than root".to_owned()
            } else {
                format!("belongs to {}", User::of(file.uid))
            };
            (file.path.clone(), why)
        };
        let (path, why) = first.or_else(|| shared().map(of_file)).unwrap_or_else(|| (tree.to_owned(), String::new()));
        return mixed(&path, why);
    }
    // On the way to a tree, directories may be root's. What is in it may not.
    for way in ways() {
        let is_last = |number: usize| number + 1 == way.len();
        let other = way.iter().enumerate().find(|(number, dir)| dir.uid != uid && (dir.uid != 0 || is_last(*number)));
        if let Some((_, dir)) = other {
            return mixed(&dir.path, format!("belongs to {}", User::of(dir.uid)));
        }
    }
    match files.iter().find(|file| file.uid != uid) {
        Some(file) => mixed(&file.path, format!("belongs to {}", User::of(file.uid))),
        None => Ok(Owner::User(User::of(uid))),
    }
}

/// Directories of programs that root is asked to run: the first path that isn't root's
/// alone, and why.
///
/// # Errors
/// That path, or one that can't be looked at.
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

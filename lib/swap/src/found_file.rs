//! A file as it was found: what identifies it, what is in it, and what the file system
//! keeps beside its contents.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fmt;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::str::FromStr;

use base::regular;
use rustix::fs::{Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::directory::{Directory, Identity};
use crate::machine::{self, HEADER, Machine};

/// The most bytes that a program of a kernel tree may have. Debian's largest has 0.1 MB,
/// one with debugging information and sanitizers 4 MB, ours 3 MB.
pub(crate) const MAX_PROGRAM: u64 = 64 << 20;

/// The size of a read, in bytes.
const CHUNK: usize = 1 << 16;

/// The set-user-id and set-group-id bits of a mode.
pub(crate) const SET_ID: u32 = 0o6000;

/// The SHA-256 of a file's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileDigest([u8; 32]);

impl FileDigest {
    /// The digest of contents.
    #[must_use]
    pub fn of(contents: &[u8]) -> Self {
        Self(Sha256::digest(contents).into())
    }
}

/// Bytes as hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits; `None` for other text.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() % 2 != 0 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

impl fmt::Display for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl FromStr for FileDigest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = bytes_of(text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("not a SHA-256 in hexadecimal digits")
    }
}

impl TryFrom<String> for FileDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FileDigest> for String {
    fn from(digest: FileDigest) -> Self {
        digest.to_string()
    }
}

/// Seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Time(i64, i64);

/// The times of a file's last access and of the last change of its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    pub(crate) accessed: Time,
    pub(crate) modified: Time,
}

impl Times {
    /// The times of a file or directory.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let accessed = Time(metadata.atime(), metadata.atime_nsec());
        Self { accessed, modified: Time(metadata.mtime(), metadata.mtime_nsec()) }
    }

    /// The times as the system takes them.
    pub(crate) fn stamps(&self) -> Timestamps {
        // The type of nanoseconds is the machine's.
        #[allow(clippy::useless_conversion)]
        let time = |time: Time| Timespec { tv_sec: time.0, tv_nsec: time.1.clamp(0, 999_999_999).into() };
        Timestamps { last_access: time(self.accessed), last_modification: time(self.modified) }
    }
}

/// What a file system keeps of a file beside its contents. A link count isn't part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Permissions.
    pub(crate) mode: u32,
    /// The number of its owner.
    pub(crate) uid: u32,
    /// The number of its group.
    pub(crate) gid: u32,
    /// The times of its last access and change.
    pub(crate) times: Times,
    /// Extended attributes (xattr(7)), access control lists among them: names and values
    /// in hexadecimal digits.
    pub(crate) extended: BTreeMap<String, String>,
}

impl Attributes {
    /// The attributes of an open file.
    pub(crate) fn of(file: &File, metadata: &Metadata) -> io::Result<Self> {
        Ok(Self {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            times: Times::of(metadata),
            extended: extended(file)?,
        })
    }

    /// Gives a new file its mode, owner and times, but for set-user-id and set-group-id
    /// bits.
    pub(crate) fn give(&self, file: &File) -> io::Result<()> {
        // Only root can give a file to somebody else; anyone else's new file is their own.
        match fchown(file, Some(self.uid), Some(self.gid)) {
            Err(error) if error.kind() != ErrorKind::PermissionDenied => return Err(error),
            _ => {}
        }
        file.set_permissions(Permissions::from_mode(self.mode & 0o7777 & !SET_ID))?;
        Ok(rustix::fs::futimens(file, &self.times.stamps())?)
    }

    /// Gives a new file all that was kept of an original.
    pub(crate) fn restore(&self, file: &File) -> io::Result<()> {
        for (name, value) in &self.extended {
            let damaged = || io::Error::new(ErrorKind::InvalidData, "an extended attribute was kept corrupted");
            let name = bytes_of(name).and_then(|name| CString::new(name).ok()).ok_or_else(damaged)?;
            let value = bytes_of(value).ok_or_else(damaged)?;
            match rustix::fs::fsetxattr(file, &name, &value, XattrFlags::empty()) {
                // Security modules label a new file themselves, and may let nobody else.
                Err(_) if name.to_bytes().starts_with(b"security.") => {}
                result => result?,
            }
        }
        self.give(file)
    }
}

/// The extended attributes of a file; none if its file system has none.
fn extended(file: &File) -> io::Result<BTreeMap<String, String>> {
    let mut names = vec![0; CHUNK];
    let length = match rustix::fs::flistxattr(file, &mut names[..]) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(BTreeMap::new()),
        length => length?,
    };
    let mut attributes = BTreeMap::new();
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; CHUNK];
        match rustix::fs::fgetxattr(file, name, &mut value[..]) {
            // It is gone already, or only its security module may read it.
            Err(Errno::NODATA | Errno::PERM | Errno::ACCESS) => {}
            length => {
                attributes.insert(hexadecimal(name), hexadecimal(&value[..length?]));
            }
        }
    }
    Ok(attributes)
}

/// A file of a tree as it was found.
#[derive(Clone, Debug)]
pub struct FoundFile {
    /// The identity, which changes if the file is replaced.
    pub(crate) identity: Identity,
    /// The digest of its contents.
    pub digest: FileDigest,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Its mode, owner, times and extended attributes.
    pub(crate) attributes: Attributes,
    /// The machine that it is for; `None` if it isn't an ELF file.
    pub(crate) machine: Option<&'static Machine>,
}

/// Copies a file of at most `limit` bytes to a writer. Returns the digest and the size, and
/// the first [`HEADER`] bytes.
pub(crate) fn copy(file: &File, to: &mut impl Write, limit: u64) -> io::Result<(FileDigest, u64, Vec<u8>)> {
    let (mut hasher, mut size, mut beginning) = (Sha256::new(), 0, Vec::new());
    let mut chunk = vec![0; CHUNK];
    let mut file = file.take(limit.saturating_add(1));
    loop {
        let length = match file.read(&mut chunk) {
            Ok(0) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            length => length?,
        };
        let bytes = &chunk[..length];
        hasher.update(bytes);
        to.write_all(bytes)?;
        beginning.extend(bytes.iter().take(HEADER - beginning.len()));
        size += length as u64;
        regular::check_size(size, limit)?;
    }
    Ok((FileDigest(hasher.finalize().into()), size, beginning))
}

impl FoundFile {
    /// Reads a file of a directory; `None` if nothing has the name.
    ///
    /// # Errors
    /// It returns the system's error, and refuses anything but a regular file of at most
    /// 64 MiB.
    pub fn find(directory: &Directory, name: &str) -> io::Result<Option<Self>> {
        let Some(file) = directory.open_file(name)? else { return Ok(None) };
        let metadata = file.metadata()?;
        regular::check_size(metadata.len(), MAX_PROGRAM)?;
        // The time of the last access is read before the contents are.
        let attributes = Attributes::of(&file, &metadata)?;
        let (digest, size, beginning) = copy(&file, &mut io::sink(), MAX_PROGRAM)?;
        let (identity, machine) = (Identity::of(&metadata), machine::of_header(&beginning));
        Ok(Some(Self { identity, digest, size, attributes, machine }))
    }

    /// Whether the name still belongs to this file.
    pub(crate) fn is_still(&self, directory: &Directory, name: &str) -> io::Result<bool> {
        Ok(directory.metadata_of(name)?.is_some_and(|metadata| Identity::of(&metadata) == self.identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_as_they_are_written() {
        let digest = FileDigest::of(b"modpost");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "12", &"g".repeat(64), &digest.to_string()[2..]] {
            assert!(text.parse::<FileDigest>().is_err(), "{text}");
        }
    }
}

//! Where a kernel's files are, and what they say of it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::{error, ffi, fmt};

use base::bytes::base_name;
use base::message::strerror;
use base::regular::{self, Refusal};
use base::workers::Workers;
use kernel::Version;
use kmod::archive::{self, Memory, Streams};
use kmod::{installed, is_named_as_module, limits, modinfo, module_name};

use crate::certificate::{self, Certificate};
use crate::config::Config;
use crate::dialect::Dialect;
use crate::exported::{self, Exported};
use crate::exports::{Exports, KERNEL};
use crate::target::{self, Native, Sample, State, Target};
use crate::vermagic;
use crate::vmlinux::{Types, Vmlinux};

/// Why a kernel can't be looked at.
#[derive(Debug)]
pub enum Error {
    /// A file or directory can't be read.
    Io(PathBuf, io::Error),
    /// A file isn't what it should be.
    Not(PathBuf, &'static str),
    /// A file can't be decompressed.
    Archive(PathBuf, archive::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {}", path.display(), strerror(error)),
            Self::Not(path, what) => write!(f, "{}: {what}", path.display()),
            Self::Archive(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            Self::Not(..) => None,
            Self::Archive(_, error) => Some(error),
        }
    }
}

/// The firmware's variables with keys that a kernel takes besides its own: those that the
/// owner of the machine has added by shim's MokManager, and those of UEFI's Secure Boot.
const FIRMWARE: &[&str] =
    &["MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23", "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"];

/// What was found of a kernel.
#[derive(Debug, Default)]
pub struct Place {
    /// What it is called.
    pub name: Vec<u8>,
    /// Its release; `None` if nothing says it.
    pub release: Option<Vec<u8>>,
    /// Its version, if its headers say it: a distribution's release may be another.
    version: Option<Version>,
    /// The directory with its modules.
    pub modules: Option<PathBuf>,
    /// Its modules' files, by their names.
    files: HashMap<Vec<u8>, PathBuf>,
    symvers: Vec<Vec<u8>>,
    config: Option<Config>,
    sample: Option<Sample>,
    /// What its image and its own modules export, if that isn't listed elsewhere.
    built_in: Vec<Exported>,
    own: Vec<(Vec<u8>, Vec<Exported>)>,
    certificates: Vec<Certificate>,
    /// Whether these are all that it has.
    knows_keys: bool,
    types: Types,
    /// Where its image may be.
    images: Vec<PathBuf>,
    state: State,
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    regular::read(path, limits::LIST).map_err(|error| Error::Io(path.to_owned(), error))
}

/// Reads a file that may be missing or unreadable. Only one that no kernel has, such as a
/// FIFO or a file of gigabytes, is an error.
fn optional(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    match regular::read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if Refusal::of(&error).is_some() => Err(Error::Io(path.to_owned(), error)),
        Err(_) => Ok(None),
    }
}

/// Reads the first of some files that is there, as [`optional`] does.
fn first(paths: impl IntoIterator<Item = PathBuf>, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut read = paths.into_iter().map(|path| optional(&path, limit));
    read.find_map(Result::transpose).transpose()
}

/// A compressed text, if it is there and isn't damaged.
fn unpacked(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(bytes) = optional(path, limits::LIST)? else { return Ok(None) };
    match archive::unpack(&bytes, Streams::All, limit) {
        Err(error @ (archive::Error::TooLarge(_) | archive::Error::Demanding(_))) => {
            Err(Error::Archive(path.to_owned(), error))
        }
        text => Ok(text.ok().flatten()),
    }
}

/// Where a link below a root leads; links to absolute paths start at the root.
fn below(root: &Path, link: &Path) -> PathBuf {
    match fs::read_link(link) {
        Ok(target) if target.is_absolute() => {
            root.join(target.components().filter(|part| *part != Component::RootDir).collect::<PathBuf>())
        }
        _ => link.to_owned(),
    }
}

fn first_line(bytes: &[u8]) -> Vec<u8> {
    bytes.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii().to_vec()
}

/// What stands between the first two quotation marks.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    text.split(|&byte| byte == b'"').nth(1)
}

impl Place {
    /// An installed kernel, by its release, below a system's root.
    ///
    /// # Errors
    /// It returns an error if the modules aren't there, or if a file is not regular or too
    /// large, compressed or decompressed.
    pub fn of_release(root: &Path, release: &str) -> Result<Self, Error> {
        let installed = installed::kernels(root).into_iter().find(|kernel| kernel.release == release);
        let modules = installed.map_or_else(|| installed::directory(root, release), |kernel| kernel.directory);
        fs::read_dir(&modules).map_err(|error| Error::Io(modules.clone(), error))?;
        let name = release.as_bytes().to_vec();
        let mut place = Self { name: name.clone(), release: Some(name), ..Self::default() };
        place.files = files(&modules);
        let build = below(root, &modules.join("build"));
        place.take_headers(&build)?;
        if place.symvers.is_empty() {
            let symvers = ["symvers.gz", "symvers.xz", "symvers.zst"].iter().map(|name| modules.join(name));
            let mut found = symvers.map(|path| unpacked(&path, limits::SYMVERS));
            place.symvers.extend(found.find_map(Result::transpose).transpose()?);
        }
        let configs = [root.join("boot").join(format!("config-{release}")), modules.join("config")];
        let config = first(configs, limits::CONFIG)?;
        place.config = config.map(|text| Config::parse(&text)).or(place.config);
        place.sample = place.files.values().min().and_then(|path| Sample::of(&Memory::default().read(path).ok()?));
        place.images.extend([root.join("boot").join(format!("vmlinuz-{release}")), modules.join("vmlinuz")]);
        place.take_state(root, release)?;
        place.modules = Some(modules);
        Ok(place)
    }

    /// The kernel of a headers package or a build directory.
    ///
    /// # Errors
    /// If that is neither, or one of its files is no regular file or too large.
    pub fn of_headers(dir: &Path) -> Result<Self, Error> {
        let symvers = dir.join("Module.symvers");
        read(&symvers)?;
        let mut place = Self { name: dir.as_os_str().as_bytes().to_vec(), ..Self::default() };
        place.take_headers(dir)?;
        Ok(place)
    }

    /// What exports are listed by these files.
    ///
    /// # Errors
    /// If one can't be read, or lists none.
    pub fn of_symvers(files: &[PathBuf]) -> Result<Self, Error> {
        let names: Vec<&[u8]> = files.iter().map(|file| file.as_os_str().as_bytes()).collect();
        let mut place = Self { name: names.join(&b", "[..]), ..Self::default() };
        place.add_symvers(files)?;
        Ok(place)
    }

    /// Adds the exports that files list.
    ///
    /// # Errors
    /// If one can't be read, or lists none.
    pub fn add_symvers(&mut self, files: &[PathBuf]) -> Result<(), Error> {
        for file in files {
            let text = read(file)?;
            if !Exports::default().add_symvers(&text) {
                return Err(Error::Not(file.clone(), "is no Module.symvers"));
            }
            self.symvers.push(text);
        }
        Ok(())
    }

    fn take_headers(&mut self, dir: &Path) -> Result<(), Error> {
        self.symvers.extend(optional(&dir.join("Module.symvers"), limits::LIST)?);
        let config = first(["include/config/auto.conf", ".config"].map(|name| dir.join(name)), limits::CONFIG)?;
        self.config = config.map(|text| Config::parse(&text));
        let generated = |name: &str| optional(&dir.join("include/generated").join(name), limits::SMALL);
        // This is the release that uname(1) prints. Debian's kbuild recorded another
        // one in kernel.release up to 6.1.
        let release = generated("utsrelease.h")?.and_then(|text| quoted(&text).map(<[u8]>::to_vec));
        let of_kbuild = optional(&dir.join("include/config/kernel.release"), limits::SMALL)?;
        self.release = self.release.take().or(release).or_else(|| of_kbuild.map(|text| first_line(&text)));
        self.version = generated("uapi/linux/version.h")?.and_then(|text| Version::from_header(&text));
        // Debian's has its types alone.
        self.images.push(dir.join("vmlinux"));
        Ok(())
    }

    /// Reads the kernel's image, if something is wanted that nothing else has said: its own
    /// exports, and if `is_thorough` its certificates, by which signatures are verified. Its
    /// types for BPF are wanted where wrong ones keep a module from being loaded, and if
    /// `is_thorough` in any case; the first module that has some needs them.
    ///
    /// # Errors
    /// If an image decompresses to too much.
    pub fn read_image(&mut self, is_thorough: bool) -> Result<(), Error> {
        let has = |option: &str| self.config.as_ref().is_some_and(|config| config.has(option));
        let wants_types = has("DEBUG_INFO_BTF_MODULES") && (is_thorough || !has("MODULE_ALLOW_BTF_MISMATCH"));
        let wants_exports = self.symvers.is_empty();
        let mut unread = Vec::new();
        for path in std::mem::take(&mut self.images) {
            let is_wanted = wants_exports && self.built_in.is_empty() || is_thorough && !self.knows_keys;
            if !is_wanted {
                unread.push(path);
                continue;
            }
            let image = Vmlinux::read(&path).map_err(|error| Error::Archive(path, error))?;
            let Some(image) = image else { continue };
            if wants_exports {
                self.built_in = image.exports();
            }
            if is_thorough {
                let certificates = image.certificates();
                self.knows_keys |= !certificates.is_empty();
                self.certificates.extend(certificates);
            }
            if wants_types {
                self.types.take(image.types().map(<[u8]>::to_vec));
            }
        }
        if wants_types {
            self.types.look_in(unread);
        }
        Ok(())
    }

    /// The same for all installed modules. Without a list of exports, those of the kernel's
    /// own modules are read besides.
    ///
    /// # Errors
    /// As for [`Self::read_image`].
    pub fn read_image_and_exports(&mut self) -> Result<(), Error> {
        let own = self.modules.as_ref().filter(|_| self.symvers.is_empty()).map(|modules| modules.join("kernel"));
        let mut files = self.all();
        files.retain(|path| own.as_ref().is_some_and(|own| path.starts_with(own)));
        let native = self.sample.as_ref().map(|sample| sample.native);
        let read;
        (read, self.own) = Workers::both(|| self.read_image(false), || own_exports(&files, native));
        read
    }

    /// What the running kernel says of itself.
    fn take_state(&mut self, root: &Path, release: &str) -> Result<(), Error> {
        let line = |name: &str| -> Result<Option<Vec<u8>>, Error> {
            Ok(optional(&root.join(name), limits::SMALL)?.map(|text| first_line(&text)))
        };
        if line("proc/sys/kernel/osrelease")?.as_deref() != Some(release.as_bytes()) {
            return Ok(());
        }
        let tainted = line("proc/sys/kernel/tainted")?.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
        let enforces_signatures = line("sys/module/module/parameters/sig_enforce")?.as_deref() == Some(b"Y");
        let lockdown = line("sys/kernel/security/lockdown")?.unwrap_or_default();
        let is_locked_down = lockdown.contains(&b'[') && !lockdown.starts_with(b"[none]");
        self.state = State { tainted: tainted.unwrap_or(0), enforces_signatures, is_locked_down };
        self.types.take(optional(&root.join("sys/kernel/btf/vmlinux"), limits::LIST)?);
        for name in FIRMWARE {
            let variable = optional(&root.join("sys/firmware/efi/efivars").join(name), limits::SMALL)?;
            self.certificates.extend(variable.iter().flat_map(|variable| certificate::all(variable)));
        }
        let config = unpacked(&root.join("proc/config.gz"), limits::CONFIG)?;
        self.config = config.map(|text| Config::parse(&text)).or(self.config.take());
        Ok(())
    }

    /// The kernel.
    #[must_use]
    pub fn target(&self) -> Target<'_> {
        let release = self.release.as_deref();
        let vermagic = self.sample.as_ref().map(|sample| sample.vermagic.clone());
        let version = self.version.or_else(|| release.and_then(modinfo::version)).unwrap_or(Version::DEFAULT);
        let made = || vermagic::vermagic(release?, version, self.config.as_ref()?);
        let mut exports = Exports::default();
        for text in &self.symvers {
            exports.add_symvers(text);
        }
        exports.add_exported(KERNEL, &self.built_in, false);
        for (module, exported) in &self.own {
            exports.add_exported(module, exported, false);
        }
        let dialect = Dialect::new(version);
        let native = self.sample.as_ref().map(|sample| sample.native).or_else(|| target::native(self.config.as_ref()?));
        Target {
            name: release.unwrap_or(&self.name).to_vec(),
            dialect,
            native,
            vermagic: vermagic.or_else(made),
            module_size: self.sample.as_ref().map(|sample| sample.module_size),
            config: self.config.clone(),
            exports,
            signer: self.sample.as_ref().and_then(|sample| sample.signer.clone()),
            certificates: &self.certificates,
            knows_keys: self.knows_keys,
            types: &self.types,
            state: self.state,
        }
    }

    /// The file of an installed module, by its name.
    #[must_use]
    pub fn file(&self, name: &[u8]) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
    }

    /// The files of installed modules that export one of some symbols, as depmod(8) lists
    /// them. Without its list those that may: what the kernel's own export is known already
    /// if its exports are.
    #[must_use]
    pub fn exporters(&self, symbols: &HashSet<&[u8]>) -> Vec<PathBuf> {
        let list = self
            .modules
            .as_ref()
            .and_then(|modules| regular::read(&modules.join("modules.symbols"), limits::LIST).ok());
        let Some(list) = list else {
            let own = self.modules.as_ref().filter(|_| !self.symvers.is_empty()).map(|modules| modules.join("kernel"));
            let is_own = |path: &PathBuf| own.as_ref().is_some_and(|own| path.starts_with(own));
            return self.all().into_iter().filter(|path| !is_own(path)).collect();
        };
        let exporter = |line: &[u8]| {
            let mut words = line.strip_prefix(b"alias symbol:")?.split(|&byte| byte == b' ');
            let (symbol, module) = (words.next()?, words.next()?);
            symbols.contains(symbol).then(|| self.file(module).map(Path::to_owned))?
        };
        let mut files: Vec<PathBuf> = list.split(|&byte| byte == b'\n').filter_map(exporter).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// All installed modules, sorted by their paths.
    #[must_use]
    pub fn all(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.files.values().cloned().collect();
        files.sort_unstable();
        files
    }
}

/// A file's path without the suffix of its name. Directories may be called anything.
pub(crate) fn stem(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_bytes();
    let name = base_name(bytes);
    let end = memchr::memmem::rfind(name, b".ko").unwrap_or(name.len());
    bytes[..bytes.len() - name.len() + end].to_vec()
}

/// What modules export that can be read, with their paths without suffix.
fn own_exports(files: &[PathBuf], native: Option<Native>) -> Vec<(Vec<u8>, Vec<Exported>)> {
    let work = |memory: &mut Memory, path: &PathBuf| {
        let exports = memory.read(path).ok().and_then(|bytes| exported::in_module(&bytes, native?));
        (stem(path), exports.unwrap_or_default())
    };
    Workers::new(None, files.len()).map_with(files, Memory::default, work)
}

/// The modules that depmod(8) found in a directory, by their names: of several of one
/// name, that which it prefers. Without its list, those that are there.
fn files(modules: &Path) -> HashMap<Vec<u8>, PathBuf> {
    let of = |path: PathBuf| (module_name(path.as_os_str().as_bytes()), path);
    if let Ok(list) = regular::read(&modules.join("modules.dep"), limits::LIST) {
        let path = |line: &[u8]| {
            let end = memchr::memchr(b':', line)?;
            Some(of(modules.join(ffi::OsString::from_vec(line[..end].to_vec()))))
        };
        return list.split(|&byte| byte == b'\n').filter_map(path).collect();
    }
    let entries = walkdir::WalkDir::new(modules).sort_by_file_name().into_iter().flatten();
    let paths = entries.filter(|entry| entry.file_type().is_file() && is_named_as_module(entry.path()));
    let mut found = HashMap::new();
    for (name, path) in paths.map(|entry| of(entry.into_path())) {
        // `updates` comes before `kernel` for depmod, unless it is told otherwise.
        let is_update = path.strip_prefix(modules).is_ok_and(|path| path.starts_with("updates"));
        if is_update || !found.contains_key(&name) {
            found.insert(name, path);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_those_of_names() {
        for (path, expected) in [
            ("/home/u/.kode/mod.o", "/home/u/.kode/mod.o"),
            ("/home/u/.kode/mod.ko", "/home/u/.kode/mod"),
            ("a.ko.d/b.ko.xz", "a.ko.d/b"),
            ("b.ko", "b"),
            ("b", "b"),
        ] {
            assert_eq!(String::from_utf8_lossy(&stem(Path::new(path))), expected);
        }
    }
}

//! Who claims a device.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base::escape::escape;
use base::json;
use base::message::{Fatal, Kind, text};
use base::{regular, textfile};
use clap::ArgMatches;
use cli::{KernelName, Streams};
use kmod::alias::{self, Alias};
use kmod::installed::{self, Installed};
use kmod::vfio::{self, Device};
use kmod::{archive, handover, limits};
use modpost::module::Scratch;
use serde_json::{Map, Value};

use crate::print::{self, failed};
use crate::{devices, hand};

/// A kernel's directory of modules, or why there is none. Aliases may come from elsewhere.
pub(crate) struct Tree(Result<PathBuf, Fatal>);

impl Tree {
    /// The running kernel's, or that of the kernel that was named: by its release, or by
    /// its version, if only one begins with it.
    pub(crate) fn of(matches: &ArgMatches, streams: &mut Streams<'_>) -> Self {
        Self(Self::find(matches, streams))
    }

    fn find(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<PathBuf, Fatal> {
        let root = root(matches);
        let installed = installed::kernels(root);
        let name = matches.get_one::<KernelName>("kernel");
        let (release, origin) = match name {
            Some(name) => (name.text.clone(), "as --kernel says"),
            None => {
                let running = Path::new("/proc/sys/kernel/osrelease");
                let release = regular::read(running, limits::SMALL).map_err(|error| failed(running, error))?;
                (String::from_utf8_lossy(release.trim_ascii_end()).into_owned(), "the running one")
            }
        };
        let mut found: Vec<_> = installed.iter().filter(|kernel| kernel.release == release).collect();
        if let ([], Some(name)) = (&found[..], name) {
            found = installed.iter().filter(|kernel| name.begins(&kernel.release)).collect();
        }
        let releases = |kernels: &[&Installed]| {
            kernels.iter().map(|kernel| kernel.release.as_str()).collect::<Vec<_>>().join(", ")
        };
        match found[..] {
            [kernel] => {
                streams.explain(&format!("kernel {}, {origin}: {}", kernel.release, kernel.directory.display()));
                Ok(kernel.directory.clone())
            }
            [] => {
                let directory = installed::directory(root, &release);
                let known = match &installed[..] {
                    [] => "there are none at all".to_owned(),
                    known => format!("there are those of {}", releases(&known.iter().collect::<Vec<_>>())),
                };
                let text = text!("{}: no modules of that kernel: {}\n", directory.as_os_str().as_bytes(), known);
                Err(Fatal::refusal(Kind::FILE, text))
            }
            _ => {
                let text = text!("--kernel: {} is ambiguous: {}\n", release, releases(&found));
                Err(Fatal::refusal(Kind::USAGE, text))
            }
        }
    }

    /// The aliases of its modules, and of those that are part of the kernel.
    pub(crate) fn aliases(&self) -> Result<Vec<Alias>, Fatal> {
        let directory = self.0.as_ref().map_err(Fatal::clone)?;
        let mut aliases = read_aliases(&directory.join("modules.alias"))?;
        let builtin = directory.join("modules.builtin.modinfo");
        match regular::read(&builtin, limits::LIST) {
            Ok(modinfo) => aliases.extend(alias::parse_builtin(&modinfo)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&builtin, error)),
        }
        Ok(aliases)
    }

    /// The name of a module's driver, by its object.
    fn driver(&self, module: &[u8]) -> Option<Vec<u8>> {
        let directory = self.0.as_ref().ok()?;
        let dep = regular::read(&directory.join("modules.dep"), limits::LIST).ok()?;
        let file = vfio::file_of(&dep, module)?;
        let source = archive::open(&directory.join(textfile::path(file))).ok()?;
        vfio::driver_of(&source).ok().flatten()
    }
}

/// The aliases of a file, or else of the kernel.
pub(crate) fn aliases_of(matches: &ArgMatches, tree: &Tree) -> Result<Vec<Alias>, Fatal> {
    match matches.get_one::<PathBuf>("aliases") {
        Some(path) => read_aliases(path),
        None => tree.aliases(),
    }
}

fn read_aliases(path: &Path) -> Result<Vec<Alias>, Fatal> {
    Ok(alias::parse(&regular::read(path, limits::LIST).map_err(|error| failed(path, error))?).collect())
}

/// What somebody may have meant who doesn't give a modalias, as its bus has it.
fn meant(text: &[u8]) -> Option<String> {
    if let Some(Device::Address(address)) = Device::parse(text) {
        return Some(format!("a PCI address: the modalias is in /sys/bus/pci/devices/{address}/modalias"));
    }
    let (vendor, device) = std::str::from_utf8(text).ok()?.split_once(':')?;
    let is_number = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let [vendor, device] = [vendor, device].map(str::to_ascii_uppercase);
    let is_pair = is_number(&vendor) && is_number(&device);
    is_pair.then(|| format!("not a modalias, perhaps pci:v0000{vendor}d0000{device}* or usb:v{vendor}p{device}*"))
}

/// The aliases of files: modules, or texts like `modules.alias`.
fn of_files<'a>(paths: impl Iterator<Item = &'a OsString>, streams: &mut Streams<'_>) -> Result<Vec<Alias>, Fatal> {
    let (reader, _) = print::reader(streams)?;
    let mut scratch = Scratch::default();
    let mut aliases = Vec::new();
    for path in paths.map(Path::new) {
        let module = match print::read(path, false, &reader, &mut scratch) {
            Some(Ok(module)) => module,
            Some(Err(what)) if kmod::is_named_as_module(path) => return Err(Fatal::refusal(Kind::FILE, what)),
            _ => {
                aliases.extend(read_aliases(path)?);
                continue;
            }
        };
        if let Some(fatal) = module.tables.fatal {
            return Err(fatal);
        }
        let name = kmod::module_name(path.as_os_str().as_bytes());
        let alias = |pattern: &[u8]| Alias { pattern: pattern.to_vec(), module: name.clone(), is_builtin: false };
        aliases.extend(module.aliases().map(alias));
    }
    Ok(aliases)
}

/// `match`: whether a module claims the device.
pub(crate) fn by_modalias(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<bool, Fatal> {
    let Some(modalias) = matches.get_one::<OsString>("modalias") else {
        return Ok(false);
    };
    if let Some(meant) = meant(modalias.as_bytes()) {
        usage(modalias, &meant);
    }
    let aliases = match matches.get_many::<OsString>("sources") {
        Some(paths) => of_files(paths, streams)?,
        None => Tree::of(matches, streams).aliases()?,
    };
    let found = alias::matching(&aliases, modalias.as_bytes());
    for alias in &found {
        if matches.get_flag("json") {
            streams.put(&json::line(&candidate(modalias.as_bytes(), alias)))?;
        } else {
            streams.put(&[&*escape(&alias.module), b" ", &escape(&alias.pattern), b"\n"].concat())?;
        }
    }
    Ok(!found.is_empty())
}

/// `vfio`: whether there is a driver for each of the devices, and of known name
/// if a script is to hand it over.
pub(crate) fn for_vfio(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<bool, Fatal> {
    let texts: Vec<&OsString> = matches.get_many("devices").into_iter().flatten().collect();
    if texts.is_empty() {
        return devices::list(matches, streams);
    }
    let [binds, unbinds] = ["bind", "unbind"].map(|name| matches.get_flag(name));
    let needs_address = binds || unbinds || matches.get_flag("script");
    let devices: Vec<Device> = texts.iter().map(|text| device(text, needs_address)).collect();
    let sysfs = sysfs(matches);
    if (binds || unbinds) && !hand::may_be_handed_over(matches, &devices, streams)? {
        return Ok(false);
    }
    if unbinds {
        let addresses = devices.iter().filter_map(Device::address);
        let steps = addresses.flat_map(|address| handover::unbind(address, sysfs)).collect();
        return hand::take(matches, steps, streams);
    }
    let (mut known, mut steps) = (Vec::new(), Vec::new());
    for (text, device) in texts.iter().zip(&devices) {
        match vfio_modalias(device, text, sysfs) {
            Ok(modalias) => known.push((text, device, modalias)),
            Err(fatal) => streams.say(&fatal.message, b""),
        }
    }
    if known.is_empty() {
        return Ok(false);
    }
    let tree = Tree::of(matches, streams);
    let aliases = aliases_of(matches, &tree)?;
    let mut all_found = known.len() == devices.len();
    for (text, device, modalias) in known {
        let mut found = alias::matching(&aliases, &modalias);
        all_found &= !found.is_empty();
        found.truncate(if matches.get_flag("all") { usize::MAX } else { 1 });
        for alias in found {
            let driver = || vfio::loaded_driver(&alias.module, sysfs).or_else(|| tree.driver(&alias.module));
            if let (true, Some(address)) = (needs_address, device.address()) {
                if let Some(driver) = driver() {
                    steps.extend(handover::bind(address, &alias.module, &driver, sysfs));
                } else {
                    let (device, module) = (Path::new(text).display(), textfile::path(&alias.module).display());
                    let text = format!("{device}: the name of the driver in {module} isn't known\n").into_bytes();
                    streams.say(&Fatal::refusal(Kind::FILE, text).message, b"");
                    all_found = false;
                }
                continue;
            }
            if matches.get_flag("json") {
                let mut object = Map::from_iter([("device".to_owned(), json::text(text.as_bytes()))]);
                object.extend(candidate(&modalias, alias));
                if matches.get_flag("driver") {
                    object.insert("driver".into(), json::optional(driver().as_deref()));
                }
                streams.put(&json::line(&object))?;
                continue;
            }
            let name = if devices.len() > 1 { [text.as_bytes(), b": "].concat() } else { Vec::new() };
            let wildcards = alias.wildcards().to_string();
            let mut line = [&name[..], &alias.module, b" ", &alias.pattern, b" ", wildcards.as_bytes()].concat();
            if matches.get_flag("driver") {
                line.extend([b" ", &driver().unwrap_or_else(|| b"-".to_vec())[..]].concat());
            }
            streams.put(&[&*escape(&line), b"\n"].concat())?;
        }
    }
    if binds {
        // All or none: a part of a group can't be used.
        return if all_found { hand::take(matches, steps, streams) } else { Ok(false) };
    }
    if matches.get_flag("script") && !steps.is_empty() && !matches.get_flag("json") {
        streams.put(&handover::script())?;
    }
    steps.iter().try_for_each(|step| hand::show(matches, step, streams))?;
    Ok(all_found)
}

/// Where sysfs is.
pub(crate) fn sysfs(matches: &ArgMatches) -> &Path {
    matches.get_one::<PathBuf>("sysfs").map_or(Path::new("/sys"), PathBuf::as_path)
}

/// The directory in which a machine's files are.
pub(crate) fn root(matches: &ArgMatches) -> &Path {
    matches.get_one::<PathBuf>("root").map_or(Path::new("/"), PathBuf::as_path)
}

/// The modalias that VFIO drivers of a device have.
fn vfio_modalias(device: &Device, text: &OsStr, sysfs: &Path) -> Result<Vec<u8>, Fatal> {
    let refusal = |what: &str| Fatal::refusal(Kind::FILE, text!("{}: {}\n", text.as_bytes(), what));
    let modalias = match device.vfio_modalias(sysfs) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(refusal("no such PCI device")),
        modalias => modalias.map_err(|error| failed(Path::new(text), error))?,
    };
    // The kernel has no other bus with aliases for VFIO.
    let is_pci = modalias.starts_with(b"vfio_pci:");
    is_pci.then_some(modalias).ok_or_else(|| refusal("not a PCI device: no other has drivers for VFIO"))
}

/// An alias that a modalias matches.
fn candidate(modalias: &[u8], alias: &Alias) -> Map<String, Value> {
    let fields = [
        ("modalias", json::text(modalias)),
        ("module", json::text(&alias.module)),
        ("pattern", json::text(&alias.pattern)),
        ("wildcards", alias.wildcards().into()),
        ("builtin", alias.is_builtin.into()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn device(text: &OsString, needs_address: bool) -> Device {
    match Device::parse(text.as_bytes()) {
        Some(Device::Modalias(_)) if needs_address => usage(text, "only a PCI address will do here"),
        Some(device) => device,
        None => usage(text, "neither a PCI address nor a modalias"),
    }
}

/// An argument that makes no sense: ends as clap does.
fn usage(text: &OsString, what: &str) -> ! {
    let message = format!("{}: {what}\n", String::from_utf8_lossy(&escape(text.as_bytes())));
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, message).exit()
}

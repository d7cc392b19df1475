//! A kernel, and how a tool behaves for it.

use std::fmt::Debug;
use std::path::PathBuf;

use crate::tree::Trees;
use crate::version::Version;

/// A kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// What it is called: a version, or a [vendor's](Vendor) name.
    pub name: String,
    /// Its version, or that of the mainline kernel whose behaviour it has.
    pub version: Version,
    /// RHEL's release, which it writes into each module.
    pub rhel_version: Option<(u16, u16)>,
    /// What SUSE calls the product, which it writes into each module.
    pub suse_release: Option<Vec<u8>>,
    /// Why its copy of the tool is not served, although its version is.
    pub unserved: Option<&'static str>,
}

impl Kernel {
    /// The mainline kernel of a version.
    #[must_use]
    pub fn mainline(version: Version) -> Self {
        Self { name: version.to_string(), version, rhel_version: None, suse_release: None, unserved: None }
    }
}

/// How one kernel's copy of a tool behaves: a type that
/// [`dialect!`](crate::dialect) declares.
pub trait Flags: Clone + Debug + PartialEq + 'static {
    /// The vendors' kernels in which the tool behaves in its own way.
    const VENDORS: &'static [Vendor<Self>];

    /// The behaviour of a mainline version.
    fn of_version(version: Version) -> Self;

    /// The kernel.
    fn kernel(&self) -> &Kernel;

    /// The kernel, mutable.
    fn kernel_mut(&mut self) -> &mut Kernel;

    /// The names of the flags that are set, in the table's order.
    fn flags(&self) -> Vec<&'static str>;

    /// Sets or unsets the flag of a name; `None` if there is none.
    fn set(&mut self, flag: &str, on: bool) -> Option<()>;

    /// Makes of a version's behaviour that of the vendor whose files are in a
    /// tree; returns the files that say so.
    fn judge(&mut self, trees: &Trees) -> Vec<PathBuf>;
}

/// The kernels of a vendor, from one release until the next row of the same
/// vendor.
#[derive(Clone, Copy, Debug)]
pub struct Vendor<D> {
    /// The vendor, as in `ubuntu`.
    pub name: &'static str,
    /// The first release, the kernel's or the product's.
    pub since: (u16, u16),
    /// What the tool does is mainline's of this version, for `None` the
    /// kernel's own ...
    pub base: Option<(u16, u16)>,
    /// ... but for this.
    pub changes: fn(&mut D),
}

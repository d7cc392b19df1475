//! Tables of what changed between kernels.
//!
//! A tool declares its own with [`dialect!`](crate::dialect): one row for each
//! behaviour, which becomes a flag of the tool's `Dialect`.

use crate::version::Version;

/// Which kernels have a behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The flag's name.
    pub name: &'static str,
    /// What the flag says, in one sentence.
    pub meaning: &'static str,
    /// The mainline release that brought it.
    pub since: (u16, u16),
    /// The mainline release that took it away again.
    pub until: Option<(u16, u16)>,
    /// Stable releases that took the change, the later one if there are two:
    /// major, minor, first sublevel.
    pub stable: &'static [(u16, u16, u16)],
    /// The mainline commits that made the change, abbreviated to twelve digits;
    /// none where the releases are all that is known.
    pub commits: &'static [&'static str],
}

/// The release of what is older than the first kernel served.
pub const BEFORE_ALL: (u16, u16) = (0, 0);

/// The release of a change that only vendors' kernels have.
pub const VENDORS_ALONE: (u16, u16) = (u16::MAX, 0);

/// Whether a behaviour, by its history as [`Change`] has it, is that of a version.
/// One between two known kernels behaves as its own mainline release did.
#[must_use]
pub fn holds(
    since: (u16, u16),
    until: Option<(u16, u16)>,
    stable: &[(u16, u16, u16)],
    Version { major, minor, sublevel }: Version,
) -> bool {
    let release = (major, minor);
    let taken = stable.iter().any(|&(major, minor, first)| release == (major, minor) && sublevel >= first);
    match until {
        None => taken || release >= since,
        Some(until) => !taken && release >= since && release < until,
    }
}

/// Declares a tool's `Dialect`, which has [`Flags`](crate::Flags), and
/// `CHANGES`, its table. First come the tool's vendors and its judge, then a row
/// `FLAG: SINCE, until UNTIL, stable RELEASES, commits COMMITS;` for each behaviour,
/// after a comment of one sentence, as [`Change`] has them.
#[macro_export]
macro_rules! dialect {
    (vendors $vendors:expr, judge $judge:expr; $($(#[doc = $doc:literal])+ $name:ident: $since:expr, until $until:expr, stable $stable:expr, commits $commits:expr;)+) => {
        /// How one kernel's copy of the tool behaves.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Dialect {
            /// The kernel.
            pub kernel: $crate::Kernel,
            $($(#[doc = $doc])+ pub $name: bool,)+
        }

        /// Every flag with its history, in the order of [`Dialect`], for people: a
        /// program that doesn't show it doesn't contain it.
        pub const CHANGES: &[$crate::Change] = &[$($crate::Change {
            name: stringify!($name),
            meaning: concat!($($doc),+),
            since: $since,
            until: $until,
            stable: $stable,
            commits: $commits,
        }),+];

        impl Dialect {
            /// The dialect of a mainline version.
            #[must_use]
            pub fn new(version: $crate::Version) -> Self {
                let kernel = $crate::Kernel::mainline(version);
                Self { kernel, $($name: $crate::change::holds($since, $until, $stable, version)),+ }
            }

            /// The dialect of a name: a version, or a vendor's name.
            #[must_use]
            pub fn named(name: &[u8]) -> Option<Self> {
                $crate::vendor::of_name(name)
            }

            /// Sets or unsets the flag of a name; `None` if there is none.
            pub fn set(&mut self, flag: &str, on: bool) -> Option<()> {
                match flag {
                    $(stringify!($name) => self.$name = on,)+
                    _ => return None,
                }
                Some(())
            }

            /// The names of the flags that are set, in the table's order.
            #[must_use]
            pub fn flags(&self) -> Vec<&'static str> {
                [$((stringify!($name), self.$name)),+]
                    .into_iter()
                    .filter_map(|(name, set)| set.then_some(name))
                    .collect()
            }
        }

        impl $crate::Flags for Dialect {
            const VENDORS: &'static [$crate::Vendor<Self>] = $vendors;

            fn of_version(version: $crate::Version) -> Self {
                Self::new(version)
            }

            fn kernel(&self) -> &$crate::Kernel {
                &self.kernel
            }

            fn kernel_mut(&mut self) -> &mut $crate::Kernel {
                &mut self.kernel
            }

            fn flags(&self) -> Vec<&'static str> {
                Self::flags(self)
            }

            fn set(&mut self, flag: &str, on: bool) -> Option<()> {
                Self::set(self, flag, on)
            }

            fn judge(&mut self, trees: &$crate::Trees) -> Vec<std::path::PathBuf> {
                $judge(self, trees)
            }
        }
    };
}

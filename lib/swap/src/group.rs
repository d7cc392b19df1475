//! Which programs of a kernel tree are replaced together, and the files beside them.

/// The directory of a swap's records, in the directory of the programs.
pub(crate) const RECORDS: &str = ".kbuild-rs";
/// The file that kbuild reads where there is no [`KBUILD`].
pub(crate) const MAKEFILE: &str = "Makefile";
/// The file in [`RECORDS`] with the digest and the name of each file of ours.
pub(crate) const INSTALLED: &str = "installed";
/// The file that has kbuild copy our programs.
pub(crate) const KBUILD: &str = "Kbuild";

/// Programs that are replaced together.
#[derive(Debug)]
pub struct Group {
    /// Their directory, in a tree's `scripts`.
    pub directory: &'static str,
    /// The tool whose behaviour is compared before a swap.
    pub tool: &'static str,
    /// A file of its C source.
    pub(crate) source: &'static str,
    /// Our programs.
    pub ours: &'static [&'static str],
    /// Every name that an original can have, and the program of ours that replaces it.
    /// Debian's modpost is a wrapper around one program for each class and byte order.
    pub(crate) names: &'static [(&'static str, &'static str)],
}

/// All groups.
pub static GROUPS: [Group; 3] = [
    Group {
        directory: "mod",
        tool: "modpost",
        source: "modpost.c",
        ours: &["modpost", "mk_elfconfig"],
        names: &[
            ("modpost", "modpost"),
            ("modpost.real-lsb-32", "modpost"),
            ("modpost.real-lsb-64", "modpost"),
            ("modpost.real-msb-32", "modpost"),
            ("modpost.real-msb-64", "modpost"),
            ("mk_elfconfig", "mk_elfconfig"),
        ],
    },
    Group { directory: "basic", tool: "fixdep", source: "fixdep.c", ours: &["fixdep"], names: &[("fixdep", "fixdep")] },
    Group {
        directory: "genksyms",
        tool: "genksyms",
        source: "genksyms.c",
        ours: &["genksyms"],
        names: &[("genksyms", "genksyms")],
    },
];

impl Group {
    /// Every name that an original can have.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().map(|(name, _)| *name)
    }

    /// The names of all files that a swap executes, reads or replaces.
    pub(crate) fn files(&self) -> impl Iterator<Item = &'static str> {
        self.names().chain([KBUILD, MAKEFILE, self.source, RECORDS])
    }
}

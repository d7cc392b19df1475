//! The programs that are run: an original, or ours.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Every target.
pub const TARGETS: [Target; 4] = [Target::Lsb64, Target::Msb64, Target::Lsb32, Target::Msb32];

/// For which targets an original was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// 64 bits, little-endian.
    Lsb64,
    /// 64 bits, big-endian.
    Msb64,
    /// 32 bits, little-endian.
    Lsb32,
    /// 32 bits, big-endian.
    Msb32,
}

impl Target {
    /// What Debian calls its program.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Lsb64 => "modpost.real-lsb-64",
            Self::Msb64 => "modpost.real-msb-64",
            Self::Lsb32 => "modpost.real-lsb-32",
            Self::Msb32 => "modpost.real-msb-32",
        }
    }
}

/// A tool of the kernel's build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// `scripts/mod/modpost`
    #[default]
    Modpost,
    /// `scripts/basic/fixdep`
    Fixdep,
    /// `scripts/genksyms/genksyms`
    Genksyms,
}

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 3] = [Self::Modpost, Self::Fixdep, Self::Genksyms];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modpost => "modpost",
            Self::Fixdep => "fixdep",
            Self::Genksyms => "genksyms",
        }
    }

    /// Where it is, from a kernel tree's `scripts`.
    #[must_use]
    pub fn path(self) -> PathBuf {
        Path::new(self.directory()).join(self.name())
    }

    /// The directory that it is in, in a kernel tree's `scripts`.
    #[must_use]
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Modpost => "mod",
            Self::Fixdep => "basic",
            Self::Genksyms => "genksyms",
        }
    }
}

/// A program to be run: one of ours or an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Which tool it is.
    pub tool: Tool,
    /// The program.
    pub program: PathBuf,
    /// What it is run by, with options: the loader of another C library, or an
    /// emulator of another machine. Nothing, if it runs by itself.
    pub through: Vec<OsString>,
}

impl Subject {
    /// A modpost that runs by itself.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { tool: Tool::Modpost, program: program.into(), through: Vec::new() }
    }

    /// How it is called.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words = self.through.clone();
        words.push(self.program.clone().into());
        words
    }
}

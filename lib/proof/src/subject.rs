//! The programs that are run: an original, or ours.

use std::ffi::OsString;
use std::path::PathBuf;

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

/// A program to be run: one of ours or an original, by itself or through the
/// loader of another C library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// The loader, beside which the rest of its C library is.
    pub loader: Option<PathBuf>,
}

impl Subject {
    /// A program that runs by itself.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), loader: None }
    }

    /// How it is called.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(loader) = &self.loader {
            let directory = loader.parent().unwrap_or(loader);
            words.extend([loader.into(), "--library-path".into(), directory.into()]);
        }
        words.push(self.program.clone().into());
        words
    }
}

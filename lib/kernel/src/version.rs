//! Kernels' versions, and the files that name them.

use std::fmt;

/// A kernel's version, as in `5.15.100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// `VERSION` in the kernel's Makefile.
    pub major: u16,
    /// `PATCHLEVEL`.
    pub minor: u16,
    /// `SUBLEVEL`: the stable release.
    pub sublevel: u16,
}

impl Version {
    /// The kernel this suite was first written for.
    pub const DEFAULT: Self = Self::new(5, 15, 0);
    /// The oldest kernel that is served.
    pub const OLDEST: Self = Self::new(5, 10, 0);
    /// The newest release of which it is known what changed; newer ones are taken for it.
    pub const NEWEST: (u16, u16) = (7, 3);

    /// A version from its three numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, sublevel: u16) -> Self {
        Self { major, minor, sublevel }
    }

    /// Whether it is older than every kernel that is served.
    #[must_use]
    pub fn is_too_old(self) -> bool {
        self < Self::OLDEST
    }

    /// Whether it is newer than every kernel of which it is known what changed.
    #[must_use]
    pub fn is_newer_than_known(self) -> bool {
        (self.major, self.minor) > Self::NEWEST
    }

    /// Reads `6.1`, `6.1.176`, `6.1.0-50-amd64`, `7.3-rc2`: two or three
    /// numbers, then anything.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        fn number(text: &[u8]) -> Option<(u16, &[u8])> {
            let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
            let value = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
            Some((value, &text[digits..]))
        }
        let (major, rest) = number(text.trim_ascii())?;
        let (minor, rest) = number(rest.strip_prefix(b".")?)?;
        let sublevel = rest.strip_prefix(b".").and_then(number).map_or(0, |(value, _)| value);
        Some(Self { major, minor, sublevel })
    }

    /// Reads `VERSION`, `PATCHLEVEL` and `SUBLEVEL` from a kernel's top
    /// Makefile.
    #[must_use]
    pub(crate) fn from_makefile(makefile: &[u8]) -> Option<Self> {
        let value = |name| value_after(makefile, name).and_then(|rest| rest.strip_prefix(b"=")).and_then(number);
        Some(Self {
            major: value(b"VERSION")?,
            minor: value(b"PATCHLEVEL")?,
            sublevel: value(b"SUBLEVEL").unwrap_or(0),
        })
    }

    /// Reads the generated `linux/version.h`: since 5.12 it has the three
    /// numbers; `LINUX_VERSION_CODE`, which is all that is in older ones, has
    /// room for a sublevel of 255 at most.
    #[must_use]
    pub fn from_header(header: &[u8]) -> Option<Self> {
        let value = |name| value_after(header, name).and_then(number::<u32>);
        let code = value(b"#define LINUX_VERSION_CODE")?;
        let [_, major, minor, sublevel] = code.to_be_bytes().map(u16::from);
        let sublevel = value(b"#define LINUX_VERSION_SUBLEVEL").and_then(|v| v.try_into().ok()).unwrap_or(sublevel);
        Some(Self { major, minor, sublevel })
    }
}

/// What follows a name that begins a line, up to the line's end.
fn value_after<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let ends = |rest: &&[u8]| rest.first().is_some_and(|&b| b == b'=' || b.is_ascii_whitespace());
    let mut lines = text.split(|&b| b == b'\n');
    lines.find_map(|line| line.strip_prefix(name).filter(ends)).map(<[u8]>::trim_ascii)
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.sublevel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_kernels_write_them() {
        for (text, expected) in [
            ("6.1", Some((6, 1, 0))),
            ("6.1.176", Some((6, 1, 176))),
            ("6.1.0-50-amd64\n", Some((6, 1, 0))),
            ("7.3-rc2", Some((7, 3, 0))),
            ("five", None),
            ("6", None),
            ("", None),
        ] {
            let expected = expected.map(|(a, b, c)| Version::new(a, b, c));
            assert_eq!(Version::parse(text.as_bytes()), expected, "{text}");
        }
        let makefile = b"# comment\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 176\nEXTRAVERSION =\n";
        assert_eq!(Version::from_makefile(makefile), Some(Version::new(6, 1, 176)));
        assert_eq!(Version::from_makefile(b"all:\n\ttrue\n"), None);
        let header = b"#define LINUX_VERSION_CODE 330495\n#define KERNEL_VERSION(a,b,c) (a)\n";
        assert_eq!(Version::from_header(header), Some(Version::new(5, 10, 255)));
        let header = [&header[..], b"#define LINUX_VERSION_SUBLEVEL 262\n"].concat();
        assert_eq!(Version::from_header(&header), Some(Version::new(5, 10, 262)));
        assert_eq!(Version::from_header(b""), None);
    }
}

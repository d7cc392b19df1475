//! The kernels that an original may be of.

use std::path::Path;

use kernel::{Change, Flags, Version, vendor};

use super::Request;
use crate::error::Error;

/// The dialects that an original may have, the likeliest first.
pub(super) fn candidates<D: Flags>(
    request: &Request,
    changes: &[Change],
    found: Option<&(D, Version)>,
) -> Result<Vec<D>, Error> {
    if let Some(name) = &request.kernel {
        let named = vendor::of_name(name.as_encoded_bytes());
        return Ok(vec![named.ok_or_else(|| Error::NotAKernel(name.clone()))?]);
    }
    let mut all: Vec<D> = Vec::new();
    let dialect = match found {
        Some((dialect, _)) => dialect.clone(),
        None => D::of_version(named_by(&request.scripts).ok_or(Error::NoKernel)?),
    };
    let kernel = dialect.kernel();
    if kernel.version.is_too_old() {
        return Err(Error::TooOld(kernel.version));
    } else if let Some(why) = kernel.unserved {
        return Err(Error::NotServed(why));
    }
    if found.is_some() || dialect.kernel().version.sublevel > 0 {
        all.push(dialect.clone());
    }
    let kernel = dialect.kernel();
    if kernel.name != kernel.version.to_string() {
        return Ok(all);
    }
    // A stable release may have more or fewer fixes than its number says.
    let Version { major, minor, .. } = kernel.version;
    let stable = changes.iter().flat_map(|change| change.stable);
    let mut versions: Vec<_> = stable.filter(|s| (s.0, s.1) == (major, minor)).copied().collect();
    versions.push((major, minor, 0));
    versions.sort_unstable_by(|a, b| b.cmp(a));
    if D::VENDORS.is_empty() {
        // A vendor's tool may be that of another release, and no row says so.
        let releases = changes.iter().flat_map(|change| [Some(change.since), change.until]).flatten();
        let oldest = (Version::OLDEST.major, Version::OLDEST.minor);
        let mut releases: Vec<_> = releases.chain([oldest]).filter(|release| *release >= oldest).collect();
        releases.sort_unstable();
        versions.extend(releases.into_iter().map(|(major, minor)| (major, minor, 0)));
    }
    for (major, minor, sublevel) in versions {
        let mut other = D::of_version(Version::new(major, minor, sublevel));
        let flags = other.flags();
        if all.iter().all(|known| known.flags() != flags) {
            let (own, kernel) = (dialect.kernel(), other.kernel_mut());
            kernel.rhel_version = own.rhel_version;
            kernel.suse_release.clone_from(&own.suse_release);
            all.push(other);
        }
    }
    Ok(all)
}

/// The version in the name of the directory, as in `linux-kbuild-6.1`.
pub(super) fn named_by(scripts: &Path) -> Option<Version> {
    let names = scripts.ancestors().filter_map(|path| path.file_name()?.to_str());
    let mut versions = names.filter_map(|name| {
        let start = name.find(|c: char| c.is_ascii_digit())?;
        Version::parse(&name.as_bytes()[start..])
    });
    versions.next()
}

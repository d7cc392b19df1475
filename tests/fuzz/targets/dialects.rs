//! Kernels of each kind; a byte says which.

use std::sync::LazyLock;

use kernel::Version;
use modpost::dialect::Dialect;

static DIALECTS: LazyLock<Vec<Dialect>> = LazyLock::new(|| {
    let versions = [(5, 10, 262), (5, 15, 100), (6, 1, 176), (6, 6, 87), (6, 12, 107), (6, 18, 2), (7, 3, 4)];
    versions.map(|(major, minor, patch)| Dialect::new(Version::new(major, minor, patch))).to_vec()
});

pub fn dialect(byte: u8) -> &'static Dialect {
    &DIALECTS[usize::from(byte) % DIALECTS.len()]
}

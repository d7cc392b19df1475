//! The text of a kernel's own `scripts/mod`.

use memchr::memmem;

/// What a source hands to getopt(3).
pub(super) fn options(source: &[u8]) -> Option<&[u8]> {
    let call = b"getopt(argc, argv, \"";
    let start = memmem::find(source, call)? + call.len();
    source[start..].split(|&byte| byte == b'"').next()
}

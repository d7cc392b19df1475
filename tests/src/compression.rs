//! Compressed modules and kernel images, made without calling the programs that kbuild uses.

use std::io::{self, Write};

/// Suffixes of compressed modules, one for each format that kbuild knows.
pub const SUFFIXES: [&str; 3] = ["gz", "xz", "zst"];

/// Compresses in the format with this suffix.
///
/// # Errors
/// The suffix is not in [`SUFFIXES`].
pub fn compressed(bytes: &[u8], suffix: &str) -> io::Result<Vec<u8>> {
    match suffix {
        "gz" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes)?;
            encoder.finish()
        }
        "xz" => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes)?;
            encoder.finish()
        }
        "zst" => zstd::stream::encode_all(bytes, 1),
        other => Err(io::Error::other(format!(".{other} is not the suffix of a format that kbuild knows"))),
    }
}

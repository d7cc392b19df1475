//! Modules that are signed, as kbuild's `sign-file` does it, by openssl.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::command::output;
use crate::corpus::working_directory;

/// RSA's keys, as openssl's options.
pub const RSA: &[&str] = &["-newkey", "rsa:2048"];
/// Keys of the curve that kbuild takes.
pub const P384: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];

/// A key with its certificate.
#[derive(Debug)]
pub struct Key {
    dir: TempDir,
}

impl Key {
    /// Makes a key of a kind.
    ///
    /// # Errors
    /// If openssl can't.
    pub fn new(kind: &[&str]) -> io::Result<Self> {
        let key = Self { dir: working_directory()? };
        let mut request = Command::new("openssl");
        request.args(["req", "-x509", "-nodes", "-subj", "/CN=nobody"]).args(kind);
        output(request.arg("-keyout").arg(key.file("key")).arg("-out").arg(key.file("certificate")))?;
        Ok(key)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Its certificate, as a kernel has it.
    ///
    /// # Errors
    /// If openssl can't.
    pub fn certificate(&self) -> io::Result<Vec<u8>> {
        output(Command::new("openssl").args(["x509", "-outform", "DER", "-in"]).arg(self.file("certificate")))
    }

    /// Signs a module: nothing else, without the certificate and with SHA-256, but for
    /// these options of openssl's.
    ///
    /// # Errors
    /// If openssl can't.
    pub fn signed(&self, module: &[u8], options: &[&str]) -> io::Result<Vec<u8>> {
        fs::write(self.file("module"), module)?;
        let mut sign = Command::new("openssl");
        sign.args(["cms", "-sign", "-binary", "-outform", "DER", "-in"]).arg(self.file("module")).args(options);
        let message = output(sign.arg("-signer").arg(self.file("certificate")).arg("-inkey").arg(self.file("key")))?;
        let size = u32::try_from(message.len()).map_err(io::Error::other)?.to_be_bytes();
        // The structure says that the message is PKCS#7's.
        let info = [&[0, 0, 2, 0, 0, 0, 0, 0], &size[..]].concat();
        Ok([module, &message, &info, b"~Module signature appended~\n"].concat())
    }
}

/// Options for what kernels take.
pub const PLAIN: &[&str] = &["-noattr", "-nocerts", "-md", "sha256"];

//! The signature at a module's end: a PKCS#7 message, a structure that says how long it
//! is, and a marker (`struct module_signature`).

use cms::cert::x509::der::{Decode, Encode};
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier};

use crate::finding::Errno;

/// What a module ends in that has one.
const MARKER: &[u8] = b"~Module signature appended~\n";
/// The size of the structure.
const INFO: usize = 12;
/// The message is PKCS#7's, which is all that kernels since 4.3 take.
const PKCS7: u8 = 2;

/// Who signed a module, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The certificate's issuer and serial number, or its key's number.
    pub certificate: String,
    /// The hash, as in `sha256`.
    pub hash: String,
}

/// What is at a module's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// None.
    Absent,
    /// One that a kernel could check.
    By(Signer),
    /// One that makes it refuse the module: the line that it logs, if it logs one.
    Malformed(Option<&'static str>, Errno),
    /// One of another kind, as if there were none.
    Unsupported(&'static str),
}

/// Hashes that kernels know, by their object identifiers.
const HASHES: &[(&str, &str)] = &[
    ("1.3.14.3.2.26", "sha1"),
    ("2.16.840.1.101.3.4.2.1", "sha256"),
    ("2.16.840.1.101.3.4.2.2", "sha384"),
    ("2.16.840.1.101.3.4.2.3", "sha512"),
    ("2.16.840.1.101.3.4.2.4", "sha224"),
    ("2.16.840.1.101.3.4.2.8", "sha3-256"),
    ("2.16.840.1.101.3.4.2.9", "sha3-384"),
    ("2.16.840.1.101.3.4.2.10", "sha3-512"),
];

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who signed a PKCS#7 message.
fn signer(message: &[u8]) -> Option<Signer> {
    let content = ContentInfo::from_der(message).ok()?;
    let data: SignedData = SignedData::from_der(&content.content.to_der().ok()?).ok()?;
    let signer = data.signer_infos.0.iter().next()?;
    let hash = signer.digest_alg.oid.to_string();
    let hash = HASHES.iter().find(|(oid, _)| *oid == hash).map_or(hash, |(_, name)| (*name).to_owned());
    let certificate = match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(of) => {
            format!("{}, serial number {}", of.issuer, hexadecimal(of.serial_number.as_bytes()))
        }
        SignerIdentifier::SubjectKeyIdentifier(key) => format!("key {}", hexadecimal(key.0.as_bytes())),
    };
    Some(Signer { certificate, hash })
}

/// Splits a module into what was signed and the signature.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], Signature) {
    let Some(rest) = bytes.strip_suffix(MARKER) else { return (bytes, Signature::Absent) };
    let Some(place) = rest.len().checked_sub(INFO).filter(|&place| place > 0) else {
        return (rest, Signature::Malformed(None, Errno::EBADMSG));
    };
    let (before, info) = rest.split_at(place);
    let [algorithm, hash, id_type, signer_length, key_length, padding @ .., a, b, c, d] = info else {
        return (rest, Signature::Malformed(None, Errno::EBADMSG));
    };
    let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    if size >= before.len() {
        return (rest, Signature::Malformed(None, Errno::EBADMSG));
    }
    if *id_type != PKCS7 {
        return (rest, Signature::Unsupported("module: not signed with expected PKCS#7 message"));
    }
    if [algorithm, hash, signer_length, key_length].into_iter().chain(padding).any(|&byte| byte != 0) {
        let line = "module: PKCS#7 signature info has unexpected non-zero params";
        return (rest, Signature::Malformed(Some(line), Errno::EBADMSG));
    }
    let (module, message) = before.split_at(before.len() - size);
    let signature = signer(message).map_or(Signature::Malformed(None, Errno::EBADMSG), Signature::By);
    (module, signature)
}

//! Certificates (X.509), as a kernel has them built in, and whether a module's signature
//! is right.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Tag, Tagged};
use num_bigint::BigUint;
use p384::ecdsa::VerifyingKey;
use p384::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::signature::{Signed, children};

/// RSA's keys (RFC 8017, A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Keys that are points of a curve, and the curve that kbuild takes (RFC 5480, 2.1.1).
const POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A certificate.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// Its issuer and serial number, as a signature names them.
    pub(crate) id: Vec<u8>,
    /// `None` if it is of another kind.
    key: Option<Key>,
}

/// A key of one of the kinds that kbuild makes, other than ML-DSA's.
#[derive(Clone, Debug)]
enum Key {
    Rsa { modulus: BigUint, exponent: BigUint },
    P384(VerifyingKey),
}

/// How the contents of a certificate that says its version begin, after two lengths of
/// two bytes each.
const VERSION: &[u8] = &[0xa0, 3, 2, 1, 2];
/// The bytes before that: two sequences.
const SEQUENCES: usize = 8;

/// What RSA signs, but for the digest: how it is wrapped (RFC 8017, 9.2, notes).
const SHA256: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384: &[u8] = b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512: &[u8] = b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// All certificates in a kernel's image.
pub(crate) fn all(image: &[u8]) -> Vec<Certificate> {
    let starts = memchr::memmem::find_iter(image, VERSION).filter_map(|place| place.checked_sub(SEQUENCES));
    starts.filter_map(|start| Certificate::read(image.get(start..)?)).collect()
}

/// A key with its kind (RFC 5280, 4.1.2.7).
fn key(value: &AnyRef) -> Option<Key> {
    let [kind, key] = children(value)?.try_into().ok()?;
    let kind = children(&kind)?;
    let says = |at: usize, what: ObjectIdentifier| kind.get(at).is_some_and(|part| part.value() == what.as_bytes());
    // A string of bits begins with the number of those that are none.
    let key = key.value().strip_prefix(&[0]).filter(|_| key.tag() == Tag::BitString)?;
    if says(0, RSA) {
        let [modulus, exponent] = children(&AnyRef::from_der(key).ok()?)?.try_into().ok()?;
        let number = |value: AnyRef| BigUint::from_bytes_be(value.value());
        Some(Key::Rsa { modulus: number(modulus), exponent: number(exponent) })
    } else if says(0, POINT) && says(1, CURVE) {
        VerifyingKey::from_sec1_bytes(key).ok().map(Key::P384)
    } else {
        None
    }
}

impl Certificate {
    /// Reads one (RFC 5280, 4.1) that bytes begin with.
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[0x30, 0x82, high, low, ..] = bytes else { return None };
        let length = 4 + usize::from(u16::from_be_bytes([high, low]));
        let whole = children(&AnyRef::from_der(bytes.get(..length)?).ok()?)?;
        let [_, serial, _, issuer, _, _, subject_key, ..] = &children(whole.first()?)?[..] else { return None };
        let id = [issuer.to_der().ok()?, serial.to_der().ok()?].concat();
        Some(Self { id, key: key(subject_key) })
    }

    /// Whether a signature of a module is right. `None` if its hash or its key are of no kind
    /// that is known here.
    pub(crate) fn verify(&self, module: &[u8], signed: &Signed) -> Option<bool> {
        let (start, digest) = match &*signed.signer.hash {
            "sha256" => (SHA256, Sha256::digest(module).to_vec()),
            "sha384" => (SHA384, Sha384::digest(module).to_vec()),
            "sha512" => (SHA512, Sha512::digest(module).to_vec()),
            _ => return None,
        };
        Some(match self.key.as_ref()? {
            Key::Rsa { modulus, exponent } => is_rsa(modulus, exponent, &[start, &*digest].concat(), &signed.value),
            Key::P384(key) => p384::ecdsa::Signature::from_der(&signed.value)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
        })
    }
}

/// Whether a signature is RSA's, with PKCS#1's padding (RFC 8017, 8.2.2).
fn is_rsa(modulus: &BigUint, exponent: &BigUint, digest: &[u8], signature: &[u8]) -> bool {
    let size = signature.len();
    let Some(padding) = size.checked_sub(digest.len() + 3) else { return false };
    let expected = [&[0, 1], &*vec![0xff; padding], &[0], digest].concat();
    let signature = BigUint::from_bytes_be(signature);
    modulus.bits().div_ceil(8) == size as u64
        && signature < *modulus
        && signature.modpow(exponent, modulus) == BigUint::from_bytes_be(&expected)
}

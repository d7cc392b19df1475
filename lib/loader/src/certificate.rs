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

/// The length of the longest modulus of RSA, in bits. Kernels take keys of up to 4,096.
const MOST_BITS: u64 = 8192;
/// The length of the longest exponent, in bits: the usual one, 65,537, has 17.
const MOST_BITS_OF_EXPONENT: u64 = 32;

/// The most certificates that are read from an image, and the most places that are tried.
/// Kernels have two or three certificates, and firmware has some dozens.
const MOST_CERTIFICATES: usize = 1024;
const MOST_PLACES: usize = 1 << 16;

/// All certificates in a kernel's image.
pub(crate) fn all(image: &[u8]) -> Vec<Certificate> {
    let starts = memchr::memmem::find_iter(image, VERSION).filter_map(|place| place.checked_sub(SEQUENCES));
    let found = starts.take(MOST_PLACES).filter_map(|start| Certificate::read(image.get(start..)?));
    found.take(MOST_CERTIFICATES).collect()
}

/// The value of an integer (X.690, 8.3) that is positive; `None` if it has more bits.
fn positive(integer: &AnyRef, most_bits: u64) -> Option<BigUint> {
    let bytes = integer.value();
    // There may be a byte of zeros before the first bit, which is the sign.
    let is_positive = integer.tag() == Tag::Integer && bytes.first().is_some_and(|&first| first < 0x80);
    if !is_positive || bytes.len() as u64 > most_bits / 8 + 1 {
        return None;
    }
    Some(BigUint::from_bytes_be(bytes)).filter(|number| (1..=most_bits).contains(&number.bits()))
}

/// A key of RSA, if its numbers can be those of one: arithmetic with others takes time
/// without bound, or proves nothing. Both are odd, and the exponent isn't 1.
fn rsa_key(modulus: &AnyRef, exponent: &AnyRef) -> Option<Key> {
    let modulus = positive(modulus, MOST_BITS)?;
    let exponent = positive(exponent, MOST_BITS_OF_EXPONENT)?;
    let is_one = modulus.bit(0) && exponent.bit(0) && exponent.bits() > 1 && exponent < modulus;
    is_one.then_some(Key::Rsa { modulus, exponent })
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
        rsa_key(&modulus, &exponent)
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
    if modulus.bits().div_ceil(8) != size as u64 {
        return false;
    }
    let Some(padding) = size.checked_sub(digest.len() + 3) else { return false };
    let expected = [&[0, 1], &*vec![0xff; padding], &[0], digest].concat();
    let signature = BigUint::from_bytes_be(signature);
    signature < *modulus && signature.modpow(exponent, modulus) == BigUint::from_bytes_be(&expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_key(modulus: &[u8], exponent: &[u8]) -> bool {
        let number = |bytes| AnyRef::new(Tag::Integer, bytes).expect("a number");
        rsa_key(&number(modulus), &number(exponent)).is_some()
    }

    #[test]
    fn numbers_that_no_key_has() {
        let modulus = |bytes: usize, last: u8| {
            let mut modulus = vec![0xff; bytes + 1];
            modulus[0] = 0;
            modulus[bytes] = last;
            modulus
        };
        let usual: &[u8] = &[1, 0, 1];
        assert!(is_key(&modulus(256, 1), usual));
        assert!(is_key(&modulus(1024, 1), &[0, 0xff, 0xff, 0xff, 0xff]));
        for (modulus, exponent, what) in [
            (modulus(1025, 1), usual, "8,200 bits"),
            (modulus(4096, 1), usual, "32,768 bits"),
            (modulus(256, 2), usual, "an even modulus"),
            (vec![0], usual, "a modulus of 0"),
            (Vec::new(), usual, "no modulus"),
            (vec![0xff; 256], usual, "a negative modulus"),
            (modulus(256, 1), &[1, 0, 0, 0, 1], "an exponent of 33 bits"),
            (modulus(256, 1), &[1; 256], "a long exponent"),
            (modulus(256, 1), &[1, 0, 0], "an even exponent"),
            (modulus(256, 1), &[1], "an exponent of 1"),
            (modulus(256, 1), &[0], "an exponent of 0"),
            (vec![15], usual, "an exponent that is larger than the modulus"),
        ] {
            assert!(!is_key(&modulus, exponent), "{what}");
        }
    }

    #[test]
    fn a_signature_has_the_length_of_the_modulus() {
        let modulus = BigUint::from_bytes_be(&[0xff; 256]);
        assert!(!is_rsa(&modulus, &BigUint::from(3u8), &[0; 51], &[0; 1 << 20]));
        assert!(!is_rsa(&modulus, &BigUint::from(3u8), &[0; 51], &[]));
    }

    #[test]
    fn an_image_that_seems_full_of_certificates() {
        // Each begins inside of the one before and is as long as one can be.
        let start = [&[0x30, 0x82, 0xff, 0xff, 0x30, 0x82, 0xff, 0xf0][..], VERSION].concat();
        assert!(all(&start.repeat(1 << 20)).is_empty());
    }
}

//! The signature at a module's end: a PKCS#7 message, a structure that says how long it
//! is, and a marker (`struct module_signature`).

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag, Tagged};

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
    /// What tells the certificate from others: the bytes that say so in the message.
    pub(crate) id: Vec<u8>,
}

/// A signature of a signer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) signer: Signer,
    /// What the kernel logs if more than the module is signed (`authenticatedAttributes`).
    pub(crate) attributes: Option<&'static str>,
    /// The signature itself.
    pub(crate) value: Vec<u8>,
}

/// What is at a module's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// None.
    Absent,
    /// One that a kernel could check.
    By(Signed),
    /// One that makes it refuse the module: the line that it logs, if it logs one.
    Malformed(Option<&'static str>, Errno),
    /// One of another kind, as if there were none.
    Unsupported(&'static str),
}

/// Hashes that kernels know, by their object identifiers (RFC 5754 and NIST's list).
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

/// Parts of a certificate's name that are written by a short word.
const PARTS: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// What a signer can do, as an attribute (RFC 8551, 2.5.2).
const CAPABILITIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.15");

/// Longer messages are refused, in bytes. kbuild's have less than 2,000 even for RSA's
/// longest keys.
const LONGEST: usize = 1 << 16;
/// A value of DER with more parts is refused. A certificate's name has some dozens.
const MOST_CHILDREN: usize = 256;

/// The parts of a value of DER; `None` if there are too many.
pub(crate) fn children<'a>(value: &AnyRef<'a>) -> Option<Vec<AnyRef<'a>>> {
    let mut reader = SliceReader::new(value.value()).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        if found.len() == MOST_CHILDREN {
            return None;
        }
        found.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(found)
}

/// An object identifier, by its short word if there is one.
fn identifier(value: &AnyRef, known: &[(&str, &str)]) -> Option<String> {
    let oid = ObjectIdentifier::from_bytes(value.value()).ok()?.to_string();
    let word = known.iter().find(|(known, _)| *known == oid).map(|(_, word)| (*word).to_owned());
    Some(word.unwrap_or(oid))
}

/// A certificate's name (X.501), in its order.
fn name(value: &AnyRef) -> Option<String> {
    let mut parts = Vec::new();
    for set in children(value)? {
        for part in children(&set)? {
            let [kind, text] = children(&part)?.try_into().ok()?;
            parts.push(format!("{}={}", identifier(&kind, PARTS)?, String::from_utf8_lossy(text.value())));
        }
    }
    Some(parts.join(", "))
}

/// Who signed a PKCS#7 message (RFC 2315): a kernel takes one with a single signer.
fn signed(message: &[u8]) -> Option<Signed> {
    let content = children(&AnyRef::from_der(message).ok()?)?;
    let data = children(content.get(1)?)?;
    // The signers come last.
    let signers = children(data.first()?)?.pop()?;
    let signer = children(children(&signers)?.first()?)?;
    let (who, hash, rest) = (signer.get(1)?, children(signer.get(2)?)?, signer.get(3..)?);
    let certificate = match (who.tag(), &children(who).unwrap_or_default()[..]) {
        (Tag::Sequence, [issuer, number]) => {
            format!("{}, serial number {}", name(issuer)?, hexadecimal(number.value()))
        }
        _ => format!("key {}", hexadecimal(who.value())),
    };
    let has_attributes = rest.first()?.tag().is_context_specific();
    let attributes = match memchr::memmem::find(rest.first()?.value(), CAPABILITIES.as_bytes()) {
        _ if !has_attributes => None,
        Some(_) => Some("PKCS7: S/MIME Caps only allowed with Authenticode"),
        None => Some("PKCS7: Invalid module sig (has authattrs)"),
    };
    let value = rest.iter().find(|part| part.tag() == Tag::OctetString)?.value().to_vec();
    let signer = Signer { certificate, hash: identifier(hash.first()?, HASHES)?, id: who.value().to_vec() };
    Some(Signed { signer, attributes, value })
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
    let message = Some(message).filter(|message| message.len() <= LONGEST);
    let signature = message.and_then(signed).map_or(Signature::Malformed(None, Errno::EBADMSG), Signature::By);
    (module, signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_absurd_size_is_malformed() {
        let end = |size: u32| [&[0, 0, PKCS7, 0, 0, 0, 0, 0][..], &size.to_be_bytes(), MARKER].concat();
        for size in [LONGEST as u32 + 1, u32::MAX] {
            let module = [vec![0x30; 1 << 17], end(size)].concat();
            assert_eq!(split(&module).1, Signature::Malformed(None, Errno::EBADMSG), "{size}");
        }
    }

    #[test]
    fn values_of_many_values_are_not_read() {
        let sequence =
            |count: u16| [&[0x30, 0x82], &(count * 2).to_be_bytes()[..], &[5, 0].repeat(count.into())].concat();
        let count = |count| children(&AnyRef::from_der(&sequence(count)).expect("a sequence")).map(|found| found.len());
        assert_eq!((count(256), count(257)), (Some(256), None));
    }
}

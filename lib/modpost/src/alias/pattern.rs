//! Aliases that are a sequence of texts and fields.

use std::io::Write;

use super::{Entry, add_field, add_wildcard};

/// A piece of a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// These bytes.
    Text(&'static str),
    /// A separator, and the field in as many hexadecimal digits as it has;
    /// or `*` if it doesn't matter.
    Field(&'static str, &'static str, Matters),
    /// The same for an element of an array.
    Element(&'static str, &'static str, usize, Matters),
    /// A field in at least so many upper-case digits, whatever its size.
    Upper(&'static str, usize),
    /// The same in lower case.
    Lower(&'static str, usize),
    /// A field in at least so many decimal digits.
    Decimal(&'static str, usize),
    /// The string in a field.
    Str(&'static str),
    /// The string in a field if it matters, else `*`.
    StrIf(&'static str, Matters),
    /// `*` at the end, unless there is one.
    Wildcard,
}

/// Whether a field matters for a match.
#[derive(Clone, Copy, Debug)]
pub(super) enum Matters {
    /// It differs from the value that means any.
    Not(u64),
    /// The structure's `match_flags` have one of these bits.
    Flag(u64),
}

use Matters::{Flag, Not};
use Piece::{Decimal, Element, Field, Lower, Str, StrIf, Text, Upper, Wildcard};

/// Writes the alias of an entry.
pub(super) fn write(pieces: &[Piece], entry: &Entry, alias: &mut Vec<u8>) {
    let matters = |matters, value: u64| match matters {
        Not(any) => value != any,
        Flag(bits) => entry.get("match_flags") & bits != 0,
    };
    for piece in pieces {
        match *piece {
            Text(text) => alias.extend_from_slice(text.as_bytes()),
            Field(separator, field, when) => {
                add_field(alias, separator, matters(when, entry.get(field)), entry, field);
            }
            Element(separator, field, n, when) => {
                alias.extend_from_slice(separator.as_bytes());
                let (value, digits) = (entry.nth(field, n), entry.digits(field));
                if matters(when, value) {
                    let _ = write!(alias, "{value:0digits$X}");
                } else {
                    alias.push(b'*');
                }
            }
            Upper(field, digits) => {
                let _ = write!(alias, "{:0digits$X}", entry.get(field));
            }
            Lower(field, digits) => {
                let _ = write!(alias, "{:0digits$x}", entry.get(field));
            }
            Decimal(field, digits) => {
                let _ = write!(alias, "{:0digits$}", entry.get(field));
            }
            Str(field) => alias.extend_from_slice(entry.string(field)),
            StrIf(field, when) if matters(when, 0) => alias.extend_from_slice(entry.string(field)),
            StrIf(..) => alias.push(b'*'),
            Wildcard => add_wildcard(alias),
        }
    }
}

const ANY8: u64 = 0xff;
const ANY16: u64 = 0xffff;
const ANY32: u64 = 0xffff_ffff;

pub(super) const AP: &[Piece] = &[Text("ap:t"), Upper("dev_type", 2), Text("*")];
pub(super) const AUXILIARY: &[Piece] = &[Text("auxiliary:"), Str("name")];
pub(super) const BCMA: &[Piece] = &[
    Text("bcma:"),
    Field("m", "manuf", Not(ANY16)),
    Field("id", "id", Not(ANY16)),
    Field("rev", "rev", Not(ANY8)),
    Field("cl", "class", Not(ANY8)),
    Wildcard,
];
pub(super) const CCW: &[Piece] = &[
    Text("ccw:"),
    Field("t", "cu_type", Flag(0x01)),
    Field("m", "cu_model", Flag(0x02)),
    Field("dt", "dev_type", Flag(0x04)),
    Field("dm", "dev_model", Flag(0x08)),
    Wildcard,
];
pub(super) const COREBOOT: &[Piece] = &[Text("coreboot:t"), Upper("tag", 8)];
pub(super) const CPU: &[Piece] = &[Text("cpu:type:*:feature:*"), Upper("feature", 4), Text("*")];
pub(super) const CSS: &[Piece] = &[Text("css:t"), Upper("type", 1)];
pub(super) const DFL: &[Piece] = &[Text("dfl:t"), Upper("type", 4), Text("f"), Upper("feature_id", 4), Wildcard];
pub(super) const EISA: &[Piece] = &[Text("eisa:s"), Str("sig"), Text("*")];
pub(super) const FSL_MC: &[Piece] = &[Text("fsl-mc:v"), Upper("vendor", 8), Text("d"), Str("obj_type")];
pub(super) const HDAUDIO: &[Piece] = &[
    Text("hdaudio:"),
    Field("v", "vendor_id", Not(0)),
    Field("r", "rev_id", Not(0)),
    Field("a", "api_version", Not(0)),
    Wildcard,
];
pub(super) const HID: &[Piece] = &[
    Text("hid:"),
    Field("b", "bus", Not(ANY16)),
    Field("g", "group", Not(0)),
    Field("v", "vendor", Not(ANY32)),
    Field("p", "product", Not(ANY32)),
];
pub(super) const I2C: &[Piece] = &[Text("i2c:"), Str("name")];
pub(super) const I3C: &[Piece] = &[
    Text("i3c:"),
    Field("dcr", "dcr", Flag(0x1)),
    Field("manuf", "manuf_id", Flag(0x2)),
    Field("part", "part_id", Flag(0x4)),
    Field("ext", "extra_info", Flag(0x8)),
];
pub(super) const IEEE1394: &[Piece] = &[
    Text("ieee1394:"),
    Field("ven", "vendor_id", Flag(0x1)),
    Field("mo", "model_id", Flag(0x2)),
    Field("sp", "specifier_id", Flag(0x4)),
    Field("ver", "version", Flag(0x8)),
    Wildcard,
];
pub(super) const IPACK: &[Piece] = &[
    Text("ipack:"),
    Field("f", "format", Not(ANY8)),
    Field("v", "vendor", Not(ANY32)),
    Field("d", "device", Not(ANY32)),
    Wildcard,
];
pub(super) const MCB: &[Piece] = &[Text("mcb:16z"), Decimal("device", 3)];
pub(super) const MHI: &[Piece] = &[Text("mhi:"), Str("chan")];
pub(super) const MHI_EP: &[Piece] = &[Text("mhi_ep:"), Str("chan")];
pub(super) const MIPS_CDMM: &[Piece] = &[Text("mipscdmm:t"), Upper("type", 2), Text("*")];
pub(super) const PARISC: &[Piece] = &[
    Text("parisc:"),
    Field("t", "hw_type", Not(ANY8)),
    Field("hv", "hversion", Not(ANY16)),
    Field("rev", "hversion_rev", Not(ANY8)),
    Field("sv", "sversion", Not(ANY32)),
    Wildcard,
];
pub(super) const PCMCIA: &[Piece] = &[
    Text("pcmcia:"),
    Field("m", "manf_id", Flag(0x0001)),
    Field("c", "card_id", Flag(0x0002)),
    Field("f", "func_id", Flag(0x0004)),
    Field("fn", "function", Flag(0x0008)),
    Field("pfn", "device_no", Flag(0x0100)),
    Element("pa", "prod_id_hash", 0, Flag(0x0010)),
    Element("pb", "prod_id_hash", 1, Flag(0x0020)),
    Element("pc", "prod_id_hash", 2, Flag(0x0040)),
    Element("pd", "prod_id_hash", 3, Flag(0x0080)),
    Wildcard,
];
pub(super) const PLATFORM: &[Piece] = &[Text("platform:"), Str("name")];
pub(super) const RAPIDIO: &[Piece] = &[
    Text("rapidio:"),
    Field("v", "vid", Not(ANY16)),
    Field("d", "did", Not(ANY16)),
    Field("av", "asm_vid", Not(ANY16)),
    Field("ad", "asm_did", Not(ANY16)),
    Wildcard,
];
pub(super) const RPMSG: &[Piece] = &[Text("rpmsg:"), Str("name")];
pub(super) const SDIO: &[Piece] = &[
    Text("sdio:"),
    Field("c", "class", Not(ANY8)),
    Field("v", "vendor", Not(ANY16)),
    Field("d", "device", Not(ANY16)),
    Wildcard,
];
pub(super) const SDW: &[Piece] = &[
    Text("sdw:"),
    Field("m", "mfg_id", Not(0)),
    Field("p", "part_id", Not(0)),
    Field("v", "sdw_version", Not(0)),
    Field("c", "class_id", Not(0)),
    Wildcard,
];
pub(super) const SERIO: &[Piece] = &[
    Text("serio:"),
    Field("ty", "type", Not(ANY8)),
    Field("pr", "proto", Not(ANY8)),
    Field("id", "id", Not(ANY8)),
    Field("ex", "extra", Not(ANY8)),
    Wildcard,
];
pub(super) const SLIM: &[Piece] = &[Text("slim:"), Lower("manf_id", 1), Text(":"), Lower("prod_code", 1), Text(":*")];
pub(super) const SPI: &[Piece] = &[Text("spi:"), Str("name")];
pub(super) const SSAM: &[Piece] = &[
    Text("ssam:d"),
    Upper("domain", 2),
    Text("c"),
    Upper("category", 2),
    Field("t", "target", Flag(0x1)),
    Field("i", "instance", Flag(0x2)),
    Field("f", "function", Flag(0x4)),
];
pub(super) const SSB: &[Piece] = &[
    Text("ssb:"),
    Field("v", "vendor", Not(ANY16)),
    Field("id", "coreid", Not(ANY16)),
    Field("rev", "revision", Not(ANY8)),
    Wildcard,
];
pub(super) const TBSVC: &[Piece] = &[
    Text("tbsvc:k"),
    StrIf("protocol_key", Flag(0x1)),
    Field("p", "protocol_id", Flag(0x2)),
    Field("v", "protocol_version", Flag(0x4)),
    Field("r", "protocol_revision", Flag(0x8)),
    Wildcard,
];
pub(super) const TYPEC: &[Piece] = &[Text("typec:id"), Upper("svid", 4), Field("m", "mode", Not(7))];
pub(super) const TYPEC_WITHOUT_MODE: &[Piece] = &[Text("typec:id"), Upper("svid", 4)];
pub(super) const ULPI: &[Piece] = &[Text("ulpi:v"), Lower("vendor", 4), Text("p"), Lower("product", 4)];
pub(super) const VCHIQ: &[Piece] = &[Text("vchiq:"), Str("name")];
pub(super) const VIRTIO: &[Piece] =
    &[Text("virtio:"), Field("d", "device", Not(ANY32)), Field("v", "vendor", Not(ANY32)), Wildcard];
pub(super) const ZORRO: &[Piece] = &[Text("zorro:"), Field("i", "id", Not(ANY32))];

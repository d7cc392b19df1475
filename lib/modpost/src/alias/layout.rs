//! Device-id structures, described once as C fields and laid out by the
//! target's ABI.
//!
//! The structures are those of `include/linux/mod_devicetable.h`. Where a
//! kernel differs from another, a field says for which dialects it is there.
//! A `devicetable-offsets.h` that the kernel build made wins: see
//! [`Offsets`].

use std::ops::Range;

use elf::arch::Abi;
use indexmap::IndexMap;

use crate::dialect::Dialect;

/// A C type of which a field has one or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CType {
    /// An integer of so many bytes.
    Int(usize),
    /// `unsigned long` and pointers.
    Word,
    /// A structure of bytes alone.
    Bytes(usize),
}

/// A field of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its C name.
    pub(crate) name: &'static str,
    ctype: CType,
    count: Count,
    /// `__attribute__((aligned(sizeof(kernel_ulong_t))))`.
    word_aligned: bool,
    present: fn(&Dialect) -> bool,
}

#[derive(Clone, Copy, Debug)]
enum Count {
    One,
    Array(usize),
    ArrayBy(fn(&Dialect) -> usize),
    /// As many words as it takes to hold bits 0 to the maximum.
    BitmapTo(usize),
}

/// A device-id structure.
#[derive(Debug)]
pub struct Struct {
    /// Its C name, without `struct`.
    pub name: &'static str,
    fields: &'static [Field],
}

const fn field(name: &'static str, ctype: CType) -> Field {
    Field { name, ctype, count: Count::One, word_aligned: false, present: |_| true }
}

impl Field {
    const fn array(self, len: usize) -> Self {
        Self { count: Count::Array(len), ..self }
    }

    const fn array_by(self, len: fn(&Dialect) -> usize) -> Self {
        Self { count: Count::ArrayBy(len), ..self }
    }

    const fn bitmap_to(self, max: usize) -> Self {
        Self { count: Count::BitmapTo(max), ..self }
    }

    const fn word_aligned(self) -> Self {
        Self { word_aligned: true, ..self }
    }

    const fn when(self, present: fn(&Dialect) -> bool) -> Self {
        Self { present, ..self }
    }
}

const fn u8(name: &'static str) -> Field {
    field(name, CType::Int(1))
}
const fn u16(name: &'static str) -> Field {
    field(name, CType::Int(2))
}
const fn u32(name: &'static str) -> Field {
    field(name, CType::Int(4))
}
const fn word(name: &'static str) -> Field {
    field(name, CType::Word)
}
const fn bytes(name: &'static str, len: usize) -> Field {
    field(name, CType::Bytes(len))
}

macro_rules! structs {
    ($($constant:ident = $name:ident { $($field:expr),+ $(,)? })+) => {
        $(
            #[doc = concat!("`struct ", stringify!($name), "`.")]
            pub static $constant: Struct = Struct { name: stringify!($name), fields: &[$($field),+] };
        )+
        /// Every structure described here.
        pub static ALL: &[&Struct] = &[$(&$constant),+];
    };
}

structs! {
    USB = usb_device_id {
        u16("match_flags"), u16("idVendor"), u16("idProduct"), u16("bcdDevice_lo"), u16("bcdDevice_hi"),
        u8("bDeviceClass"), u8("bDeviceSubClass"), u8("bDeviceProtocol"),
        u8("bInterfaceClass"), u8("bInterfaceSubClass"), u8("bInterfaceProtocol"), u8("bInterfaceNumber"),
        word("driver_info").word_aligned(),
    }
    HID = hid_device_id { u16("bus"), u16("group"), u32("vendor"), u32("product"), word("driver_data") }
    IEEE1394 = ieee1394_device_id {
        u32("match_flags"), u32("vendor_id"), u32("model_id"), u32("specifier_id"), u32("version"),
        word("driver_data"),
    }
    PCI = pci_device_id {
        u32("vendor"), u32("device"), u32("subvendor"), u32("subdevice"), u32("class"), u32("class_mask"),
        word("driver_data"), u32("override_only").when(|d| d.pci_override_only),
    }
    CCW = ccw_device_id {
        u16("match_flags"), u16("cu_type"), u16("dev_type"), u8("cu_model"), u8("dev_model"), word("driver_info"),
    }
    AP = ap_device_id { u16("match_flags"), u8("dev_type"), word("driver_info").when(|d| !d.ap_without_info) }
    CSS = css_device_id { u8("match_flags"), u8("type"), word("driver_data") }
    SERIO = serio_device_id { u8("type"), u8("extra"), u8("id"), u8("proto") }
    ACPI = acpi_device_id {
        u8("id").array_by(|d| if d.acpi_id_16 { 16 } else { 9 }), word("driver_data"), u32("cls"), u32("cls_msk"),
    }
    PNP = pnp_device_id { u8("id").array(8), word("driver_data") }
    PNP_CARD = pnp_card_device_id { u8("id").array(8), word("driver_data"), bytes("devs", 8).array(8) }
    PCMCIA = pcmcia_device_id {
        u16("match_flags"), u16("manf_id"), u16("card_id"), u8("func_id"), u8("function"), u8("device_no"),
        u32("prod_id_hash").array(4), word("prod_id").array(4), word("driver_info"), word("cisfile"),
    }
    OF = of_device_id { u8("name").array(32), u8("type").array(32), u8("compatible").array(128), word("data") }
    VIO = vio_device_id { u8("type").array(32), u8("compat").array(32) }
    INPUT = input_device_id {
        word("flags"), u16("bustype"), u16("vendor"), u16("product"), u16("version"),
        word("evbit").bitmap_to(0x1f), word("keybit").bitmap_to(0x2ff), word("relbit").bitmap_to(0x0f),
        word("absbit").bitmap_to(0x3f), word("mscbit").bitmap_to(0x07), word("ledbit").bitmap_to(0x0f),
        word("sndbit").bitmap_to(0x07), word("ffbit").bitmap_to(0x7f), word("swbit").bitmap_to(0x11),
        word("propbit").bitmap_to(0x1f), word("driver_info"),
    }
    EISA = eisa_device_id { u8("sig").array(8), word("driver_data") }
    PARISC = parisc_device_id { u8("hw_type"), u8("hversion_rev"), u16("hversion"), u32("sversion") }
    SDIO = sdio_device_id { u8("class"), u16("vendor"), u16("device"), word("driver_data") }
    SSB = ssb_device_id { u16("vendor"), u16("coreid"), u8("revision"), u8("__pad") }
    BCMA = bcma_device_id { u16("manuf"), u16("id"), u8("rev"), u8("class") }
    VIRTIO = virtio_device_id { u32("device"), u32("vendor") }
    VMBUS = hv_vmbus_device_id { bytes("guid", 16), word("driver_data") }
    RPMSG = rpmsg_device_id { u8("name").array(32), word("driver_data").when(|d| d.rpmsg_driver_data) }
    I2C = i2c_device_id { u8("name").array(20), word("driver_data") }
    I3C = i3c_device_id {
        u8("match_flags"), u8("dcr"), u16("manuf_id"), u16("part_id"), u16("extra_info"), word("data"),
    }
    SPI = spi_device_id { u8("name").array(32), word("driver_data") }
    DMI = dmi_system_id {
        word("callback"), word("ident"), bytes("matches", 80).array(4), word("driver_data"),
    }
    PLATFORM = platform_device_id {
        u8("name").array_by(|d| if d.platform_name_24 { 24 } else { 20 }), word("driver_data"),
    }
    MDIO = mdio_device_id { u32("phy_id"), u32("phy_id_mask") }
    ZORRO = zorro_device_id { u32("id"), word("driver_data") }
    ISAPNP = isapnp_device_id {
        u16("card_vendor"), u16("card_device"), u16("vendor"), u16("function"), word("driver_data"),
    }
    IPACK = ipack_device_id { u8("format"), u32("vendor"), u32("device") }
    AMBA = amba_id { u32("id"), u32("mask"), word("data") }
    MIPS_CDMM = mips_cdmm_device_id { u8("type") }
    X86CPU = x86_cpu_id {
        u16("vendor"), u16("family"), u16("model"), u16("steppings"), u16("feature"),
        u16("flags"), u8("platform_mask").when(|d| d.x86_cpu_platform), u8("type").when(|d| d.x86_cpu_type),
        word("driver_data"),
    }
    CPU = cpu_feature { u16("feature") }
    MEI = mei_cl_device_id { u8("name").array(32), bytes("uuid", 16), u8("version"), word("driver_info") }
    RAPIDIO = rio_device_id { u16("did"), u16("vid"), u16("asm_did"), u16("asm_vid") }
    ULPI = ulpi_device_id { u16("vendor"), u16("product"), word("driver_data") }
    HDAUDIO = hda_device_id {
        u32("vendor_id"), u32("rev_id"), u8("api_version"), word("name"), word("driver_data"),
    }
    SDW = sdw_device_id { u16("mfg_id"), u16("part_id"), u8("sdw_version"), u8("class_id"), word("driver_data") }
    FSL_MC = fsl_mc_device_id { u16("vendor"), u8("obj_type").array(16) }
    TBSVC = tb_service_id {
        u32("match_flags"), u8("protocol_key").array(9), u32("protocol_id"), u32("protocol_version"),
        u32("protocol_revision"), word("driver_data"),
    }
    TYPEC = typec_device_id { u16("svid"), u8("mode"), word("driver_data") }
    TEE = tee_client_device_id { bytes("uuid", 16) }
    WMI = wmi_device_id { u8("guid_string").array(37), word("context") }
    MHI = mhi_device_id { u8("chan").array(32), word("driver_data") }
    AUXILIARY = auxiliary_device_id {
        u8("name").array_by(|d| if d.auxiliary_name_40 { 40 } else { 32 }), word("driver_data"),
    }
    SSAM = ssam_device_id {
        u8("match_flags"), u8("domain"), u8("category"), u8("target"), u8("instance"), u8("function"),
        word("driver_data"),
    }
    DFL = dfl_device_id { u16("type"), u16("feature_id"), word("driver_data") }
    MCB = mcb_device_id { u16("device"), word("driver_data") }
    SLIM = slim_device_id {
        u16("manf_id"), u16("prod_code"), u16("dev_index"), u16("instance"), word("driver_data"),
    }
    CDX = cdx_device_id {
        u16("vendor"), u16("device"), u16("subvendor").when(|d| d.cdx_class), u16("subdevice").when(|d| d.cdx_class),
        u32("class").when(|d| d.cdx_class), u32("class_mask").when(|d| d.cdx_class), u32("override_only"),
    }
    VCHIQ = vchiq_device_id { u8("name").array(32) }
    COREBOOT = coreboot_device_id { u32("tag"), word("driver_data") }
    ISHTP = ishtp_device_id { bytes("guid", 16), word("driver_data") }
}

const fn size(ctype: CType, abi: Abi) -> usize {
    match ctype {
        CType::Int(size) | CType::Bytes(size) => size,
        CType::Word => abi.word,
    }
}

fn align(field: &Field, abi: Abi) -> usize {
    match field.ctype {
        _ if field.word_aligned => abi.word,
        CType::Bytes(_) => 1,
        CType::Int(size) => size.min(abi.max_align),
        CType::Word => abi.word.min(abi.max_align),
    }
}

/// Where a field lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The field's C name.
    pub name: &'static str,
    /// Its offset in the structure, in bytes.
    pub offset: usize,
    /// The size of one element, in bytes.
    pub width: usize,
    /// How many elements an array has, else 1.
    pub count: usize,
    /// What an element is.
    pub ctype: CType,
}

impl Place {
    /// Where an element of an array is in the structure.
    #[must_use]
    pub const fn element(&self, n: usize) -> Range<usize> {
        let start = self.offset + n * self.width;
        start..start + self.width
    }
}

/// A structure as one target and one kernel have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `sizeof`.
    pub size: usize,
    /// The fields.
    pub places: Vec<Place>,
}

impl Layout {
    /// Lays a structure out.
    #[must_use]
    pub fn new(structure: &Struct, abi: Abi, dialect: &Dialect, offsets: Option<&Offsets>) -> Self {
        let mut places = Vec::with_capacity(structure.fields.len());
        let mut end = 0usize;
        let mut strictest = 1;
        for field in structure.fields.iter().filter(|field| (field.present)(dialect)) {
            let width = size(field.ctype, abi);
            let count = match field.count {
                Count::One => 1,
                Count::Array(len) => len,
                Count::ArrayBy(len) => len(dialect),
                Count::BitmapTo(max) => max / (abi.word * 8) + 1,
            };
            let align = align(field, abi);
            strictest = strictest.max(align);
            let offset = end.next_multiple_of(align);
            end = offset + width * count;
            places.push(Place { name: field.name, offset, width, count, ctype: field.ctype });
        }
        let mut layout = Self { size: end.next_multiple_of(strictest), places };
        if let Some(offsets) = offsets {
            offsets.apply(structure.name, &mut layout);
        }
        layout
    }

    /// Where a field lies. The formatters name only fields that their
    /// structure has in their dialect.
    ///
    /// # Panics
    /// If the structure has no such field, which a unit test rules out.
    #[must_use]
    pub fn place(&self, name: &str) -> Place {
        match self.places.iter().find(|place| place.name == name) {
            Some(place) => *place,
            None => unreachable!("no field {name}"),
        }
    }
}

/// The offsets and sizes of a `devicetable-offsets.h`, which the kernel build
/// computes with the target's compiler (`scripts/mod/devicetable-offsets.c`):
/// lines `#define OFF_STRUCT_FIELD N` and `#define SIZE_STRUCT N`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets(IndexMap<Vec<u8>, usize>);

impl Offsets {
    /// Reads the header; lines of any other form are passed over.
    #[must_use]
    pub fn parse(header: &[u8]) -> Self {
        let define = |line: &[u8]| {
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            if words.next()? != b"#define" {
                return None;
            }
            let name = words.next().filter(|name| name.starts_with(b"OFF_") || name.starts_with(b"SIZE_"))?;
            let value = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
            Some((name.to_vec(), value))
        };
        Self(header.split(|&b| b == b'\n').filter_map(define).collect())
    }

    fn apply(&self, structure: &str, layout: &mut Layout) {
        if let Some(&size) = self.0.get(format!("SIZE_{structure}").as_bytes()) {
            layout.size = size;
        }
        for place in &mut layout.places {
            if let Some(&offset) = self.0.get(format!("OFF_{structure}_{}", place.name).as_bytes()) {
                place.offset = offset;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

    fn layout(structure: &Struct, word: usize, max_align: usize) -> Layout {
        let dialect = Dialect::new(Version::new(6, 1, 176));
        Layout::new(structure, Abi { word, max_align }, &dialect, None)
    }

    #[test]
    fn sizes_by_abi() {
        for (structure, lp64, ilp32, m68k) in [
            (&USB, 32, 24, 24),
            (&PCI, 40, 32, 32),
            (&SDIO, 16, 12, 10),
            (&OF, 200, 196, 196),
            (&IPACK, 12, 12, 10),
            (&PNP_CARD, 80, 76, 76),
            (&PCMCIA, 80, 52, 50),
            (&DMI, 344, 332, 332),
        ] {
            let sizes = [(8, 8), (4, 4), (4, 2)].map(|(word, align)| layout(structure, word, align).size);
            assert_eq!(sizes, [lp64, ilp32, m68k], "{}", structure.name);
        }
    }

    #[test]
    fn the_builds_own_offsets_win() {
        let header = b"#ifndef X\n#define SIZE_pci_device_id 64 /* sizeof */\n#define OFF_pci_device_id_vendor 4\n";
        let offsets = Offsets::parse(header);
        let dialect = Dialect::new(Version::new(6, 1, 176));
        let layout = Layout::new(&PCI, Abi { word: 8, max_align: 8 }, &dialect, Some(&offsets));
        assert_eq!((layout.size, layout.place("vendor").offset, layout.place("device").offset), (64, 4, 4));
    }
}

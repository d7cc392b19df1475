//! Device tables in all types, with what their fields can be.

use modpost::alias::TableType;
use modpost::alias::layout::Layout;
use modpost::dialect::Dialect;

/// A sequence of numbers that is the same in each run (Marsaglia's xorshift).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// A sequence; any start but 0 will do.
    #[must_use]
    pub const fn new(start: u64) -> Self {
        Self(start)
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "there is always one more")]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of several values.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[(self.next() % values.len() as u64) as usize]
    }
}

/// Fields that hold a string.
const STRINGS: &[&str] =
    &["name", "type", "compatible", "compat", "sig", "obj_type", "protocol_key", "guid_string", "chan"];

/// A field's bytes: a string, or what integers are at their edges.
fn field(name: &str, width: usize, count: usize, numbers: &mut Numbers) -> Vec<u8> {
    let len = width * count;
    let is_id = name == "id" && width == 1 && count > 1;
    if (STRINGS.contains(&name) && width == 1) && count > 1 || is_id {
        let mut bytes = vec![0; len];
        let filled = if name == "guid_string" { numbers.pick(&[36, 36, 35, 0]) } else { numbers.next() as usize % len };
        let alphabet = b"abcXYZ019-_, \t*:.";
        bytes[..filled.min(len - 1)].fill_with(|| numbers.pick(alphabet));
        return bytes;
    }
    let mut bytes = Vec::with_capacity(len);
    for _ in 0..count {
        let value = match numbers.next() % 6 {
            0 => 0,
            1 => u64::MAX,
            2 => 1,
            3 => numbers.next() & 0xff,
            // A number in binary-coded decimal.
            4 => numbers.next() & 0x1111_1111_1111_1111 | (numbers.next() & 0x0808_0808_0808_0808),
            _ => numbers.next(),
        };
        bytes.extend((0..width).map(|byte| if byte < 8 { (value >> (8 * byte)) as u8 } else { numbers.next() as u8 }));
    }
    bytes
}

/// What only some values of a field let pass is made so that it does.
fn adjust(table: &TableType, layout: &Layout, entry: &mut [u8], numbers: &mut Numbers, undefined: bool) {
    let mut set = |name: &str, value: u32| {
        let place = layout.place(name);
        entry[place.offset..place.offset + 4].copy_from_slice(&value.to_le_bytes());
    };
    match table.name {
        "pci" => {
            set("class_mask", numbers.pick(&[0, 0xff_ffff, 0xff_ff00, 0xff_0000, 0xff, 0xf0_0000]));
            if layout.places.iter().any(|place| place.name == "override_only") {
                // What an unknown value does is undefined in later kernels.
                let values: &[u32] = if undefined { &[0, 0, 1] } else { &[0, 0, 1, 1, 2] };
                set("override_only", numbers.pick(values));
            }
        }
        "amba" => {
            let mask = numbers.pick(&[u32::MAX, 0, 0x000f_ffff, 0x0fff_f0f3, 0x1248_1248]);
            let id = numbers.next() as u32 & mask;
            set("id", id);
            set("mask", mask);
        }
        // An alias has room for so many bits alone.
        "input" => {
            for name in ["evbit", "keybit", "relbit", "absbit", "mscbit", "ledbit", "sndbit", "ffbit", "swbit"] {
                let place = layout.place(name);
                let bits = &mut entry[place.offset..place.offset + place.width * place.count];
                let (byte, bit) = (numbers.next() as usize % bits.len(), numbers.next() % 8);
                bits.fill(0);
                bits[byte] = 1 << bit;
                if name == "swbit" {
                    bits[2] = 1;
                }
            }
        }
        "usb" => {
            let flags = layout.place("match_flags").offset;
            entry[flags] |= 0x0c;
            let (low, high) = (layout.place("bcdDevice_lo").offset, layout.place("bcdDevice_hi").offset);
            let range = numbers.pick(&[
                (0u16, 0x9999u16),
                (0x0001, 0x0001),
                (0x0100, 0x0199),
                (0x0123, 0x4567),
                (0x0999, 0x1000),
                (0x0000, 0xffff),
                (0x12ab, 0x34cd),
                (0x0a00, 0x9fff),
                (0x2000, 0x1000),
                (0x0099, 0x0101),
            ]);
            entry[low..low + 2].copy_from_slice(&range.0.to_le_bytes());
            entry[high..high + 2].copy_from_slice(&range.1.to_le_bytes());
        }
        "dmi" => {
            let place = layout.place("matches");
            for slot in 0..place.count {
                let bytes = &mut entry[place.offset + slot * 80..][..80];
                bytes[0] = numbers.pick(&[0, 1, 3, 6, 7, 13, 20, 24, 0x81]);
                let filled = 1 + numbers.next() as usize % 60;
                bytes[1..=filled].fill_with(|| numbers.pick(b"Aa :\x01\x7f\xe9*0-"));
                bytes[filled + 1..].fill(0);
            }
        }
        "pnp_card" => {
            let place = layout.place("devs");
            let ids = numbers.next() as usize % place.count;
            for device in 0..place.count {
                let bytes = &mut entry[place.offset + device * 8..][..8];
                bytes.fill(0);
                if device < ids {
                    bytes[..7].copy_from_slice(numbers.pick(&[b"PNPb006", b"ABC0001", b"xyz00ff", b"CTL0045"]));
                }
            }
        }
        _ => {}
    }
}

/// So many entries of a table, their fields made of what each can be.
pub fn entries(count: usize, table: &TableType, layout: &Layout, dialect: &Dialect, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..count {
        let mut entry = vec![0; layout.size];
        for place in &layout.places {
            let value = field(place.name, place.width, place.count, numbers);
            entry[place.offset..place.offset + value.len()].copy_from_slice(&value);
        }
        adjust(table, layout, &mut entry, numbers, dialect.pci_override_undefined);
        bytes.extend(entry);
    }
    bytes
}

/// The symbols by which kernels since 6.13 and since 6.18 know a table.
#[must_use]
pub fn table_names(name: &str, identifier: &str) -> [String; 2] {
    ["", "kmod_m__"].map(|module| format!("__mod_device_table__{module}{name}__{identifier}"))
}

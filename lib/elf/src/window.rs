//! The part of an object's file that was read last.

use base::read_buffer::ReadBuffer;

use crate::Source;

/// How much is read at once: what fits a processor's own cache beside the
/// object's symbols.
pub(crate) const AHEAD: u64 = 256 << 10;

/// Bytes of a file from some offset on. The tables of an object lie side by
/// side in it, so that reading on takes far fewer calls than reading each of
/// them, and asking for what is here already takes none.
#[derive(Debug, Default)]
pub(crate) struct Window {
    start: u64,
    bytes: ReadBuffer,
    /// Whether they are of the file as the original has it, and not as it is.
    pub(crate) of_image: bool,
}

impl Window {
    /// Discards the contents: another file follows.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.of_image = false;
    }

    /// The bytes of a range, if all of them are loaded.
    pub(crate) fn get(&self, offset: u64, len: u64) -> Option<&[u8]> {
        let start = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        self.bytes.get(start..end)
    }

    /// Makes sure that a range is loaded. If it isn't, it is read, and with it what
    /// follows as far as `until`. `false` if the source ends before, or can't be read
    /// there, or there is no memory.
    pub(crate) fn load(&mut self, source: &Source, offset: u64, len: u64, until: u64) -> bool {
        if self.get(offset, len).is_some() {
            return true;
        }
        let Some(end) = offset.checked_add(len).filter(|&end| end <= source.size()) else {
            return false;
        };
        let end = end.max(until.min(offset.saturating_add(AHEAD)).min(source.size()));
        let Ok(len) = usize::try_from(end - offset) else {
            return false;
        };
        self.start = offset;
        self.bytes.clear();
        let read = self.bytes.resize(len).is_ok() && source.read_at(offset, &mut self.bytes);
        if !read {
            self.bytes.clear();
        }
        read
    }
}

/// Merges ranges of a file that lie so close that reading what is between them
/// costs less than another call.
pub(crate) fn merge(ranges: &mut Vec<(u64, u64)>) {
    const GAP: u64 = 4096;
    ranges.sort_unstable();
    ranges.dedup_by(|next, run| {
        let close = next.0 <= run.1.saturating_add(GAP);
        if close {
            run.1 = run.1.max(next.1);
        }
        close
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_here_is_not_read_again() {
        let source = Source::Memory((0..=255).collect());
        let mut window = Window::default();
        assert!(window.load(&source, 10, 5, 20));
        assert_eq!(window.get(10, 10), Some(&(10..20).collect::<Vec<u8>>()[..]));
        assert_eq!(window.get(10, 11), None);
        assert_eq!(window.get(9, 1), None);
        assert!(window.load(&source, 12, 8, 256));
        assert_eq!(window.start, 10);
        assert!(window.load(&source, 250, 6, 9999));
        assert_eq!(window.get(250, 6), Some(&[250, 251, 252, 253, 254, 255][..]));
        assert!(!window.load(&source, 250, 7, 0));
        window.clear();
        assert_eq!(window.get(250, 1), None);
    }

    #[test]
    fn close_ranges_are_one() {
        let mut ranges = vec![(9000, 9100), (0, 10), (5000, 5001), (20, 30), (20, 25)];
        merge(&mut ranges);
        assert_eq!(ranges, [(0, 30), (5000, 9100)]);
    }
}

//! Many names in one piece of memory.

/// Many names in one piece of memory, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Names {
    /// Appends a name.
    ///
    /// # Panics
    /// If the names add up to 4 GiB.
    pub fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(u32::try_from(self.bytes.len()).expect("names of less than 4 GiB"));
    }

    /// Appends a name made of pieces.
    ///
    /// # Panics
    /// As [`Names::push`].
    pub(crate) fn push_pieces(&mut self, pieces: &[&[u8]]) {
        let Some((last, first)) = pieces.split_last() else { return self.push(b"") };
        first.iter().for_each(|piece| self.bytes.extend_from_slice(piece));
        self.push(last);
    }

    /// How many bytes the names have together.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name with a number below [`Names::len`].
    ///
    /// # Panics
    /// If there is none of that number.
    #[must_use]
    pub fn get(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[number] as usize]
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        (0..self.len()).map(|number| self.get(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_order() {
        let mut names = Names::default();
        for name in ["a", "", "bc"] {
            names.push(name.as_bytes());
        }
        assert_eq!(names.iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"bc"]);
        assert_eq!(names.iter().rev().collect::<Vec<_>>(), [&b"bc"[..], b"", b"a"]);
    }
}

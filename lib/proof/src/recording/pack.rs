//! The file that recorded cases are in: a tar archive, compressed by zstd.
//!
//! - `recordings.json`: for each recording's name the kernel's version and the
//!   number of its cases.
//! - `cases.jsonl`: a case a line, by the digest of what it consists of.
//! - `outcomes/NAME.jsonl`: what one original did, a case a line.
//! - `blobs/XX/DIGEST`: every text that the others name by its SHA-256.
//!
//! Strings in JSON are bytes, a character each (Latin-1).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{damaged, text};

/// The window by which texts that are alike are compressed to nearly nothing.
const WINDOW_LOG: u32 = 27;
const LEVEL: i32 = 19;
const CASES: &str = "cases.jsonl";
const RECORDINGS: &str = "recordings.json";

/// A pack in memory.
#[derive(Debug, Default)]
pub struct Pack {
    blobs: BTreeMap<String, Vec<u8>>,
    /// The other files.
    files: BTreeMap<String, Vec<u8>>,
}

fn digest(contents: &[u8]) -> String {
    Sha256::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Pack {
    /// Reads a pack; one that isn't there yet is empty.
    ///
    /// # Errors
    /// If it can't be read, or is damaged.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut pack = Self::default();
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(pack),
            file => file?,
        };
        let mut decoder = zstd::stream::read::Decoder::new(file)?;
        decoder.window_log_max(WINDOW_LOG)?;
        let mut archive = tar::Archive::new(decoder);
        for entry in archive.entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path()?.to_string_lossy().into_owned();
            let path = path.trim_start_matches("./").to_owned();
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents)?;
            match path.strip_prefix("blobs/").and_then(|path| path.split_once('/')) {
                Some((_, name)) if name == digest(&contents) => pack.blobs.insert(name.to_owned(), contents),
                Some((_, name)) => return Err(damaged(&format!("{name} is another text"))),
                None => pack.files.insert(path, contents),
            };
        }
        Ok(pack)
    }

    /// Writes it, without texts that nothing names any more. Its bytes depend
    /// on nothing but what is in it.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let named = self.named();
        let part = path.with_extension("part");
        let mut encoder = zstd::stream::write::Encoder::new(File::create(&part)?, LEVEL)?;
        encoder.window_log(WINDOW_LOG)?;
        encoder.long_distance_matching(true)?;
        let mut archive = tar::Builder::new(encoder);
        let mut append = |path: &str, contents: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_size(contents.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            archive.append_data(&mut header, path, contents)
        };
        for (path, contents) in &self.files {
            append(path, contents)?;
        }
        // What is alike in length is often alike.
        let mut blobs: Vec<_> = self.blobs.iter().filter(|(name, _)| named.contains(name.as_str())).collect();
        blobs.sort_by_key(|(name, contents)| (contents.len(), *name));
        for (name, contents) in blobs {
            append(&format!("blobs/{}/{name}", &name[..2]), contents)?;
        }
        archive.into_inner()?.finish()?.flush()?;
        std::fs::rename(part, path)
    }

    /// The digests that cases and outcomes name.
    fn named(&self) -> BTreeSet<&str> {
        let utf8 = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let strings = self.files.values().flat_map(|file| utf8(file).split('"'));
        strings.filter(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).collect()
    }

    fn lines(&self, file: &str) -> io::Result<Vec<Value>> {
        let text = self.files.get(file).map(Vec::as_slice).unwrap_or_default();
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
    }

    fn recordings(&self) -> io::Result<Map<String, Value>> {
        match self.files.get(RECORDINGS) {
            Some(text) => Ok(serde_json::from_slice(text)?),
            None => Ok(Map::new()),
        }
    }

    /// The names of all recordings.
    ///
    /// # Errors
    /// If the pack is damaged.
    pub fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.recordings()?.keys().cloned().collect())
    }

    /// The version of the kernel that was recorded under a name.
    ///
    /// # Errors
    /// If there is none.
    pub fn kernel(&self, name: &str) -> io::Result<String> {
        let recordings = self.recordings()?;
        let found = recordings.get(name).and_then(|recording| recording["kernel"].as_str());
        found.map(str::to_owned).ok_or_else(|| damaged(&format!("no recording {name}")))
    }

    /// Every case, with its key.
    ///
    /// # Errors
    /// If the pack is damaged.
    pub fn cases(&self) -> io::Result<Vec<(String, Value)>> {
        self.lines(CASES)?.into_iter().map(|case| Ok((text(&case["key"])?, case))).collect()
    }

    /// What was recorded under a name.
    ///
    /// # Errors
    /// If the pack is damaged.
    pub fn outcomes(&self, name: &str) -> io::Result<Vec<Value>> {
        self.lines(&format!("outcomes/{name}.jsonl"))
    }

    /// A text by its digest.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn blob(&self, name: &str) -> io::Result<&[u8]> {
        self.blobs.get(name).map(Vec::as_slice).ok_or_else(|| damaged(&format!("no text {name}")))
    }

    /// Adds a text; returns its digest.
    pub(crate) fn add_blob(&mut self, contents: &[u8]) -> String {
        let name = digest(contents);
        self.blobs.entry(name.clone()).or_insert_with(|| contents.to_vec());
        name
    }

    /// Adds cases, but for those that are there; returns the key of each.
    ///
    /// # Errors
    /// If the pack is damaged.
    pub(crate) fn add_cases(&mut self, cases: &[Value]) -> io::Result<Vec<String>> {
        let mut known = BTreeMap::new();
        for (key, mut case) in self.cases()? {
            case.as_object_mut().map(|fields| fields.shift_remove("key"));
            known.insert(case.to_string(), key);
        }
        let lines = self.files.entry(CASES.to_owned()).or_default();
        let mut keys = Vec::new();
        for case in cases {
            let text = case.to_string();
            let key = known.entry(text).or_insert_with_key(|text| {
                let key = digest(text.as_bytes());
                let mut case = case.clone();
                case["key"] = json!(key);
                lines.extend_from_slice(format!("{case}\n").as_bytes());
                key
            });
            keys.push(key.clone());
        }
        Ok(keys)
    }

    /// Sets what was recorded under a name.
    ///
    /// # Errors
    /// If the pack is damaged.
    pub(crate) fn set_outcomes(&mut self, name: &str, kernel: &str, lines: &[Value]) -> io::Result<()> {
        let mut recordings = self.recordings()?;
        recordings.insert(name.to_owned(), json!({ "cases": lines.len(), "kernel": kernel }));
        recordings.sort_keys();
        self.files.insert(RECORDINGS.to_owned(), serde_json::to_vec_pretty(&recordings)?);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.files.insert(format!("outcomes/{name}.jsonl"), text.into_bytes());
        Ok(())
    }
}

//! What the sink knows: which files may come, and what has come.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// A file that a run is about. The sink keeps no bytes, so the digests that it lists are told beforehand.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Known {
    /// Its name in the distribution service.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5 in hex, or nothing.
    pub md5: String,
    /// Its SHA3-512 in hex, or nothing.
    pub sha3_512: String,
    /// Where its bytes are, if it may be downloaded.
    pub path: Option<PathBuf>,
    /// Whether it is in the distribution service, with a record, from the start.
    pub delivered: bool,
}

/// What came since the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Objects that are complete, and their sizes.
    pub objects: BTreeMap<String, u64>,
    /// Uploads that were begun and neither completed nor aborted.
    pub unfinished: usize,
    /// Bytes of bodies.
    pub bytes: u64,
    /// Requests of each kind.
    pub requests: BTreeMap<String, u64>,
}

/// A multipart upload in flight.
#[derive(Debug)]
pub struct Upload {
    pub key: String,
    /// Sizes of the parts by number.
    pub parts: BTreeMap<u32, u64>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct World {
    pub known: HashMap<String, Known>,
    /// Names and sizes in the distribution service.
    pub listed: BTreeMap<String, u64>,
    /// Package records by id.
    pub records: BTreeMap<u64, Map<String, Value>>,
    pub uploads: HashMap<String, Upload>,
    pub tally: Tally,
    numbers: u64,
}

impl World {
    /// Nothing has come yet, and these files may come.
    pub fn staged(files: impl IntoIterator<Item = Known>) -> Self {
        let mut world = Self::default();
        for file in files {
            if file.delivered {
                world.listed.insert(file.name.clone(), file.size);
                let name = Value::String(file.name.clone());
                let record = [("packageName", name.clone()), ("fileName", name)];
                world.add_record(record.map(|(key, value)| (key.to_owned(), value)).into_iter().collect());
            }
            world.known.insert(file.name.clone(), file);
        }
        world
    }

    /// A number that was not given yet.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn add_record(&mut self, record: Map<String, Value>) -> u64 {
        let id = self.number();
        self.records.insert(id, record);
        id
    }

    /// An object is complete: it is listed under the last part of its key.
    pub fn complete(&mut self, key: &str, size: u64) {
        let name = key.rsplit('/').next().unwrap_or(key);
        self.listed.insert(name.to_owned(), size);
        self.tally.objects.insert(key.to_owned(), size);
    }

    /// What has come so far.
    pub fn tally(&self) -> Tally {
        Tally { unfinished: self.uploads.len(), ..self.tally.clone() }
    }
}

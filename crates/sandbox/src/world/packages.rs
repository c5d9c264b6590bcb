use super::{StoredFile, Table, Told};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Written where an id would be, and there is none.
pub(super) const NO_ID: &str = "-1";

/// All package records: one store for both APIs.
pub(crate) type Packages = Table<Package>;

/// A package record with all that both APIs tell of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Package {
    pub id: u64,
    pub record: Record,
    pub classic: ClassicOnly,
    /// The file that the record's size and hashes were computed from, by its id.
    adopted: Option<u64>,
    /// Only the hashes so far; the size follows.
    lacks_size: bool,
}

/// The record as the Pro API prints it, in its order, without the id (`jamf-pro-api.md §5.1`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Record {
    pub package_name: String,
    pub file_name: String,
    #[serde(deserialize_with = "id_text")]
    pub category_id: String,
    #[serde(deserialize_with = "text")]
    pub info: String,
    #[serde(deserialize_with = "text")]
    pub notes: String,
    pub priority: i64,
    #[serde(deserialize_with = "text")]
    pub os_requirements: String,
    #[serde(deserialize_with = "flag")]
    pub fill_user_template: bool,
    #[serde(deserialize_with = "flag")]
    pub indexed: bool,
    #[serde(deserialize_with = "flag")]
    pub fill_existing_users: bool,
    #[serde(deserialize_with = "flag")]
    pub swu: bool,
    #[serde(deserialize_with = "flag")]
    pub reboot_required: bool,
    #[serde(deserialize_with = "flag")]
    pub self_heal_notify: bool,
    #[serde(deserialize_with = "text")]
    pub self_healing_action: String,
    #[serde(deserialize_with = "flag")]
    pub os_install: bool,
    #[serde(deserialize_with = "text")]
    pub serial_number: String,
    #[serde(deserialize_with = "id_text")]
    pub parent_package_id: String,
    #[serde(deserialize_with = "text")]
    pub base_path: String,
    #[serde(deserialize_with = "flag")]
    pub suppress_updates: bool,
    #[serde(deserialize_with = "text")]
    pub cloud_transfer_status: String,
    #[serde(deserialize_with = "flag")]
    pub ignore_conflicts: bool,
    #[serde(deserialize_with = "flag")]
    pub suppress_from_dock: bool,
    #[serde(deserialize_with = "flag")]
    pub suppress_eula: bool,
    #[serde(deserialize_with = "flag")]
    pub suppress_registration: bool,
    #[serde(deserialize_with = "text")]
    pub install_language: String,
    pub md5: Option<String>,
    pub sha256: Option<String>,
    pub sha3512: Option<String>,
    #[serde(deserialize_with = "text")]
    pub hash_type: String,
    #[serde(deserialize_with = "text")]
    pub hash_value: String,
    #[serde(deserialize_with = "text")]
    pub size: String,
    #[serde(deserialize_with = "text")]
    pub os_installer_version: String,
    pub manifest: Option<String>,
    pub manifest_file_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub format: String,
}

/// What only the Classic API shows (`§6.3`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClassicOnly {
    pub allow_uninstalled: bool,
    pub required_processor: String,
    pub switch_with_package: String,
    pub install_if_reported_available: bool,
    pub reinstall_option: String,
    pub send_notification: bool,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            package_name: String::new(),
            file_name: String::new(),
            category_id: NO_ID.to_owned(),
            info: String::new(),
            notes: String::new(),
            priority: 10,
            os_requirements: String::new(),
            fill_user_template: false,
            indexed: false,
            fill_existing_users: false,
            swu: false,
            reboot_required: false,
            self_heal_notify: false,
            self_healing_action: "nothing".to_owned(),
            os_install: false,
            serial_number: String::new(),
            parent_package_id: NO_ID.to_owned(),
            base_path: String::new(),
            suppress_updates: false,
            cloud_transfer_status: String::new(),
            ignore_conflicts: false,
            suppress_from_dock: false,
            suppress_eula: false,
            suppress_registration: false,
            install_language: String::new(),
            md5: None,
            sha256: None,
            sha3512: None,
            // A record that never had a file reads so (`§5.3`).
            hash_type: "SHA_512".to_owned(),
            hash_value: String::new(),
            size: String::new(),
            os_installer_version: String::new(),
            manifest: None,
            manifest_file_name: None,
            format: String::new(),
        }
    }
}

impl Default for ClassicOnly {
    fn default() -> Self {
        Self {
            allow_uninstalled: false,
            required_processor: "None".to_owned(),
            switch_with_package: "Do Not Install".to_owned(),
            install_if_reported_available: false,
            reinstall_option: "Do Not Reinstall".to_owned(),
            send_notification: false,
        }
    }
}

impl Record {
    /// The category's id, if there is one.
    pub(crate) fn category(&self) -> Option<u64> {
        self.category_id.parse().ok()
    }

    /// The default record with those keys of `json` that fit; keys that are unknown or of a wrong type are passed over.
    pub(crate) fn lenient(json: Value) -> Self {
        let mut record = Self::default();
        let Value::Object(keys) = json else { return record };
        for (key, value) in keys {
            let Ok(Value::Object(mut map)) = serde_json::to_value(&record) else { continue };
            map.insert(key, value);
            if let Ok(changed) = serde_json::from_value(Value::Object(map)) {
                record = changed;
            }
        }
        record
    }
}

impl Package {
    pub(crate) fn new(id: u64, record: Record) -> Self {
        Self { id, record, classic: ClassicOnly::default(), adopted: None, lacks_size: false }
    }

    /// As the Pro API tells it. Before 11.25 there is no key `sha3512` (`§5.1`).
    pub(crate) fn pro(&self, tells_sha3512: bool) -> Value {
        let mut json = Map::from_iter([("id".to_owned(), Value::from(self.id.to_string()))]);
        if let Ok(Value::Object(record)) = serde_json::to_value(&self.record) {
            json.extend(record);
        }
        if !tells_sha3512 {
            json.shift_remove("sha3512");
        }
        Value::Object(json)
    }

    /// A write through either API. The size goes blank until the next look at the inventory, hashes stay (`§5.3`);
    /// another file name is another file, of which nothing is known yet.
    pub(crate) fn rewrite(&mut self, record: Record) {
        let renamed = record.file_name != self.record.file_name;
        self.record = Record { size: String::new(), ..record };
        if renamed {
            self.adopted = None;
            self.lacks_size = false;
            self.record.cloud_transfer_status.clear();
        }
    }

    /// Time passed: a file that is listed under the record's name is pending, then ready. The hashes of the file before
    /// stay readable meanwhile (`§11.3`).
    pub(super) fn notice(&mut self, file: &StoredFile, now: Timestamp) {
        let is_known = self.adopted == Some(file.id);
        let is_news = if is_known {
            self.lacks_size && file.arrival.sized_at <= now
        } else {
            file.arrival.ready_at <= now
        };
        if is_news {
            self.adopt(file, now);
        } else if !is_known {
            "PENDING".clone_into(&mut self.record.cloud_transfer_status);
        }
    }

    /// The record tells what this file is, as far as that is known: hashes first, the size with them or later, and `READY`
    /// with both. No SHA-256: the list of files has none to take it from (`§7.1`).
    pub(super) fn adopt(&mut self, file: &StoredFile, now: Timestamp) {
        self.adopted = Some(file.id);
        self.lacks_size = now < file.arrival.sized_at;
        let Told { md5, sha3 } = file.content.told();
        let record = &mut self.record;
        "SHA3_512".clone_into(&mut record.hash_type);
        record.hash_value.clone_from(&sha3);
        record.sha3512 = Some(sha3);
        record.md5 = Some(md5);
        record.sha256 = None;
        if self.lacks_size {
            "PENDING".clone_into(&mut record.cloud_transfer_status);
        } else {
            "READY".clone_into(&mut record.cloud_transfer_status);
            record.size = file.content.size.to_string();
        }
    }

    /// The record already tells of this file, whatever it says: for states that a test lays out.
    pub(crate) fn mark_adopted(&mut self, file: Option<&StoredFile>) {
        self.adopted = file.map(|file| file.id);
    }
}

/// Clients send 0 and 1 for booleans (`§1.1`).
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(flag),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(false),
        Value::Number(number) if number.as_u64() == Some(1) => Ok(true),
        other => Err(serde::de::Error::custom(format_args!("{other} is neither true nor false"))),
    }
}

/// Null is empty.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Ids are strings; null and empty are none.
fn id_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = Option::<String>::deserialize(deserializer)?;
    Ok(id.filter(|id| !id.is_empty()).unwrap_or_else(|| NO_ID.to_owned()))
}

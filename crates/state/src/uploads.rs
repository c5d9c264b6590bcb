//! Uploads in flight, as they are stored.

use crate::deliveries::LISTED_LATE;
use crate::digests::{Known, bytes, fingerprint, to_path};
use crate::times::told_if_any;
use crate::{Error, Journal, State};
use fingerprint::{DigestState, FileIdentity, Fingerprint};
use jiff::Timestamp;
use pipeline::FileName;
use rusqlite::{Connection, Row, TransactionBehavior, params};
use std::path::{Path, PathBuf};

/// An upload that is about to begin.
#[derive(Clone, Debug)]
pub struct NewUpload<'a> {
    /// Address of the Jamf Pro server.
    pub server: &'a str,
    /// The name that the file gets there.
    pub file: &'a FileName,
    /// The local file.
    pub path: &'a Path,
    /// What it is, so that another file at that path is not taken for it.
    pub identity: FileIdentity,
    /// Where it goes.
    pub place: &'a Place,
    /// Key of the object.
    pub key: &'a str,
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// Now.
    pub begun: Timestamp,
}

/// Which part of which bucket the temporary credentials opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Address of the S3 server, if it is not Amazon's.
    pub endpoint: Option<String>,
    /// Region.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// What keys begin with; ends in `/`.
    pub prefix: String,
}

/// A part that S3 has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPart {
    /// Its number, from 1.
    pub number: i32,
    /// Its size in bytes.
    pub size: u64,
    /// Its ETag, as received.
    pub etag: String,
    /// Its checksum in base64, if one was sent.
    pub checksum: Option<String>,
}

/// How far an upload has come. Each phase is written down before what it names is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Parts are sent.
    Sending,
    /// The old file is deleted: it may be there or not.
    Deleting,
    /// S3 puts the parts together: the new file may be there or not.
    Completing,
}

impl Phase {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Deleting => "deleting",
            Self::Completing => "completing",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Sending, Self::Deleting, Self::Completing].into_iter().find(|phase| phase.word() == word)
    }
}

/// An upload that was begun.
#[derive(Clone, Debug)]
pub struct StoredUpload {
    /// Address of the Jamf Pro server.
    pub server: String,
    /// The name that the file gets there.
    pub file: String,
    /// The local file.
    pub path: PathBuf,
    /// What it was.
    pub identity: FileIdentity,
    /// Where it goes.
    pub place: Place,
    /// Key of the object.
    pub key: String,
    /// S3's name for the upload; `None` if the process died before it was known.
    pub upload_id: Option<String>,
    /// Which checksum the upload was begun with, in the words of who began it.
    pub checksum: Option<String>,
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// The file's digests, as soon as they were known.
    pub fingerprint: Option<Fingerprint>,
    /// How far the file was hashed. `None` also if that was damaged, or written by a program that hashes in another way.
    pub digest_state: Option<DigestState>,
    /// How far it came.
    pub phase: Phase,
    /// When it came there.
    pub phase_since: Timestamp,
    /// When it began.
    pub begun: Timestamp,
    /// The parts that S3 has, by number.
    pub parts: Vec<StoredPart>,
}

impl StoredUpload {
    /// Whether what its phase names was asked for so lately that the list need not show it yet.
    #[must_use]
    pub fn may_be_late(&self, now: Timestamp) -> bool {
        self.phase != Phase::Sending && now.duration_since(self.phase_since).abs() < LISTED_LATE
    }
}

const COLUMNS: &str = "id, life, server, file, path, size, modified, changed, inode, device, endpoint, region, bucket, \
                       prefix, object_key, upload_id, checksum, part_size, md5, sha3_512, digest_state, phase, phase_since, begun";

impl State {
    /// Writes down that an upload is about to begin. The journal is this process's as long as the value lives.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self, upload: &NewUpload<'_>) -> Result<Journal, Error> {
        let identity =
            Known::of(&upload.identity).ok_or(Error::Entry { what: "a time beyond the year 2262" })?;
        let place = upload.place;
        let database = self.database();
        database.execute(
            "INSERT INTO uploads (life, server, file, path, size, modified, changed, inode, device, endpoint, region, \
             bucket, prefix, object_key, part_size, phase, begun) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            params![
                self.shared.life.name(),
                upload.server,
                upload.file.as_str(),
                bytes(upload.path),
                identity.size,
                identity.modified,
                identity.changed,
                identity.inode,
                identity.device,
                place.endpoint,
                place.region,
                place.bucket,
                place.prefix,
                upload.key,
                upload.part_size.cast_signed(),
                Phase::Sending.word(),
                upload.begun.as_second(),
            ],
        )?;
        let id = database.last_insert_rowid();
        // Before somebody else can ask, since the database is still held.
        self.held().insert(id);
        drop(database);
        Ok(Journal::new(self.clone(), id))
    }

    /// What earlier processes left behind on `server`, oldest first, as they were when they died. Nobody else can take the
    /// same over as long as the journals live.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn take_over(
        &self,
        server: &str,
        wanted: impl Fn(&StoredUpload) -> bool,
    ) -> Result<Vec<(Journal, StoredUpload)>, Error> {
        let found = all(&self.database(), Some(server))?;
        // Nobody else is kept waiting by who looks at files, which a disk may be slow to show.
        let is_wanted =
            |(id, life, upload): &(i64, String, StoredUpload)| !self.is_held(*id, life) && wanted(upload);
        let found: Vec<_> = found.into_iter().filter(is_wanted).collect();
        if found.is_empty() {
            // Most runs find nothing, and need not wait for who writes.
            return Ok(Vec::new());
        }
        let mut database = self.database();
        // Immediate: of two processes that look at the same time, one sees what the other has taken.
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut taken = Vec::with_capacity(found.len());
        for (id, life, _) in found {
            let claim = "UPDATE uploads SET life = ?1 WHERE id = ?2 AND life = ?3";
            let own = self.shared.life.name();
            if self.held().contains(&id) || transaction.execute(claim, params![own, id, life])? == 0 {
                continue;
            }
            // It may have been gone on with since, and left once more.
            taken.push((id, one(&transaction, id)?));
        }
        transaction.commit()?;
        self.held().extend(taken.iter().map(|(id, _)| id));
        drop(database);
        Ok(taken.into_iter().map(|(id, upload)| (Journal::new(self.clone(), id), upload)).collect())
    }

    /// What was left behind on any server, oldest first, without taking it over. What a living process works at is left
    /// out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn left_over(&self) -> Result<Vec<StoredUpload>, Error> {
        let database = self.database();
        let found = all(&database, None)?.into_iter();
        // While the database is held: a journal that is closed meanwhile was not left.
        let left =
            found.filter(|(id, life, _)| !self.is_held(*id, life)).map(|(.., upload)| upload).collect();
        drop(database);
        Ok(left)
    }

    fn is_held(&self, id: i64, life: &str) -> bool {
        if life == self.shared.life.name() { self.held().contains(&id) } else { self.shared.life.sees(life) }
    }
}

fn all(database: &Connection, server: Option<&str>) -> Result<Vec<(i64, String, StoredUpload)>, Error> {
    let select = format!("SELECT {COLUMNS} FROM uploads WHERE ?1 IS NULL OR server = ?1 ORDER BY id");
    let mut select = database.prepare_cached(&select)?;
    let mut rows = select.query(params![server])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get("id")?;
        let upload = StoredUpload { parts: parts(database, id)?, ..read(row)? };
        found.push((id, row.get("life")?, upload));
    }
    Ok(found)
}

fn one(database: &Connection, id: i64) -> Result<StoredUpload, Error> {
    let mut select = database.prepare_cached(&format!("SELECT {COLUMNS} FROM uploads WHERE id = ?1"))?;
    let mut rows = select.query([id])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(StoredUpload { parts: parts(database, id)?, ..read(row)? })
}

fn read(row: &Row<'_>) -> Result<StoredUpload, Error> {
    let path: Vec<u8> = row.get("path")?;
    let identity = Known::read(row, row.as_ref().column_index("size")?)?;
    let md5: Option<[u8; 16]> = row.get("md5")?;
    let sha3_512: Option<[u8; 64]> = row.get("sha3_512")?;
    let digest_state = row.get_ref("digest_state")?.as_blob_or_null().ok().flatten();
    let word: String = row.get("phase")?;
    let begun = Timestamp::from_second(row.get("begun")?).map_err(|_| Error::Entry { what: "a time" })?;
    Ok(StoredUpload {
        server: row.get("server")?,
        file: row.get("file")?,
        path: to_path(path).ok_or(Error::Entry { what: "a path" })?,
        identity,
        place: Place {
            endpoint: row.get("endpoint")?,
            region: row.get("region")?,
            bucket: row.get("bucket")?,
            prefix: row.get("prefix")?,
        },
        key: row.get("object_key")?,
        upload_id: row.get("upload_id")?,
        checksum: row.get("checksum")?,
        part_size: row.get::<_, i64>("part_size")?.cast_unsigned(),
        fingerprint: md5.zip(sha3_512).map(|(md5, sha3_512)| fingerprint(identity.size, md5, sha3_512)),
        digest_state: digest_state.and_then(DigestState::from_bytes),
        phase: Phase::parse(&word).ok_or(Error::Entry { what: "a phase" })?,
        phase_since: told_if_any(row.get("phase_since")?)?.unwrap_or(begun),
        begun,
        parts: Vec::new(),
    })
}

fn parts(database: &Connection, upload: i64) -> Result<Vec<StoredPart>, Error> {
    let mut select = database
        .prepare_cached("SELECT number, size, etag, checksum FROM parts WHERE upload = ?1 ORDER BY number")?;
    let parts = select.query_map([upload], |row| {
        Ok(StoredPart {
            number: row.get(0)?,
            size: row.get::<_, i64>(1)?.cast_unsigned(),
            etag: row.get(2)?,
            checksum: row.get(3)?,
        })
    })?;
    Ok(parts.collect::<Result<_, _>>()?)
}

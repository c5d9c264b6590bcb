//! The tables, format by format.

/// The format that the [`STEPS`] lead to: how many they are.
pub(crate) const FORMAT: i64 = STEPS.len() as i64;

/// What each format adds to the one before. A file is brought along from where it is; a step that was released stays as it is.
pub(crate) const STEPS: [&str; 3] = [FIRST, SECOND, THIRD];

const FIRST: &str = "
CREATE TABLE digests (
    path BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    md5 BLOB NOT NULL,
    sha3_512 BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY,
    life TEXT NOT NULL,
    server TEXT NOT NULL,
    file TEXT NOT NULL,
    path BLOB NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    endpoint TEXT,
    region TEXT NOT NULL,
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    object_key TEXT NOT NULL,
    upload_id TEXT,
    checksum TEXT,
    part_size INTEGER NOT NULL,
    md5 BLOB,
    sha3_512 BLOB,
    phase TEXT NOT NULL,
    begun INTEGER NOT NULL
);
CREATE TABLE parts (
    upload INTEGER NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
";

const SECOND: &str = "ALTER TABLE uploads ADD COLUMN digest_state BLOB;";

const THIRD: &str =
    "CREATE TABLE notes (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);";

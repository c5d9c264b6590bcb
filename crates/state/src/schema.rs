//! The tables, format by format.

/// The format that the [`STEPS`] lead to: how many they are.
pub(crate) const FORMAT: i64 = STEPS.len() as i64;

/// What each format adds to the one before. A file is brought along from where it is; a step that was released stays as it is.
pub(crate) const STEPS: [&str; 6] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH];

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

/// Times are milliseconds since 1970. Numbers of runs and packages are never given twice, so that they tell the order also
/// after some were removed.
const FOURTH: &str = "
ALTER TABLE digests ADD COLUMN used INTEGER;
ALTER TABLE notes ADD COLUMN noted INTEGER;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    life TEXT NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER,
    exit INTEGER,
    command TEXT NOT NULL,
    version TEXT NOT NULL,
    host TEXT NOT NULL,
    dry_run INTEGER NOT NULL
);
CREATE TABLE packages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    recipe TEXT NOT NULL,
    server TEXT,
    file TEXT,
    record INTEGER,
    begun INTEGER NOT NULL,
    ended INTEGER,
    status TEXT,
    reason TEXT,
    bytes_sent INTEGER NOT NULL DEFAULT 0,
    bytes_fetched INTEGER NOT NULL DEFAULT 0,
    bytes_saved INTEGER NOT NULL DEFAULT 0,
    failed_step INTEGER,
    failed_processor TEXT,
    failure TEXT,
    failure_hint TEXT
);
CREATE INDEX packages_of_run ON packages (run);
CREATE INDEX packages_of_file ON packages (file);
CREATE TABLE steps (
    package INTEGER NOT NULL REFERENCES packages (number) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    processor TEXT NOT NULL,
    progress TEXT NOT NULL,
    message TEXT,
    at INTEGER,
    PRIMARY KEY (package, number)
) WITHOUT ROWID;
CREATE TABLE warnings (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    package INTEGER REFERENCES packages (number) ON DELETE CASCADE,
    step INTEGER,
    processor TEXT,
    message TEXT NOT NULL,
    hint TEXT
);
CREATE INDEX warnings_of_run ON warnings (run);
CREATE INDEX warnings_of_package ON warnings (package);
CREATE TABLE unproven (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    server TEXT NOT NULL,
    file TEXT NOT NULL,
    record INTEGER,
    size INTEGER NOT NULL,
    md5 BLOB NOT NULL,
    sha3_512 BLOB NOT NULL,
    route TEXT NOT NULL,
    witness TEXT NOT NULL,
    since INTEGER NOT NULL
);
CREATE INDEX unproven_of_server ON unproven (server, file);
";

/// Before, what was seen in the list was struck out, so that all that stands there may be late; and nobody wrote down when a phase began.
const FIFTH: &str = "
ALTER TABLE unproven ADD COLUMN may_be_late INTEGER NOT NULL DEFAULT 1;
ALTER TABLE uploads ADD COLUMN phase_since INTEGER;
UPDATE uploads SET phase_since = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE phase <> 'sending';
";

/// What was proven is remembered a little longer, and what came to nothing is told from what the list has shown. The table keeps its name
/// and its former column, since a run of the former version may be at it meanwhile.
const SIXTH: &str = "
ALTER TABLE unproven ADD COLUMN arrival TEXT NOT NULL DEFAULT 'awaited';
UPDATE unproven SET arrival = 'listed' WHERE may_be_late = 0;
";

-- And when a phase began, and what the list may still be behind with.
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
    begun INTEGER NOT NULL, digest_state BLOB
);
CREATE TABLE parts (
    upload INTEGER NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE notes (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);
INSERT INTO digests VALUES (x'2f7061636b616765732f4170702e706b67', 3, 1, 2, 3, 4, x'01010101010101010101010101010101', x'01010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101');
INSERT INTO uploads VALUES (
    1, '6f1c0d5a7be84b0f9a3d2f6f3c1f8e55', 'https://example.jamfcloud.com', 'App.pkg', x'2f7061636b616765732f4170702e706b67', 3, 1, 2, 3, 4,
    NULL, 'us-east-1', 'jcds', 'tmp/1/', 'tmp/1/App.pkg', 'upload-1', 'crc64nvme', 8388608,
    x'01010101010101010101010101010101', x'01010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101', 'sending', 1795212000, NULL
);
INSERT INTO parts VALUES (1, 1, 3, '"1"', 'AAAA');
INSERT INTO notes VALUES (1, 'server', 'what it says');
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
ALTER TABLE unproven ADD COLUMN may_be_late INTEGER NOT NULL DEFAULT 1;
ALTER TABLE uploads ADD COLUMN phase_since INTEGER;
INSERT INTO uploads SELECT 2, life, server, 'Deleting.pkg', path, size, modified, changed, inode, device, endpoint, region, bucket, prefix, object_key,
    upload_id, checksum, part_size, md5, sha3_512, 'deleting', begun, digest_state, 1795212001000 FROM uploads WHERE id = 1;
INSERT INTO uploads SELECT 3, life, server, 'Completing.pkg', path, size, modified, changed, inode, device, endpoint, region, bucket, prefix, object_key,
    upload_id, checksum, part_size, md5, sha3_512, 'completing', begun, digest_state, 1795212001000 FROM uploads WHERE id = 1;
INSERT INTO unproven SELECT 1, server, 'Sent.pkg', 7, size, md5, sha3_512, 'jcds', 'list', 1795212000000, 1 FROM uploads WHERE id = 1;
INSERT INTO unproven SELECT 2, server, 'Listed.pkg', 7, size, md5, sha3_512, 'jcds', 'list', 1795212000000, 0 FROM uploads WHERE id = 1;
PRAGMA user_version = 5;

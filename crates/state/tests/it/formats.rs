//! Files of earlier formats, as the programs of their time left them.

use crate::child::IDENTITY;
use crate::{SERVER, digests, open};
use fingerprint::Memory as _;
use state::{Arrival, Examined, Phase, State, StoredPart, examine};
use std::num::NonZeroU32;
use std::path::Path;

const FORMATS: [&str; 5] = [
    include_str!("formats/1.sql"),
    include_str!("formats/2.sql"),
    include_str!("formats/3.sql"),
    include_str!("formats/4.sql"),
    include_str!("formats/5.sql"),
];

fn write(folder: &Path, sql: &str) {
    let older = rusqlite::Connection::open(folder.join("state.db")).unwrap();
    older.execute_batch("PRAGMA journal_mode = wal").unwrap();
    older.execute_batch(sql).unwrap();
}

#[test]
fn nothing_of_an_older_file_is_lost() {
    for (format, sql) in (1..).zip(FORMATS) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), sql);
        let opened = State::open(folder.path()).unwrap();
        assert_eq!(opened.set_aside, None);
        let state = opened.state;

        assert_eq!(
            state.recall(Path::new("/packages/App.pkg"), &IDENTITY),
            Some(digests(1)),
            "format {format}"
        );
        let facts = state.digest_cache().facts().unwrap();
        assert_eq!((facts.entries, facts.use_unknown), (1, 1));

        let left = state.take_over(SERVER, |_| true).unwrap();
        let (journal, upload) = &left[0];
        assert_eq!(upload.phase_since, upload.begun);
        assert!(left[1..].iter().all(|(_, left)| left.phase_since > left.begun), "as if asked for just now");
        let others: Vec<_> = left[1..].iter().map(|(_, left)| (left.file.as_str(), left.phase)).collect();
        let begun = [("Deleting.pkg", Phase::Deleting), ("Completing.pkg", Phase::Completing)];
        assert_eq!(others, begun[..if format >= 4 { 2 } else { 0 }]);
        assert_eq!((upload.file.as_str(), upload.phase), ("App.pkg", Phase::Sending));
        assert_eq!(upload.path, Path::new("/packages/App.pkg"));
        assert_eq!(upload.identity, IDENTITY);
        assert_eq!(upload.fingerprint, Some(digests(1)));
        assert_eq!(upload.upload_id.as_deref(), Some("upload-1"));
        let part = StoredPart { number: 1, size: 3, etag: "\"1\"".into(), checksum: Some("AAAA".into()) };
        assert_eq!(upload.parts, [part]);
        journal.digest_state(&fingerprint::DigestState::default()).unwrap();

        let note = (format >= 3).then_some("what it says");
        assert_eq!(state.note("server").as_deref(), note);

        let one = NonZeroU32::new(1).unwrap();
        assert!(state.history().runs(one, None).unwrap().items.is_empty());
        crate::begin_run(&state, &"a".parse().unwrap(), &crate::clock()).end(0).unwrap();
        assert_eq!(state.history().runs(one, None).unwrap().items.len(), 1);
        let unproven = state.unproven(None).unwrap();
        let unproven: Vec<_> = unproven.iter().map(|sent| (sent.file.as_str(), sent.arrival)).collect();
        let kept = [("Sent.pkg", Arrival::Awaited), ("Listed.pkg", Arrival::Listed)];
        let many = [0, 0, 0, 1, 2][format - 1];
        assert_eq!(unproven, kept[..many], "format {format}");

        drop((left, state));
        assert_eq!(examine(folder.path()).unwrap(), Examined::Sound { set_aside: 0 });
        assert!(
            open(folder.path()).history().run("a").unwrap().is_some(),
            "the second opening finds it done"
        );
    }
}

/// What a file has become does not depend on where it came from.
#[test]
fn an_older_file_becomes_what_a_new_one_is() {
    let new = tempfile::tempdir().unwrap();
    drop(open(new.path()));
    for sql in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), sql);
        drop(open(folder.path()));
        assert_eq!(shape(folder.path()), shape(new.path()));
    }
    assert!(shape(new.path()).len() > 60);
}

/// Every column, key and index, in words.
fn shape(folder: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(folder.join("state.db")).unwrap();
    let all = |sql: &str| -> Vec<String> {
        let mut select = database.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut shape = all("SELECT format('%s %s %s', type, name, tbl_name) FROM sqlite_master ORDER BY 1");
    shape.extend(all(
        "SELECT format('%s.%s %s notnull %d default %s key %d', m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk) \
         FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1",
    ));
    shape.extend(all(
        "SELECT format('%s.%s to %s.%s on delete %s', m.name, k.\"from\", k.\"table\", k.\"to\", k.on_delete) \
         FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k WHERE m.type = 'table' ORDER BY 1",
    ));
    shape.extend(all("SELECT format('format %d', user_version) FROM pragma_user_version"));
    shape
}

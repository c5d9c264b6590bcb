use super::*;
use crate::PackageApi;
use crate::package::CategoryRef;
use proptest::prelude::*;

const COMPOSED: &str = "M\u{fc}ller.pkg";
const DECOMPOSED: &str = "Mu\u{308}ller.pkg";

fn record(id: u64, file: &str, display: &str) -> Package {
    Package {
        id: id.try_into().unwrap(),
        file_name: file.to_owned(),
        display_name: display.to_owned(),
        api: PackageApi::Pro,
        values: BTreeMap::new(),
        size: None,
        md5: None,
        sha3_512: None,
        transfer_status: None,
        category: CategoryRef::None,
    }
}

fn names(file: &str, display: &str) -> Names {
    Names { file: file.to_owned(), display: display.to_owned() }
}

fn file(name: &str) -> FileName {
    name.parse().unwrap()
}

#[test]
fn an_index_knows_every_spelling_of_a_file_and_only_one_of_a_display_name() {
    let records = vec![
        record(1, COMPOSED, COMPOSED),
        record(2, "Other.pkg", "Other"),
        record(3, DECOMPOSED, DECOMPOSED),
    ];
    let index = Index::new(records, vec![names("Lost.pkg", "Lost")]);
    let ids = |sought: Sought<'_>| index.find(sought).map(|record| record.id.get()).collect::<Vec<_>>();
    let named = |name| ids(Sought::File(&file(name)));
    assert_eq!([named(COMPOSED), named(DECOMPOSED)], [[1, 3], [1, 3]]);
    assert_eq!(ids(Sought::Display(COMPOSED)), [1]);
    assert_eq!(named("other.pkg"), [0; 0]);
    assert_eq!(index.unusable(Sought::File(&file("Lost.pkg"))), Some("Lost.pkg"));
    assert_eq!(index.unusable(Sought::Display("Lost")), Some("Lost"));
    assert_eq!(index.unusable(Sought::Display("Other")), None);
}

/// What goes on at a server, and what its session hears of it.
#[derive(Clone, Debug)]
enum Step {
    /// A record is written, a new one too; the answer may tell what it is now.
    Write { id: u64, names: (usize, usize), answered: bool },
    /// It is read by its id; somebody may write it while it is read.
    Read { id: u64, overtaken_by: Option<(usize, usize)> },
    /// Something happens to a file, of which the session hears.
    Touch(usize),
    /// Somebody looks for a name.
    Look(usize),
}

const FILES: [&str; 4] = ["a.pkg", "b.pkg", COMPOSED, DECOMPOSED];
const DISPLAYS: [&str; 3] = ["A", "B", "C"];

fn pair() -> impl Strategy<Value = (usize, usize)> {
    (0..FILES.len(), 0..DISPLAYS.len())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..6_u64, pair(), any::<bool>()).prop_map(|(id, names, answered)| Step::Write {
            id,
            names,
            answered
        }),
        (1..6_u64, prop::option::of(pair())).prop_map(|(id, overtaken_by)| Step::Read { id, overtaken_by }),
        (0..FILES.len()).prop_map(Step::Touch),
        (0..FILES.len()).prop_map(Step::Look),
    ];
    prop::collection::vec(step, 0..24)
}

/// The server's records, and the book of the session that made all of the writes.
struct Desk {
    server: BTreeMap<u64, Package>,
    index: Arc<Index>,
    book: Book,
}

impl Desk {
    fn write(&mut self, id: u64, (file, display): (usize, usize)) {
        self.server.insert(id, record(id, FILES[file], DISPLAYS[display]));
        self.book.written(id.try_into().unwrap(), Some(names(FILES[file], DISPLAYS[display])));
    }

    fn read(&mut self, id: u64, overtaken_by: Option<(usize, usize)>) {
        let key = id.try_into().unwrap();
        let (before, found) = (self.book.before(key), self.server.get(&id).cloned());
        if let Some(names) = overtaken_by {
            self.write(id, names);
        }
        self.book.read(key, before.as_ref(), found.as_ref());
    }

    /// Looks as a session does: what has to be read is read.
    fn look(&self, sought: Sought<'_>) -> Vec<(u64, String)> {
        let (mut found, unread) = self.book.find(&self.index, sought);
        for (id, record) in unread {
            let now = self.server.get(&id.get()).cloned();
            assert!(record.set(now.clone()).is_ok());
            found.extend(now.filter(|record| sought.is(&Names::of(record))));
        }
        found.sort_unstable_by_key(|record| record.id);
        found.into_iter().map(|record| (record.id.get(), record.file_name)).collect()
    }

    fn right(&self, sought: Sought<'_>) -> Vec<(u64, String)> {
        let records = self.server.values().filter(|record| sought.is(&Names::of(record)));
        records.map(|record| (record.id.get(), record.file_name.clone())).collect()
    }
}

proptest! {
    #[test]
    fn what_is_found_is_what_is_there(listed in prop::collection::btree_map(1..5_u64, pair(), 0..4), steps in steps()) {
        let server: BTreeMap<u64, Package> =
            listed.into_iter().map(|(id, (file, display))| (id, record(id, FILES[file], DISPLAYS[display]))).collect();
        let mut desk = Desk {
            index: Arc::new(Index::new(server.values().cloned().collect(), Vec::new())),
            server,
            book: Book::default(),
        };
        desk.book.listing.put((), Arc::clone(&desk.index));
        for step in steps {
            match step {
                Step::Write { id, names, answered } => {
                    desk.write(id, names);
                    if answered {
                        desk.read(id, None);
                    }
                }
                Step::Read { id, overtaken_by } => desk.read(id, overtaken_by),
                Step::Touch(name) => desk.book.touched(&file(FILES[name])),
                Step::Look(name) => _ = desk.look(Sought::File(&file(FILES[name]))),
            }
        }
        for name in FILES {
            let name = file(name);
            prop_assert_eq!(desk.look(Sought::File(&name)), desk.right(Sought::File(&name)));
        }
        for name in DISPLAYS {
            prop_assert_eq!(desk.look(Sought::Display(name)), desk.right(Sought::Display(name)));
        }
    }
}

#[test]
fn what_was_written_is_read_once_and_nothing_else_is() {
    let index = Index::new((1..4).map(|id| record(id, &format!("{id}.pkg"), "D")).collect(), Vec::new());
    let book = Book::default();
    let unread = |name: &str| {
        let (_, unread) = book.find(&index, Sought::File(&file(name)));
        unread.iter().map(|(id, _)| id.get()).collect::<Vec<_>>()
    };
    book.written(9.try_into().unwrap(), Some(names("9.pkg", "D")));
    book.written(2.try_into().unwrap(), Some(names("2.pkg", "New")));
    assert_eq!([unread("1.pkg"), unread("2.pkg"), unread("9.pkg")], [vec![], vec![2], vec![9]]);
    for (id, name) in [(2, "2.pkg"), (9, "9.pkg")] {
        let key = id.try_into().unwrap();
        book.read(key, book.before(key).as_ref(), Some(&record(id, name, "D")));
    }
    assert_eq!([unread("2.pkg"), unread("9.pkg")], [[0; 0], [0; 0]]);
    // What happens to a file makes its record stale, here one that was read since the listing.
    book.touched(&file("9.pkg"));
    assert_eq!(unread("9.pkg"), [9]);
}

use super::Table;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A file of the distribution service, listed or about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    pub id: u64,
    pub name: String,
    #[serde(flatten)]
    pub content: Content,
    #[serde(flatten)]
    pub arrival: Arrival,
    /// Deleted, but still there until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_at: Option<Timestamp>,
}

/// When a file becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// From then on the list shows it.
    pub listed_at: Timestamp,
    /// From then on its record tells of it without a refresh.
    pub ready_at: Timestamp,
    /// From then on its record can tell its size, and not only its hashes.
    pub sized_at: Timestamp,
}

impl Arrival {
    /// Listed and ready from this moment on.
    pub(crate) fn at_once(now: Timestamp) -> Self {
        Self { listed_at: now, ready_at: now, sized_at: now }
    }
}

/// The bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Name of the blob in the folder of files.
    pub blob: String,
    pub size: u64,
    /// Lower-case hex.
    pub md5: String,
    /// SHA3-512 in lower-case hex.
    pub sha3: String,
    /// What the record of the file tells in the place of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// Digests in lower-case hex, as a record tells them of its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub md5: String,
    pub sha3: String,
}

impl Content {
    /// The digests that the record of the file tells.
    pub(crate) fn told(&self) -> Told {
        let own = || Told { md5: self.md5.clone(), sha3: self.sha3.clone() };
        self.told.clone().unwrap_or_else(own)
    }
}

/// All files. Names are unique, those of files that are not listed yet included; only a file and the one that will take
/// its place share a name, and of these the list shows the later one that has arrived.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Files(Table<StoredFile>);

impl Files {
    /// The files that the list shows.
    pub(crate) fn all_listed(&self, now: Timestamp) -> impl Iterator<Item = &StoredFile> {
        let shown = self.by_name(now);
        self.arrived(now)
            .filter(move |file| shown.get(file.name.as_str()).is_some_and(|last| last.id == file.id))
    }

    /// The listed file of this name.
    pub(crate) fn listed(&self, name: &str, now: Timestamp) -> Option<&StoredFile> {
        self.arrived(now).filter(|file| file.name == name).last()
    }

    /// The listed files by their names.
    pub(crate) fn by_name(&self, now: Timestamp) -> HashMap<&str, &StoredFile> {
        self.arrived(now).map(|file| (file.name.as_str(), file)).collect()
    }

    /// In the order in which they were added.
    fn arrived(&self, now: Timestamp) -> impl Iterator<Item = &StoredFile> {
        self.0.iter().filter(move |file| file.arrival.listed_at <= now)
    }

    /// The file whose blob this is.
    pub(crate) fn with_blob(&self, blob: &str) -> Option<&StoredFile> {
        self.0.iter().find(|file| file.content.blob == blob)
    }

    /// Adds a file. A name that is taken at this moment becomes `Name_1.pkg`, `Name_2.pkg`, … (`jamf-pro-api.md §12`);
    /// when a real server judges that is not known (`§19.4`). Gives the name it got.
    pub(crate) fn add(&mut self, name: &str, content: Content, arrival: Arrival) -> String {
        let name = self.free_name(name);
        self.0.insert(|id| StoredFile { id, name: name.clone(), content, arrival, goes_at: None });
        name
    }

    /// Adds a file in the place of the one that has its name, if there is one. That one stays listed until the new one is:
    /// whether a real service shows neither for a while is not known (`§19.5`).
    pub(crate) fn replace(&mut self, name: &str, content: Content, arrival: Arrival) {
        self.0.insert(|id| StoredFile { id, name: name.to_owned(), content, arrival, goes_at: None });
    }

    /// Removes the files in whose place another one is listed. Their bytes are the caller's to remove.
    pub(crate) fn remove_replaced(&mut self, now: Timestamp) -> Vec<StoredFile> {
        let shown = self.by_name(now);
        let is_replaced =
            |file: &&StoredFile| shown.get(file.name.as_str()).is_some_and(|last| last.id > file.id);
        let ids: Vec<u64> = self.arrived(now).filter(is_replaced).map(|file| file.id).collect();
        ids.into_iter().filter_map(|id| self.0.remove(id)).collect()
    }

    /// Removes the file of this name, whether it is listed yet or not.
    pub(crate) fn remove(&mut self, name: &str) -> Vec<StoredFile> {
        self.remove_where(|file| file.name == name)
    }

    /// Lets the file of this name go at a later moment; until then it is listed, and its name taken.
    pub(crate) fn remove_at(&mut self, name: &str, moment: Timestamp) {
        for file in self.0.iter_mut().filter(|file| file.name == name) {
            file.goes_at = Some(moment);
        }
    }

    /// Removes the files whose moment to go has come.
    pub(crate) fn take_gone(&mut self, now: Timestamp) -> Vec<StoredFile> {
        self.remove_where(|file| file.goes_at.is_some_and(|moment| moment <= now))
    }

    fn remove_where(&mut self, is_meant: impl Fn(&StoredFile) -> bool) -> Vec<StoredFile> {
        let ids: Vec<u64> = self.0.iter().filter(|file| is_meant(file)).map(|file| file.id).collect();
        ids.into_iter().filter_map(|id| self.0.remove(id)).collect()
    }

    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.0.iter().any(|file| file.name == name);
        let (stem, extension) = match name.rfind('.') {
            Some(dot) => name.split_at(dot),
            None => (name, ""),
        };
        std::iter::once(name.to_owned())
            .chain((1_u64..).map(|number| format!("{stem}_{number}{extension}")))
            .find(|name| !taken(name))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Content, Files};
    use jiff::Timestamp;

    fn content() -> Content {
        Content { blob: "blob".to_owned(), size: 0, md5: String::new(), sha3: String::new(), told: None }
    }

    #[test]
    fn a_taken_name_counts_on_before_the_extension() {
        let mut files = Files::default();
        let now = Arrival::at_once(Timestamp::UNIX_EPOCH);
        let mut add = |name: &str| files.add(name, content(), now);
        assert_eq!(add("App-1.2.pkg"), "App-1.2.pkg");
        assert_eq!(add("App-1.2.pkg"), "App-1.2_1.pkg");
        assert_eq!(add("App-1.2.pkg"), "App-1.2_2.pkg");
        assert_eq!(add("plain"), "plain");
        assert_eq!(add("plain"), "plain_1");
    }

    #[test]
    fn a_file_that_is_not_listed_yet_holds_its_name() {
        let mut files = Files::default();
        let (now, then) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        files.add("App.pkg", content(), Arrival::at_once(then));
        assert!(files.listed("App.pkg", now).is_none());
        assert_eq!(files.add("App.pkg", content(), Arrival::at_once(now)), "App_1.pkg");
        assert_eq!(files.listed("App.pkg", then).unwrap().name, "App.pkg");
    }

    #[test]
    fn a_file_stays_until_the_one_in_its_place_is_listed() {
        let mut files = Files::default();
        let (now, then) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        files.add("App.pkg", content(), Arrival::at_once(now));
        files.replace("App.pkg", content(), Arrival::at_once(then));
        let shown = |files: &Files, at| files.all_listed(at).map(|file| file.id).collect::<Vec<_>>();
        assert_eq!((files.listed("App.pkg", now).unwrap().id, shown(&files, now)), (1, vec![1]));
        assert_eq!(files.remove_replaced(now), []);
        assert_eq!((files.listed("App.pkg", then).unwrap().id, shown(&files, then)), (2, vec![2]));
        assert_eq!(files.remove_replaced(then).into_iter().map(|file| file.id).collect::<Vec<_>>(), [1]);
        assert_eq!(shown(&files, then), [2]);
    }

    #[test]
    fn a_file_in_the_place_of_another_holds_its_name_alone_too() {
        let mut files = Files::default();
        let (now, then) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        files.replace("App.pkg", content(), Arrival::at_once(then));
        assert_eq!(files.add("App.pkg", content(), Arrival::at_once(now)), "App_1.pkg");
        assert_eq!(files.remove("App.pkg").len(), 1);
    }

    #[test]
    fn a_file_that_goes_later_holds_its_name_until_then() {
        let mut files = Files::default();
        let (now, then) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        files.add("App.pkg", content(), Arrival::at_once(now));
        files.remove_at("App.pkg", then);
        assert_eq!((files.take_gone(now), files.listed("App.pkg", now).is_some()), (vec![], true));
        assert_eq!(files.add("App.pkg", content(), Arrival::at_once(now)), "App_1.pkg");
        assert_eq!(files.take_gone(then)[0].name, "App.pkg");
        assert_eq!(files.add("App.pkg", content(), Arrival::at_once(then)), "App.pkg");
    }
}

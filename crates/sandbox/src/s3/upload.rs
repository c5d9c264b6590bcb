//! Multipart uploads that are open, and the rules of their completion.

use super::blob::Received;
use super::checksum::{Agreement, Algorithm, Checksum, Kind};
use super::refusal::{refusal, refusal_saying};
use futures_util::future::{BoxFuture, Shared};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use s3s::{S3ErrorCode, S3Result};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::{TempDir, TempPath};

/// The least that a part may have unless it is the last.
const MIN_PART: u64 = 5 * 1024 * 1024;

/// The number of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartNumber(u16);

impl PartNumber {
    pub(super) fn new(number: i32) -> Option<Self> {
        u16::try_from(number).ok().filter(|number| (1..=10_000).contains(number)).map(Self)
    }

    pub(super) fn get(self) -> i32 {
        i32::from(self.0)
    }
}

/// A part that arrived. Its file goes when the last one lets go of the part.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) received: Received,
    pub(super) file: TempPath,
    pub(super) at: Timestamp,
}

/// How a completed upload ended.
#[derive(Clone, Debug)]
pub(super) struct Completed {
    pub(super) etag: String,
    pub(super) checksum: Checksum,
    pub(super) kind: Kind,
}

/// Why a completion that had begun failed. The upload is open again.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The checksum of the whole object is not the one that the client gave.
    BadDigest,
    /// A fault says so.
    OnRequest,
    /// The rehearsal could not do it.
    Broken(Arc<io::Error>),
}

/// A completion that may be under way or over; all who ask get the same answer.
pub(super) type Completion = Shared<BoxFuture<'static, Result<Completed, Failure>>>;

/// A multipart upload.
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) begun: Timestamp,
    pub(super) agreement: Option<Agreement>,
    pub(super) state: State,
}

/// Where an upload stands.
pub(super) enum State {
    /// Takes parts.
    Open(Parts),
    /// Being completed. The parts are kept, because a completion can fail.
    Completing(Parts, Completion),
    /// S3 answers a repeated completion with 200 for a while (`jamf-pro-api.md §9.5`); here, as long as it runs.
    Completed(Completion),
}

/// The parts of an upload and the folder that they lie in. The folder goes with this value.
pub(super) struct Parts {
    pub(super) by_number: BTreeMap<PartNumber, Arc<Part>>,
    pub(super) folder: TempDir,
}

impl Upload {
    /// The parts, unless it is completed.
    pub(super) fn parts(&self) -> Option<&Parts> {
        match &self.state {
            State::Open(parts) | State::Completing(parts, _) => Some(parts),
            State::Completed(_) => None,
        }
    }
}

/// A part as a client lists it when it completes an upload.
pub(super) struct Listed {
    pub(super) number: Option<i32>,
    pub(super) etag: Option<String>,
    pub(super) checksum: Option<Checksum>,
}

/// The parts that an object will be made of, if the list is in order. Parts that came but are not listed are left out
/// without a word, as S3 does it (`jamf-pro-api.md §9.5`).
pub(super) fn choose<'a>(
    listed: &[Listed],
    agreement: Option<Agreement>,
    came: impl Fn(PartNumber) -> Option<&'a Received>,
) -> S3Result<Vec<PartNumber>> {
    let mut chosen: Vec<PartNumber> = Vec::with_capacity(listed.len());
    let mut previous: Option<&Received> = None;
    for part in listed {
        let number = part.number.ok_or_else(|| refusal(S3ErrorCode::MalformedXML))?;
        let number = PartNumber::new(number).ok_or_else(|| refusal(S3ErrorCode::InvalidPart))?;
        if chosen.last().is_some_and(|last| *last >= number) {
            return Err(refusal(S3ErrorCode::InvalidPartOrder));
        }
        let received = came(number).ok_or_else(|| refusal(S3ErrorCode::InvalidPart))?;
        is_the_same(part, received, number, agreement)?;
        if previous.is_some_and(|previous| previous.size < MIN_PART) {
            return Err(refusal(S3ErrorCode::EntityTooSmall));
        }
        previous = Some(received);
        chosen.push(number);
    }
    match chosen.is_empty() {
        true => Err(refusal(S3ErrorCode::MalformedXML)),
        false => Ok(chosen),
    }
}

fn is_the_same(
    listed: &Listed,
    received: &Received,
    number: PartNumber,
    agreement: Option<Agreement>,
) -> S3Result<()> {
    if listed.etag.as_deref() != Some(&part_etag(received)) {
        return Err(refusal(S3ErrorCode::InvalidPart));
    }
    match (&listed.checksum, agreement) {
        (Some(checksum), _) if *checksum != received.checksum => Err(refusal(S3ErrorCode::InvalidPart)),
        (None, Some(Agreement { algorithm, kind: Kind::Composite })) => {
            let name = algorithm.name().to_lowercase();
            let number = number.get();
            let message = format!(
                "The upload was created using a {name} checksum. The complete request must include the checksum for \
                 each part. It was missing for part {number} in the request."
            );
            Err(refusal_saying(S3ErrorCode::InvalidRequest, message))
        }
        _ => Ok(()),
    }
}

/// With which algorithm a part is checked. "Create, parts and complete must agree" (`jamf-pro-api.md §9.4`); what S3 does
/// with a checksum that was not announced is not known for sure, and is let pass.
pub(super) fn part_algorithm(
    agreement: Option<Agreement>,
    claimed: Option<Algorithm>,
) -> S3Result<Algorithm> {
    match (agreement, claimed) {
        (None, claimed) => Ok(claimed.unwrap_or(Algorithm::DEFAULT)),
        (Some(agreement), Some(claimed)) if agreement.algorithm == claimed => Ok(claimed),
        (Some(Agreement { algorithm, kind: Kind::FullObject }), None) => Ok(algorithm),
        (Some(agreement), claimed) => {
            let expected = agreement.algorithm.name().to_lowercase();
            let actual = claimed.map_or("null".to_owned(), |algorithm| algorithm.name().to_lowercase());
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
            );
            Err(refusal_saying(S3ErrorCode::InvalidRequest, message))
        }
    }
}

/// The ETag of a part or of an object that came in one PUT, without quotes.
pub(super) fn part_etag(received: &Received) -> String {
    hex::encode(received.md5)
}

/// The ETag of an object that is made of parts: the MD5 of their binary MD5s, and how many they are.
pub(super) fn object_etag<'a>(parts: impl IntoIterator<Item = &'a Received>) -> String {
    let mut md5 = Md5::new();
    let mut count = 0;
    for part in parts {
        md5.update(part.md5);
        count += 1;
    }
    format!("{}-{count}", hex::encode(md5.finalize()))
}

/// All uploads since the start, by id.
pub(super) struct Uploads {
    folder: PathBuf,
    by_id: Mutex<HashMap<String, Upload>>,
}

impl Uploads {
    /// Uses a folder, which must be there.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, by_id: Mutex::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, Upload>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an upload and gives its id.
    pub(super) fn begin(
        &self,
        key: String,
        agreement: Option<Agreement>,
        begun: Timestamp,
    ) -> io::Result<String> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let folder = tempfile::Builder::new().prefix(&id).rand_bytes(0).tempdir_in(&self.folder)?;
        let state = State::Open(Parts { by_number: BTreeMap::new(), folder });
        self.lock().insert(id.clone(), Upload { key, begun, agreement, state });
        Ok(id)
    }

    /// Looks at an upload that takes parts.
    pub(super) fn with_open<T>(
        &self,
        id: &str,
        key: &str,
        look: impl FnOnce(&Upload, &Parts) -> T,
    ) -> S3Result<T> {
        match self.lock().get(id).filter(|upload| upload.key == key) {
            Some(upload @ Upload { state: State::Open(parts), .. }) => Ok(look(upload, parts)),
            _ => Err(refusal(S3ErrorCode::NoSuchUpload)),
        }
    }

    /// Takes a part; one with the same number is replaced.
    pub(super) fn put(&self, id: &str, key: &str, number: PartNumber, part: Part) -> S3Result<()> {
        match self.lock().get_mut(id).filter(|upload| upload.key == key) {
            Some(Upload { state: State::Open(parts), .. }) => {
                parts.by_number.insert(number, Arc::new(part));
                Ok(())
            }
            _ => Err(refusal(S3ErrorCode::NoSuchUpload)),
        }
    }

    /// Forgets an open upload and removes its parts.
    pub(super) fn abort(&self, id: &str, key: &str) -> S3Result<()> {
        let mut uploads = self.lock();
        match uploads.get(id) {
            Some(Upload { key: own, state: State::Open(_), .. }) if own == key => {
                uploads.remove(id);
                Ok(())
            }
            _ => Err(refusal(S3ErrorCode::NoSuchUpload)),
        }
    }

    /// Begins the completion of an upload. If it has begun before, `begin` is not asked and the earlier one is given.
    pub(super) fn complete(
        &self,
        id: &str,
        key: &str,
        begin: impl FnOnce(&Upload, &Parts) -> S3Result<Completion>,
    ) -> S3Result<Completion> {
        let mut uploads = self.lock();
        let upload = uploads.get(id).filter(|upload| upload.key == key);
        let upload = upload.ok_or_else(|| refusal(S3ErrorCode::NoSuchUpload))?;
        let completion = match &upload.state {
            State::Open(parts) => begin(upload, parts)?,
            State::Completing(_, completion) | State::Completed(completion) => return Ok(completion.clone()),
        };
        change(&mut uploads, id, |state| match state {
            State::Open(parts) => State::Completing(parts, completion.clone()),
            other => other,
        });
        Ok(completion)
    }

    /// Notes the end of a completion: the parts are no longer needed, or the upload is open again.
    pub(super) fn settle(&self, id: &str, completed: bool) {
        change(&mut self.lock(), id, |state| match state {
            State::Completing(_, completion) if completed => State::Completed(completion),
            State::Completing(parts, _) => State::Open(parts),
            other => other,
        });
    }

    /// Keys of uploads that were begun and neither completed nor aborted, sorted.
    pub(super) fn open_keys(&self) -> Vec<String> {
        let uploads = self.lock();
        let open = uploads.values().filter(|upload| upload.parts().is_some());
        let mut keys: Vec<String> = open.map(|upload| upload.key.clone()).collect();
        keys.sort_unstable();
        keys
    }
}

fn change(uploads: &mut HashMap<String, Upload>, id: &str, to: impl FnOnce(State) -> State) {
    if let Some((id, upload)) = uploads.remove_entry(id) {
        let state = to(upload.state);
        uploads.insert(id, Upload { state, ..upload });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1024 * 1024;

    fn received(size: u64) -> Received {
        let checksum = Checksum { algorithm: Algorithm::Crc32, value: format!("sum of {size}") };
        Received { size, md5: Md5::digest(size.to_be_bytes()).into(), checksum }
    }

    fn listed(number: i32, size: u64) -> Listed {
        Listed { number: Some(number), etag: Some(part_etag(&received(size))), checksum: None }
    }

    /// Chooses among parts 1, 2, 3 of 5 MiB, 6 MiB, 1 byte.
    fn chosen(listed: &[Listed], agreement: Option<Agreement>) -> Result<Vec<i32>, String> {
        let came: BTreeMap<PartNumber, Received> = [(1, 5 * MIB), (2, 6 * MIB), (3, 1)]
            .map(|(number, size)| (PartNumber::new(number).unwrap(), received(size)))
            .into();
        match choose(listed, agreement, |number| came.get(&number)) {
            Ok(numbers) => Ok(numbers.into_iter().map(PartNumber::get).collect()),
            Err(error) => Err(error.code().as_str().to_owned()),
        }
    }

    #[test]
    fn a_list_in_order_is_taken_and_the_rest_left_out() {
        assert_eq!(chosen(&[listed(1, 5 * MIB), listed(2, 6 * MIB), listed(3, 1)], None), Ok(vec![1, 2, 3]));
        assert_eq!(chosen(&[listed(1, 5 * MIB), listed(3, 1)], None), Ok(vec![1, 3]));
        assert_eq!(chosen(&[listed(3, 1)], None), Ok(vec![3]));
    }

    #[test]
    fn a_list_with_a_fault_is_refused() {
        let refused = |listed: &[Listed]| chosen(listed, None).unwrap_err();
        assert_eq!(refused(&[]), "MalformedXML");
        assert_eq!(refused(&[Listed { number: None, ..listed(1, 5 * MIB) }]), "MalformedXML");
        assert_eq!(refused(&[listed(2, 6 * MIB), listed(1, 5 * MIB)]), "InvalidPartOrder");
        assert_eq!(refused(&[listed(1, 5 * MIB), listed(1, 5 * MIB)]), "InvalidPartOrder");
        assert_eq!(refused(&[listed(1, 6 * MIB)]), "InvalidPart");
        assert_eq!(refused(&[listed(4, 1)]), "InvalidPart");
        assert_eq!(refused(&[listed(0, 1)]), "InvalidPart");
        assert_eq!(refused(&[Listed { etag: None, ..listed(1, 5 * MIB) }]), "InvalidPart");
    }

    #[test]
    fn only_the_last_part_may_be_small() {
        let came = received(1);
        let small = [listed(1, 1), listed(2, 1)];
        let error = choose(&small, None, |_| Some(&came)).unwrap_err();
        assert_eq!(error.code().as_str(), "EntityTooSmall");
    }

    #[test]
    fn composite_checksums_are_listed_and_right() {
        let composite = Agreement::new(Algorithm::Crc32, None);
        let full = Agreement::new(Algorithm::Crc32, Some(Kind::FullObject));
        let with = |checksum: Checksum| Listed { checksum: Some(checksum), ..listed(3, 1) };
        let wrong = Checksum { algorithm: Algorithm::Crc32, value: "another".to_owned() };
        assert_eq!(chosen(&[with(received(1).checksum)], composite), Ok(vec![3]));
        assert_eq!(chosen(&[listed(3, 1)], composite), Err("InvalidRequest".to_owned()));
        assert_eq!(chosen(&[listed(3, 1)], full), Ok(vec![3]));
        assert_eq!(chosen(&[with(wrong)], None), Err("InvalidPart".to_owned()));
    }

    #[test]
    fn parts_keep_to_the_agreement() {
        let composite = Agreement::new(Algorithm::Crc32, None);
        let full = Agreement::new(Algorithm::Crc64Nvme, None);
        assert_eq!(part_algorithm(None, None).unwrap(), Algorithm::Crc64Nvme);
        assert_eq!(part_algorithm(None, Some(Algorithm::Crc32)).unwrap(), Algorithm::Crc32);
        assert_eq!(part_algorithm(full, None).unwrap(), Algorithm::Crc64Nvme);
        let message = |claimed| part_algorithm(composite, claimed).unwrap_err().message().unwrap().to_owned();
        insta::assert_snapshot!(
            message(Some(Algorithm::Sha256)),
            @"Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: sha256"
        );
        insta::assert_snapshot!(
            message(None),
            @"Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null"
        );
    }

    #[test]
    fn an_object_etag_counts_its_parts() {
        let empty = Received { md5: Md5::digest(b"").into(), ..received(0) };
        insta::assert_snapshot!(part_etag(&empty), @"d41d8cd98f00b204e9800998ecf8427e");
        insta::assert_snapshot!(object_etag([&empty, &empty]), @"5873dd45edd01f09c1ef2e7819369e8e-2");
    }

    proptest! {
        #[test]
        fn what_is_chosen_is_what_was_listed(numbers in proptest::collection::vec(-5_i32..20, 0..8)) {
            let came = received(6 * MIB);
            let list: Vec<Listed> = numbers.iter().map(|number| listed(*number, 6 * MIB)).collect();
            let ascending = !numbers.is_empty() && numbers.is_sorted_by(|a, b| a < b) && numbers[0] > 0;
            match choose(&list, None, |_| Some(&came)) {
                Ok(chosen) => {
                    prop_assert!(ascending);
                    prop_assert_eq!(chosen.into_iter().map(PartNumber::get).collect::<Vec<_>>(), numbers);
                }
                Err(_) => prop_assert!(!ascending),
            }
        }
    }
}

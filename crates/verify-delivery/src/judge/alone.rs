//! The package record as the only witness: where the list of the distribution service is not there, or the file came onto the
//! record itself.

use super::{Expected, Judgement, Lack, Record, Testimony, contradiction, record_is_empty};

/// Judges one look at a record. It has to tell everything: a digest alone can stand beside the old size, or be what a client
/// wrote into the record itself (`jamf-pro-api.md §11.3`). SHA3-512 proves; MD5 can only contradict.
pub(crate) fn judge_record(expected: &Expected, record: &Record) -> Judgement {
    let record = match record {
        Record::None => return Judgement::Waiting(vec![Lack::NoRecord]),
        Record::Missing(id) => return Judgement::Waiting(vec![Lack::RecordMissing(*id)]),
        Record::Told(record) => record,
    };
    if let Some(empty) = record_is_empty(&expected.bytes, record) {
        return Judgement::Empty(empty);
    }
    match lack(expected, record) {
        Some(lack) => Judgement::Waiting(vec![lack]),
        None => Judgement::Proven,
    }
}

fn lack(expected: &Expected, record: &Testimony) -> Option<Lack> {
    let id = record.id;
    let without = |is_missing: bool, what| is_missing.then_some(Lack::RecordWithout(id, what));
    let other_md5 = || {
        let found = record.md5.filter(|md5| *md5 != expected.bytes.md5)?;
        Some(Lack::RecordMd5 { id, found, expected: expected.bytes.md5 })
    };
    contradiction(expected, record)
        .or_else(other_md5)
        // A change of the record blanks the size until the next refresh (`jamf-pro-api.md §5.3`).
        .or_else(|| without(record.size.is_none(), "size"))
        .or_else(|| without(record.sha3_512.is_none(), "SHA3-512"))
        .or_else(|| without(record.state.is_none(), "state"))
}

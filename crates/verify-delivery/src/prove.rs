//! Looking until the delivery is proven or the time is over.

use crate::Error;
use crate::budget::{Next, Watch};
use crate::judge::alone::judge_record;
use crate::judge::{Expected, Judgement, Lack, Record, judge, twins};
use crate::report::{Conclusion, told};
use jamf::{JcdsFile, Session};
use pipeline::{Activity, Context, Diagnose as _, Failure, FailureKind, PackageId, Witness};
use std::sync::Arc;
use std::time::Duration;

/// Asks the server until `watch` says that the last look is final.
pub(crate) async fn prove(
    session: &Session,
    cx: &Context,
    expected: &Expected,
    record: Option<PackageId>,
    witness: Witness,
    budget: Duration,
) -> Result<Conclusion, Error> {
    let started = cx.clock().now();
    let elapsed = || cx.clock().now().duration_since(started).unsigned_abs();
    let mut watch = Watch::new(budget, witness);
    let mut refresh = Refresh { session, cx, name: expected.name.as_str(), warned: false, is_possible: true };
    let mut last: Option<Conclusion> = None;
    loop {
        if watch.refresh_is_due(elapsed()) {
            refresh.ask().await?;
        }
        let (judgement, twins) = match look(session, cx, record, witness).await {
            Ok(seen) => seen.judge(expected, refresh.is_possible),
            // It is proven; only twins were waited for.
            Err(error)
                if error.kind() == FailureKind::Remote
                    && last.as_ref().is_some_and(|last| last.judgement == Judgement::Proven) =>
            {
                return last.ok_or(error.into());
            }
            // The client has retried by itself; what worked before may work again within the time. The first look has
            // no such reason to hope.
            Err(error) if last.is_some() && error.kind() == FailureKind::Remote => {
                let lack = Lack::Unreadable(Failure::from(error).to_string());
                (Judgement::Waiting(vec![lack]), Vec::new())
            }
            Err(error) => return Err(error.into()),
        };
        let now = elapsed();
        let next = if judgement.is_proof() && !twins.is_empty() {
            if last.as_ref().is_none_or(|last| last.twins != twins) {
                cx.info(format!("waiting: {} may be about to be deleted by another run", twins.join(", ")));
            }
            watch.after_twins(now)
        } else {
            watch.after(now, &judgement)
        };
        let (looks, most) = watch.looks(now);
        cx.progress(Activity::Verifying, looks, most);
        if last.as_ref().is_none_or(|last| last.judgement != judgement) {
            tell(cx, &judgement);
        }
        let conclusion = Conclusion { judgement, twins, record, witness, elapsed: now };
        match next {
            Next::Conclude => return Ok(conclusion),
            Next::LookAgain(pause) => cx.clock().sleep(pause).await,
        }
        last = Some(conclusion);
    }
}

/// What one look saw.
struct Seen {
    /// `None` where the record is the only witness.
    listed: Option<Arc<[JcdsFile]>>,
    record: Record,
}

async fn look(
    session: &Session,
    cx: &Context,
    record: Option<PackageId>,
    witness: Witness,
) -> Result<Seen, jamf::Error> {
    let listed = match witness {
        Witness::List => Some(session.jcds_files_now(cx).await?),
        Witness::Record => None,
    };
    let record = match record {
        None => Record::None,
        Some(id) => {
            let told = session.package(cx, id).await?;
            told.map_or(Record::Missing(id), |record| Record::Told(record.into()))
        }
    };
    Ok(Seen { listed, record })
}

impl Seen {
    fn judge(self, expected: &Expected, record_can_learn: bool) -> (Judgement, Vec<String>) {
        let Some(listed) = self.listed else {
            return (judge_record(expected, &self.record), Vec::new());
        };
        let twins = twins(expected, &listed).map(|file| file.name.clone()).collect();
        let record = match self.record {
            Record::Told(told) if !record_can_learn => {
                Record::Told(told.without_what_may_be_old(&expected.bytes))
            }
            record => record,
        };
        (judge(expected, &listed, &record), twins)
    }
}

/// Asking the server to look at its distribution service again.
struct Refresh<'a> {
    session: &'a Session,
    cx: &'a Context,
    name: &'a str,
    warned: bool,
    /// Whether the server has the call and allows it.
    is_possible: bool,
}

impl Refresh<'_> {
    /// Asks. A failure proves nothing in either direction: what counts is what is read back (`jamf-pro-api.md §7.6`).
    async fn ask(&mut self) -> Result<(), Error> {
        match self.session.refresh_inventory(self.cx, Some(self.name)).await {
            Err(error) if error.kind() == FailureKind::Interrupted => Err(error.into()),
            Err(error) if !self.warned => {
                self.warned = true;
                self.is_possible = !matches!(error.status(), Some(403 | 404 | 405 | 410));
                let error = Failure::from(error);
                self.cx.warn(format!("the refresh of the inventory failed, looking goes on: {error}"));
                Ok(())
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Says what is being waited for.
fn tell(cx: &Context, judgement: &Judgement) {
    match judgement {
        Judgement::Waiting(lacks) | Judgement::Renamed { lacks, .. } => {
            cx.info(format!("waiting: {}", told(lacks)));
        }
        Judgement::ListProves { may_come: true, .. } => {
            cx.info("the list proves the bytes; waiting for the record to agree");
        }
        Judgement::Proven | Judgement::Empty(_) | Judgement::ListProves { .. } => {}
    }
}

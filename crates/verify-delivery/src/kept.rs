//! Deliveries that outlast the run until they are proven.

use crate::judge::Judgement;
use crate::report::LookAgain;
use fingerprint::Fingerprint;
use pipeline::{Context, Env, EnvError, FileName, Route, causes, keys};
use state::{Arrival, Delivery, NewDelivery, State};

/// Where they are kept, if anywhere. Nothing hangs on it: what cannot be written or read is told, and proving goes on.
#[derive(Debug, Default)]
pub(crate) struct Kept(Option<State>);

/// What the run has done to the delivery that it proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It has sent the file: what was kept before is not there any more.
    Sent,
    /// It found the same bytes there, and perhaps changed their record.
    Found,
    /// It does nothing but look. Whether anybody has sent the local file, nobody has told.
    Looks,
}

impl Part {
    /// As the steps before say.
    pub fn of(env: &Env) -> Result<Self, EnvError> {
        let (uploaded, updated) = (env.get(keys::PKG_UPLOADED)?, env.get(keys::PKG_METADATA_UPDATED)?);
        Ok(match (uploaded, updated) {
            (Some(true), _) => Self::Sent,
            (None, None) => Self::Looks,
            _ => Self::Found,
        })
    }
}

impl Kept {
    /// In this state.
    pub fn in_state(state: State) -> Self {
        Self(Some(state))
    }

    /// What is kept of this file on this server. It may have been proven lately.
    pub fn find(&self, server: &str, file: &FileName, cx: &Context) -> Option<Delivery> {
        self.0.as_ref()?.delivery(server, file).unwrap_or_else(|error| {
            cx.info(format!("what earlier runs left to prove is not known: {}", in_full(&error)));
            None
        })
    }

    /// Keeps what is about to be proven, and gives what is kept from now on. `earlier` is what was kept before.
    ///
    /// Who only looks adds nothing, and puts nothing in the place of what was really sent: the local file may be one that was
    /// built since, and never sent.
    pub fn keep(
        &self,
        mut new: NewDelivery<'_>,
        part: Part,
        earlier: Option<Delivery>,
        cx: &Context,
    ) -> Option<Delivery> {
        let state = self.0.as_ref()?;
        let same = earlier.as_ref().filter(|earlier| earlier.sent == new.sent);
        let is_spreading = |kept: &Delivery| !kept.spreads_for(cx.clock().now()).is_zero();
        match (part, same) {
            (Part::Looks, _) => return earlier,
            // Where it was put in place by the service's own route, that was written down then.
            (Part::Sent, Some(same))
                if new.route == Route::Jcds && matches!(same.arrival, Arrival::Awaited | Arrival::Listed) =>
            {
                (new.since, new.arrival) = (same.since, same.arrival);
            }
            (Part::Sent, _) => {}
            (Part::Found, Some(same)) => {
                new.since = same.since;
                new.arrival = match same.arrival {
                    Arrival::Listed | Arrival::Proven if is_spreading(same) => Arrival::Listed,
                    // Nothing forgets it from now on: somebody tries to prove it.
                    Arrival::Listed | Arrival::Proven | Arrival::Unawaited => Arrival::Unawaited,
                    Arrival::Awaited => Arrival::Awaited,
                };
            }
            (Part::Found, None) => new.arrival = Arrival::Unawaited,
        }
        if let Err(error) = state.keep_delivery(&new) {
            cx.warn(format!(
                "if {} is not proven now, the next run will not know: {}",
                new.file,
                in_full(&error)
            ));
            // Of other bytes it says nothing any more.
            return earlier.filter(|earlier| earlier.sent == new.sent);
        }
        self.find(new.server, new.file, cx)
    }

    /// What a judgement of these bytes says of the kept delivery. A proof ends it, also one of other bytes, unless the list may be behind:
    /// they took its place. Whatever else was seen, it must not turn into a success by being forgotten. What another process has kept
    /// meanwhile stays.
    pub fn hear(&self, kept: &Delivery, bytes: Fingerprint, judgement: &Judgement, cx: &Context) {
        let Some(state) = &self.0 else { return };
        let is_it = kept.sent == bytes;
        let is_spreading = !kept.spreads_for(cx.clock().now()).is_zero();
        let written = match judgement {
            judgement if judgement.is_proof() => match (is_it, is_spreading) {
                (true, true) => state.arrived(kept, Arrival::Proven),
                (false, true) => Ok(()),
                (_, false) => state.forget_delivery(kept).map(drop),
            },
            // Nothing will come of it, and the next run may send it again.
            Judgement::Empty(_) if is_it => state.arrived(kept, Arrival::Unawaited),
            // Nothing forgets what somebody has tried to prove.
            _ if kept.arrival == Arrival::Listed && !is_spreading => state.arrived(kept, Arrival::Unawaited),
            _ => Ok(()),
        };
        if let Err(error) = written {
            let file = &kept.file;
            cx.info(format!("{file} stays among what is to be proven: {}", in_full(&error)));
        }
    }

    /// How somebody looks again later for these bytes, which are kept or not.
    pub fn look_again(&self, kept: Option<&Delivery>, bytes: Option<Fingerprint>) -> LookAgain {
        let outlasts = self.0.as_ref().is_some_and(State::outlasts_process);
        let kept = kept.filter(|kept| kept.arrival != Arrival::Proven);
        let is_kept = kept.is_some_and(|kept| bytes.is_none_or(|bytes| bytes == kept.sent));
        if outlasts && is_kept { LookAgain::Verify } else { LookAgain::Recipe }
    }
}

fn in_full(error: &dyn std::error::Error) -> String {
    causes(error).collect::<Vec<_>>().join(": ")
}

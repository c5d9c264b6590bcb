//! The journal of the upload that is under way.

use crate::Error;
use crate::bucket::{SentPart, Upload};
use crate::error::Leftover;
use crate::s3_error::in_full;
use fingerprint::{DigestState, Fingerprint};
use pipeline::{Context, FileName};
use state::{Arrival, Journal, NewUpload, Phase, State, StoredPart};
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes down what a later run must know. An upload goes on without it, and says so once.
pub(crate) struct Log {
    journal: Option<Journal>,
    silent: AtomicBool,
    removed: AtomicBool,
    cx: Context,
}

impl Log {
    /// Begins a journal.
    pub(crate) fn begin(state: &State, upload: &NewUpload<'_>, cx: &Context) -> Self {
        match state.begin(upload) {
            Ok(journal) => Self::new(Some(journal), cx),
            Err(error) => {
                let log = Self::new(None, cx);
                log.failed(&error);
                log
            }
        }
    }

    /// Goes on with the journal of an earlier run.
    pub(crate) fn go_on(journal: Journal, cx: &Context) -> Self {
        Self::new(Some(journal), cx)
    }

    /// No journal at all.
    pub(crate) fn none(cx: &Context) -> Self {
        Self::new(None, cx)
    }

    fn new(journal: Option<Journal>, cx: &Context) -> Self {
        Self { journal, silent: AtomicBool::new(false), removed: AtomicBool::new(false), cx: cx.clone() }
    }

    pub(crate) fn begun(&self, upload: &Upload) {
        self.write(|journal| journal.begun(&upload.id, upload.checksum.word()));
    }

    pub(crate) fn part(&self, part: &SentPart) {
        let part = StoredPart {
            number: part.number,
            size: part.size,
            etag: part.etag.clone(),
            checksum: part.checksum.clone(),
        };
        self.write(|journal| journal.part(&part));
    }

    pub(crate) fn digests(&self, fingerprint: Fingerprint) {
        self.write(|journal| journal.digests(fingerprint));
    }

    pub(crate) fn digest_state(&self, state: &DigestState) {
        self.write(|journal| journal.digest_state(state));
    }

    pub(crate) fn phase(&self, phase: Phase) {
        let now = self.cx.clock().now();
        self.write(|journal| journal.phase(phase, now));
    }

    /// The file that is there is to be deleted: nobody waits any more until the list shows it.
    pub(crate) fn gives_way(&self, server: &str, name: &FileName) {
        self.write(|journal| {
            let state = journal.state();
            match state.delivery(server, name)? {
                None => Ok(()),
                Some(proven) if proven.arrival == Arrival::Proven => state.forget_delivery(&proven).map(drop),
                Some(unproven) => state.arrived(&unproven, Arrival::Unawaited),
            }
        });
    }

    /// The journal as it is, for who goes on with it.
    pub(crate) fn into_journal(self) -> Option<Journal> {
        self.journal
    }

    /// The upload is over, and nothing of it is left to go on with.
    pub(crate) fn close(self) {
        let Self { journal, cx, .. } = self;
        if let Some(Err(error)) = journal.map(Journal::close) {
            let why = in_full(&error);
            cx.warn(format!(
                "the journal cannot be written ({why}); the next run looks once more at what is over"
            ));
        }
    }

    /// Closes it if nothing of the upload is left, and gives it back otherwise.
    pub(crate) fn unless_removed(self) -> Option<Self> {
        if self.removed.load(Ordering::Relaxed) {
            self.close();
            return None;
        }
        Some(self)
    }

    /// The upload is over, one way or the other. What may still be gone on with stays in the journal.
    pub(crate) fn end<T>(self, result: &Result<T, Error>) {
        match result {
            Ok(_) => self.close(),
            Err(_) => _ = self.unless_removed(),
        }
    }

    /// What became of the parts.
    pub(crate) fn aborted(&self, leftover: Leftover) {
        self.removed.store(leftover == Leftover::Removed, Ordering::Relaxed);
    }

    fn write(&self, entry: impl FnOnce(&Journal) -> Result<(), state::Error>) {
        if let Some(Err(error)) = self.journal.as_ref().map(entry) {
            self.failed(&error);
        }
    }

    fn failed(&self, error: &state::Error) {
        if !self.silent.swap(true, Ordering::Relaxed) {
            let why = in_full(error);
            self.cx.warn(format!(
                "the journal cannot be written ({why}); if this run is killed, it begins anew"
            ));
        }
    }
}

use super::later;
use crate::grant::Grant;
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

const REGION: &str = "us-east-1";
const BUCKET: &str = "pkgferry-rehearsal";

/// Upload credentials that were handed out, expired ones included: S3 tells those from unknown ones.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    by_key: HashMap<String, Grant>,
    /// The path of each account's latest upload.
    latest: HashMap<usize, String>,
}

/// What renewed keys open. Nobody knows what a real server does (`jamf-pro-api.md §7.3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RenewedPath {
    /// The path of the upload, which is told again.
    Same,
    /// A path that nobody had before, which is told, and that of the upload too.
    Another,
    /// A path that nobody had before, and nothing else.
    OnlyAnother,
}

impl Grants {
    /// Credentials for a new upload: a prefix that nobody had before.
    pub(crate) fn initiate(&mut self, account: usize, life: Duration, now: Timestamp) -> Grant {
        let path = new_path();
        self.latest.insert(account, path.clone());
        self.hand_out(path, None, life, now)
    }

    /// New keys for the caller's latest upload; the old ones work until their end. A caller without an upload gets one:
    /// what a real server does then is not known (`jamf-pro-api.md §7.3`).
    pub(crate) fn renew(
        &mut self,
        account: usize,
        how: RenewedPath,
        life: Duration,
        now: Timestamp,
    ) -> Grant {
        let Some(path) = self.latest.get(&account).cloned() else { return self.initiate(account, life, now) };
        match how {
            RenewedPath::Same => self.hand_out(path, None, life, now),
            RenewedPath::Another => self.hand_out(new_path(), Some(path), life, now),
            RenewedPath::OnlyAnother => self.hand_out(new_path(), None, life, now),
        }
    }

    pub(crate) fn get(&self, access_key_id: &str) -> Option<&Grant> {
        self.by_key.get(access_key_id)
    }

    fn hand_out(
        &mut self,
        path: String,
        other_path: Option<String>,
        life: Duration,
        now: Timestamp,
    ) -> Grant {
        let grant = Grant {
            access_key_id: format!("ASIA{}", &random()[..16].to_uppercase()),
            secret_access_key: random()[..40].to_owned(),
            session_token: random().repeat(2),
            expiration: whole_seconds(later(now, life)),
            region: REGION.to_owned(),
            bucket: BUCKET.to_owned(),
            path,
            other_path,
        };
        self.by_key.insert(grant.access_key_id.clone(), grant.clone());
        grant
    }
}

fn new_path() -> String {
    format!("tmp/{}/", uuid::Uuid::new_v4())
}

/// 64 hex digits.
fn random() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

/// The answer tells seconds; both sides judge by what the client was told.
fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

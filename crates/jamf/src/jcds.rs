//! The distribution service's files (`jamf-pro-api.md §7`, `§8`).

use crate::answer::Answer;
use crate::call::Call;
use crate::lapse::Lapse;
use crate::latest::Latest;
use crate::transport::wait;
use crate::{Error, Privilege, Session, encode, wire};
use jiff::Timestamp;
use pipeline::{Context, FileName, Md5, Secret, Sha3_512};
use reqwest::Method;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const FILES: &str = "/api/v1/jcds/files";
const RENEW: &str = "/api/v1/jcds/renew-credentials";
const REFRESH: &str = "/api/v1/cloud-distribution-point/refresh-inventory";
const OLD_REFRESH: &str = "/api/v1/jcds/refresh-inventory";

/// The server takes a refresh of everything no more often (`jamf-pro-api.md §7.6`).
const BETWEEN_REFRESHES: Duration = Duration::from_secs(15);
/// Larger numbers are milliseconds: as seconds they would lie in the year 5138 (`jamf-pro-api.md §7.2`).
const LARGEST_IN_SECONDS: u64 = 100_000_000_000;

/// A file in the distribution service (`jamf-pro-api.md §7.1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JcdsFile {
    /// Its name, as the server spells it.
    pub name: String,
    /// Its size in bytes. Where the list has no usable one it is 0, and there are no digests either, so that the file
    /// is the same as no other.
    pub size: u64,
    /// Its MD5, if the list has one that is well-formed.
    pub md5: Option<Md5>,
    /// Its SHA3-512, if the list has one that is well-formed.
    pub sha3_512: Option<Sha3_512>,
}

impl JcdsFile {
    /// An entry without a name is no file.
    fn from_json(json: &Value) -> Option<Self> {
        let name = wire::filled(json, "fileName")?.to_owned();
        let digest = |key| wire::text(json, key);
        Some(match wire::number(json, "length") {
            Some(size) => Self {
                name,
                size,
                md5: digest("md5").and_then(|text| text.parse().ok()),
                sha3_512: digest("sha3").and_then(|text| text.parse().ok()),
            },
            None => Self { name, size: 0, md5: None, sha3_512: None },
        })
    }
}

/// Temporary credentials for one upload (`jamf-pro-api.md §7.2`). Every field is filled; a 2xx with empty fields is an error.
#[derive(Clone, Debug)]
pub struct UploadGrant {
    /// Access key id.
    pub access_key_id: String,
    /// Secret key.
    pub secret_access_key: Secret,
    /// Session token.
    pub session_token: Secret,
    /// When the three end.
    pub expiration: Timestamp,
    /// AWS region.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Key prefix, ends in exactly one `/`.
    pub path: String,
}

impl UploadGrant {
    /// A place whose keys are not known any more, to be renewed.
    #[must_use]
    pub fn of_place(region: &str, bucket: &str, path: &str) -> Self {
        Self {
            access_key_id: String::new(),
            secret_access_key: String::new().into(),
            session_token: String::new().into(),
            expiration: Timestamp::MIN,
            region: region.to_owned(),
            bucket: bucket.to_owned(),
            path: path.to_owned(),
        }
    }

    /// Reads an answer; the place may be taken from an earlier grant.
    fn from_answer(answer: &Answer, first: Option<&Self>) -> Result<Self, Error> {
        let expected = "complete upload credentials";
        let json = answer.json(expected)?;
        let need = |key: &str, earlier: Option<&String>| {
            let text = wire::filled(&json, key).map(str::to_owned).or_else(|| earlier.cloned());
            text.ok_or_else(|| answer.lacks(expected, key))
        };
        Ok(Self {
            access_key_id: need("accessKeyID", None)?,
            secret_access_key: need("secretAccessKey", None)?.into(),
            session_token: need("sessionToken", None)?.into(),
            expiration: expiration(&json).ok_or_else(|| answer.lacks(expected, "expiration"))?,
            region: need("region", first.map(|first| &first.region))?,
            bucket: need("bucketName", first.map(|first| &first.bucket))?,
            path: format!("{}/", need("path", first.map(|first| &first.path))?.trim_matches('/')),
        })
    }
}

fn expiration(json: &Value) -> Option<Timestamp> {
    let number = wire::number(json, "expiration").filter(|number| *number > 0)?;
    let signed = i64::try_from(number).ok()?;
    if number > LARGEST_IN_SECONDS {
        Timestamp::from_millisecond(signed).ok()
    } else {
        Timestamp::from_second(signed).ok()
    }
}

/// What a deletion found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It was there.
    Deleted,
    /// It was not there (404): as good as deleted (`jamf-pro-api.md §13.3`).
    WasAbsent,
}

/// What is remembered about files, and when everything was last refreshed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    files: Latest<Arc<[JcdsFile]>, Changed>,
    list_lapse: Lapse,
    grant_lapse: Lapse,
    /// The path of the latest upload that this session was given credentials for.
    latest: std::sync::Mutex<Option<String>>,
    refreshed: tokio::sync::Mutex<Option<Timestamp>>,
    /// The newer call was not to be had, and the older one was.
    refreshes_the_old_way: AtomicBool,
}

/// What was changed in the list.
#[derive(Debug)]
enum Changed {
    File(FileName),
    /// Nobody knows what.
    Any,
}

impl Changed {
    fn concerns(&self, file: &FileName) -> bool {
        match self {
            Self::File(changed) => {
                file.same_name(changed.as_str())
                    || file.is_twin(changed.as_str())
                    || changed.is_twin(file.as_str())
            }
            Self::Any => true,
        }
    }
}

impl Session {
    /// The files of the distribution service. Remembered, until any of them changes through this session.
    ///
    /// # Errors
    /// When the server cannot be asked or has no distribution service.
    pub async fn jcds_files(&self, cx: &Context) -> Result<Arc<[JcdsFile]>, Error> {
        self.jcds.files.get(|_| true, || self.list_files_unless_lapsed(cx)).await
    }

    /// The files of the distribution service, for somebody who looks for one of them: remembered until this one, or one of its
    /// [twins](FileName::is_twin), changes through this session. Changes of others may be missing in it.
    ///
    /// What the service lists after a change is asked of it, and not worked out: a file may get another name than it was sent
    /// under, appear late, or be empty (`jamf-pro-api.md §11.3`, `§12`).
    ///
    /// # Errors
    /// When the server cannot be asked or has no distribution service.
    pub async fn jcds_files_for(&self, cx: &Context, file: &FileName) -> Result<Arc<[JcdsFile]>, Error> {
        self.jcds.files.get(|changed| changed.concerns(file), || self.list_files_unless_lapsed(cx)).await
    }

    /// The files of the distribution service, asked after this was called; what is remembered is replaced. Callers at the same
    /// time share a request: one is on its way at most, and who comes while it is waits for the next, though not long.
    ///
    /// # Errors
    /// When the server cannot be asked or has no distribution service.
    pub async fn jcds_files_now(&self, cx: &Context) -> Result<Arc<[JcdsFile]>, Error> {
        self.jcds.files.now(|| self.list_files(cx)).await
    }

    /// The file of this name was replaced, added or removed in a way that this crate does not see, such as an upload to S3. So the
    /// list is asked for again by who looks for it, and its record is read again.
    pub fn jcds_file_changed(&self, file: &FileName) {
        self.jcds.files.changed(Changed::File(file.clone()));
        self.packages.book.touched(file);
    }

    /// Forgets the remembered files: some were changed, nobody says which.
    pub fn forget_jcds_files(&self) {
        self.jcds.files.changed(Changed::Any);
    }

    /// The same for a file by the name that a server or a form has.
    pub(crate) fn jcds_name_changed(&self, name: &str) {
        match name.parse() {
            Ok(file) => self.jcds_file_changed(&file),
            Err(_) => self.forget_jcds_files(),
        }
    }

    /// Asks for credentials for one upload.
    ///
    /// # Errors
    /// When the server refuses, has no distribution service, or gives incomplete credentials.
    pub async fn jcds_initiate(&self, cx: &Context) -> Result<UploadGrant, Error> {
        // A lost answer leaves an unused prefix behind, which nobody sees (`jamf-pro-api.md §13.3`).
        let call = Call::post(FILES).needs(Privilege::CreateFiles).repeatable();
        let ask = || self.send(cx, &call);
        let answer = self.unless_lapsed(cx, &self.jcds.grant_lapse, ask).await.map_err(without_service)?;
        let grant = UploadGrant::from_answer(&answer, None)?;
        *self.latest_upload() = Some(grant.path.clone());
        Ok(grant)
    }

    /// Renews credentials. Fields of the place (region, bucket, path) that come back empty are taken from `first`
    /// (`jamf-pro-api.md §7.3`).
    ///
    /// # Errors
    /// When the server refuses or gives incomplete credentials; [`Error::Superseded`], without asking, when this session has begun
    /// another upload since: the server renews those of the latest one, and they do not open this place.
    pub async fn jcds_renew(&self, cx: &Context, first: &UploadGrant) -> Result<UploadGrant, Error> {
        if self.latest_upload().as_ref().is_some_and(|latest| *latest != first.path) {
            return Err(Error::Superseded);
        }
        let call = Call::post(RENEW).needs(Privilege::CreateFiles).repeatable();
        let answer = self.send(cx, &call).await.map_err(without_service)?;
        let grant = UploadGrant::from_answer(&answer, Some(first))?;
        // The server may call the same place by another path from now on.
        if let Some(latest) = &mut *self.latest_upload() {
            latest.clone_from(&grant.path);
        }
        Ok(grant)
    }

    fn latest_upload(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.jcds.latest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Deletes a file, by the name the server spells. The record stays.
    ///
    /// # Errors
    /// When the server refuses or cannot be asked.
    pub async fn jcds_delete(&self, cx: &Context, name: &str) -> Result<Deletion, Error> {
        let path = format!("{FILES}/{}", encode::segment(name)?);
        let call = Call::new(Method::DELETE, path).needs(Privilege::DeleteFiles);
        let mut attempts = self.shared_server().attempts(&call);
        let outcome = self.send_counting(cx, &call, &mut attempts).await.map_err(without_service);
        self.jcds_name_changed(name);
        match outcome {
            Ok(_) => Ok(Deletion::Deleted),
            // An earlier try did it, and its answer was lost.
            Err(error) if error.is_absence() && attempts.made() > 1 => Ok(Deletion::Deleted),
            Err(error) if error.is_absence() => Ok(Deletion::WasAbsent),
            Err(error) => Err(error),
        }
    }

    /// A signed address to download a file from. Short-lived.
    ///
    /// # Errors
    /// When there is no such file, or the server refuses or cannot be asked.
    pub async fn jcds_download_address(&self, cx: &Context, name: &str) -> Result<url::Url, Error> {
        let path = format!("{FILES}/{}", encode::segment(name)?);
        let call = Call::get(path).needs(Privilege::ReadFiles);
        let answer = self.send(cx, &call).await.map_err(without_service)?;
        let expected = "a download address";
        let json = answer.json(expected)?;
        let address = wire::text(&json, "uri").and_then(|text| url::Url::parse(text).ok());
        address.ok_or_else(|| answer.lacks(expected, "usable uri"))
    }

    /// Asks the server to look at its distribution service again, for one file or for all (once per 15 s, waited for
    /// here). Tries `cloud-distribution-point/refresh-inventory` and falls back to `jcds/refresh-inventory` where that is
    /// not there, or not allowed: the two take different privileges.
    ///
    /// # Errors
    /// When the server refuses, cannot do it, or cannot be asked.
    pub async fn refresh_inventory(&self, cx: &Context, file: Option<&str>) -> Result<(), Error> {
        let Some(file) = file else {
            let mut refreshed = self.jcds.refreshed.lock().await;
            if let Some(last) = *refreshed {
                let passed = Duration::try_from(cx.clock().now().duration_since(last)).unwrap_or_default();
                if passed < BETWEEN_REFRESHES {
                    wait(cx, BETWEEN_REFRESHES - passed).await?;
                }
            }
            let outcome = self.refresh(cx, &[]).await;
            self.packages.book.forget();
            *refreshed = Some(cx.clock().now());
            return outcome;
        };
        let outcome = self.refresh(cx, &[("file-name", file)]).await;
        // Its record learns size and digests by this.
        if let Ok(file) = file.parse() {
            self.packages.book.touched(&file);
        }
        outcome
    }

    async fn refresh(&self, cx: &Context, query: &[(&str, &str)]) -> Result<(), Error> {
        let call = |path, privilege| {
            let call = Call::post(path).needs(privilege).repeatable();
            if query.is_empty() { call } else { call.query(query) }
        };
        let mut lacking = None;
        if !self.jcds.refreshes_the_old_way.load(Ordering::Relaxed) {
            match self.send(cx, &call(REFRESH, Privilege::ReadDistributionPoint)).await {
                Err(error) if matches!(error.status(), Some(403..=405)) => lacking = Some(error),
                other => return other.map(drop),
            }
        }
        match (self.send(cx, &call(OLD_REFRESH, Privilege::ReadFiles)).await, lacking) {
            // Neither is to be had, and the newer one is there: its privilege is the one to give.
            (Err(second), Some(first))
                if first.status() == Some(403) && matches!(second.status(), Some(403..=405)) =>
            {
                Err(first)
            }
            (Err(error), _) => Err(without_service(error)),
            (Ok(_), _) => {
                self.jcds.refreshes_the_old_way.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    async fn list_files_unless_lapsed(&self, cx: &Context) -> Result<Arc<[JcdsFile]>, Error> {
        self.unless_lapsed(cx, &self.jcds.list_lapse, || self.list_files(cx)).await
    }

    async fn list_files(&self, cx: &Context) -> Result<Arc<[JcdsFile]>, Error> {
        let call = Call::get(FILES).needs(Privilege::ReadFiles);
        let answer = match self.send(cx, &call).await {
            // A list is never missing: whatever the text, there is no service.
            Err(Error::Status(rejection)) if rejection.status() == 404 => {
                return Err(Error::NoJcds(rejection));
            }
            other => other?,
        };
        let expected = "a list of files";
        match answer.json(expected)? {
            Value::Array(entries) => Ok(entries.iter().filter_map(JcdsFile::from_json).collect()),
            _ => Err(answer.lacks(expected, "list in it")),
        }
    }
}

/// Two kinds of 404: no such file, and no service at all. Only the text tells them apart (`jamf-pro-api.md §7.7`).
fn without_service(error: Error) -> Error {
    match error {
        Error::Status(rejection)
            if rejection.status() == 404
                && rejection.said().is_some_and(|said| said.contains("JCDS Settings")) =>
        {
            Error::NoJcds(rejection)
        }
        other => other,
    }
}

//! Package records, through whichever API the server has.

mod classic;
mod fields;
mod pro;
mod xml;

use crate::book::{Index, Names, Sought};
use crate::call::Call;
use crate::creation::Creation;
use crate::transport::wait;
use crate::{Error, Field, FieldValue, Package, PackageApi, Privilege, Session, Setting};
use jiff::SignedDuration;
use pipeline::{BoxFuture, Context, FileName, PackageId};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Nodes of a Jamf Cloud server exchange changes about once a minute (`jamf-pro-api.md §13.1`).
const UNTIL_ALL_NODES_KNOW: SignedDuration = SignedDuration::from_secs(60);

impl Session {
    /// Records whose file name is `file`, under any [spelling](FileName::spellings). Remembered, or looked up in the
    /// [listing](crate::Listing). All of them; see [`only_package_named`](Session::only_package_named).
    ///
    /// The Classic API cannot search by file name, so there every record is read, side by side and once per session
    /// (`jamf-pro-api.md §6.4`).
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn packages_named(&self, cx: &Context, file: &FileName) -> Result<Vec<Package>, Error> {
        let sought = Sought::File(file);
        let is_listed = self.lists_all() || self.packages.api.get() == Some(&PackageApi::Classic);
        if is_listed && !self.packages.doubts(sought) {
            return Box::pin(self.look_up(cx, sought)).await;
        }
        self.packages.named.get(file.clone(), || self.find_named(cx, file)).await
    }

    /// The same, asked now, whatever is remembered or listed. Where only the Classic API is there its listing tells.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn packages_named_now(&self, cx: &Context, file: &FileName) -> Result<Vec<Package>, Error> {
        Box::pin(self.find_named(cx, file)).await
    }

    /// The record whose file name is `file`, under any [spelling](FileName::spellings), if there is one. Remembered.
    ///
    /// # Errors
    /// When the server cannot be asked, or when there are several such records: nobody may guess which is meant.
    pub async fn only_package_named(&self, cx: &Context, file: &FileName) -> Result<Option<Package>, Error> {
        let mut records = self.packages_named(cx, file).await?;
        if records.len() > 1 {
            let records = records.into_iter().map(|record| (record.id, record.display_name)).collect();
            return Err(Error::SeveralRecords { file: file.clone(), records });
        }
        Ok(records.pop())
    }

    /// Every record, asked now. Through the Classic API that is a request for each.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn all_packages(&self, cx: &Context) -> Result<Vec<Package>, Error> {
        match self.package_api(cx).await? {
            PackageApi::Pro => self.pro_all(cx).await,
            PackageApi::Classic => self.read_all(cx).await,
        }
    }

    /// Records whose display name is `name`, exactly. Remembered, or looked up in the [listing](crate::Listing).
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn packages_displayed_as(&self, cx: &Context, name: &str) -> Result<Vec<Package>, Error> {
        let sought = Sought::Display(name);
        if self.lists_all() && !self.packages.doubts(sought) {
            return Box::pin(self.look_up(cx, sought)).await;
        }
        self.packages.displayed.get(name.to_owned(), || self.find_displayed(cx, name)).await
    }

    /// One record, read now. 404 is `None`; for a record that this session made a moment ago it is asked again for up
    /// to a minute, since another node may answer (`jamf-pro-api.md §13.1`).
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn package(&self, cx: &Context, id: PackageId) -> Result<Option<Package>, Error> {
        let before = self.packages.book.before(id);
        let found = self.package_unless_gone(cx, id).await?;
        self.packages.book.read(id, before.as_ref(), found.as_ref());
        Ok(found)
    }

    async fn package_unless_gone(&self, cx: &Context, id: PackageId) -> Result<Option<Package>, Error> {
        let api = self.package_api(cx).await?;
        let mut pause = Duration::from_secs(2);
        loop {
            let found = match api {
                PackageApi::Pro => self.pro_package(cx, id).await?,
                PackageApi::Classic => self.classic_package(cx, id).await?,
            };
            if found.is_some() || !self.is_fresh(cx, id) {
                return Ok(found);
            }
            cx.info(format!(
                "package {id} is not known yet to the node that answers; asking again in {} s",
                pause.as_secs()
            ));
            wait(cx, pause).await?;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    }

    /// One record as the Classic API tells it, read now: the only API that knows [classic-only fields](crate::Field::is_classic_only).
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn classic_package(&self, cx: &Context, id: PackageId) -> Result<Option<Package>, Error> {
        let Some(answer) = self.send_if_there(cx, &classic::read_call(id)).await? else { return Ok(None) };
        classic::package(&answer).map(Some)
    }

    /// Creates a record with the server's API for records; fields not named get Jamf's defaults. Classic-only settings
    /// are refused when that is the Pro API: set them afterwards through [`classic_package`](Session::classic_package).
    ///
    /// # Errors
    /// When the server refuses, when a setting does not fit, or when the answer was lost and the record cannot be found.
    pub async fn create_package(
        &self,
        cx: &Context,
        file: &FileName,
        display_name: &str,
        settings: &[Setting],
    ) -> Result<PackageId, Error> {
        let api = self.package_api(cx).await?;
        let call = match api {
            PackageApi::Pro => {
                Call::post(pro::PACKAGES).json(&pro::new_record(file, display_name, settings)?)
            }
            PackageApi::Classic => classic::create_call(file, display_name, settings)?,
        };
        let creation = Creation {
            what: format!("a package record for {file}"),
            call: call.needs(Privilege::CreatePackages),
            read: match api {
                PackageApi::Pro => pro::created,
                PackageApi::Classic => classic::created,
            },
            look: Box::new(|| Box::pin(self.find_created(cx, file, display_name))),
        };
        let names = Names { file: file.as_str().to_owned(), display: display_name.to_owned() };
        let id = match self.create(cx, creation).await {
            Ok(id) => id,
            Err(error) => {
                self.packages.doubt(names);
                return Err(error);
            }
        };
        self.packages.written(id, Some(names));
        let mut fresh = self.packages.created.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.insert(id, cx.clock().now());
        Ok(id)
    }

    /// Changes only these fields of a record, through the API it was read from. The Pro API has no partial update: the
    /// record is read again, merged and written back whole (`jamf-pro-api.md §5.3`).
    ///
    /// # Errors
    /// When the server refuses, when a setting does not fit, or when the record is gone.
    pub async fn update_package(
        &self,
        cx: &Context,
        package: &Package,
        settings: &[Setting],
    ) -> Result<(), Error> {
        if settings.is_empty() {
            return Ok(());
        }
        let id = package.id;
        let call = match package.api {
            PackageApi::Pro => {
                let read = self.send(cx, &pro::read_call(id)).await;
                if read.as_ref().is_err_and(Error::is_absence) {
                    // Somebody deleted it since it was found.
                    self.packages.written(id, None);
                }
                let merged = pro::merged(read?.json(pro::A_RECORD)?, settings)?;
                Call::put(pro::path(id)).json(&merged)
            }
            PackageApi::Classic => classic::update_call(id, settings)?,
        };
        let outcome = self.send(cx, &call.needs(Privilege::UpdatePackages)).await;
        let display = settings.iter().rev().find_map(|setting| match (setting.field, &setting.value) {
            (Field::DisplayName, FieldValue::Text(name)) => Some(name.clone()),
            _ => None,
        });
        let file = package.file_name.clone();
        let names = Names { file, display: display.unwrap_or_else(|| package.display_name.clone()) };
        self.packages.written(id, Some(names));
        if let (PackageApi::Pro, Ok(answer)) = (package.api, &outcome) {
            // The answer is the record as it is now, with a blank size (`jamf-pro-api.md §5.3`).
            let before = self.packages.book.before(id);
            let told = pro::told(answer).filter(|told| told.id == id);
            self.packages.book.read(id, before.as_ref(), told.as_ref());
        }
        outcome.map(drop)
    }

    /// Which API this server's records are served by; asks the server on first use, unless `package_api` forces one.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn package_api(&self, cx: &Context) -> Result<PackageApi, Error> {
        if self.packages.api.get().is_none() && self.lists_all() {
            // The listing, which is asked for anyway and once for all, tells it.
            self.listing(cx).await?;
        }
        if let Some(api) = self.packages.api.get() {
            return Ok(*api);
        }
        let probe = Call::get(pro::PACKAGES).needs(Privilege::ReadPackages);
        let answered = self.send(cx, &probe.query(&[("page", "0"), ("page-size", "1")])).await;
        let found = self.if_pro(cx, answered)?;
        Ok(if found.is_some() { PackageApi::Pro } else { PackageApi::Classic })
    }

    /// The test for the Pro API is to use it: a server without it does not know the path (`jamf-pro-api.md §15`). `None`
    /// means that the Classic API has to be asked, from now on.
    fn if_pro<T>(&self, cx: &Context, answered: Result<T, Error>) -> Result<Option<T>, Error> {
        let api = &self.packages.api;
        match answered {
            Ok(found) => {
                api.get_or_init(|| PackageApi::Pro);
                Ok(Some(found))
            }
            Err(error) if matches!(error.status(), Some(404 | 405 | 410)) => {
                if api.set(PackageApi::Classic).is_ok() {
                    cx.info("this server has no packages in its Pro API; the Classic API is used");
                }
                // Forced, or seen to work before: then the server has the API, and something else is wrong.
                if api.get() == Some(&PackageApi::Pro) { Err(error) } else { Ok(None) }
            }
            Err(error) => Err(error),
        }
    }

    async fn find_named(&self, cx: &Context, file: &FileName) -> Result<Vec<Package>, Error> {
        if self.packages.api.get() != Some(&PackageApi::Classic) {
            let answered =
                self.pro_packages(cx, "fileName", &file.spellings(), |name| file.same_name(name)).await;
            if let Some(mut found) = self.if_pro(cx, answered)? {
                found.retain(|package| file.same_name(&package.file_name));
                return Ok(found);
            }
        }
        self.look_up(cx, Sought::File(file)).await
    }

    /// What the listing says, and of records that were written since, what they say now.
    async fn look_up(&self, cx: &Context, sought: Sought<'_>) -> Result<Vec<Package>, Error> {
        let book = &self.packages.book;
        let index = self.listing(cx).await?;
        if let Some(name) = index.unusable(sought) {
            return Err(pro::without_id(sought.field(), name));
        }
        let (mut found, unread) = book.find(&index, sought);
        for (id, record) in unread {
            let read = record.get_or_try_init(|| Box::pin(self.package_unless_gone(cx, id))).await?;
            found.extend(read.iter().filter(|record| sought.is(&Names::of(record))).cloned());
        }
        found.sort_unstable_by_key(|record| record.id);
        Ok(found)
    }

    /// All records, asked for once. The type of this future is hidden: it stands in those of most calls, which would grow too deep.
    fn listing<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Arc<Index>, Error>> {
        let ask = || self.unless_lapsed(cx, &self.packages.lapse, || self.list_records(cx));
        Box::pin(self.packages.book.listing.get((), ask))
    }

    async fn list_records(&self, cx: &Context) -> Result<Arc<Index>, Error> {
        if self.packages.api.get() != Some(&PackageApi::Classic) {
            let answered = self.pro_index(cx).await;
            if let Some(index) = self.if_pro(cx, answered)? {
                return Ok(Arc::new(index));
            }
        }
        Ok(Arc::new(Index::new(self.read_all(cx).await?, Vec::new())))
    }

    async fn find_displayed(&self, cx: &Context, name: &str) -> Result<Vec<Package>, Error> {
        let mut found = match self.packages.api.get() {
            Some(PackageApi::Classic) => self.classic_displayed(cx, name).await?,
            _ => {
                let answered =
                    self.pro_packages(cx, "packageName", &[name.to_owned()], |shown| shown == name).await;
                match self.if_pro(cx, answered)? {
                    Some(found) => found,
                    None => self.classic_displayed(cx, name).await?,
                }
            }
        };
        found.retain(|package| package.display_name == name);
        Ok(found)
    }

    /// The record that a creation with a lost answer may have made. The display name finds it in either API, and is
    /// unique in both (`jamf-pro-api.md §5.1`, `§6.3`).
    async fn find_created(
        &self,
        cx: &Context,
        file: &FileName,
        display_name: &str,
    ) -> Result<Option<PackageId>, Error> {
        let found = self.find_displayed(cx, display_name).await?;
        Ok(found.into_iter().find(|package| file.same_name(&package.file_name)).map(|package| package.id))
    }

    pub(crate) fn is_fresh(&self, cx: &Context, id: PackageId) -> bool {
        let created = self.packages.created.lock().unwrap_or_else(PoisonError::into_inner);
        created.get(&id).is_some_and(|made| cx.clock().now().duration_since(*made) < UNTIL_ALL_NODES_KNOW)
    }
}

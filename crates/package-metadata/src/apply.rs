//! Applying: write, then read back.

use crate::Error;
use crate::diff::{self, Wish, label};
use crate::plan::held;
use crate::work::{Target, Work};
use jamf::{Field, FieldValue, Package, PackageApi, Setting};
use pipeline::{Applied, Context, FieldChange, FileName, PackageId, Warning, keys};
use std::collections::BTreeSet;
use std::time::Duration;

/// Nodes of Jamf Cloud tell each other about changes once a minute: until then a read may come from a node that has not
/// heard of the write (`jamf-pro-api.md §13.1`).
const PATIENCE: Duration = Duration::from_secs(70);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Priority of a new category; JamfCategoryUploader's default (`autopkg-recipes.md §7.7`).
const CATEGORY_PRIORITY: u32 = 10;

impl Work {
    pub(crate) async fn apply(mut self, cx: &Context) -> Result<Applied, Error> {
        let settings = self.settings(cx).await?;
        let (id, message) = match &self.target {
            Target::New { display_name, named } => match self.create(cx, display_name, &settings).await? {
                Creation::Done(id) => (id, created(id, &self.file, &self.wishes)),
                Creation::Overtaken(record) => {
                    // Without a word in the recipe the display name is for whoever made the record.
                    let (keep, id) = (*named, record.id);
                    self.wishes.retain(|wish| keep || wish.field() != Field::DisplayName);
                    (id, self.follow(cx, &record, &settings).await?)
                }
            },
            Target::Existing { record, differing } => {
                self.update(cx, record, &among(&settings, differing)).await?;
                (record.id, updated(record.id, differing))
            }
        };
        let message =
            if self.record_only { message + "; record only, no file is looked at" } else { message };
        let applied = match self.read_back(cx, id).await? {
            ReadBack::Agrees => Applied::done(message),
            ReadBack::Differs(fields) => Applied::warned(
                Warning::Other,
                format!("{message}, but {}", kept(&fields)),
                format!("look at record {id} in Jamf Pro: another client or a rule of the server changed it"),
            ),
            ReadBack::Absent => Applied::warned(
                Warning::Other,
                format!("{message}, but reading it back found no record"),
                "run again: it looks again, and writes only what is missing",
            ),
        };
        Ok(applied.with(keys::PACKAGE_ID, id))
    }

    /// The values to write. A category that is missing is created now, so that its id is known.
    async fn settings(&mut self, cx: &Context) -> Result<Vec<Setting>, Error> {
        let mut settings = Vec::with_capacity(self.wishes.len());
        for wish in &mut self.wishes {
            if let Wish::NewCategory(name) = wish {
                let category = match self.session.create_category(cx, name, CATEGORY_PRIORITY).await {
                    // Somebody else was first; trying to create it made the session forget that it was not there.
                    Err(error) if error.is_duplicate() => {
                        self.session.category_named(cx, name).await?.ok_or(error)?
                    }
                    created => created?,
                };
                let value = FieldValue::Category(Some(category));
                *wish = Wish::Set(Setting { field: Field::Category, value });
            }
            if let Wish::Set(setting) = wish {
                settings.push(setting.clone());
            }
        }
        Ok(settings)
    }

    async fn create(
        &self,
        cx: &Context,
        display_name: &str,
        settings: &[Setting],
    ) -> Result<Creation, Error> {
        let api = self.session.package_api(cx).await?;
        // The display name is an argument of its own: no record can be made without one.
        let settings: Vec<Setting> =
            settings.iter().filter(|setting| setting.field != Field::DisplayName).cloned().collect();
        let (settings, classic_only) = split(&settings, api);
        let id = match self.session.create_package(cx, &self.file, display_name, &settings).await {
            Ok(id) => id,
            Err(error) if error.is_duplicate() => return self.overtaken(cx, error).await,
            Err(error) => return Err(error.into()),
        };
        self.update_classic(cx, id, &classic_only).await?;
        Ok(Creation::Done(id))
    }

    /// The record that somebody else made since the plan, such as another run for the same package. The session looks
    /// anew: trying to create a record made it forget. Where not exactly one names the file, the refusal stands.
    async fn overtaken(&self, cx: &Context, refusal: jamf::Error) -> Result<Creation, Error> {
        match self.session.only_package_named(cx, &self.file).await {
            Ok(Some(record)) => Ok(Creation::Overtaken(Box::new(record))),
            Err(error @ jamf::Error::Interrupted) => Err(error.into()),
            Ok(None) | Err(_) => Err(refusal.into()),
        }
    }

    /// Makes somebody else's record what the recipe wants, and tells what that took.
    async fn follow(&self, cx: &Context, record: &Package, settings: &[Setting]) -> Result<String, Error> {
        let held = held(&self.session, cx, record, &self.wishes).await?;
        let differing: BTreeSet<Field> = diff::unmet(&held, &self.wishes).map(Wish::field).collect();
        self.update(cx, record, &among(settings, &differing)).await?;
        Ok(if differing.is_empty() {
            format!("record {} was made by somebody else meanwhile, and says so already", record.id)
        } else {
            format!("{}; somebody else made it meanwhile", updated(record.id, &differing))
        })
    }

    async fn update(&self, cx: &Context, record: &Package, settings: &[Setting]) -> Result<(), Error> {
        let (settings, classic_only) = split(settings, record.api);
        if !settings.is_empty() {
            self.session.update_package(cx, record, &settings).await?;
        }
        self.update_classic(cx, record.id, &classic_only).await
    }

    /// Writes what only the Classic API knows: a partial update that leaves the rest alone (`jamf-pro-api.md §6.3`).
    async fn update_classic(&self, cx: &Context, id: PackageId, settings: &[Setting]) -> Result<(), Error> {
        if settings.is_empty() {
            return Ok(());
        }
        let mut patience = Patience::default();
        loop {
            if let Some(record) = self.session.classic_package(cx, id).await? {
                return Ok(self.session.update_package(cx, &record, settings).await?);
            }
            if !patience.pause(cx, id).await? {
                return Err(Error::RecordGone { id });
            }
        }
    }

    /// Reads the record until it holds what was written, or long enough to say that it does not.
    async fn read_back(&self, cx: &Context, id: PackageId) -> Result<ReadBack, Error> {
        let mut patience = Patience::default();
        loop {
            // The session itself asks again for a record that it has just created.
            let Some(record) = self.session.package(cx, id).await? else { return Ok(ReadBack::Absent) };
            let held = held(&self.session, cx, &record, &self.wishes).await?;
            let fields = diff::diff(&held, &self.wishes);
            if fields.is_empty() {
                return Ok(ReadBack::Agrees);
            }
            if !patience.pause(cx, id).await? {
                return Ok(ReadBack::Differs(fields));
            }
        }
    }
}

/// What came of creating the record.
enum Creation {
    Done(PackageId),
    /// Somebody else was first.
    Overtaken(Box<Package>),
}

/// What reading back showed.
enum ReadBack {
    Agrees,
    Differs(Vec<FieldChange>),
    Absent,
}

/// Pauses between looks, growing, until [`PATIENCE`] is used up.
#[derive(Default)]
struct Patience {
    waited: Duration,
}

impl Patience {
    /// Waits; false when there is no patience left. Its pauses double from 2 s to 10 s.
    async fn pause(&mut self, cx: &Context, id: PackageId) -> Result<bool, Error> {
        if self.waited >= PATIENCE {
            return Ok(false);
        }
        let pause = self.waited.clamp(FIRST_PAUSE, LONGEST_PAUSE).min(PATIENCE - self.waited);
        self.waited += pause;
        match cx.cancelled().run_until_cancelled(cx.clock().sleep(pause)).await {
            Some(()) => Ok(true),
            None => Err(Error::Interrupted { id }),
        }
    }
}

/// The settings of these fields.
fn among(settings: &[Setting], fields: &BTreeSet<Field>) -> Vec<Setting> {
    settings.iter().filter(|setting| fields.contains(&setting.field)).cloned().collect()
}

/// Settings for the record's own API, and those that have to go through the Classic one.
fn split(settings: &[Setting], api: PackageApi) -> (Vec<Setting>, Vec<Setting>) {
    settings
        .iter()
        .cloned()
        .partition(|setting| api == PackageApi::Classic || !setting.field.is_classic_only())
}

fn created(id: PackageId, file: &FileName, wishes: &[Wish]) -> String {
    let told: Vec<String> = wishes
        .iter()
        .filter(|wish| wish.field() != Field::DisplayName || wish.shown() != file.as_str())
        .map(|wish| match wish.field() {
            field @ (Field::Info | Field::Notes) => label(field).to_owned(),
            Field::Category if wish.shown().is_empty() => "no category".to_owned(),
            field => format!("{} {}", label(field), wish.shown()),
        })
        .collect();
    if told.is_empty() {
        format!("created record {id}")
    } else {
        format!("created record {id} ({})", told.join(", "))
    }
}

fn updated(id: PackageId, fields: &BTreeSet<Field>) -> String {
    let fields: Vec<&str> = fields.iter().copied().map(label).collect();
    format!("updated record {id}: {}", fields.join(", "))
}

/// `priority reads back as 10 (not 5)`.
fn kept(fields: &[FieldChange]) -> String {
    let told: Vec<String> = fields
        .iter()
        .map(|change| {
            let old = change.old.as_deref().unwrap_or_default();
            format!("{} reads back as {old:?} (not {:?})", change.field, change.new)
        })
        .collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn what_does_not_read_back_as_written_is_named_with_both_values() {
        let change = |field: &str, old: &str, new: &str| FieldChange {
            field: field.to_owned(),
            old: Some(old.to_owned()),
            new: new.to_owned(),
        };
        let fields = [change("priority", "10", "5"), change("notes", "", "by CI")];
        assert_snapshot!(kept(&fields), @r#"priority reads back as "10" (not "5"), notes reads back as "" (not "by CI")"#);
    }

    #[test]
    fn a_field_goes_to_the_api_that_knows_it() {
        let priority = Setting { field: Field::Priority, value: FieldValue::Number(5) };
        let notify = Setting { field: Field::SendNotification, value: FieldValue::Flag(true) };
        let both = [priority.clone(), notify.clone()];
        assert_eq!(split(&both, PackageApi::Pro), (vec![priority], vec![notify]));
        assert_eq!(split(&both, PackageApi::Classic), (both.to_vec(), vec![]));
    }
}

//! Planning: what the server holds against what the recipe wants.

use crate::Error;
use crate::diff::{self, Held, Wish};
use crate::wanted::Wanted;
use crate::work::{Target, Work};
use jamf::{Category, Field, FieldValue, Package, PackageApi, Session, Sessions, Setting};
use pipeline::{Change, Context, Env, Plan, Subject, Verb, keys};

pub(crate) async fn plan(sessions: &Sessions, env: &Env, cx: &Context) -> Result<Plan<Work>, Error> {
    let wanted = Wanted::read(env)?;
    let session = sessions.open(env)?;
    let record = find(&session, cx, &wanted).await?;
    let mut wishes = wishes(&session, cx, &wanted).await?;
    let mut changes: Vec<Change> = new_category(&wishes).into_iter().collect();

    let Some(record) = record else {
        let display_name = wanted.display_name().unwrap_or(wanted.file.as_str()).to_owned();
        let named = wanted.display_name().is_some();
        if !named {
            wishes.insert(0, set(Field::DisplayName, FieldValue::Text(display_name.clone())));
        }
        changes.push(
            Change::new(Verb::Create, Subject::Record, wanted.file.as_str()).setting(diff::all(&wishes)),
        );
        let target = Target::New { display_name, named };
        let work = Work { session, file: wanted.file, record_only: wanted.record_only, target, wishes };
        return Ok(Plan::changes(changes, work).with(keys::PKG_METADATA_UPDATED, true));
    };

    let id = record.id;
    let held = held(&session, cx, &record, &wishes).await?;
    let fields = diff::diff(&held, &wishes);
    if fields.is_empty() {
        return Ok(Plan::skipped(format!("record {id} already says so"))
            .with(keys::PKG_METADATA_UPDATED, false)
            .with(keys::PACKAGE_ID, id));
    }
    changes.push(Change::new(Verb::Update, Subject::Record, wanted.file.as_str()).setting(fields));
    let differing = diff::unmet(&held, &wishes).map(Wish::field).collect();
    let target = Target::Existing { record: Box::new(record), differing };
    let work = Work { session, file: wanted.file, record_only: wanted.record_only, target, wishes };
    Ok(Plan::changes(changes, work).with(keys::PKG_METADATA_UPDATED, true).with(keys::PACKAGE_ID, id))
}

/// The record that names the file. By file name first: a display name of one's own hid the record from older tools,
/// which then made another one on every run (`autopkg-recipes.md §7.2`).
async fn find(session: &Session, cx: &Context, wanted: &Wanted) -> Result<Option<Package>, Error> {
    let file = &wanted.file;
    let record = session.only_package_named(cx, file).await?;
    let display_name = match (&record, wanted.display_name()) {
        (Some(record), Some(name)) if record.display_name != name => name,
        (Some(_), _) => return Ok(record),
        (None, name) => name.unwrap_or(file.as_str()),
    };
    let owner = session.packages_displayed_as(cx, display_name).await?;
    match owner.into_iter().find(|other| record.as_ref().is_none_or(|record| record.id != other.id)) {
        None => Ok(record),
        Some(other) => Err(Error::DisplayNameTaken {
            display_name: display_name.to_owned(),
            id: other.id,
            file: other.file_name,
        }),
    }
}

/// What the recipe names, in the order of [`Field`], with the category looked up.
async fn wishes(session: &Session, cx: &Context, wanted: &Wanted) -> Result<Vec<Wish>, Error> {
    let mut wishes: Vec<Wish> = wanted.settings.iter().cloned().map(Wish::Set).collect();
    wishes.extend(match &wanted.category {
        None => None,
        Some(name) if name.is_empty() => Some(category(None)),
        Some(name) => match session.category_named(cx, name).await? {
            Some(found) => Some(category(Some(found))),
            None if wanted.create_category => Some(Wish::NewCategory(name.clone())),
            None => return Err(Error::NoSuchCategory { name: name.clone() }),
        },
    });
    wishes.sort_by_key(Wish::field);
    Ok(wishes)
}

fn category(category: Option<Category>) -> Wish {
    set(Field::Category, FieldValue::Category(category))
}

fn set(field: Field, value: FieldValue) -> Wish {
    Wish::Set(Setting { field, value })
}

fn new_category(wishes: &[Wish]) -> Option<Change> {
    wishes.iter().find_map(|wish| match wish {
        Wish::NewCategory(name) => Some(Change::new(Verb::Create, Subject::Category, name)),
        Wish::Set(_) => None,
    })
}

/// What the record holds. A category and the fields of the Classic API cost requests of their own and are asked only
/// if the recipe names them.
pub(crate) async fn held(
    session: &Session,
    cx: &Context,
    record: &Package,
    wishes: &[Wish],
) -> Result<Held, Error> {
    let mut held = record.values.clone();
    held.insert(Field::DisplayName, FieldValue::Text(record.display_name.clone()));
    if wishes.iter().any(|wish| wish.field() == Field::Category) {
        held.insert(Field::Category, FieldValue::Category(session.category_of(cx, record).await?));
    }
    let asks_classic = wishes.iter().any(|wish| wish.field().is_classic_only());
    if asks_classic && record.api == PackageApi::Pro {
        let classic = session.classic_package(cx, record.id).await?;
        let values = classic.map(|record| record.values).unwrap_or_default();
        held.extend(values.into_iter().filter(|(field, _)| field.is_classic_only()));
    }
    Ok(held)
}

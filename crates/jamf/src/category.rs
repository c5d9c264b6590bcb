//! Categories. The Pro API has them on every server that gives tokens, so the Classic API is not asked
//! (`jamf-pro-api.md §4`).

use crate::answer::Answer;
use crate::call::Call;
use crate::creation::Creation;
use crate::known::CategoryIndex;
use crate::package::CategoryRef;
use crate::{Category, Error, Package, Privilege, Session, rsql, wire};
use pipeline::Context;
use serde_json::{Value, json};
use std::sync::Arc;

const CATEGORIES: &str = "/api/v1/categories";

impl Session {
    /// The category of this name, exactly. Remembered, or looked up in the [listing](crate::Listing).
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn category_named(&self, cx: &Context, name: &str) -> Result<Option<Category>, Error> {
        if self.lists_all() && self.categories.is_listed(name) {
            return Ok(self.all_categories(cx).await?.named(name));
        }
        let found = self.categories.by_name.get(name.to_owned(), || self.find_category(cx, name)).await?;
        if let Some(category) = &found {
            self.remember(category).await?;
        }
        Ok(found)
    }

    /// What is known by name is known by id too, so that a record's category costs no request of its own.
    async fn remember(&self, category: &Category) -> Result<(), Error> {
        self.categories.by_id.get(category.id, async || Ok(category.clone())).await?;
        Ok(())
    }

    /// The category of a record, `None` for none, and for one that is gone. Remembered by id.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn category_of(&self, cx: &Context, package: &Package) -> Result<Option<Category>, Error> {
        match &package.category {
            CategoryRef::None => Ok(None),
            CategoryRef::Name(name) => self.category_named(cx, name).await,
            CategoryRef::Id(id) => self.category_with_id(cx, *id).await,
        }
    }

    /// What the listing does not know of was created after it, or is gone: then it is asked for by itself.
    async fn category_with_id(&self, cx: &Context, id: u64) -> Result<Option<Category>, Error> {
        if self.lists_all()
            && let Some(listed) = self.all_categories(cx).await?.with_id(id)
        {
            return Ok(Some(listed));
        }
        match self.categories.by_id.get(id, || self.read_category(cx, id)).await {
            Err(error) if error.is_absence() => Ok(None),
            read => read.map(Some),
        }
    }

    async fn all_categories(&self, cx: &Context) -> Result<Arc<CategoryIndex>, Error> {
        let list = async || {
            let all = self.every_page(cx, CATEGORIES, Privilege::ReadCategories, None).await?;
            Ok(Arc::new(CategoryIndex::new(all.iter().filter_map(category).collect())))
        };
        self.categories.all.get((), || self.unless_lapsed(cx, &self.categories.lapse, list)).await
    }

    /// Creates a category.
    ///
    /// # Errors
    /// When the server refuses, also because there is one of this name already, or when its answer was lost and the
    /// category cannot be found.
    pub async fn create_category(&self, cx: &Context, name: &str, priority: u32) -> Result<Category, Error> {
        let body = json!({ "name": name, "priority": priority });
        let creation = Creation {
            what: format!("category “{name}”"),
            call: Call::post(CATEGORIES).needs(Privilege::CreateCategories).json(&body),
            read: Answer::created_id,
            look: Box::new(|| {
                Box::pin(async { Ok(self.find_category(cx, name).await?.map(|category| category.id)) })
            }),
        };
        let created = self.create(cx, creation).await;
        self.categories.try_to_create(name);
        let category = Category { id: created?, name: name.to_owned() };
        self.categories.by_name.put(name.to_owned(), Some(category.clone()));
        self.remember(&category).await?;
        Ok(category)
    }

    async fn find_category(&self, cx: &Context, name: &str) -> Result<Option<Category>, Error> {
        let filter = rsql::any_of("name", &[name.to_owned()]);
        let hits = self.every_page(cx, CATEGORIES, Privilege::ReadCategories, Some(&filter)).await?;
        Ok(hits.iter().filter_map(category).find(|category| category.name == name))
    }

    async fn read_category(&self, cx: &Context, id: u64) -> Result<Category, Error> {
        let call = Call::get(format!("{CATEGORIES}/{id}")).needs(Privilege::ReadCategories);
        let answer = self.send(cx, &call).await?;
        let expected = "a category";
        category(&answer.json(expected)?).ok_or_else(|| answer.lacks(expected, "id and name"))
    }
}

fn category(json: &Value) -> Option<Category> {
    Some(Category { id: wire::number(json, "id")?, name: wire::text(json, "name")?.to_owned() })
}

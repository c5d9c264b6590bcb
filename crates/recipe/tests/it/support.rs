//! Recipes in a temporary folder, and reports without the folder's name.

use pipeline::{Env, Input, Key, Origin, Output, Spec, Value, keys};
use recipe::{Chain, Checked, Faults, Library};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Steps in the manner of the real ones.
pub static FIND: Spec = Spec {
    name: "find-package",
    summary: "",
    docs: "",
    writes: false,
    inputs: &[
        Input::required(keys::PKG_PATH, ""),
        Input::optional(keys::PKG_NAME, "").also(&["package_name"]),
    ],
    outputs: &[Output::planned(keys::PACKAGE_FOUND, ""), Output::planned(keys::PACKAGE_ID, "")],
};
pub static COMPARE: Spec = Spec {
    name: "compare-hash",
    summary: "",
    docs: "",
    writes: false,
    inputs: &[
        Input::required(keys::PKG_PATH, ""),
        Input::required(keys::PACKAGE_FOUND, ""),
        Input::with_default(keys::FORCE, pipeline::Default::Flag(false), ""),
    ],
    outputs: &[Output::planned(keys::VERDICT, ""), Output::planned(keys::PKG_MD5, "")],
};
pub static UPLOAD: Spec = Spec {
    name: "s3-upload",
    summary: "",
    docs: "",
    writes: true,
    inputs: &[
        Input::required(keys::PKG_PATH, ""),
        Input::required(keys::VERDICT, ""),
        Input::required(keys::JCDS_SECRET_ACCESS_KEY, "").at_apply(),
    ],
    outputs: &[Output::applied(LOCATION, ""), Output::planned(keys::PKG_UPLOADED, "")],
};
pub static METADATA: Spec = Spec {
    name: "package-metadata",
    summary: "",
    docs: "",
    writes: true,
    inputs: &[
        Input::optional(keys::PKG_CATEGORY, ""),
        Input::optional(keys::PKG_NOTES, ""),
        Input::optional(keys::PKG_PRIORITY, ""),
        Input::optional(keys::REBOOT_REQUIRED, ""),
        Input::optional(TAGS, ""),
    ],
    outputs: &[],
};
pub static NOTIFY: Spec = Spec {
    name: "notify",
    summary: "",
    docs: "",
    writes: true,
    inputs: &[Input::required(LOCATION, ""), Input::optional(MESSAGE, "").at_apply()],
    outputs: &[Output::planned(TAGS, "")],
};
pub const SPECS: &[&Spec] = &[&FIND, &COMPARE, &UPLOAD, &METADATA, &NOTIFY];

const LOCATION: Key<String> = Key::new("location");
const MESSAGE: Key<String> = Key::new("message");
const TAGS: Key<Vec<String>> = Key::new("tags");

/// A folder of recipe files.
pub struct Folder(TempDir);

impl Folder {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text.as_bytes());
        }
        folder
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// Loads by path, with the folder itself as search folder.
    pub fn load(&self, name: &str) -> Result<Chain, Faults> {
        self.library().load(&self.path(name).to_string_lossy())
    }

    pub fn library(&self) -> Library {
        Library { search_dirs: vec![self.root().to_owned()], ..Library::default() }
    }

    pub fn check(&self, name: &str) -> Result<Checked, Faults> {
        self.check_with(name, &Env::new(), &Env::new())
    }

    pub fn check_with(&self, name: &str, settings: &Env, command_line: &Env) -> Result<Checked, Faults> {
        recipe::check(&self.load(name)?, SPECS, settings, command_line)
    }

    /// A report as a person would see it from inside the folder.
    pub fn shown(&self, faults: &Faults) -> String {
        let root = self.root().display().to_string();
        faults.to_string().replace(&format!("{root}/"), "").replace(&root, ".")
    }

    /// The report of a check that must fail.
    pub fn report(&self, name: &str) -> String {
        self.shown(&self.check(name).expect_err("the recipe is faulty"))
    }
}

pub fn env(entries: &[(&str, &str)], origin: &Origin) -> Env {
    let mut env = Env::new();
    for (name, text) in entries {
        env.insert(name, Value::String((*text).to_owned()), origin.clone(), false);
    }
    env
}

/// The report on one YAML recipe.
pub fn report(yaml: &str) -> String {
    Folder::new(&[("r.recipe.yaml", yaml)]).report("r.recipe.yaml")
}

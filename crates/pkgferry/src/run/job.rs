use crate::servers::Target;
use crate::settings::{PLACED, is_place};
use fingerprint::FileIdentity;
use pipeline::{Diagnose, Env, FailureKind, FileName, Key, Origin, Spec, StepRef, keys, name_key};
use recipe::{Chain, Checked, Fault, Faults, Problem};
use report::Subject;
use runner::{NeededFile, Registry, Report};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const VERSION: Key<String> = Key::new("version");
/// What the package holds, in recipes of AutoPkg.
const NAME: Key<String> = Key::new("NAME");

/// A recipe as the command line names it, what became of reading it, and the server that it runs for.
pub struct Job {
    /// As it was typed.
    pub name: String,
    /// The server, and what wins over the recipe's Input.
    pub target: Target,
    chain: Arc<Result<Chain, Faults>>,
}

impl Job {
    /// A recipe, `name` as it was typed. `values` win over its Input, and over what else is given.
    pub fn new(
        name: impl Into<String>,
        chain: Arc<Result<Chain, Faults>>,
        target: &Target,
        values: &Env,
    ) -> Self {
        let mut target = target.clone();
        target.overrides.overlay(values);
        Self { name: name.into(), chain, target }
    }

    /// A recipe of a list. What the list says wins over its Input; what the command line and the environment say wins over the
    /// list.
    pub fn of_list(
        name: impl Into<String>,
        chain: Arc<Result<Chain, Faults>>,
        target: &Target,
        variables: &Env,
    ) -> Self {
        let mut overrides = variables.clone();
        overrides.overlay(&target.overrides);
        Self { name: name.into(), chain, target: Target { overrides, ..target.clone() } }
    }

    /// Holds the recipe against what the processors declare. Nothing is asked of anybody.
    pub fn checked<T>(&self, specs: &[&'static Spec], refused: impl Fn(&Faults) -> T) -> Result<Checked, T> {
        match &*self.chain {
            Ok(chain) => recipe::check(chain, specs, &self.target.preferences, &self.target.overrides)
                .and_then(|checked| Faults::or(secrets_elsewhere(chain, &checked), checked))
                .map_err(|faults| refused(&faults)),
            Err(faults) => Err(refused(faults)),
        }
    }

    /// Makes it ready to run, or gives the report of one that cannot.
    pub fn check(self, dry_run: bool, registry: &Registry) -> Ready {
        let refused = |faults: &Faults| Box::new(Report::refused(self.name.clone(), dry_run, faults));
        let checked = self.checked(&registry.specs(), refused);
        let Self { name, target: Target { name: server, .. }, .. } = self;
        let known = checked.as_ref().ok().map(runner::known).unwrap_or_default();
        let file = keys::file_name(&known).ok();
        // A path that cannot be looked at is told by the step that needs it.
        let path = known.get(keys::PKG_PATH).ok().flatten();
        let identity = path.as_ref().and_then(|path| FileIdentity::of(path).ok());
        let subject = Subject {
            server: server.clone(),
            file: file.as_ref().map(ToString::to_string),
            pkg_version: known.get(VERSION).ok().flatten(),
            size: identity.map(|identity| identity.size),
            package_id: None,
            product: known.get(NAME).ok().flatten(),
            category: known.get(keys::PKG_CATEGORY).ok().flatten().filter(|category| !category.is_empty()),
            display_name: known.get(keys::PKG_DISPLAY_NAME).ok().flatten().filter(|name| !name.is_empty()),
            local_path: path.map(|path| path.display().to_string()),
        };
        Ready { name, server, file, subject, checked }
    }
}

/// Where the recipe itself says where a secret is kept, and nobody wins over it. It is not asked for: whoever wrote the recipe is not who
/// signs in, and might have a program run, or a secret brought to a server of their own. Sent as it stands, a server would only say that
/// it is wrong.
fn secrets_elsewhere(chain: &Chain, checked: &Checked) -> Vec<Fault> {
    let placed = PLACED.iter().filter_map(|key| {
        let entry = checked.env.entry(key.name())?;
        let is_own = matches!(entry.origin(), Origin::Input(_)) && is_place(entry.value());
        is_own.then(|| Fault {
            place: chain.input.get(key.name()).map(|located| located.place.clone()),
            step: None,
            problem: Problem::SecretElsewhere(key.name().to_owned()),
            hint: Some(
                "say it in the settings file, in a list of recipes or in the environment instead".to_owned(),
            ),
        })
    });
    placed.collect()
}

/// A recipe that was checked.
pub struct Ready {
    /// As it was typed.
    pub name: String,
    /// The server's name in the settings.
    pub server: Option<String>,
    /// The file that it carries, if that is known before it runs.
    pub file: Option<FileName>,
    /// What is known of its package.
    pub subject: Subject,
    /// The recipe; the report of one that is faulty.
    pub checked: Result<Checked, Box<Report>>,
}

impl Ready {
    /// Whether the recipe writes to the server.
    pub fn writes(&self) -> bool {
        self.checked.as_ref().is_ok_and(|checked| checked.steps.iter().any(|step| step.spec.writes))
    }

    /// What decides which shard it belongs to: the name of its file, else its own, so that one shard tells of what is wrong with
    /// it.
    pub fn shard_name(&self) -> Option<FileName> {
        let own = || self.name.rsplit(['/', '\\']).next().and_then(|name| name.parse().ok());
        self.file.clone().or_else(own)
    }
}

/// Several recipes carry different files under one name. Whichever came last would stay.
#[derive(Clone, Debug, thiserror::Error)]
#[error("several recipes of this run carry {file}, and from different files: {}; none of them is carried", .paths.join(", "))]
pub struct Contested {
    file: FileName,
    paths: Vec<String>,
}

impl Diagnose for Contested {
    fn kind(&self) -> FailureKind {
        FailureKind::Recipe
    }
    fn hint(&self) -> Option<String> {
        Some("leave out all of these recipes but one, or give one another pkg_name".into())
    }
}

/// What a recipe carries, and where to.
pub struct Carried {
    address: Option<String>,
    file: FileName,
    path: String,
}

impl Carried {
    /// By a recipe that writes, as far as it is known before it runs.
    pub fn by(checked: &Checked) -> Option<Self> {
        let known = runner::known(checked);
        let path = known.get(keys::PKG_PATH).ok().flatten()?.display().to_string();
        let writes = checked.steps.iter().any(|step| step.spec.writes);
        let address = checked.env.get(keys::JSS_URL).ok().flatten();
        keys::file_name(&known).ok().filter(|_| writes).map(|file| Self { address, file, path })
    }
}

/// Recipes for one server that would replace each other's file, in every run anew: by their places among all.
pub fn contested(all: &[Option<Carried>]) -> Vec<(usize, Contested)> {
    let mut carriers: HashMap<_, Vec<(usize, &Carried)>> = HashMap::new();
    for (place, carried) in all.iter().enumerate() {
        if let Some(carried) = carried {
            let key = (carried.address.as_deref(), name_key(carried.file.as_str()));
            carriers.entry(key).or_default().push((place, carried));
        }
    }
    let mut contested = Vec::new();
    for carriers in carriers.into_values() {
        let real = |path: &String| std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let paths: BTreeMap<_, _> =
            carriers.iter().map(|(_, carried)| (real(&carried.path), carried.path.clone())).collect();
        if paths.len() > 1 {
            let paths: Vec<String> = paths.into_values().collect();
            let told = |carried: &Carried| Contested { file: carried.file.clone(), paths: paths.clone() };
            contested.extend(carriers.into_iter().map(|(place, carried)| (place, told(carried))));
        }
    }
    contested
}

/// Refuses recipes for one server that would replace each other's file.
pub fn refuse_contested(all: &mut [Ready], dry_run: bool) {
    let carried: Vec<_> = all.iter().map(|ready| ready.checked.as_ref().ok().and_then(Carried::by)).collect();
    for (place, why) in contested(&carried) {
        let ready = &mut all[place];
        ready.checked = Err(Box::new(Report::not_run(ready.name.clone(), dry_run, &why)));
    }
}

/// The first file that is not there and without which a step would fail; why, and the step.
pub fn missing_file(checked: &Checked) -> Option<(StepRef, fingerprint::Error)> {
    let missing = |file: NeededFile| FileIdentity::of(&file.path).err().map(|error| (file.step, error));
    runner::needed_files(checked).into_iter().find_map(missing)
}

use crate::check::{Violation, Wrong};
use crate::schema::Schema;
use sandbox::{Config, Exchange, Observer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The same server, whose every exchange is held against the schema of its version. What is wrong, in a request or in an
/// answer, is a panic when the server is dropped.
///
/// A configuration without a valid version stays as it is: its server does not start.
#[must_use]
pub fn watched(config: Config) -> Config {
    with(config, Judged::Both)
}

/// The same for tests that make wrong requests on purpose: a request counts only where the server did as it was told.
#[must_use]
pub fn watched_for_its_answers(config: Config) -> Config {
    with(config, Judged::AnswersAndWhatTheyAccept)
}

fn with(mut config: Config, judged: Judged) -> Config {
    if let Some(schema) = schema_of(&config) {
        config.observer = Some(Arc::new(Watch { schema, judged, found: Mutex::default() }));
    }
    config
}

/// Schemas by the version, and by whether JCDS calls were taken away from it.
type Schemas = HashMap<(String, bool), Arc<Schema>>;

/// Reading a schema takes longer than most tests, so that each is read once.
fn schema_of(config: &Config) -> Option<Arc<Schema>> {
    static READ: OnceLock<Mutex<Schemas>> = OnceLock::new();
    let key = (config.version.clone(), config.jcds_gone.is_some());
    let mut read = READ.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = read.get(&key) {
        return Some(Arc::clone(schema));
    }
    let schema = Arc::new(Schema::of(config).ok()?);
    read.insert(key, Arc::clone(&schema));
    Some(schema)
}

/// What counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Both,
    /// Wrong requests that are refused do not count.
    AnswersAndWhatTheyAccept,
}

#[derive(Debug)]
struct Watch {
    schema: Arc<Schema>,
    judged: Judged,
    /// Each once, in the order in which they came.
    found: Mutex<Vec<Violation>>,
}

impl Watch {
    fn counts(&self, violation: &Violation) -> bool {
        match self.judged {
            Judged::Both => true,
            // Servers pass over parameters that they do not know.
            Judged::AnswersAndWhatTheyAccept => match violation.wrong {
                Wrong::UnknownParameter { .. } => false,
                _ => !violation.is_of_request() || violation.status < 400,
            },
        }
    }

    /// What was found and not told yet, as text.
    fn report(&self) -> Option<String> {
        let found = std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner));
        let lines = found.iter().map(|violation| format!("\n  {violation}")).collect::<String>();
        let version = self.schema.version();
        (!found.is_empty()).then(|| format!("not as the schema of Jamf Pro {version} has it:{lines}"))
    }

    fn tell(&self) {
        let Some(report) = self.report() else { return };
        // A second panic would end the process and hide the first one.
        if std::thread::panicking() { eprintln!("{report}") } else { panic!("{report}") }
    }
}

impl Observer for Watch {
    fn on(&self, exchange: &Exchange) {
        let violations = self.schema.violations(exchange);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for violation in violations.into_iter().filter(|violation| self.counts(violation)) {
            if !found.contains(&violation) {
                found.push(violation);
            }
        }
    }

    fn finish(&self) {
        self.tell();
    }
}

/// Requests that were under way when the server was dropped are heard of later.
impl Drop for Watch {
    fn drop(&mut self) {
        self.tell();
    }
}

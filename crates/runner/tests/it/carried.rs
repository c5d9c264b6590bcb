//! Batches of the shipped recipe with its real steps, over the rehearsal server.

use futures_util::stream;
use jamf::{Listing, Sessions};
use pipeline::{Access, Boundary, Context, Env, Gate, Origin, Silent, SimulatedClock, Status, Value, keys};
use recipe::Library;
use runner::{Batch, Claim, Item, Job, Registry, Report};
use sandbox::{Config, Sandbox};
use serde_json::json;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A server and local packages `000.pkg`, `001.pkg`, …
struct Night {
    sandbox: Sandbox,
    clock: Arc<SimulatedClock>,
    folder: TempDir,
}

/// What one run of the program has.
struct Run {
    sessions: Arc<Sessions>,
    registry: Arc<Registry>,
}

fn places(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

impl Run {
    fn new() -> Self {
        let config = jamf::Config { listing: Listing::Whole, ..jamf::Config::default() };
        let sessions = Arc::new(Sessions::new(config).unwrap());
        let mut memory = s3_upload::Memory::of_one_run().unwrap();
        memory.digests = memory.digests.behind(Gate::new(places(2)));
        let (digests, state) = (memory.digests.clone(), memory.state.clone());
        let mut registry = Registry::default();
        registry.register(choose_route::ChooseRoute::new(sessions.clone())).unwrap();
        registry.register(find_package::FindPackage::new(sessions.clone())).unwrap();
        registry.register(compare_hash::CompareHash::new(digests.clone())).unwrap();
        registry.register(jcds_credentials::JcdsCredentials::new(sessions.clone(), state)).unwrap();
        registry.register(s3_upload::S3Upload::new(sessions.clone(), memory)).unwrap();
        registry.register(package_metadata::PackageMetadata::new(sessions.clone())).unwrap();
        let onto_record = package_upload::PackageUpload::new(sessions.clone(), digests.clone());
        registry.register(onto_record).unwrap();
        registry.register(verify_delivery::VerifyDelivery::new(sessions.clone(), digests)).unwrap();
        Self { sessions, registry: Arc::new(registry) }
    }
}

impl Night {
    async fn with(packages: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T01:00:00Z".parse().unwrap()));
        let config = Config::new(folder.path().join("server"), clock.clone());
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        let night = Self { sandbox, clock, folder };
        night.sandbox.put_category("Apps");
        for number in 0..packages {
            let (name, bytes) = (name(number), bytes(number));
            night.write(number, &bytes);
            night.sandbox.put_package(json!({ "packageName": name, "fileName": name }));
            night.sandbox.put_file(&name, &bytes);
        }
        night.sandbox.clear_journal();
        night
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.path().join(name(number))
    }

    fn write(&self, number: usize, bytes: &[u8]) {
        std::fs::write(self.path(number), bytes).unwrap();
    }

    fn context(&self) -> Context {
        let boundary = Arc::new(Boundary::new(Access::ReadWrite));
        Context::new(self.clock.clone(), boundary, Arc::new(Silent), Default::default())
    }

    fn item(&self, run: &Run, number: usize) -> Item {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/upload-package.recipe.yaml");
        let source = recipe::Source { bytes: std::fs::read(&path).unwrap(), path };
        let chain = Library::default().load_source(&source).unwrap();
        let mut values = self.sandbox.env();
        values.set(keys::PKG_PATH, self.path(number), Origin::CommandLine);
        values.insert("pkg_category", Value::String("Apps".into()), Origin::CommandLine, false);
        let checked = recipe::check(&chain, &run.registry.specs(), &Env::new(), &values).unwrap();
        Item {
            name: name(number),
            claim: Some(Claim::new("s", name(number).parse().unwrap())),
            work: Ok(Job { checked, registry: run.registry.clone(), cx: self.context() }),
        }
    }

    /// Carries these packages.
    async fn carry(&self, run: &Run, jobs: usize, numbers: impl IntoIterator<Item = usize>) -> Vec<Report> {
        let items = numbers.into_iter().map(|number| self.item(run, number));
        let batch = Batch { jobs: places(jobs), senders: places(2), dry_run: false };
        batch.run(stream::iter(items), &self.context(), |_, _| {}).await
    }

    /// How often each request was made since the last time, with a star for what names one package.
    fn requests(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for seen in self.sandbox.journal() {
            let path = seen.path.split('?').next().unwrap_or_default();
            let part = |part: &str| {
                let is_one = part.starts_with(|first: char| first.is_ascii_digit()) || part.ends_with(".pkg");
                if is_one { "*".to_owned() } else { part.to_owned() }
            };
            let path: Vec<_> = path.split('/').map(part).collect();
            let side = if seen.side == sandbox::Side::S3 { "s3" } else { "jamf" };
            let line = match side {
                "s3" => format!("{} s3", seen.method),
                _ => format!("{} {}", seen.method, path.join("/")),
            };
            *counts.entry(line).or_default() += 1;
        }
        self.sandbox.clear_journal();
        counts
    }

    /// The server has one file of each name, with these bytes, and no twin of any.
    fn assert_holds(&self, expected: &BTreeMap<String, Vec<u8>>) {
        let names: Vec<_> = self.sandbox.files().into_iter().map(|file| file.name).collect();
        assert_eq!(names.len(), expected.len(), "{names:?}");
        assert!(expected.iter().all(|(name, bytes)| self.sandbox.bytes_of(name).as_ref() == Some(bytes)));
        assert_eq!(self.sandbox.open_uploads(), Vec::<String>::new());
    }
}

fn name(number: usize) -> String {
    format!("{number:03}.pkg")
}

fn bytes(number: usize) -> Vec<u8> {
    format!("the bytes of {number}").into_bytes()
}

fn shown(counts: &BTreeMap<String, usize>) -> String {
    counts.iter().map(|(line, count)| format!("{count} {line}")).collect::<Vec<_>>().join("\n")
}

fn count(reports: &[Report], status: Status) -> usize {
    reports.iter().filter(|report| report.status == status).count()
}

#[tokio::test]
async fn of_a_hundred_packages_five_that_changed_cost_requests() {
    let night = Night::with(100).await;
    let run = Run::new();
    // So that the records have their category, and nothing else is left to do.
    night.carry(&run, 8, 0..100).await;
    run.sessions.close(&night.context()).await;
    night.requests();

    let run = Run::new();
    let reports = night.carry(&run, 8, 0..100).await;
    run.sessions.close(&night.context()).await;
    let failures: Vec<_> = reports.iter().filter_map(|report| report.failure.as_ref()).collect();
    assert_eq!((count(&reports, Status::Skipped), failures), (100, vec![]));
    let requests = night.requests();
    insta::assert_snapshot!(shown(&requests), @"
    1 GET /api/schema/
    1 GET /api/v1/categories
    1 GET /api/v1/cloud-distribution-point
    1 GET /api/v1/cloud-distribution-point/upload-capability
    1 GET /api/v1/jamf-pro-version
    1 GET /api/v1/jcds/files
    1 GET /api/v1/packages
    1 POST /api/v1/auth/invalidate-token
    1 POST /api/v1/oauth/token
    ");
    let unchanged: usize = requests.values().sum();
    assert!(unchanged <= 12);

    let mut expected: BTreeMap<_, _> = (0..100).map(|number| (name(number), bytes(number))).collect();
    for number in [3, 20, 50, 51, 99] {
        let new = format!("other bytes of {number}").into_bytes();
        night.write(number, &new);
        expected.insert(name(number), new);
    }
    let run = Run::new();
    let reports = night.carry(&run, 8, 0..100).await;
    run.sessions.close(&night.context()).await;
    let failures: Vec<_> = reports.iter().filter_map(|report| report.failure.as_ref()).collect();
    assert_eq!(failures, Vec::<&runner::FailureReport>::new());
    assert_eq!((count(&reports, Status::Skipped), count(&reports, Status::Replaced)), (95, 5));
    night.assert_holds(&expected);
    // Side by side they share some lists, so that the number differs from run to run.
    let requests = night.requests();
    let lists = requests["GET /api/v1/jcds/files"];
    let total: usize = requests.values().sum();
    assert!(lists <= 1 + 5 * 5 && total <= unchanged + 5 * 12, "{total}:\n{}", shown(&requests));
    assert_eq!(requests["GET /api/v1/packages"], 1, "the listing is made once");
}

/// Runs at other machines have listed the server too, and are faster. Each of ours is about one package: what one of them sees at
/// its commit would be news to the next.
#[tokio::test]
async fn two_machines_with_one_list_end_in_one_file_each() {
    let night = Night::with(4).await;
    let numbers = [1, 2, 4, 5];
    let (theirs, ours) = (Run::new(), numbers.map(|number| (Run::new(), number)));
    // What is listed here is all that each believes from now on.
    for run in ours.iter().map(|(run, _)| run).chain([&theirs]) {
        let reports = night.carry(run, 2, [0]).await;
        assert_eq!(count(&reports, Status::Failed), 0);
    }
    for number in [1, 2] {
        night.write(number, b"new bytes");
    }
    // These were not there when they listed.
    for number in [4, 5] {
        night.write(number, b"a new package");
    }
    let first = night.carry(&theirs, 2, numbers).await;
    assert_eq!((count(&first, Status::Replaced), count(&first, Status::Created)), (2, 2));

    night.write(2, b"another release");
    night.write(5, b"another release of a new package");
    let mut story = Vec::new();
    for (run, number) in &ours {
        let report = night.carry(run, 2, [*number]).await.remove(0);
        story.push(
            report.failure.map_or_else(|| format!("{number} {:?}", report.status), |failure| failure.message),
        );
    }
    // The same bytes count as carried, other bytes are left to a person.
    insta::assert_snapshot!(story.join("\n"), @"
    1 Replaced
    the 002.pkg on the server changed after the plan was made; it was left alone, and the new one was not put in place
    4 Created
    005.pkg appeared on the server after the plan was made; it was left alone, and the new one was not put in place
    ");
    let mut expected: BTreeMap<_, _> = [0, 3].map(|number| (name(number), bytes(number))).into();
    expected.extend([1, 2].map(|number| (name(number), b"new bytes".to_vec())));
    expected.extend([4, 5].map(|number| (name(number), b"a new package".to_vec())));
    night.assert_holds(&expected);

    // Each finds now what is there, without being told of it.
    let mut statuses = Vec::new();
    for (run, number) in &ours {
        let report = night.carry(run, 2, [*number]).await.remove(0);
        assert_eq!(report.failure, None);
        statuses.push(report.status);
    }
    insta::assert_debug_snapshot!(statuses, @"
    [
        Skipped,
        Replaced,
        Skipped,
        Replaced,
    ]
    ");
    expected.insert(name(2), b"another release".to_vec());
    expected.insert(name(5), b"another release of a new package".to_vec());
    night.assert_holds(&expected);
    assert_eq!(night.sandbox.packages().len(), 6, "nor is there a second record of any");
}

use crate::command::{Extra, arguments};
use crate::error::Error;
use crate::exit;
use crate::quote::shell;
use crate::request::{Request, below, need_absolute};
use crate::target::{Kind, UnitFile, Written};
use crate::text::{FilePath, Image, KubernetesName};
use crate::yaml;
use serde_json::{Value, json};

/// What only Kubernetes wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubernetes {
    /// The image that holds the program.
    pub image: Image,
    /// The namespace; without it that of whoever applies the manifest.
    pub namespace: Option<KubernetesName>,
    /// The Secret with an entry for each secret, named like it. If the request names none, all of its entries become
    /// variables.
    pub secret: Option<KubernetesName>,
    /// The ConfigMap with settings file and recipes; mounted on [`CONFIG_FOLDER`], which relative paths start from unless the
    /// request has a folder.
    pub config: Option<KubernetesName>,
    /// The claim of the volume with package files; mounted on [`PACKAGES_FOLDER`], for reading.
    pub packages: Option<KubernetesName>,
    /// The claim of a volume for what is remembered between runs and for the report; without it, every run begins without a
    /// memory and leaves no report behind.
    pub state: Option<KubernetesName>,
}

impl Kubernetes {
    /// With an image and nothing else.
    #[must_use]
    pub fn new(image: Image) -> Self {
        Self { image, namespace: None, secret: None, config: None, packages: None, state: None }
    }
}

/// Where the ConfigMap is in the container.
pub const CONFIG_FOLDER: &str = "/etc/pkgferry";
/// Where package files are in the container.
pub const PACKAGES_FOLDER: &str = "/packages";
const STATE: &str = "/var/lib/pkgferry";
const TMP: &str = "/tmp";
/// A user and group that images without a shell use for what is not root.
const NOBODY: u32 = 65_532;

/// A CronJob that starts an Indexed Job (<https://kubernetes.io/docs/concepts/workloads/controllers/job/>).
pub(crate) fn write(request: &Request, options: &Kubernetes) -> Result<Written, Error> {
    request.refuse_user(Kind::Kubernetes, "the container runs as a user without rights")?;
    if !request.secrets.is_empty() && options.secret.is_none() {
        return Err(Error::NoKubernetesSecret);
    }
    let state = request.state.as_ref().map_or(STATE, FilePath::as_str);
    if let Some(path) = &request.state {
        need_absolute(Kind::Kubernetes, "the state folder", path)?;
    }
    check_logs(request, options, state)?;
    let request = &in_container(request, options)?;
    let comment =
        format!("Written by `pkgferry schedule kubernetes`: packages into Jamf Cloud ({}).", request.name);
    let text = yaml::write(Kind::Kubernetes, &comment, &cron_job(request, options, state))?;
    let name = format!("{}.yaml", request.unit());
    let install = install(request, options, &name) + &merging(request, options, state);
    Ok(Written { files: vec![UnitFile { name, text }], words: words(request, options, state), install })
}

/// A pod's files end with it; only the state may be on a volume.
fn check_logs(request: &Request, options: &Kubernetes, state: &str) -> Result<(), Error> {
    let Some(logs) = &request.logs else { return Ok(()) };
    let parent = format!("{}/", state.trim_end_matches('/'));
    if options.state.is_some() && logs.as_str().starts_with(&parent) && !logs.as_str().contains("/..") {
        return Ok(());
    }
    let why = "files end with the pod, except below the state folder on a claim; what a run prints is kept by the cluster";
    Err(Error::Unsupported { kind: Kind::Kubernetes, what: "such log folder", why })
}

/// The request with paths as they are in the container. What is relative is in the working folder if there is one, else in the
/// ConfigMap, which has no folders in it; nobody knows where an image starts.
fn in_container(request: &Request, options: &Kubernetes) -> Result<Request, Error> {
    let mut placed = request.clone();
    if let Some(folder) = &request.folder {
        need_absolute(Kind::Kubernetes, "the working folder", folder)?;
        return Ok(placed);
    }
    if options.config.is_some() {
        placed.folder = Some(CONFIG_FOLDER.parse()?);
    }
    let paths = [("the recipe list", &mut placed.list), ("the settings file", &mut placed.settings)];
    for (what, place) in paths {
        let Some(path) = place else { continue };
        let name = path.as_str().trim_start_matches("./");
        match &options.config {
            _ if name.starts_with('/') => {}
            Some(_) if !name.contains('/') => *place = Some(below(CONFIG_FOLDER, name).parse()?),
            Some(_) => {
                let why = "a ConfigMap holds files and no folders";
                return Err(Error::CannotSay { kind: Kind::Kubernetes, what, why });
            }
            None => need_absolute(Kind::Kubernetes, what, path)?,
        }
    }
    Ok(placed)
}

fn cron_job(request: &Request, options: &Kubernetes, state: &str) -> Value {
    let unit = request.unit();
    let count = request.shards.get();
    let labels = json!({"app.kubernetes.io/name": "pkgferry", "app.kubernetes.io/instance": unit});
    let mut metadata = json!({"name": unit, "labels": labels});
    if let Some(namespace) = &options.namespace {
        metadata["namespace"] = json!(namespace.as_str());
    }
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata,
        "spec": {
            "schedule": request.recurrence.cron(),
            "timeZone": request.time_zone.as_ref().map_or("Etc/UTC", |zone| zone.as_str()),
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 5,
            "jobTemplate": {
                "metadata": {"labels": labels},
                "spec": {
                    "completionMode": "Indexed",
                    "completions": count,
                    "parallelism": count,
                    // A shard that failed is tried again, and the others go on; the same mistake is not made twice.
                    "backoffLimitPerIndex": 2,
                    "podFailurePolicy": {"rules": [
                        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                        {"action": "FailIndex", "onExitCodes": {
                            "containerName": "pkgferry",
                            "operator": "In",
                            "values": [exit::RECIPE, exit::ACCESS, exit::UNVERIFIED, exit::DEADLINE, exit::USAGE]
                        }}
                    ]},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": pod(request, options, state)
                    }
                }
            }
        }
    })
}

fn pod(request: &Request, options: &Kubernetes, state: &str) -> Value {
    let mut container = json!({
        "name": "pkgferry",
        "image": options.image.as_str(),
        "command": [literal(request.program.as_str())],
        "args": words(request, options, state).iter().map(|word| literal(word)).collect::<Vec<_>>()
    });
    if let Some(folder) = &request.folder {
        container["workingDir"] = json!(folder.as_str());
    }
    container["env"] = environment(request, options);
    if let (Some(secret), true) = (&options.secret, request.secrets.is_empty()) {
        container["envFrom"] = json!([{"secretRef": {"name": secret.as_str()}}]);
    }
    container["resources"] = json!({
        "requests": {"cpu": "500m", "memory": "128Mi"},
        "limits": {"memory": "512Mi"}
    });
    container["securityContext"] = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]}
    });
    let (mounts, volumes) = volumes(options, state);
    container["volumeMounts"] = mounts;
    json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        // SIGTERM ends a run in order, with its report.
        "terminationGracePeriodSeconds": 120,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "fsGroup": NOBODY,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"}
        },
        "containers": [container],
        "volumes": volumes
    })
}

fn words(request: &Request, options: &Kubernetes, state: &str) -> Vec<String> {
    let reports = report_folder(request, options, state).map(|folder| request.reports(folder));
    let extra = Extra {
        state: Some(state),
        shard: Some("auto".to_owned()),
        reports: reports.unwrap_or_default(),
        ..Extra::default()
    };
    arguments(request, &extra)
}

/// Without a claim nobody could read a report: the folder ends with the pod.
fn report_folder<'r>(request: &'r Request, options: &Kubernetes, state: &'r str) -> Option<&'r str> {
    let on_claim = options.state.as_ref().map(|_| state);
    request.logs.as_ref().map(FilePath::as_str).or(on_claim)
}

/// How the reports of all pods become one: each shard has a folder of its own on the volume.
fn merging(request: &Request, options: &Kubernetes, state: &str) -> String {
    let (unit, count) = (request.unit(), request.shards.get());
    match (report_folder(request, options, state), &options.state) {
        (Some(folder), Some(claim)) if count > 1 => {
            let folder = folder.strip_prefix(state.trim_end_matches('/')).unwrap_or_default();
            let folder = folder.trim_matches('/');
            let inner = if folder.is_empty() { String::new() } else { format!("{}/", shell(folder)) };
            format!(
                "\nOne report of all {count} shards, from the top of the volume of {claim}, wherever that is mounted:\n  \
                 pkgferry report merge shard-*/{inner}{unit}.json --output {unit}.html\n"
            )
        }
        _ => String::new(),
    }
}

/// A word of `command` or `args`: there `$(NAME)` is replaced and `$$` is a dollar sign.
fn literal(word: &str) -> String {
    word.replace('$', "$$")
}

/// Kubernetes tells which pod of an Indexed Job this is, and not how many there are.
fn environment(request: &Request, options: &Kubernetes) -> Value {
    let count = json!({"name": "PKGFERRY_SHARD_COUNT", "value": request.shards.get().to_string()});
    let secret = options.secret.as_ref().map_or("", |secret| secret.as_str());
    let secrets = request.secrets.iter().map(|name| {
        json!({
            "name": name.as_str(),
            "valueFrom": {"secretKeyRef": {"name": secret, "key": name.as_str()}}
        })
    });
    std::iter::once(count).chain(secrets).collect()
}

fn volumes(options: &Kubernetes, state: &str) -> (Value, Value) {
    let mut mounts = vec![
        match options.state {
            // Shards of one volume each have a folder of their own: SQLite files are not shared between machines.
            Some(_) => {
                json!({"name": "state", "mountPath": state, "subPathExpr": "shard-$(JOB_COMPLETION_INDEX)"})
            }
            None => json!({"name": "state", "mountPath": state}),
        },
        json!({"name": "tmp", "mountPath": TMP}),
    ];
    let mut volumes = vec![
        match &options.state {
            Some(claim) => json!({"name": "state", "persistentVolumeClaim": {"claimName": claim.as_str()}}),
            None => json!({"name": "state", "emptyDir": {}}),
        },
        json!({"name": "tmp", "emptyDir": {}}),
    ];
    if let Some(config) = &options.config {
        mounts.push(json!({"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": true}));
        volumes.push(json!({"name": "config", "configMap": {"name": config.as_str()}}));
    }
    if let Some(claim) = &options.packages {
        mounts.push(json!({"name": "packages", "mountPath": PACKAGES_FOLDER, "readOnly": true}));
        volumes.push(json!({
            "name": "packages",
            "persistentVolumeClaim": {"claimName": claim.as_str(), "readOnly": true}
        }));
    }
    (Value::Array(mounts), Value::Array(volumes))
}

fn install(request: &Request, options: &Kubernetes, name: &str) -> String {
    let namespace = options.namespace.as_ref().map(|name| format!(" -n {name}")).unwrap_or_default();
    let mut text = String::new();
    if let (Some(secret), false) = (&options.secret, request.secrets.is_empty()) {
        text.push_str("The secrets, each from a file without a line break at its end:\n");
        text.push_str(&format!("  kubectl{namespace} create secret generic {secret}"));
        for name in &request.secrets {
            text.push_str(&format!(" --from-file={name}"));
        }
        text.push('\n');
    }
    if let Some(config) = &options.config {
        let name = |path: &FilePath| {
            let name = path.as_str().strip_prefix(CONFIG_FOLDER)?.strip_prefix('/')?;
            (!name.contains('/')).then(|| shell(name))
        };
        let held: Vec<_> = request.list.iter().chain(&request.settings).filter_map(name).collect();
        let held =
            if held.is_empty() { String::new() } else { format!(", with {} in it", held.join(" and ")) };
        text.push_str(&format!(
            "Settings and recipes, from a folder without folders in it{held}; the run finds it as {CONFIG_FOLDER}:\n  \
             kubectl{namespace} create configmap {config} --from-file=FOLDER\n"
        ));
    }
    let unit = request.unit();
    text.push_str(&format!(
        "kubectl{namespace} apply -f {name}\n\n\
         Run it now:      kubectl{namespace} create job --from=cronjob/{unit} {unit}-now\n\
         See what it did: kubectl{namespace} logs -l app.kubernetes.io/instance={unit} --prefix\n\
         Take it away:    kubectl{namespace} delete cronjob {unit}\n\n\
         Needs Kubernetes 1.31 or newer.\n"
    ));
    text + &access_modes(request, options)
}

/// What claims have to allow that several pods mount.
fn access_modes(request: &Request, options: &Kubernetes) -> String {
    let count = request.shards.get();
    let claims = [(&options.state, "ReadWriteMany"), (&options.packages, "ReadOnlyMany or ReadWriteMany")];
    let shared = claims.into_iter().filter(|_| count > 1).filter_map(|(claim, modes)| {
        let claim = claim.as_ref()?;
        Some(format!("The claim {claim} has to be {modes}: the {count} shards run at the same time, on several nodes.\n"))
    });
    shared.collect()
}

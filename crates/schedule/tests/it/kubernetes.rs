//! CronJobs: read as YAML, with the replacing that Kubernetes does afterwards.

use crate::support::{holds, nightly, odd_words, path, shown, text, with_arguments};
use batch::{Scheduler, detect_shard};
use proptest::prelude::*;
use schedule::{Error, Kubernetes, Request, Target, write};
use serde_json::Value;

fn options() -> Kubernetes {
    Kubernetes::new("registry.example.com/pkgferry:1.2@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".parse().unwrap())
}

fn kubernetes() -> Target {
    Target::Kubernetes(options())
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

fn job(manifest: &Value) -> &Value {
    &manifest["spec"]["jobTemplate"]["spec"]
}

fn container(manifest: &Value) -> &Value {
    &job(manifest)["template"]["spec"]["containers"][0]
}

/// `$(NAME)` becomes the variable, if there is one, and `$$` a dollar sign, as in `expansion.go` of Kubernetes.
fn expand(word: &str, variables: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            text.push('$');
            rest = behind;
        } else if let Some((name, behind)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            match variables.iter().find(|(variable, _)| *variable == name) {
                Some((_, value)) => text.push_str(value),
                None => text.push_str(&format!("$({name})")),
            }
            rest = behind;
        } else {
            text.push('$');
        }
    }
    text + rest
}

#[test]
fn a_cron_job() {
    insta::assert_snapshot!(shown(&write(&nightly(), &kubernetes()).unwrap()), @"
    ==> pkgferry-nightly.yaml <==
    # Written by `pkgferry schedule kubernetes`: packages into Jamf Cloud (nightly).
    apiVersion: batch/v1
    kind: CronJob
    metadata:
      name: pkgferry-nightly
      labels:
        app.kubernetes.io/name: pkgferry
        app.kubernetes.io/instance: pkgferry-nightly
    spec:
      schedule: 10 3 * * *
      timeZone: Etc/UTC
      concurrencyPolicy: Forbid
      startingDeadlineSeconds: 3600
      successfulJobsHistoryLimit: 3
      failedJobsHistoryLimit: 5
      jobTemplate:
        metadata:
          labels:
            app.kubernetes.io/name: pkgferry
            app.kubernetes.io/instance: pkgferry-nightly
        spec:
          completionMode: Indexed
          completions: 1
          parallelism: 1
          backoffLimitPerIndex: 2
          podFailurePolicy:
            rules:
            - action: Ignore
              onPodConditions:
              - type: DisruptionTarget
                status: 'True'
            - action: FailIndex
              onExitCodes:
                containerName: pkgferry
                operator: In
                values:
                - 3
                - 4
                - 7
                - 9
                - 64
          template:
            metadata:
              labels:
                app.kubernetes.io/name: pkgferry
                app.kubernetes.io/instance: pkgferry-nightly
            spec:
              restartPolicy: Never
              automountServiceAccountToken: false
              enableServiceLinks: false
              terminationGracePeriodSeconds: 120
              securityContext:
                runAsNonRoot: true
                runAsUser: 65532
                runAsGroup: 65532
                fsGroup: 65532
                fsGroupChangePolicy: OnRootMismatch
                seccompProfile:
                  type: RuntimeDefault
              containers:
              - name: pkgferry
                image: registry.example.com/pkgferry:1.2@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                command:
                - /usr/local/bin/pkgferry
                args:
                - run
                - --state
                - /var/lib/pkgferry
                - --recipe-list
                - /etc/pkgferry/nightly.txt
                - --shard
                - auto
                env:
                - name: PKGFERRY_SHARD_COUNT
                  value: '1'
                resources:
                  requests:
                    cpu: 500m
                    memory: 128Mi
                  limits:
                    memory: 512Mi
                securityContext:
                  allowPrivilegeEscalation: false
                  readOnlyRootFilesystem: true
                  capabilities:
                    drop:
                    - ALL
                volumeMounts:
                - name: state
                  mountPath: /var/lib/pkgferry
                - name: tmp
                  mountPath: /tmp
              volumes:
              - name: state
                emptyDir: {}
              - name: tmp
                emptyDir: {}

    ==> install <==
    kubectl apply -f pkgferry-nightly.yaml

    Run it now:      kubectl create job --from=cronjob/pkgferry-nightly pkgferry-nightly-now
    See what it did: kubectl logs -l app.kubernetes.io/instance=pkgferry-nightly --prefix
    Take it away:    kubectl delete cronjob pkgferry-nightly

    Needs Kubernetes 1.31 or newer.
    ");
}

#[test]
fn all_that_can_be_asked_for() {
    let options = Kubernetes {
        namespace: Some("it".parse().unwrap()),
        secret: Some("jamf".parse().unwrap()),
        config: Some("recipes".parse().unwrap()),
        packages: Some("packages".parse().unwrap()),
        state: Some("state".parse().unwrap()),
        ..options()
    };
    let request = Request {
        shards: "4".parse().unwrap(),
        folder: Some(path("/etc/pkgferry")),
        logs: Some(path("/var/lib/pkgferry/reports")),
        time_zone: Some("Europe/Berlin".parse().unwrap()),
        secrets: vec!["CLIENT_ID".parse().unwrap(), "CLIENT_SECRET".parse().unwrap()],
        ..nightly()
    };
    let written = write(&request, &Target::Kubernetes(options)).unwrap();
    let manifest = read(&written.files[0].text);
    assert_eq!(manifest["metadata"]["namespace"], "it");
    assert_eq!(manifest["spec"]["timeZone"], "Europe/Berlin");
    assert_eq!((&job(&manifest)["completions"], &job(&manifest)["parallelism"]), (&4.into(), &4.into()));
    insta::assert_snapshot!(serde_yaml::to_string(container(&manifest)).unwrap(), @"
    name: pkgferry
    image: registry.example.com/pkgferry:1.2@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    command:
    - /usr/local/bin/pkgferry
    args:
    - run
    - --state
    - /var/lib/pkgferry
    - --recipe-list
    - /etc/pkgferry/nightly.txt
    - --shard
    - auto
    - --report
    - /var/lib/pkgferry/reports/pkgferry-nightly.html
    - --report
    - /var/lib/pkgferry/reports/pkgferry-nightly.json
    workingDir: /etc/pkgferry
    env:
    - name: PKGFERRY_SHARD_COUNT
      value: '4'
    - name: CLIENT_ID
      valueFrom:
        secretKeyRef:
          name: jamf
          key: CLIENT_ID
    - name: CLIENT_SECRET
      valueFrom:
        secretKeyRef:
          name: jamf
          key: CLIENT_SECRET
    resources:
      requests:
        cpu: 500m
        memory: 128Mi
      limits:
        memory: 512Mi
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop:
        - ALL
    volumeMounts:
    - name: state
      mountPath: /var/lib/pkgferry
      subPathExpr: shard-$(JOB_COMPLETION_INDEX)
    - name: tmp
      mountPath: /tmp
    - name: config
      mountPath: /etc/pkgferry
      readOnly: true
    - name: packages
      mountPath: /packages
      readOnly: true
    ");
    insta::assert_snapshot!(serde_yaml::to_string(&job(&manifest)["template"]["spec"]["volumes"]).unwrap(), @"
    - name: state
      persistentVolumeClaim:
        claimName: state
    - name: tmp
      emptyDir: {}
    - name: config
      configMap:
        name: recipes
    - name: packages
      persistentVolumeClaim:
        claimName: packages
        readOnly: true
    ");
    insta::assert_snapshot!(written.install, @"
    The secrets, each from a file without a line break at its end:
      kubectl -n it create secret generic jamf --from-file=CLIENT_ID --from-file=CLIENT_SECRET
    Settings and recipes, from a folder without folders in it, with nightly.txt in it; the run finds it as /etc/pkgferry:
      kubectl -n it create configmap recipes --from-file=FOLDER
    kubectl -n it apply -f pkgferry-nightly.yaml

    Run it now:      kubectl -n it create job --from=cronjob/pkgferry-nightly pkgferry-nightly-now
    See what it did: kubectl -n it logs -l app.kubernetes.io/instance=pkgferry-nightly --prefix
    Take it away:    kubectl -n it delete cronjob pkgferry-nightly

    Needs Kubernetes 1.31 or newer.
    The claim state has to be ReadWriteMany: the 4 shards run at the same time, on several nodes.
    The claim packages has to be ReadOnlyMany or ReadWriteMany: the 4 shards run at the same time, on several nodes.

    One report of all 4 shards, from the top of the volume of state, wherever that is mounted:
      pkgferry report merge shard-*/reports/pkgferry-nightly.json --output pkgferry-nightly.html

    If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
    all shards, nobody notices when one of them is silent.
    ");
}

/// What is relative is in the ConfigMap, which has no folders in it; without one, nobody knows where the container starts.
#[test]
fn files_of_a_config_map() {
    let options = Kubernetes { config: Some("nightly".parse().unwrap()), ..options() };
    let in_map = Target::Kubernetes(options);
    let relative =
        |list: &str| Request { list: Some(path(list)), settings: Some(path("settings.toml")), ..nightly() };
    let written = write(&relative("./nightly.txt"), &in_map).unwrap();
    let manifest = read(&written.files[0].text);
    let args = container(&manifest)["args"].as_array().unwrap();
    let words: Vec<_> = args.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    for (flag, path) in
        [("--settings", "/etc/pkgferry/settings.toml"), ("--recipe-list", "/etc/pkgferry/nightly.txt")]
    {
        assert!(holds(&words, &[flag.to_owned(), path.to_owned()]), "{words:?}");
    }
    assert_eq!(container(&manifest)["workingDir"], "/etc/pkgferry");
    assert!(written.install.contains("with nightly.txt and settings.toml in it"), "{}", written.install);

    let refused = |request: Request, target: &Target| write(&request, target).unwrap_err().to_string();
    insta::assert_snapshot!(refused(relative("lists/nightly.txt"), &in_map), @"the recipe list cannot be written for kubernetes: a ConfigMap holds files and no folders");
    insta::assert_snapshot!(refused(relative("nightly.txt"), &kubernetes()), @r#"the recipe list is "nightly.txt"; kubernetes needs an absolute path"#);
    insta::assert_snapshot!(refused(Request { folder: Some(path("srv")), ..nightly() }, &in_map), @r#"the working folder is "srv"; kubernetes needs an absolute path"#);
    let folder = Request { folder: Some(path("/srv")), ..relative("lists/nightly.txt") };
    assert!(text(&folder, &kubernetes()).contains("workingDir: /srv\n"));
}

/// A report that ends with the pod is none.
#[test]
fn a_report_is_kept_on_the_claim() {
    assert!(!text(&nightly(), &kubernetes()).contains("--report"));
    let options = Kubernetes { state: Some("state".parse().unwrap()), ..options() };
    let written = write(&nightly(), &Target::Kubernetes(options)).unwrap();
    let text = &written.files[0].text;
    assert!(text.contains("- /var/lib/pkgferry/pkgferry-nightly.html\n"), "{text}");
    // One pod may have it for itself.
    assert!(!written.install.contains("ReadWriteMany"), "{}", written.install);
}

/// All of a Secret when the request names none of its entries.
#[test]
fn a_whole_secret() {
    let options = Kubernetes { secret: Some("jamf".parse().unwrap()), ..options() };
    let manifest = read(&text(&nightly(), &Target::Kubernetes(options)));
    assert_eq!(container(&manifest)["envFrom"], serde_json::json!([{"secretRef": {"name": "jamf"}}]));
}

/// Each pod finds its own shard: Kubernetes adds its index, and the manifest how many there are.
#[test]
fn pods_find_their_shards() {
    let manifest = read(&text(&Request { shards: "3".parse().unwrap(), ..nightly() }, &kubernetes()));
    let completions = job(&manifest)["completions"].as_u64().unwrap();
    let variables = container(&manifest)["env"].as_array().unwrap();
    let shards: Vec<_> = (0..completions)
        .map(|index| {
            let value = |name: &str| {
                if name == "JOB_COMPLETION_INDEX" {
                    return Some(index.to_string());
                }
                let variable = variables.iter().find(|variable| variable["name"] == name)?;
                variable["value"].as_str().map(str::to_owned)
            };
            let found = detect_shard(value).unwrap().unwrap();
            assert_eq!(found.scheduler, Scheduler::Kubernetes);
            found.shard.to_string()
        })
        .collect();
    assert_eq!(shards, ["1/3", "2/3", "3/3"]);
}

#[test]
fn what_kubernetes_does_not_have() {
    let refused = |request: Request| write(&request, &kubernetes()).unwrap_err().to_string();
    insta::assert_snapshot!(refused(Request { logs: Some(path("/var/log/pkgferry")), ..nightly() }), @"kubernetes takes no such log folder: files end with the pod, except below the state folder on a claim; what a run prints is kept by the cluster");
    insta::assert_snapshot!(refused(Request { state: Some(path("state")), ..nightly() }), @r#"the state folder is "state"; kubernetes needs an absolute path"#);
    insta::assert_snapshot!(refused(Request { user: Some("root".parse().unwrap()), ..nightly() }), @"kubernetes takes no user: the container runs as a user without rights");
    insta::assert_snapshot!(refused(Request { secrets: vec!["CLIENT_SECRET".parse().unwrap()], ..nightly() }), @"secrets are named, but not the Kubernetes Secret that holds them");
}

/// Kubernetes reads YAML 1.1, where `no` is false and 12:30 is 750; the library writes 1.2 and quotes neither.
#[test]
fn what_older_readers_misread() {
    for word in [
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "n",
        "12:30",
        "1_000",
        "0b11",
        "2026-11-21",
        "=",
        "<<",
        "-1_0",
        "190:20:30.15",
    ] {
        let request =
            Request { recipes: vec![], ..with_arguments(nightly(), &["--key".to_owned(), word.to_owned()]) };
        assert!(matches!(write(&request, &kubernetes()), Err(Error::CannotSay { .. })), "{word}");
    }
    for word in [
        "true",
        "null",
        "~",
        "012",
        "0o17",
        "1e3",
        ".inf",
        "norway",
        "yes please",
        "2026-11-21.pkg",
        "-",
        "--x",
        "+",
        "0x1F",
    ] {
        let request = with_arguments(nightly(), &["--key".to_owned(), word.to_owned()]);
        let manifest = read(&text(&request, &kubernetes()));
        assert_eq!(container(&manifest)["args"].as_array().unwrap().last().unwrap(), word);
    }
}

proptest! {
    #[test]
    fn any_words(words in odd_words(false)) {
        let manifest = read(&text(&with_arguments(nightly(), &words), &kubernetes()));
        let variables = [("id", "wrong"), ("HOME", "wrong")];
        let args = container(&manifest)["args"].as_array().unwrap();
        let read: Vec<_> = args.iter().map(|word| expand(word.as_str().unwrap(), &variables)).collect();
        prop_assert_eq!(&read[read.len() - words.len()..], words.as_slice());
    }
}

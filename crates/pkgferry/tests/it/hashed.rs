//! How many files a run reads for their digests at a time, seen from outside: by the files that its process has open.

use crate::stage::{Ran, Stage, until};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

/// Long enough to be looked at many times while it is hashed.
const SIZE: usize = 8 << 20;

/// The packages that a process has open.
fn open_packages(id: u32) -> BTreeSet<PathBuf> {
    // It may end, and close a file, while it is looked at.
    let open = std::fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    let open = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    open.filter(|path| path.extension().is_some_and(|extension| extension == "pkg")).collect()
}

/// Eight recipes at a time, each with a file that has to be hashed and not sent, so that nothing else opens it: half of them to
/// compare it with the server's, half to prove a delivery. All share the two places, and both places are used.
#[test]
fn never_more_than_two_files_are_hashed_at_a_time_however_many_jobs_there_are() {
    let (stage, server) = Stage::with_server();
    let bytes = vec![0; SIZE];
    let mut arguments = vec!["run".to_owned(), "--jobs".to_owned(), "8".to_owned()];
    for number in 0..8 {
        let name = format!("App{number}.pkg");
        server.put_file(&name, &bytes);
        server.put_package(serde_json::json!({ "packageName": name, "fileName": name }));
        let package = stage.write(&name, &bytes);
        let steps = match number % 2 {
            0 => "ParentRecipe: com.github.pkgferry.recipes.upload-package\n",
            _ => "Process: [{Processor: verify-delivery}]\n",
        };
        let text = format!("Identifier: app{number}\n{steps}Input: {{pkg_path: {package:?}}}\n");
        arguments.push(stage.write(&format!("App{number}.recipe.yaml"), text));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut run = stage.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut most, mut hashed) = (BTreeSet::new(), BTreeSet::new());
    until("the end", || {
        let open = open_packages(run.id());
        hashed.extend(open.iter().cloned());
        if open.len() > most.len() {
            most = open;
        }
        run.try_wait().unwrap().is_some()
    });
    let ran = Ran::new(run.wait_with_output().unwrap(), &stage.path("")).succeeded();
    // On a busy machine some are hashed between two looks.
    assert!(hashed.len() > 4, "files of both kinds were seen: {hashed:?}; {}", ran.stdout);
    assert_eq!(most.len(), 2, "at one time: {most:?}");
    let sent = server.journal().into_iter().filter(|request| request.side == sandbox::Side::S3);
    assert_eq!(sent.count(), 0, "{}", server.requests());
}

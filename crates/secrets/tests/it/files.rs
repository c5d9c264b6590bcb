use crate::rig::{Rig, write};

#[tokio::test]
async fn a_file_that_nobody_else_can_read_is_a_secret() {
    let rig = Rig::new();
    for (mode, bytes) in [(0o600, "hush\n"), (0o400, "hush\r\n"), (0o700, "hush")] {
        let path = rig.path(&format!("secret-{mode:o}"));
        write(&path, bytes, mode);
        assert_eq!(rig.told(&format!("file:DIR/secret-{mode:o}")).await, "secret: hush");
    }
    // The rights of what it leads to count.
    std::os::unix::fs::symlink(rig.path("secret-600"), rig.path("link")).unwrap();
    assert_eq!(rig.told("file:DIR/link").await, "secret: hush");
}

#[tokio::test]
async fn the_home_folder_is_known_or_told_about() {
    let rig = Rig::new();
    write(&rig.path("secret"), "hush\n", 0o600);
    let home = rig.folder.path().as_os_str().to_owned();
    assert_eq!(rig.variable("HOME", home).told("file:~/secret").await, "secret: hush");
    insta::assert_snapshot!(Rig::new().told("file:~/secret").await, @"
    Recipe: file:~/secret lies in the home folder, and HOME is not set
    write the whole path; a scheduler need not know a home folder
    ");
}

#[tokio::test]
async fn a_file_that_others_can_read_is_refused() {
    let rig = Rig::new();
    for mode in [0o640, 0o604, 0o660, 0o622, 0o644] {
        write(&rig.path("open"), "hunter2\n", mode);
        let told = rig.told("file:DIR/open").await;
        assert!(
            told.starts_with(&format!(
                "Local: file:DIR/open can be read or changed by others (mode {mode:04o})"
            )),
            "{told}"
        );
    }
    insta::assert_snapshot!(rig.told("file:DIR/open").await, @"
    Local: file:DIR/open can be read or changed by others (mode 0644)
    chmod 600 DIR/open; then change the secret, which others may have read
    ");
    std::os::unix::fs::symlink(rig.path("open"), rig.path("link")).unwrap();
    assert!(rig.told("file:DIR/link").await.contains("(mode 0644)"));
}

#[tokio::test]
async fn a_file_of_somebody_else_is_refused() {
    let rig = Rig::new();
    write(&rig.path("foreign"), "hunter2\n", 0o600);
    if std::os::unix::fs::chown(rig.path("foreign"), Some(54321), None).is_err() {
        eprintln!(
            "not checked with a real file, since only root can give files away; the decision has a test of its own"
        );
        return;
    }
    insta::assert_snapshot!(rig.told("file:DIR/foreign").await, @"
    Local: file:DIR/foreign belongs to user 54321, who is neither the one that runs this nor root
    let it belong to the user that runs this, or to root
    ");
}

#[tokio::test]
async fn what_is_no_secret_is_told_apart() {
    let rig = Rig::new();
    std::fs::create_dir(rig.path("folder")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg("-m").arg("600").arg(rig.path("fifo")).status();
    assert!(fifo.unwrap().success());
    write(&rig.path("empty"), "\n", 0o600);
    write(&rig.path("latin"), b"h\xfcsh", 0o600);
    write(&rig.path("notes"), "user: jane\npassword: hunter2\n", 0o600);
    write(&rig.path("binary"), "hunter2\0", 0o600);
    write(&rig.path("large"), "hunter2".repeat(20_000), 0o600);
    let mut told = String::new();
    for name in ["absent", "folder", "fifo", "empty", "latin", "notes", "binary", "large", "empty/file"] {
        told.push_str(&rig.told(&format!("file:DIR/{name}")).await);
        told.push('\n');
    }
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told, @"
    Local: cannot read file:DIR/absent: No such file or directory (os error 2)
    look at the path, and make the file with mode 600
    Local: file:DIR/folder is not a file
    name a file with the secret in it
    Local: file:DIR/fifo is not a file
    name a file with the secret in it
    Local: file:DIR/empty gives no secret: it is empty
    write the secret there
    Local: file:DIR/latin gives no secret: it is not UTF-8
    write it as UTF-8, as plain text
    Local: file:DIR/notes gives no secret: it has several lines, and a secret is one
    look whether that is the right place; it has to hold the secret and nothing else
    Local: file:DIR/binary gives no secret: it has a NUL in it
    look whether that is the right place; it has to hold the secret and nothing else
    Local: file:DIR/large gives no secret: it is longer than 64 KiB
    look whether that is the right place; it has to hold the secret and nothing else
    Local: cannot read file:DIR/empty/file: Not a directory (os error 20)
    (no hint)
    ");
}

#[tokio::test]
async fn a_service_has_its_credentials_from_systemd() {
    let rig = Rig::new();
    let folder = rig.folder.path().as_os_str().to_owned();
    let rig = rig.variable("CREDENTIALS_DIRECTORY", folder);
    // With an access list for the service's user, the mask shows as the rights of the group.
    for mode in [0o400, 0o440] {
        write(&rig.path("jamf-secret"), "hush\n", 0o600);
        write(&rig.path(&format!("secret-{mode:o}")), "hush\n", mode);
        assert_eq!(rig.told(&format!("credential:secret-{mode:o}")).await, "secret: hush");
    }
    write(&rig.path("open"), "hunter2", 0o444);
    insta::assert_snapshot!(rig.told("credential:open").await, @"
    Local: credential:open can be read or changed by others (mode 0444)
    make it unreadable for others; for a mounted Kubernetes secret, set defaultMode: 0440
    ");
    insta::assert_snapshot!(rig.told("credential:absent").await, @"
    Local: cannot read credential:absent: No such file or directory (os error 2)
    look at the path, and make the file with mode 600
    ");
    insta::assert_snapshot!(Rig::new().told("credential:jamf-secret").await, @"
    Recipe: there is no credential jamf-secret: CREDENTIALS_DIRECTORY is not set
    let systemd hand it over, with LoadCredential=jamf-secret:/path in the service, or use file:
    ");
}

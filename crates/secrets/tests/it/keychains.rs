//! The answers of `security` and `secret-tool`, given by scripts that stand for them. What they print was taken from the
//! sources of Apple's SecurityTool, and from libsecret's `secret-tool` 0.20 with GNOME's keyring.

use crate::rig::Rig;
use secrets::KeychainTool;
use std::path::PathBuf;
use std::time::Duration;

fn tool(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/tools").join(name)
}

fn mac() -> Rig {
    Rig::new().keychain(KeychainTool::Security(tool("security")))
}

fn linux() -> Rig {
    Rig::new().keychain(KeychainTool::SecretTool(tool("secret-tool")))
}

async fn all(rig: &Rig, services: &[&str]) -> String {
    let mut told = String::new();
    for service in services {
        told.push_str(&rig.told(&format!("keychain:{service}/jane")).await);
        told.push('\n');
    }
    assert!(!told.contains("hunter2"), "{told}");
    told
}

#[tokio::test]
async fn the_keychain_of_a_mac_has_the_secret() {
    let rig = mac();
    assert_eq!(rig.told("keychain:ascii/jane").await, "secret: hush \"hush\"");
    assert_eq!(rig.told("keychain:umlaut/jane").await, "secret: hüsh");
    assert_eq!(rig.told("keychain:https://example.com/a b/jane").await, "secret: hush for an address");
}

#[tokio::test]
async fn the_keychain_of_a_mac_says_why_not() {
    let told = all(&mac(), &["absent", "locked", "denied", "none", "broken", "odd", "empty", "lines"]).await;
    insta::assert_snapshot!(told, @"
    Local: there is no keychain:absent/jane to be found
    store it, on a Mac with `security add-generic-password -s 'absent' -a 'jane' -w`, elsewhere with `secret-tool store --label=pkgferry service 'absent' account 'jane'`
    Local: keychain:locked/jane cannot be read: the keychain is locked, or would have to ask somebody
    unlock it before (on a Mac: security unlock-keychain), or keep the secret where nobody has to be logged in: in the System keychain of a Mac, or take the secret from env:, file:, credential: or command: instead
    Local: keychain:denied/jane cannot be read: the keychain is locked, or would have to ask somebody
    unlock it before (on a Mac: security unlock-keychain), or keep the secret where nobody has to be logged in: in the System keychain of a Mac, or take the secret from env:, file:, credential: or command: instead
    Local: keychain:none/jane cannot be read: there is no keychain here; it said: security: SecKeychainSearchCopyNext: A default keychain could not be found.
    take the secret from env:, file:, credential: or command: instead
    Local: keychain:broken/jane ended with exit status 7; it said: security: SecKeychainSearchCopyNext: An unknown error occurred.
    run the same command by hand, as the same user
    Local: cannot read keychain:odd/jane: security printed no password that is understood
    (no hint)
    Local: keychain:empty/jane gives no secret: it is empty
    write the secret there
    Local: keychain:lines/jane gives no secret: it has several lines, and a secret is one
    look whether that is the right place; it has to hold the secret and nothing else
    ");
}

#[tokio::test]
async fn the_keyring_of_linux_has_the_secret() {
    let rig = linux();
    assert_eq!(rig.told("keychain:ascii/jane").await, "secret: hush \"hush\"");
    assert_eq!(rig.told("keychain:umlaut/jane").await, "secret: hüsh");
}

#[tokio::test]
async fn the_keyring_of_linux_says_why_not() {
    let told = all(&linux(), &["absent", "locked", "none", "broken", "empty", "latin"]).await;
    insta::assert_snapshot!(told, @"
    Local: there is no keychain:absent/jane to be found
    store it, on a Mac with `security add-generic-password -s 'absent' -a 'jane' -w`, elsewhere with `secret-tool store --label=pkgferry service 'absent' account 'jane'`
    Local: keychain:locked/jane cannot be read: the keychain is locked, or would have to ask somebody
    unlock it before (on a Mac: security unlock-keychain), or keep the secret where nobody has to be logged in: in the System keychain of a Mac, or take the secret from env:, file:, credential: or command: instead
    Local: keychain:none/jane cannot be read: there is no keychain here; it said: secret-tool: Cannot autolaunch D-Bus without X11 $DISPLAY
    take the secret from env:, file:, credential: or command: instead
    Local: keychain:broken/jane ended with exit status 1; it said: secret-tool: out of memory
    run the same command by hand, as the same user
    Local: keychain:empty/jane gives no secret: it is empty
    write the secret there
    Local: keychain:latin/jane gives no secret: it is not UTF-8
    write it as UTF-8, as plain text
    ");
}

#[tokio::test]
async fn a_keychain_that_asks_somebody_is_not_waited_for() {
    let rig = mac().limit(Duration::from_millis(300));
    insta::assert_snapshot!(rig.told("keychain:asks/jane").await, @"
    Local: keychain:asks/jane took longer than 0.3 s and was stopped
    it probably asked somebody to unlock the keychain: unlock it before, or take the secret from env:, file:, credential: or command: instead
    ");
}

#[tokio::test]
async fn a_system_without_a_keychain_says_so() {
    insta::assert_snapshot!(Rig::new().told("keychain:ascii/jane").await, @"
    Local: keychain:ascii/jane cannot be read: there is no keychain here
    take the secret from env:, file:, credential: or command: instead
    ");
    let rig = Rig::new().keychain(KeychainTool::SecretTool("/nowhere/secret-tool".into()));
    insta::assert_snapshot!(rig.told("keychain:ascii/jane").await, @"
    Local: cannot start /nowhere/secret-tool, which keychain:ascii/jane needs: No such file or directory (os error 2)
    install it (on Debian and Ubuntu: libsecret-tools), or take the secret from env:, file:, credential: or command: instead
    ");
}

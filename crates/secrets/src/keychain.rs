//! The keychain of the system, asked by the system's own tools.

use crate::command::{self, Finished};
use crate::place::{KeychainItem, Place};
use crate::{Error, text};
use pipeline::{Context, Secret};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The program that knows the keychain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeychainTool {
    /// `security` of macOS: generic passwords of the keychains in the search list; for root, that is the System keychain.
    Security(PathBuf),
    /// `secret-tool` of libsecret: items with the attributes `service` and `account` in the Secret Service.
    SecretTool(PathBuf),
    /// There is none.
    None,
}

impl KeychainTool {
    /// The one that this system has.
    #[must_use]
    pub fn of_this_system() -> Self {
        if cfg!(target_os = "macos") {
            // Not by PATH: nobody else's program shall be asked for passwords.
            Self::Security("/usr/bin/security".into())
        } else if cfg!(unix) {
            Self::SecretTool("secret-tool".into())
        } else {
            Self::None
        }
    }
}

/// The password of an item.
pub(crate) async fn secret(
    tool: &KeychainTool,
    item: &KeychainItem,
    limit: Duration,
    cx: &Context,
) -> Result<Secret, Error> {
    let asking = Asking { place: &Place::Keychain(item.clone()), item, limit, cx };
    match tool {
        KeychainTool::Security(program) => asking.security(program).await,
        KeychainTool::SecretTool(program) => asking.secret_tool(program).await,
        KeychainTool::None => Err(Error::NoKeychain { item: item.clone(), said: None }),
    }
}

struct Asking<'a> {
    place: &'a Place,
    item: &'a KeychainItem,
    limit: Duration,
    cx: &'a Context,
}

impl Asking<'_> {
    async fn run(&self, program: &Path, arguments: &[&str]) -> Result<Finished, Error> {
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        // The tools have ASCII names.
        command::run(self.place, &program.to_string_lossy(), &arguments, self.limit, self.cx).await
    }

    /// `-w` would print the password alone, but one with other than ASCII characters as hex digits without saying so.
    async fn security(&self, program: &Path) -> Result<Secret, Error> {
        let (service, account) = (self.item.service(), self.item.account());
        let finished =
            self.run(program, &["find-generic-password", "-g", "-s", service, "-a", account]).await?;
        from_security(&finished, self.item, self.place)
    }

    async fn secret_tool(&self, program: &Path) -> Result<Secret, Error> {
        let attributes = ["service", self.item.service(), "account", self.item.account()];
        let lookup = self.run(program, &[&["lookup"], &attributes[..]].concat()).await?;
        if lookup.succeeded() {
            return lookup.secret(self.place);
        }
        let stderr = String::from_utf8_lossy(&lookup.stderr).to_lowercase();
        if stderr.contains("d-bus") || stderr.contains("dbus") || stderr.contains("org.freedesktop.secrets") {
            return Err(Error::NoKeychain { item: self.item.clone(), said: lookup.said() });
        }
        if !stderr.trim().is_empty() {
            return Err(lookup.failure(self.place));
        }
        // It says nothing, whether there is no such item or the item is locked. A search finds locked ones too, and asks
        // nobody to unlock them.
        let search = self.run(program, &[&["search"], &attributes[..]].concat()).await?;
        match search.succeeded() && !search.stdout.is_empty() {
            true => Err(Error::Locked { item: self.item.clone() }),
            false => Err(Error::NotInKeychain { item: self.item.clone() }),
        }
    }
}

/// `security` ends with the lowest byte of Apple's error numbers.
fn from_security(finished: &Finished, item: &KeychainItem, place: &Place) -> Result<Secret, Error> {
    let item = || item.clone();
    match finished.code() {
        Some(0) => {}
        // errSecItemNotFound, -25300.
        Some(44) => return Err(Error::NotInKeychain { item: item() }),
        // errSecInteractionNotAllowed, -25308; errSecInteractionRequired, -25315; errSecAuthFailed, -25293;
        // userCanceledErr, -128.
        Some(36 | 29 | 51 | 128) => return Err(Error::Locked { item: item() }),
        // errSecNoDefaultKeychain, -25307; errSecNotAvailable, -25291; errSecNoSuchKeychain, -25294.
        Some(37 | 53 | 50) => return Err(Error::NoKeychain { item: item(), said: finished.said() }),
        _ => return Err(finished.failure(place)),
    }
    // From here on the standard error holds the password: it is not shown.
    let unusable = |fault| Error::Unusable { place: place.clone(), fault, said: None };
    let shown =
        finished.stderr.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"password: "));
    let bytes = shown.and_then(printed).ok_or_else(|| Error::Read {
        place: place.clone(),
        source: Arc::new(io::Error::other("security printed no password that is understood")),
    })?;
    text::secret(&bytes).map_err(unusable)
}

/// A password as `security -g` prints it: between quotes if it is ASCII without a backslash, else as hex digits behind `0x`,
/// with its readable parts behind that.
fn printed(shown: &[u8]) -> Option<Vec<u8>> {
    if let Some(hex) = shown.strip_prefix(b"0x") {
        let digits = hex.split(|byte| *byte == b' ').next()?;
        return hex::decode(digits).ok();
    }
    if shown.is_empty() {
        return Some(Vec::new());
    }
    shown.strip_prefix(b"\"")?.strip_suffix(b"\"").map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As `print_buffer` of Apple's SecurityTool prints it.
    fn print(password: &[u8]) -> Vec<u8> {
        let is_plain = |byte: &u8| (b' '..=b'~').contains(byte) && *byte != b'\\';
        let mut shown = Vec::new();
        if !password.iter().all(is_plain) {
            shown.extend_from_slice(b"0x");
            shown.extend_from_slice(hex::encode_upper(password).as_bytes());
            shown.extend_from_slice(b"  ");
        }
        if password.iter().any(is_plain) {
            shown.push(b'"');
            for byte in password {
                match is_plain(byte) {
                    true => shown.push(*byte),
                    false => shown.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
                }
            }
            shown.push(b'"');
        }
        shown
    }

    #[test]
    fn passwords_are_read_as_security_prints_them() {
        let read = |shown: &[u8]| printed(shown).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(read(b"\"hush\"").as_deref(), Some("hush"));
        assert_eq!(read(b"\"a \"quoted\" word\"").as_deref(), Some("a \"quoted\" word"));
        assert_eq!(read(b"\"0xC3\"").as_deref(), Some("0xC3"));
        assert_eq!(read(b"0x68C3BC7368  \"h\\303\\274sh\"").as_deref(), Some("hüsh"));
        assert_eq!(read(b"0xC3BC  ").as_deref(), Some("ü"));
        assert_eq!(read(b"").as_deref(), Some(""));
        for other in ["hush", "\"hush", "\"", "0x6", "0xZZ"] {
            assert_eq!(read(other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_password_comes_back(password: Vec<u8>, ascii in "[ -~]{1,20}") {
            prop_assert_eq!(printed(&print(&password)), Some(password));
            prop_assert_eq!(printed(&print(ascii.as_bytes())), Some(ascii.into_bytes()));
        }

        #[test]
        fn anything_can_be_read(shown: Vec<u8>) {
            let _ = printed(&shown);
        }
    }
}

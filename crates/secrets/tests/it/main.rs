//! Secrets from real variables, files, programs, and from programs that stand for a keychain's.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]

#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod keychains;
mod rig;
mod sources;
mod variables;

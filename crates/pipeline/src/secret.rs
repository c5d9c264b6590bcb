/// Text that neither `Debug` nor `Display` shows; [`ExposeSecret`] is the only way in, and easy to search for.
pub type Secret = secrecy::SecretString;

pub use secrecy::ExposeSecret;

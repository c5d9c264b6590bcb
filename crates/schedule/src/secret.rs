//! What looks like a secret. A unit is read by many eyes: other users of the machine, everybody with the repository, every
//! backup. So a value that somebody pasted by mistake must not get into one.
//!
//! This is a net and no proof: a password such as `hunter2` looks like any other word. Where a name says that a value is
//! secret (`--key API_PASSWORD=…`), the name is enough.

use pipeline::keys::names_secret;

/// What well-known kinds of keys and addresses begin with or hold.
const MARKS: &[&str] = &[
    "PRIVATE KEY-----",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "sk_live_",
    "hooks.slack.com/services/",
    "webhook.office.com/",
    "&sig=",
];

/// Sources of secrets that are named instead of them; what follows is no secret.
const REFERENCES: &[&str] = &["$", "%", "env:", "file:", "credential:", "keychain:", "command:"];

/// Whether a text is, or holds, something that looks like a secret.
pub(crate) fn looks_secret(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark))
        || has_password_in_address(text)
        || has_assignment(text)
        || runs(text).any(|(before, run)| {
            is_access_key(run) || is_signed_token(text, run) || is_random(run) || is_hex(before, run)
        })
}

/// `https://user:password@host`.
fn has_password_in_address(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', ' ', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// `CLIENT_SECRET=abc`, `password: abc`; `TOKEN=$TOKEN` and `CLIENT_SECRET=env:NAME` name a secret and hold none.
fn has_assignment(text: &str) -> bool {
    text.match_indices(['=', ':']).any(|(at, _)| {
        let name = text[..at].trim_end_matches(['"', '\'', ' ']);
        let start =
            name.rfind(|ch: char| !(ch.is_alphanumeric() || matches!(ch, '_' | '-'))).map_or(0, |at| at + 1);
        let name = name.get(start..).unwrap_or_default();
        let value = text[at + 1..].trim_start_matches(['"', '\'', ' ', '=']);
        let is_reference = REFERENCES.iter().any(|start| value.starts_with(start));
        names_secret(name) && !is_reference && value.chars().next().is_some_and(|ch| !ch.is_whitespace())
    })
}

/// The longest pieces of characters that keys are made of, each with what stands before it.
fn runs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '+');
    text.split(move |ch| !is_part(ch)).filter(|run| !run.is_empty()).map(move |run| {
        let at = run.as_ptr() as usize - text.as_ptr() as usize;
        (&text[..at], run)
    })
}

/// A key id of AWS: `AKIA` or `ASIA` and 16 more.
fn is_access_key(run: &str) -> bool {
    let is_rest = |rest: &str| {
        rest.len() >= 16
            && rest.bytes().take(16).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    ["AKIA", "ASIA"].iter().any(|start| run.split(start).skip(1).any(is_rest))
}

/// A JSON Web Token, as Jamf Pro's are: `eyJ….….…`.
fn is_signed_token(text: &str, run: &str) -> bool {
    let at = run.as_ptr() as usize - text.as_ptr() as usize;
    run.starts_with("eyJ") && run.len() >= 16 && text[at + run.len()..].starts_with('.')
}

/// Letters of both cases and digits in no order, as in secrets of API clients, 64 characters long. In words and versions,
/// even joined ones, such as `GoogleChromeEnterprise64bit`, the kind of character changes less often.
fn is_random(run: &str) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Class {
        Lower,
        Upper,
        Digit,
    }
    let classes: Vec<_> = run
        .bytes()
        .filter_map(|byte| match byte {
            b'a'..=b'z' => Some(Class::Lower),
            b'A'..=b'Z' => Some(Class::Upper),
            b'0'..=b'9' => Some(Class::Digit),
            _ => None,
        })
        .collect();
    let changes = classes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let has = |class| classes.contains(&class);
    classes.len() >= 24
        && has(Class::Lower)
        && has(Class::Upper)
        && has(Class::Digit)
        && changes * 100 >= classes.len() * 35
}

/// At least 32 hexadecimal digits, unless they are a checksum or a commit.
fn is_hex(before: &str, run: &str) -> bool {
    let is_known = ["sha256:", "@", "--rev ", "--rev="].iter().any(|mark| before.ends_with(mark));
    run.len() >= 32
        && !is_known
        && run.bytes().all(|byte| byte.is_ascii_hexdigit())
        && run.bytes().any(|byte| byte.is_ascii_digit())
        && run.bytes().any(|byte| byte.is_ascii_alphabetic())
}

//! As much of Jamf Pro as an upload and a download need (`jamf-pro-api.md §2` to `§11`). Everybody may do everything, what is
//! complete is listed at once, and what is listed is `READY`.

use super::http::{Answer, Body, Content, Head};
use super::world::World;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where download addresses point to.
pub const DOWNLOADS: &str = "/__cdn/";
/// Seconds that credentials live.
const LIFE: u64 = 3600;

/// Answers a call; `base` is the server's own address.
pub fn answer(world: &mut World, base: &str, head: &Head, body: &Body) -> Answer {
    let path: Vec<&str> = head.path.trim_matches('/').split('/').collect();
    let call = format!("{} {}", head.method, path.get(1..4).unwrap_or(&path[1..]).join("/"));
    *world.tally.requests.entry(call).or_default() += 1;
    match (head.method.as_str(), &path[1..]) {
        ("POST", ["v1", "oauth", "token"] | ["oauth", "token"]) => {
            ok(&json!({"access_token": "token", "token_type": "Bearer", "scope": "", "expires_in": LIFE}))
        }
        ("POST", ["v1", "auth", "invalidate-token"]) => Answer::empty("204 No Content"),
        ("GET", ["v1", "jamf-pro-version"]) => ok(&json!({"version": "11.30.1-t1"})),
        ("GET", ["v1", "categories"]) => ok(&page(&[])),
        ("GET", ["v1", "packages"]) => {
            ok(&page(&matching(world, &head.parameter("filter").unwrap_or_default())))
        }
        ("POST", ["v1", "packages"]) => match serde_json::from_slice(&body.kept) {
            Ok(record) => {
                let id = world.add_record(record);
                json(
                    "201 Created",
                    &json!({"id": id.to_string(), "href": format!("{base}/api/v1/packages/{id}")}),
                )
            }
            Err(_) => fault("400 Bad Request"),
        },
        (method @ ("GET" | "PUT"), ["v1", "packages", id]) => {
            let id = id.parse().unwrap_or(0);
            if method == "PUT"
                && let (Ok(new), Some(record)) =
                    (serde_json::from_slice(&body.kept), world.records.get_mut(&id))
            {
                *record = new;
            }
            world
                .records
                .get(&id)
                .map_or_else(|| fault("404 Not Found"), |record| ok(&shown(world, id, record)))
        }
        ("GET", ["v1", "jcds", "files"]) => ok(&files(world)),
        ("POST", ["v1", "jcds", "files"]) => json("201 Created", &credentials(world)),
        ("POST", ["v1", "jcds", "renew-credentials"]) => ok(&credentials(world)),
        ("GET", ["v1", "jcds", "files", name]) => match world.known.get(*name) {
            Some(file) if file.path.is_some() => {
                let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
                ok(&json!({"uri": format!("{base}{DOWNLOADS}{name}?Expires={}&Signature=none", end())}))
            }
            _ => fault("404 Not Found"),
        },
        ("DELETE", ["v1", "jcds", "files", name]) => match world.listed.remove(*name) {
            Some(_) => Answer::empty("204 No Content"),
            None => fault("404 Not Found"),
        },
        ("POST", ["v1", "cloud-distribution-point" | "jcds", "refresh-inventory"]) => {
            Answer::empty("204 No Content")
        }
        _ => fault("404 Not Found"),
    }
}

/// Answers a download address: HEAD, GET, and a range of it (`§10`).
pub fn download(world: &mut World, head: &Head, name: &str) -> Answer {
    *world.tally.requests.entry(format!("{} download", head.method)).or_default() += 1;
    let open = || {
        let file = File::open(world.known.get(name)?.path.as_ref()?).ok()?;
        let size = file.metadata().ok()?.len();
        Some((file, size))
    };
    let Some((file, size)) = open() else { return Answer::empty("404 Not Found") };
    let (status, from, length, fields) = match head.field("range").map(|text| range(text, size)) {
        None => ("200 OK", 0, size, String::new()),
        Some(None) => return Answer::empty("416 Range Not Satisfiable"),
        Some(Some((from, last))) => (
            "206 Partial Content",
            from,
            last - from + 1,
            format!("Content-Range: bytes {from}-{last}/{size}\r\n"),
        ),
    };
    let content = match head.method.as_str() {
        "HEAD" => Content::OnlyLength(length),
        _ => Content::File { file, from, length },
    };
    let fields = format!(
        "Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\nETag: \"{size}\"\r\n{fields}"
    );
    Answer { status, fields, content }
}

/// First and last byte of `bytes=a-b` or `bytes=a-`.
fn range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first: u64 = first.parse().ok().filter(|first| *first < size)?;
    let last = if last.is_empty() { size - 1 } else { last.parse::<u64>().ok()?.min(size - 1) };
    (first <= last).then_some((first, last))
}

/// The records that a filter such as `fileName=="a",fileName=="b"` lets through; all of them without one.
fn matching(world: &World, filter: &str) -> Vec<Value> {
    let field = filter.split("==").next().unwrap_or_default();
    let values = quoted(filter);
    let matches = |record: &Map<String, Value>| {
        let value = record.get(field).and_then(Value::as_str);
        filter.is_empty() || value.is_some_and(|value| values.iter().any(|wanted| wanted == value))
    };
    let found = world.records.iter().filter(|(_, record)| matches(record));
    found.map(|(id, record)| shown(world, *id, record)).collect()
}

fn quoted(filter: &str) -> Vec<String> {
    let (mut values, mut signs) = (Vec::new(), filter.chars());
    while signs.by_ref().any(|sign| sign == '"') {
        let mut value = String::new();
        while let Some(sign) = signs.next().filter(|sign| *sign != '"') {
            value.extend(if sign == '\\' { signs.next() } else { Some(sign) });
        }
        values.push(value);
    }
    values
}

fn shown(world: &World, id: u64, record: &Map<String, Value>) -> Value {
    let mut shown = record.clone();
    shown.insert("id".into(), id.to_string().into());
    let name = record.get("fileName").and_then(Value::as_str).unwrap_or_default();
    if let (Some(size), Some(known)) = (world.listed.get(name), world.known.get(name)) {
        shown.insert("size".into(), size.to_string().into());
        shown.insert("md5".into(), known.md5.clone().into());
        shown.insert("sha3512".into(), known.sha3_512.clone().into());
        shown.insert("hashType".into(), "SHA3_512".into());
        shown.insert("hashValue".into(), known.sha3_512.clone().into());
        shown.insert("cloudTransferStatus".into(), "READY".into());
    }
    Value::Object(shown)
}

fn files(world: &World) -> Value {
    let file = |(name, size): (&String, &u64)| {
        let known = world.known.get(name);
        json!({
            "fileName": name,
            "length": size,
            "md5": known.map_or("", |known| &known.md5),
            "region": "us-east-1",
            "sha3": known.map_or("", |known| &known.sha3_512),
        })
    };
    world.listed.iter().map(file).collect()
}

fn credentials(world: &mut World) -> Value {
    let uuid = format!("00000000-0000-4000-8000-{:012}", world.number());
    json!({
        "accessKeyID": "AKIABENCH",
        "secretAccessKey": "bench",
        "sessionToken": "bench",
        "expiration": end(),
        "region": "us-east-1",
        "bucketName": "jcds",
        "path": format!("tmp/{uuid}/"),
        "uuid": uuid,
    })
}

#[expect(clippy::disallowed_methods, reason = "clients judge this by the machine's clock")]
fn end() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) + LIFE
}

fn page(results: &[Value]) -> Value {
    json!({"totalCount": results.len(), "results": results})
}

fn ok(value: &Value) -> Answer {
    json("200 OK", value)
}

fn fault(status: &'static str) -> Answer {
    json(status, &json!({"httpStatus": status[..3].parse::<u16>().unwrap_or(500), "errors": []}))
}

fn json(status: &'static str, value: &Value) -> Answer {
    Answer::text(status, "application/json", value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_filter() {
        assert_eq!(
            quoted(r#"fileName=="a \"b\" \\ c.pkg",fileName=="d.pkg""#),
            [r#"a "b" \ c.pkg"#, "d.pkg"]
        );
        assert!(quoted("id==1").is_empty());
    }

    #[test]
    fn ranges() {
        for (text, expected) in [
            ("bytes=0-0", Some((0, 0))),
            ("bytes=2-500", Some((2, 9))),
            ("bytes=7-", Some((7, 9))),
            ("bytes=10-", None),
            ("bytes=5-2", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(range(text, 10), expected, "{text}");
        }
    }
}

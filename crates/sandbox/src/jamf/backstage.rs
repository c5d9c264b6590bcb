//! The journal and the faults over HTTP, for whoever runs `pkgferry sandbox` beside another client. These calls are not
//! journaled.

use super::answer::json;
use crate::core::Core;
use crate::{Fault, ParseFaultError};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new()
        .route("/__sandbox/journal", get(show).delete(clear))
        .route("/__sandbox/faults", get(armed).post(arm).delete(disarm))
}

async fn show(State(core): State<Arc<Core>>) -> Response {
    json(StatusCode::OK, &core.journal.requests())
}

async fn clear(State(core): State<Arc<Core>>) -> StatusCode {
    core.journal.clear();
    StatusCode::NO_CONTENT
}

/// The faults that have something left to play.
async fn armed(State(core): State<Arc<Core>>) -> Response {
    let faults: Vec<String> = core.faults.armed().iter().map(ToString::to_string).collect();
    json(StatusCode::OK, &faults)
}

/// Arms all faults of the body, or none if one is wrong, and tells which are armed then.
async fn arm(State(core): State<Arc<Core>>, body: String) -> Response {
    match spelled(&body) {
        Ok(faults) => {
            faults.into_iter().for_each(|fault| core.faults.arm(fault));
            armed(State(core)).await
        }
        Err(error) => json(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string() })),
    }
}

async fn disarm(State(core): State<Arc<Core>>) -> StatusCode {
    core.faults.disarm();
    StatusCode::NO_CONTENT
}

/// A JSON string, an array of them, or plain text with blanks, commas or line breaks between the faults.
fn spelled(body: &str) -> Result<Vec<Fault>, ParseFaultError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelled {
        One(String),
        Many(Vec<String>),
    }
    let names = match serde_json::from_str(body) {
        Ok(Spelled::One(one)) => vec![one],
        Ok(Spelled::Many(many)) => many,
        Err(_) => body
            .split(|ch: char| ch.is_whitespace() || ch == ',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    names.iter().map(|name| name.parse()).collect()
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn faults_are_text_or_json() {
        let read =
            |body| spelled(body).map(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>());
        for body in
            ["part-cut=2 never-listed", "part-cut=2,\nnever-listed\n", r#"["part-cut=2", "never-listed"]"#]
        {
            assert_eq!(read(body).unwrap(), ["part-cut=2", "never-listed"], "{body}");
        }
        assert_eq!(read("\"part-cut\"").unwrap(), ["part-cut=1"]);
        assert_eq!(read("").unwrap(), Vec::<String>::new());
        assert!(read("part-cut=2 no-such").is_err() && read("{}").is_err());
    }
}

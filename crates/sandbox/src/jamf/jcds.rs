//! The distribution service (`jamf-pro-api.md §7`).

use super::answer::{Answer, Fault, Page, json};
use super::caller::{Base, Caller, Query};
use super::{distribution_point, download};
use crate::core::Core;
use crate::faults;
use crate::grant::{Desk as _, Grant};
use crate::version::Version;
use crate::world::{RenewedPath, later};
use crate::{JcdsGone, Privilege};
use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn routes(version: Version, gone: Option<JcdsGone>) -> Router<Arc<Core>> {
    match gone {
        None => {}
        // As every path that is not there.
        Some(JcdsGone::NotFound) => return Router::new(),
        Some(JcdsGone::Gone) => {
            return Router::new().route("/api/v1/jcds/{*rest}", any(async || Fault::bare(StatusCode::GONE)));
        }
    }
    let mut routes = Router::new()
        .route("/api/v1/jcds/files", get(list).post(initiate))
        .route("/api/v1/jcds/files/{name}", get(download_address).delete(delete))
        .route("/api/v1/jcds/renew-credentials", post(renew));
    if version.has_jcds_refresh() {
        routes = routes.route("/api/v1/jcds/refresh-inventory", post(refresh));
    }
    if version.deprecates_jcds() { routes.route_layer(map_response(mark_deprecated)) } else { routes }
}

async fn mark_deprecated(mut response: Response) -> Response {
    let since = HeaderValue::from_static("Thu, 28 Aug 2025 00:00:00 GMT");
    response.headers_mut().insert("deprecation", since);
    response
}

/// Who may make the call, and whether there is anything that it could reach (`§7.7`).
fn admit(core: &Core, caller: &Caller, privilege: Privilege) -> Result<(), Fault> {
    caller.may(privilege)?;
    if core.config.distribution_point.is_jcds() {
        Ok(())
    } else if core.version.notices_missing_jcds() {
        Err(Fault::not_found("JCDS Settings record not found"))
    } else {
        Err(Fault::bare(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

/// A bare array, unpaged.
async fn list(State(core): State<Arc<Core>>, caller: Caller) -> Answer {
    admit(&core, &caller, Privilege::ReadJcdsFiles)?;
    let world = core.world();
    let files = world.files.all_listed(core.now()).map(|file| {
        json!({
            "fileName": file.name,
            "length": file.content.size,
            "md5": file.content.md5,
            "region": "us-east-1",
            "sha3": file.content.sha3,
        })
    });
    Ok(json(StatusCode::OK, &files.collect::<Vec<Value>>()))
}

async fn initiate(State(core): State<Arc<Core>>, caller: Caller) -> Answer {
    admit(&core, &caller, Privilege::CreateJcdsFiles)?;
    let grant = core.world().grants.initiate(caller.number, core.config.grant_life, core.now());
    Ok(json(StatusCode::CREATED, &show(&core, &grant)))
}

async fn renew(State(core): State<Arc<Core>>, caller: Caller) -> Answer {
    admit(&core, &caller, Privilege::CreateJcdsFiles)?;
    if core.faults.plays(|fault| fault == faults::Fault::RenewalRefused) {
        return Err(Fault::bare(StatusCode::INTERNAL_SERVER_ERROR));
    }
    let how = core.faults.play(|fault| match fault {
        faults::Fault::RenewalOtherPath => Some(RenewedPath::Another),
        faults::Fault::RenewalOnlyNewPath => Some(RenewedPath::OnlyAnother),
        _ => None,
    });
    let how = how.unwrap_or(RenewedPath::Same);
    let grant = core.world().grants.renew(caller.number, how, core.config.grant_life, core.now());
    let mut answer = show(&core, &grant);
    if core.faults.plays(|fault| fault == faults::Fault::RenewalEmptyFields) {
        for key in ["region", "bucketName", "path", "uuid"] {
            answer[key] = Value::from("");
        }
    }
    Ok(json(StatusCode::OK, &answer))
}

fn show(core: &Core, grant: &Grant) -> Value {
    json!({
        "accessKeyID": grant.access_key_id,
        "expiration": core.faults.told(grant.expiration).as_second(),
        "secretAccessKey": grant.secret_access_key,
        "sessionToken": grant.session_token,
        "region": grant.region,
        "bucketName": grant.bucket,
        "path": grant.path,
        "uuid": grant.path.trim_start_matches("tmp/").trim_end_matches('/'),
    })
}

async fn download_address(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Base(base): Base,
    Path(name): Path<String>,
) -> Answer {
    admit(&core, &caller, Privilege::ReadJcdsFiles)?;
    let world = core.world();
    let file = world.files.listed(&name, core.now()).ok_or_else(not_found)?;
    let uri = download::address(&core, &base, &file.name, &file.content.blob);
    Ok(json(StatusCode::OK, &json!({ "uri": uri })))
}

/// Deletes the file; its record stays.
async fn delete(State(core): State<Arc<Core>>, caller: Caller, Path(name): Path<String>) -> Answer {
    admit(&core, &caller, Privilege::DeleteJcdsFiles)?;
    let mut world = core.world();
    let goes_already = world.files.listed(&name, core.now()).ok_or_else(not_found)?.goes_at.is_some();
    if core.faults.plays(|fault| fault == faults::Fault::DeleteRefused) {
        return Err(Fault::bare(StatusCode::INTERNAL_SERVER_ERROR));
    }
    // Asking twice makes it no faster.
    if !goes_already {
        let late = core.faults.play(|fault| match fault {
            faults::Fault::DeleteLate(seconds) => Some(Duration::from_secs(seconds)),
            _ => None,
        });
        match late {
            Some(late) => world.files.remove_at(&name, later(core.now(), late)),
            None => core.discard(&world.files.remove(&name)),
        }
    }
    if core.faults.plays(|fault| fault == faults::Fault::DeleteLost) {
        return Ok(Page::of(StatusCode::GATEWAY_TIMEOUT).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn refresh(State(core): State<Arc<Core>>, caller: Caller, query: Query) -> Answer {
    admit(&core, &caller, Privilege::ReadJcdsFiles)?;
    distribution_point::refresh(&core, &query).await
}

fn not_found() -> Fault {
    Fault::not_found("File not found")
}

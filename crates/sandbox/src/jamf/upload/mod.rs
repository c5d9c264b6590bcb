//! A package's bytes over the Pro API (`jamf-pro-api.md §5.4`). The server passes them on to the distribution service
//! itself, so that from the answer on everything is as after an upload over S3, but for one thing: a file of the same name
//! is replaced and not numbered (`§12`).
//!
//! The status of `INVALID_FILE_NAME`, and what is said to a form that is not as it should be, are not known (`§19.9`): 400
//! here. Nor is what a server says whose distribution point takes no packages: here the same as the calls of a point that is
//! not there.
//! A token is looked at when the request begins, and not again at its end (`§2.5`).

mod form;
mod writer;

use super::answer::{Answer, Fault, ProxyPage, id, json};
use super::caller::{Base, Caller};
use super::distribution_point;
use super::packages::unknown;
use crate::Privilege;
use crate::core::{Core, TakenName};
use crate::faults;
use crate::grant::Landed;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, post};
use form::Form;
use http::StatusCode;
use serde_json::json;
use std::io;
use std::sync::Arc;
use writer::{Writer, Written};

/// Serves the call for bodies of any size.
pub(super) fn route() -> MethodRouter<Arc<Core>> {
    post(upload).layer(DefaultBodyLimit::disable())
}

async fn upload(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Base(base): Base,
    Path(number): Path<String>,
    request: Request,
) -> Answer {
    // Those on the way see a request before the server does.
    if let Some(page) = core.faults.play(on_the_way) {
        return Ok(page.into_response());
    }
    caller.may(Privilege::UpdatePackages)?;
    caller.may(Privilege::ReadPackages)?;
    let id = id(&number)?;
    let name = file_name(&core, id)?;
    distribution_point::need_for_packages(&core)?;
    let written = receive(&core, request, id, &name).await?;
    if core.faults.plays(|fault| matches!(fault, faults::Fault::UploadFails(_))) {
        return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }
    // Receiving may take long enough for somebody to delete or rename the record.
    if file_name(&core, id)? != name {
        return Err(wrong_file_name(id));
    }
    let Written { path, size, md5, sha3 } = written;
    let object = Landed { key: name.clone(), blob: path.to_path_buf(), size, md5, sha3 };
    core.take_in(&name, &object, TakenName::IsReplaced).map_err(|error| broken(&error))?;
    let href = format!("{base}/api/v1/packages/{id}/upload/{id}");
    Ok(json(StatusCode::CREATED, &json!({ "id": id.to_string(), "href": href })))
}

/// The page of a proxy or an edge in front of the server that takes a request for itself.
fn on_the_way(fault: faults::Fault) -> Option<ProxyPage> {
    match fault {
        faults::Fault::UploadTooLarge => Some(ProxyPage(StatusCode::PAYLOAD_TOO_LARGE)),
        faults::Fault::UploadBlocked => Some(ProxyPage(StatusCode::FORBIDDEN)),
        _ => None,
    }
}

fn file_name(core: &Core, id: u64) -> Result<String, Fault> {
    let world = core.world();
    Ok(world.packages.get(id).ok_or_else(|| unknown(id))?.record.file_name.clone())
}

/// The bytes of the one part, on disk. If this fails or is given up, they are gone.
async fn receive(core: &Core, request: Request, id: u64, name: &str) -> Result<Written, Fault> {
    let mut form = Form::read(request).await?;
    let mut part = form.part().await?;
    if part.file_name() != Some(name) {
        return Err(wrong_file_name(id));
    }
    let mut writer = Writer::new(&core.incoming()).map_err(|error| broken(&error))?;
    let stalls = core.faults.plays(|fault| fault == faults::Fault::UploadStalls);
    while let Some(bytes) = part.chunk().await? {
        if stalls {
            return std::future::pending().await;
        }
        writer.write(bytes).await.map_err(|error| broken(&error))?;
    }
    // The parser gives out one part at a time, and notices only now if this one is still held.
    drop(part);
    form.end().await?;
    writer.finish().await.map_err(|error| broken(&error))
}

fn wrong_file_name(id: u64) -> Fault {
    let text = "The filename does not correspond to the filename linked to the package ID.";
    Fault::new(StatusCode::BAD_REQUEST, "INVALID_FILE_NAME", text, Some(&id.to_string()), Some("file"))
}

/// The rehearsal itself has a problem; the log says which, the client only that.
fn broken(error: &io::Error) -> Fault {
    tracing::error!(%error, "an upload cannot be written");
    Fault::bare(StatusCode::INTERNAL_SERVER_ERROR)
}

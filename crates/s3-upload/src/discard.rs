use crate::Memory;
use crate::bucket::{Bucket, Place};
use crate::credentials::LiveCredentials;
use crate::endpoint::Endpoint;
use crate::resume::{Abandoned, abandon, tell_what_may_be_missing};
use crate::s3_error::in_full;
use jamf::{Session, UploadGrant};
use pipeline::Context;
use state::StoredUpload;
use std::sync::Arc;

/// Removes what earlier runs have left unfinished on this server, as far as it is `unwanted`. Gives the names of the files
/// that are settled, and how; the others stay in the journal, and it is told why.
pub async fn discard(
    memory: &Memory,
    session: &Arc<Session>,
    cx: &Context,
    unwanted: impl Fn(&StoredUpload) -> bool,
) -> Vec<(String, Abandoned)> {
    let taken = match memory.state.take_over(session.server(), unwanted) {
        Ok(taken) => taken,
        Err(error) => {
            cx.warn(format!("the journal cannot be read: {}", in_full(&error)));
            return Vec::new();
        }
    };
    let mut settled = Vec::new();
    for (journal, stored) in taken {
        // An endpoint that cannot be read any more is nobody's.
        let Ok(endpoint) = Endpoint::parse(stored.place.endpoint.as_deref()) else { continue };
        let first = UploadGrant::of_place(&stored.place.region, &stored.place.bucket, &stored.place.prefix);
        match session.jcds_renew(cx, &first).await {
            Ok(grant) => {
                let place = Place { endpoint, region: first.region.clone(), bucket: first.bucket.clone() };
                let credentials = LiveCredentials::new(grant, Arc::clone(session), cx);
                let boundary = Arc::clone(cx.boundary());
                let bucket = Bucket::open(&place, credentials, &memory.connections, boundary);
                settled.push((abandon(&bucket, journal, &stored, cx).await, stored));
            }
            // Its place is shut for good.
            Err(jamf::Error::Superseded) => {
                let came_to = if journal.close().is_ok() { Abandoned::LeftToS3 } else { Abandoned::Stays };
                settled.push((came_to, stored));
            }
            Err(error) => cx.warn(format!(
                "what an earlier run left of {} could not be removed: {}",
                stored.file,
                in_full(&error)
            )),
        }
    }
    settled.retain(|(came_to, _)| *came_to != Abandoned::Stays);
    for (_, stored) in &settled {
        tell_what_may_be_missing(stored, cx);
    }
    settled.into_iter().map(|(came_to, stored)| (stored.file, came_to)).collect()
}

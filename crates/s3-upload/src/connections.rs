//! Connections to S3, and the buffers that leave over them. They outlast one upload: a hundred small packages would otherwise
//! shake hands a hundred times.

use crate::endpoint::Endpoint;
use crate::payload::Pool;
use crate::warm::Lines;
use aws_sdk_s3::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_sdk_s3::{Client, Config};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Open connections, by where they lead, and memory for parts on their way. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    clients: Arc<Mutex<HashMap<(Endpoint, String), Client>>>,
    pool: Arc<Pool>,
    lines: Lines,
}

impl Connections {
    /// Memory for parts on their way.
    pub(crate) fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.pool)
    }

    /// Which of them are open.
    pub(crate) fn lines(&self) -> Lines {
        self.lines.clone()
    }

    /// A client for an endpoint and region. It knows no credentials: those come with each request.
    pub(crate) fn client(&self, endpoint: &Endpoint, region: &str) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (endpoint.clone(), region.to_owned());
        clients.entry(place).or_insert_with(|| Client::from_conf(config(endpoint, region))).clone()
    }
}

/// The SDK's configuration, by hand: `aws-config` would bring in profiles, variables and endpoints of the user
/// (`jamf-pro-api.md §9.1`).
fn config(endpoint: &Endpoint, region: &str) -> Config {
    let builder = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        // The provider knows when credentials end; a cache in front of it would hand out old ones.
        .identity_cache(IdentityCache::no_cache())
        // What stands still is noticed by whoever sends.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    match endpoint {
        Endpoint::Amazon => builder,
        Endpoint::Other(url) => {
            let builder = builder.endpoint_url(url.as_str().trim_end_matches('/')).force_path_style(true);
            // Plain HTTP stays on this machine, where no proxy finds it; the SDK's own client would ask `HTTP_PROXY`.
            if url.scheme() == "http" {
                builder.http_client(aws_smithy_http_client::Builder::new().build_http())
            } else {
                builder
            }
        }
    }
    .build()
}

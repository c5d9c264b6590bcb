use crate::GATEWAY_ADDRESSING;
use pipeline::{Default, Input, keys};

/// What every processor that talks to Jamf Pro reads; joined to its own inputs with [`pipeline::join`].
///
/// None of it is required of a recipe, which is the same for every server; [`Sessions::open`](crate::Sessions::open)
/// says what is missing.
pub const CONNECTION: [Input; 10] = [
    Input::optional(keys::JSS_URL, "Address of the Jamf Pro server, such as https://name.jamfcloud.com.")
        .destination(),
    Input::optional(
        keys::TENANT_ID,
        "Id of a tenant: the server is then the Platform API gateway in front of it.",
    ),
    Input::optional(
        keys::ENVIRONMENT_ID,
        "The same for a platform environment, which Jamf prefers to tenants.",
    ),
    Input::optional(
        keys::REGION,
        "Region of the gateway, us, eu or apac; stands for its address where JSS_URL is not set.",
    )
    .destination(),
    Input::optional(
        GATEWAY_ADDRESSING,
        "How requests to a gateway name the tenant: auto (default: as its host has it), header or path.",
    ),
    Input::optional(keys::CLIENT_ID, "Id of an API client to sign in with."),
    Input::optional(keys::CLIENT_SECRET, "Secret of that API client."),
    Input::optional(keys::API_USERNAME, "User account to sign in with, where there is no API client."),
    Input::optional(keys::API_PASSWORD, "Password of that account."),
    Input::with_default(
        keys::PACKAGE_API,
        Default::Text("auto"),
        "Which API serves package records: auto, pro or classic.",
    ),
];

//! Bodies that are too large are refused in the words of the API that was asked.

use crate::rehearsal::{Rehearsal, Said};
use reqwest::{Method, StatusCode};
use serde_json::json;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn by_the_pro_api_as_an_error() {
    let rehearsal = Rehearsal::start().await;
    let body = json!({ "name": "x".repeat(MIB), "priority": 9 });
    let refused = rehearsal.send_json(Method::POST, "/api/v1/categories", &body).await;
    assert_eq!((refused.status, refused.json()), (413, json!({ "httpStatus": 413, "errors": [] })));
}

#[tokio::test]
async fn by_the_classic_api_as_a_page() {
    let rehearsal = Rehearsal::start().await;
    let body = format!("<package><name>{}</name></package>", "x".repeat(MIB));
    let Said { status, mime, body } =
        rehearsal.send_xml(Method::POST, "/JSSResource/packages/id/0", &body).await;
    assert_eq!((status, mime.as_str()), (StatusCode::PAYLOAD_TOO_LARGE.as_u16(), "text/html;charset=UTF-8"));
    insta::assert_snapshot!(body, @r#"
    <html>
    <head>
       <title>Status page</title>
    </head>
    <body style="font-family: sans-serif;">
    <p style="font-size: 1.2em;font-weight: bold;margin: 1em 0px;">Payload Too Large</p>
    <p>The server is refusing to process a request because the request entity is larger than the server is willing or able to process</p>
    <p>You can get technical details <a href="http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.14">here</a>.<br>
    Please continue your visit at our <a href="/">home page</a>.
    </p>
    </body>
    </html>
    "#);
}

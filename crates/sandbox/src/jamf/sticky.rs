use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{COOKIE, SET_COOKIE};

/// What a load balancer and the container set (`jamf-pro-api.md §13.1`). Without `Secure`, which real ones have: clients
/// do not send such cookies back over plain HTTP.
const COOKIES: [&str; 3] = ["jpro-ingress", "APBALANCEID", "JSESSIONID"];

/// Sets the cookies that the caller does not send.
pub(super) async fn set_cookies(request: Request, next: Next) -> Response {
    let sent: Vec<String> = request
        .headers()
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
        .collect();
    let mut response = next.run(request).await;
    for name in COOKIES {
        let has = |line: &String| line.split(';').any(|pair| pair.trim().starts_with(&format!("{name}=")));
        if sent.iter().any(has) {
            continue;
        }
        let cookie = format!("{name}={}; Path=/; HttpOnly", uuid::Uuid::new_v4().simple());
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

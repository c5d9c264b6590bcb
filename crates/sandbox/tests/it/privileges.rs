use crate::rehearsal::{Rehearsal, assert_wire, said};
use reqwest::{Method, StatusCode};
use sandbox::{Account, Privilege};

/// Every call that needs a privilege (`jamf-pro-api.md §16`); the one that needs two has its own test.
const CALLS: &[(&str, &str, Privilege)] = &[
    ("GET", "/api/v1/categories", Privilege::ReadCategories),
    ("POST", "/api/v1/categories", Privilege::CreateCategories),
    ("POST", "/api/v1/categories/delete-multiple", Privilege::DeleteCategories),
    ("GET", "/api/v1/categories/1", Privilege::ReadCategories),
    ("PUT", "/api/v1/categories/1", Privilege::UpdateCategories),
    ("DELETE", "/api/v1/categories/1", Privilege::DeleteCategories),
    ("GET", "/api/v1/packages", Privilege::ReadPackages),
    ("POST", "/api/v1/packages", Privilege::CreatePackages),
    ("POST", "/api/v1/packages/delete-multiple", Privilege::DeletePackages),
    ("GET", "/api/v1/packages/1", Privilege::ReadPackages),
    ("PUT", "/api/v1/packages/1", Privilege::UpdatePackages),
    ("DELETE", "/api/v1/packages/1", Privilege::DeletePackages),
    ("GET", "/JSSResource/packages", Privilege::ReadPackages),
    ("GET", "/JSSResource/packages/id/1", Privilege::ReadPackages),
    ("POST", "/JSSResource/packages/id/0", Privilege::CreatePackages),
    ("PUT", "/JSSResource/packages/id/1", Privilege::UpdatePackages),
    ("DELETE", "/JSSResource/packages/id/1", Privilege::DeletePackages),
    ("GET", "/JSSResource/packages/name/a", Privilege::ReadPackages),
    ("PUT", "/JSSResource/packages/name/a", Privilege::UpdatePackages),
    ("DELETE", "/JSSResource/packages/name/a", Privilege::DeletePackages),
    ("GET", "/JSSResource/categories", Privilege::ReadCategories),
    ("GET", "/api/v1/jcds/files", Privilege::ReadJcdsFiles),
    ("POST", "/api/v1/jcds/files", Privilege::CreateJcdsFiles),
    ("POST", "/api/v1/jcds/renew-credentials", Privilege::CreateJcdsFiles),
    ("GET", "/api/v1/jcds/files/a.pkg", Privilege::ReadJcdsFiles),
    ("DELETE", "/api/v1/jcds/files/a.pkg", Privilege::DeleteJcdsFiles),
    ("POST", "/api/v1/jcds/refresh-inventory", Privilege::ReadJcdsFiles),
    ("GET", "/api/v1/cloud-distribution-point", Privilege::ReadDistributionPoint),
    ("GET", "/api/v1/cloud-distribution-point/files", Privilege::ReadDistributionPoint),
    ("POST", "/api/v1/cloud-distribution-point/refresh-inventory", Privilege::ReadDistributionPoint),
];

/// Calls that a token is enough for.
const FREE: &[(&str, &str)] = &[
    ("GET", "/api/v1/jamf-pro-version"),
    ("GET", "/api/v1/auth"),
    ("GET", "/api/v1/cloud-distribution-point/upload-capability"),
];

fn method(text: &str) -> Method {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_missing_privilege_is_403_in_the_words_of_each_api() {
    for privilege in Privilege::ALL {
        let account = Account::user("limited", "secret").without(privilege);
        let rehearsal = Rehearsal::with(|config| config.accounts[0] = account).await;
        for (verb, path, needed) in CALLS {
            let answer = said(rehearsal.request(method(verb), path)).await;
            if *needed != privilege {
                assert_ne!(answer.status, 403, "{verb} {path} without {privilege:?}");
            } else if path.starts_with("/api") {
                assert_wire(&answer, StatusCode::FORBIDDEN, "pro-api.403.invalid-privilege.response.json");
            } else {
                assert_eq!(answer.status, 403, "{verb} {path}");
                assert!(answer.mime.starts_with("text/html") && answer.body.contains("Forbidden"));
            }
        }
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_served() {
    let rehearsal = Rehearsal::with(|config| config.accounts[0].privileges.clear()).await;
    let calls = CALLS.iter().map(|(verb, path, _)| (*verb, *path)).chain(FREE.iter().copied());
    for (verb, path) in calls {
        let answer = said(rehearsal.anonymous(method(verb), path)).await;
        let example = if path.starts_with("/api") {
            "auth-token.401.bad-credentials.response.json"
        } else {
            "classic.401.response.html"
        };
        assert_wire(&answer, StatusCode::UNAUTHORIZED, example);
    }
    for (verb, path) in FREE {
        assert_eq!(said(rehearsal.request(method(verb), path)).await.status, 200, "{verb} {path}");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_in_the_words_of_each_api() {
    let rehearsal = Rehearsal::start().await;
    for path in ["/api/v1/packages/1/history", "/api/v1/nothing", "/"] {
        assert_wire(
            &rehearsal.get(path).await,
            StatusCode::NOT_FOUND,
            "pro-api.404.empty-errors.response.json",
        );
    }
    assert_wire(
        &rehearsal.get("/JSSResource/policies").await,
        StatusCode::NOT_FOUND,
        "classic.404.response.html",
    );
    assert_eq!(rehearsal.delete("/api/v1/packages").await, 405);
}

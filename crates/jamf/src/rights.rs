//! What an account may do, how long its token lives, and whether the clocks agree (`jamf-pro-api.md §2`).

use crate::call::Call;
use crate::facts::Fact;
use crate::transport::Authorization;
use crate::{Error, Privilege, ServerKind, Session, wire};
use jiff::{SignedDuration, Timestamp};
use pipeline::Context;
use reqwest::header::DATE;
use serde_json::Value;
use std::time::Duration;

const DETAILS: &str = "/api/v1/auth";
const HEALTH: &str = "/api/v1/health-check";

/// A token, as far as it concerns anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// From when it was asked for to its end, as the server tells it.
    pub life: Duration,
    /// Whether it is renewed before it ends: a user's is. An API client asks for another one.
    pub renewable: bool,
}

/// What the server lets an account do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    is_administrator: bool,
    names: Vec<String>,
}

impl Rights {
    /// Whether the account has this privilege, on any site.
    #[must_use]
    pub fn holds(&self, privilege: Privilege) -> bool {
        self.is_administrator || self.names.iter().any(|name| privilege.is_called(name))
    }

    /// Those of these privileges that the account does not have.
    #[must_use]
    pub fn lacking(&self, needed: &[Privilege]) -> Vec<Privilege> {
        needed.iter().copied().filter(|privilege| !self.holds(*privilege)).collect()
    }

    /// Reads an `AuthorizationV1`. An account of which nothing is told is no account without rights.
    fn read(json: &Value) -> Option<Self> {
        let account = json.get("account")?;
        let is_administrator = wire::text(account, "privilegeSet") == Some("ADMINISTRATOR");
        let sites = account.get("privilegesBySite").and_then(Value::as_object);
        let names = sites.into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_array).flatten();
        let names: Vec<String> = names.filter_map(Value::as_str).map(str::to_owned).collect();
        (is_administrator || !names.is_empty()).then_some(Self { is_administrator, names })
    }
}

impl Session {
    /// The token that this session works with; signs in if need be.
    ///
    /// # Errors
    /// When the account is refused, or the server cannot be asked.
    pub async fn token(&self, cx: &Context) -> Result<TokenFacts, Error> {
        let token = self.tokens().current(cx).await?;
        Ok(TokenFacts { life: token.life(), renewable: self.tokens().is_renewable() })
    }

    /// What the account may do. Not served by gateways, and by servers that list nothing for an API client, which nobody
    /// rules out (`jamf-pro-api.md §2.4`).
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn rights(&self, cx: &Context) -> Result<Fact<Rights>, Error> {
        if self.kind() == ServerKind::Gateway {
            return Ok(Fact::NotServed);
        }
        let answer = match self.send(cx, &Call::get(DETAILS)).await {
            Ok(answer) => answer,
            Err(error) if matches!(error.status(), Some(403..=405 | 410)) => return Ok(Fact::NotServed),
            Err(error) => return Err(error),
        };
        Ok(Rights::read(&answer.json("an account")?).map_or(Fact::NotServed, Fact::Told))
    }

    /// How far the server's clock is at least ahead of the one here; negative when it is behind, and zero when the two may
    /// agree. The server tells its time in whole seconds, and it takes a while to tell it. `None` when it tells none.
    ///
    /// Asked without signing in, since wrong clocks are what signing in may fail of.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn clock_difference(&self, cx: &Context) -> Result<Option<SignedDuration>, Error> {
        let before = cx.clock().now();
        let call = Call::get(HEALTH).once();
        // Whatever it answers, it says when.
        let answer = self.shared_server().exchange(cx, &call, Authorization::Nobody).await?;
        let after = cx.clock().now();
        let date = answer.header(&DATE).and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        Ok(date.map(|date| difference(date.timestamp(), before, after)))
    }
}

/// A server that said `told` did so from then to a second later, and from `before` to `after` by the clock here.
fn difference(told: Timestamp, before: Timestamp, after: Timestamp) -> SignedDuration {
    let latest = told.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    if told > after {
        told.duration_since(after)
    } else if latest < before {
        latest.duration_since(before)
    } else {
        SignedDuration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rights_are_those_of_all_sites_in_any_spelling() {
        let rights = |account: Value| Rights::read(&json!({ "account": account }));
        let some = rights(json!({
            "privilegeSet": "CUSTOM",
            "privilegesBySite": { "-1": ["Read Packages", null], "7": ["Read Jamf Content Distribution Server Files"] },
        }))
        .unwrap();
        assert!(some.holds(Privilege::ReadPackages) && some.holds(Privilege::ReadFiles));
        assert_eq!(some.lacking(&[Privilege::ReadFiles, Privilege::CreateFiles]), [Privilege::CreateFiles]);
        let all = rights(json!({ "privilegeSet": "ADMINISTRATOR", "privilegesBySite": null })).unwrap();
        assert_eq!(all.lacking(&Privilege::ALL), []);
        for silent in [json!({}), json!(null), json!({ "privilegesBySite": { "-1": [] } })] {
            assert_eq!(rights(silent), None);
        }
        assert_eq!(Rights::read(&json!([])), None);
    }

    #[test]
    fn clocks_differ_by_what_cannot_be_explained() {
        let at = |millisecond: i64| Timestamp::from_millisecond(1_795_176_000_000 + millisecond).unwrap();
        let seen = |told, before, after| difference(at(told), at(before), at(after)).as_millis();
        assert_eq!(seen(0, 999, 999), 0);
        assert_eq!(seen(0, 0, 0), 0);
        assert_eq!(seen(5000, 0, 4000), 1000);
        assert_eq!(seen(0, 5000, 9000), -4000);
        assert_eq!(seen(3000, 0, 60_000), 0, "it took a minute");
    }
}

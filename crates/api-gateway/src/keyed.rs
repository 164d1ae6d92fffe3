//! Requests that carry an Idempotency-Key: sent again without harm, they get the stored answer.

use crate::{Code, Problem, gateway::Parts, input};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use domain::{
    TenantId,
    idempotency::{Key, Verdict},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use store::{IdempotentWrite, StoredAnswer};

/// A key and the hash of the request that it stands for.
pub(crate) struct Keyed {
    key: Key,
    hash: String,
    route: &'static str,
}

impl Keyed {
    /// The request's key, if it carries one. Hashes the request as it was understood, so that white space, the order of
    /// keys, and whether a field is null or absent do not matter. `route` is the key's scope, and stored: never change it.
    pub(crate) fn of<T: Serialize>(
        request: &HttpRequest,
        route: &'static str,
        asked: &T,
    ) -> Result<Option<Self>, Problem> {
        let key = input::idempotency_key(request)?;
        Ok(key.map(|key| {
            let asked = serde_json::to_value(asked).expect("a request that was read serialises");
            Self { key, hash: hash(asked), route }
        }))
    }

    /// The answer that this request got before.
    pub(crate) async fn stored(
        &self,
        parts: &Parts,
        tenant: TenantId,
    ) -> Result<Option<StoredAnswer>, KeyRefused> {
        let seen = parts.store.stored_answer(tenant, self.route, self.key.as_str(), &self.hash).await;
        match seen.map_err(KeyRefused::Store)? {
            Verdict::Fresh => Ok(None),
            Verdict::Replay(answer) => Ok(Some(answer)),
            Verdict::Mismatch => Err(KeyRefused::Reused),
            Verdict::InFlight => Err(KeyRefused::InFlight),
        }
    }

    /// What is to be kept with the request's effect.
    pub(crate) fn write(&self, parts: &Parts, status: StatusCode, answer: &Value) -> IdempotentWrite {
        IdempotentWrite {
            route: self.route.to_owned(),
            key: self.key.as_str().to_owned(),
            request_hash: self.hash.clone(),
            ttl: parts.config.idempotency_ttl,
            status: status.as_u16(),
            answer: answer.clone(),
        }
    }
}

/// The hash of a request, or of a path's id and a request. A field without a value says what an absent one says, so that
/// a client that fills them in repeats itself, and a release that knows another field still recognises what the last one
/// answered. Within what a user gave, such as a brief, null is a value.
fn hash(asked: Value) -> String {
    fn fields(part: Value) -> Value {
        match part {
            Value::Object(all) => all
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, sorted(value)))
                .collect(),
            Value::Array(parts) => parts.into_iter().map(fields).collect(),
            other => other,
        }
    }
    blake3::hash(sorted(fields(asked)).to_string().as_bytes()).to_hex().to_string()
}

/// The same value, each object's members in the order of their names, whatever order the map keeps them in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(all) => {
            let all: BTreeMap<String, Value> =
                all.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            all.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Why a request with a key is not carried out.
#[derive(Debug)]
pub(crate) enum KeyRefused {
    /// The key stands for another request.
    Reused,
    /// The same request is being carried out.
    InFlight,
    /// The record cannot be asked.
    Store(store::Error),
}

impl KeyRefused {
    /// The word for figures.
    pub(crate) const fn outcome(&self) -> Option<&'static str> {
        match self {
            Self::Reused => Some("key_reused"),
            Self::InFlight => Some("key_in_flight"),
            Self::Store(_) => None,
        }
    }
}

impl From<KeyRefused> for Problem {
    fn from(refused: KeyRefused) -> Self {
        match refused {
            KeyRefused::Reused => Self::new(
                Code::KeyReused,
                "A key stands for one request. Send another key with another body.",
            ),
            KeyRefused::InFlight => {
                Self::new(Code::KeyInFlight, "Send the same request again in a moment to get its answer.")
            }
            KeyRefused::Store(error) => error.into(),
        }
    }
}

/// A stored answer, marked as such.
pub(crate) fn again(stored: &StoredAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::ACCEPTED);
    HttpResponse::build(status).insert_header(("Idempotent-Replayed", "true")).json(&stored.answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_the_same_however_it_is_written_and_another_when_it_says_something_else() {
        let one = hash(json!({"sourceUrl": "https://a.example/", "userBrief": {"b": 1, "a": [2, null]}}));
        let filled_in = json!({
            "userPrompt": null, "userBrief": {"a": [2, null], "b": 1}, "sourceUrl": "https://a.example/",
        });
        assert_eq!(one, hash(filled_in));
        for other in [
            json!({"sourceUrl": "https://b.example/", "userBrief": {"b": 1, "a": [2, null]}}),
            json!({"sourceUrl": "https://a.example/", "userBrief": {"b": 1, "a": [2]}}),
            json!({"sourceUrl": "https://a.example/", "userBrief": {"b": 1, "a": [2, null], "c": null}}),
            json!({"sourceUrl": "https://a.example/"}),
        ] {
            assert_ne!(one, hash(other.clone()), "{other}");
        }
        let retry = |body| hash(json!(["0190f8d4-0000-7000-8000-000000000000", body]));
        assert_eq!(retry(json!({"reason": null})), retry(json!({})));
        assert_ne!(retry(json!({"reason": "again"})), retry(json!({})));
    }
}

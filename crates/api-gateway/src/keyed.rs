//! Requests that carry an Idempotency-Key: sent again without harm, they get the stored answer.

use crate::{Code, Problem, gateway::Parts, input};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use domain::{
    TenantId,
    idempotency::{Key, Verdict},
};
use serde::Serialize;
use serde_json::Value;
use store::{IdempotentWrite, StoredAnswer};

/// A key and the hash of the request that it stands for.
pub(crate) struct Keyed {
    key: Key,
    hash: String,
    route: &'static str,
}

impl Keyed {
    /// The request's key, if it carries one. Hashes the request as it was understood, so that white space and the
    /// order of keys do not matter. `route` is the key's scope, and stored: never change it.
    pub(crate) fn of<T: Serialize>(
        request: &HttpRequest,
        route: &'static str,
        asked: &T,
    ) -> Result<Option<Self>, Problem> {
        let key = input::idempotency_key(request)?;
        Ok(key.map(|key| {
            let canonical = serde_json::to_vec(asked).expect("a request that was read serialises");
            Self { key, hash: blake3::hash(&canonical).to_hex().to_string(), route }
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

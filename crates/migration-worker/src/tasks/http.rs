//! An endpoint that does a kind's work: one signed request per attempt.
//!
//! It goes through a plain client and not through the guarded fetcher: the address is the operator's, and nothing that a
//! tenant says can change it. So no redirect is followed, since that would let the answer name an address.
//!
//! The signature is that of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, in `webhook-signature`.

use super::{Error, Kind, executor, executor::Envelope};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Failure, failure::Reason};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use serde_json::Value;
use service_kit::Secret;
use sha2::Sha256;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use url::Url;

/// For name, TCP and TLS together.
const CONNECT: Duration = Duration::from_secs(10);

pub(super) struct Endpoint {
    client: Client,
    url: Url,
    secret: Secret,
    max_result: u32,
}

impl Endpoint {
    pub(super) fn of(name: &str, kind: &Kind) -> Result<Self, Error> {
        let _first_stays = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT);
        let client = client.timeout(kind.timeout).user_agent("Resettle/0.1").build();
        let client = client.map_err(|source| Error::Client { kind: name.to_owned(), source })?;
        let url = kind.url.clone().expect("checked with the configuration");
        Ok(Self { client, url, secret: kind.secret.clone(), max_result: kind.max_result_bytes })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) async fn carry_out(&self, envelope: &Envelope<'_>) -> Result<Value, Failure> {
        let body = envelope.bytes();
        let sent_at = OffsetDateTime::now_utc().unix_timestamp();
        let signature = signature(self.secret.expose(), &envelope.job_id, sent_at, &body);
        let (traceparent, tracestate) = telemetry::current_context();
        let mut request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &envelope.job_id)
            .header("webhook-timestamp", sent_at)
            .header("webhook-signature", signature)
            .header("Idempotency-Key", format!("\"{}\"", envelope.idempotency_key()));
        for (name, value) in [("traceparent", traceparent), ("tracestate", tracestate)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = request.body(body).send().await.map_err(|error| unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            let bytes = read(answer, self.max_result).await?;
            return executor::result(&bytes, self.max_result);
        }
        Err(refusal(status, retry_after(&answer)))
    }
}

/// `v1,` and the base64 of the HMAC, as Standard Webhooks has it.
fn signature(secret: &str, id: &str, sent_at: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    mac.update(format!("{id}.{sent_at}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn read(mut answer: Response, most: u32) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&error))? {
        if bytes.len() + chunk.len() > most as usize {
            return Err(executor::too_large(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Never with the address: it is the operator's, and whoever reads this is a tenant.
fn unreachable(error: &reqwest::Error) -> Failure {
    tracing::info!(error = service_kit::exit::chain(error), "the endpoint did not answer");
    if error.is_timeout() && !error.is_connect() {
        return executor::overdue();
    }
    let told = "The endpoint of this kind cannot be reached, or broke the connection.";
    Failure::of(Reason::Network, "endpoint_unreachable", told)
}

/// What an answer without a result says.
fn refusal(status: StatusCode, pause: Option<Duration>) -> Failure {
    let code = status.as_u16();
    let told = |what: &str| format!("The endpoint of this kind answered {code}: {what}.");
    match (code, pause) {
        (429 | 503, Some(pause)) => {
            Failure::rate_limited("endpoint_busy", told("it asks to be left alone for a while"), pause)
        }
        (429, None) => Failure::of(Reason::RateLimited, "endpoint_busy", told("it has too much to do")),
        (408 | 425 | 500..=599, _) => {
            Failure::of(Reason::Upstream5xx, "endpoint_failed", told("a fault of its own"))
        }
        (300..=399, _) => {
            Failure::of(Reason::InvalidInput, "endpoint_redirects", told("redirects are not followed"))
        }
        _ => Failure::of(Reason::InvalidInput, "endpoint_refused", told("it does not take this job")),
    }
}

/// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3).
fn retry_after(answer: &Response) -> Option<Duration> {
    let value = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::retry::{Policy, Verdict};

    /// RFC 4231, test case 2, in our form: its key, and its data as `id.timestamp.body`.
    #[test]
    fn the_signature_is_an_hmac_over_id_time_and_body() {
        let own = signature("a secret of this test", "msg", 1_700_000_000, b"{}");
        let mut mac = Hmac::<Sha256>::new_from_slice(b"a secret of this test").expect("any length");
        mac.update(b"msg.1700000000.{}");
        assert_eq!(own, format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
        let mut known = Hmac::<Sha256>::new_from_slice(b"Jefe").expect("any length");
        known.update(b"what do ya want for nothing?");
        let hex: String = known.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn each_status_has_its_reason_and_what_follows() {
        let policy = Policy { max_attempts: 9, ..Policy::default() };
        for (status, pause, reason, again) in [
            (400, None, Reason::InvalidInput, false),
            (404, None, Reason::InvalidInput, false),
            (302, None, Reason::InvalidInput, false),
            (408, None, Reason::Upstream5xx, true),
            (429, None, Reason::RateLimited, true),
            (429, Some(7), Reason::RateLimited, true),
            (429, Some(7200), Reason::RateLimited, false),
            (500, None, Reason::Upstream5xx, true),
            (503, None, Reason::Upstream5xx, true),
            (503, Some(7), Reason::RateLimited, true),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let failure = refusal(status, pause.map(Duration::from_secs));
            assert_eq!(failure.reason, reason, "{status}");
            let verdict = policy.judge_task(&failure, 5, 0.5);
            assert_eq!(matches!(verdict, Verdict::RetryAfter(_)), again, "{status} {pause:?}");
        }
    }
}

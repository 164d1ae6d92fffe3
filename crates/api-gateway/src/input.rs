//! What routes take in: who calls, which migration is meant, and bodies and queries within their bounds. Whatever
//! does not fit becomes a problem document that says what to do.

use crate::{Code, Config, Problem, gateway::Parts};
use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{JsonBody, Payload, ServiceRequest, ServiceResponse},
    error::{JsonPayloadError, QueryPayloadError},
    http::header::{self, HeaderMap},
    middleware::Next,
    web::{Data, QueryConfig},
};
use auth::{Role, Sent};
use domain::{MigrationId, idempotency::Key};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{
    fmt,
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
};
use store::Store;
use tokio::time::timeout;

/// The middleware in front of everything that needs a key. Whoever has none learns nothing else: not whether the
/// body, the query or the id would have been good.
pub(crate) async fn authenticated(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let parts = request.app_data::<Data<Parts>>().expect("mounted with the gateway's parts").clone();
    match identified(&parts, &request).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(error) => {
            let refusal = Problem::from(error).error_response();
            Ok(request.into_response(refusal).map_into_right_body())
        }
    }
}

/// By its key, or by a page's cookie; what changes something by a cookie shows the form's token, too.
async fn identified(parts: &Parts, request: &ServiceRequest) -> Result<auth::Caller, auth::Error> {
    let sent = Sent { fetch_site: text(request.headers(), "sec-fetch-site"), ..sent(request.headers()) };
    let caller = auth::identify(&parts.store, &parts.origins, &sent).await?;
    if !request.method().is_safe() {
        caller.may_change(&parts.origins, &sent, text(request.headers(), FORM_TOKEN))?;
    }
    Ok(caller)
}

/// The header in which scripts of our pages show the form's token.
const FORM_TOKEN: &str = "x-form-token";

/// What tells who sends a request that may come by a link from anywhere.
pub(crate) fn sent(headers: &HeaderMap) -> Sent<'_> {
    Sent {
        authorization: text(headers, header::AUTHORIZATION.as_str()),
        cookie: text(headers, header::COOKIE.as_str()),
        host: text(headers, header::HOST.as_str()),
        origin: text(headers, header::ORIGIN.as_str()),
        fetch_site: None,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The caller, as [`authenticated`] found it.
pub(crate) struct Caller(pub(crate) auth::Caller);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<auth::Caller>().cloned();
        ready(known.map(Self).ok_or_else(|| Problem::from(auth::Error::Missing)))
    }
}

impl Caller {
    /// Refuses those who may only read.
    pub(crate) fn who_may_write(&self) -> Result<&auth::Caller, Problem> {
        if self.0.role >= Role::Member {
            return Ok(&self.0);
        }
        Err(Problem::new(
            Code::Forbidden,
            "Viewers may read only. Ask an owner of the organisation for another role.",
        ))
    }
}

impl Caller {
    /// Refuses all but the organisation's owners.
    pub(crate) fn who_administers(&self) -> Result<&auth::Caller, Problem> {
        if self.0.role == Role::Owner {
            return Ok(&self.0);
        }
        Err(Problem::new(
            Code::Forbidden,
            "Only owners of the organisation may look at and settle dead letters.",
        ))
    }
}

/// A caller who is an operator, and the operators' view of the database.
pub(crate) struct Operator {
    pub(crate) caller: auth::Caller,
    pub(crate) store: Store,
}

impl Operator {
    /// Refuses everybody else, whatever they may do in their own organisation.
    pub(crate) async fn of(parts: &Parts, caller: &auth::Caller) -> Result<Self, Problem> {
        let Some(store) = &parts.operators else {
            let told = "This gateway shows nobody its operations: `operator_store.url` is not set.";
            return Err(Problem::new(Code::RouteNotFound, told));
        };
        if !store.is_operator(caller.user).await? {
            let told = "Only operators of this instance may see this. `resettle operator grant` names them.";
            return Err(Problem::new(Code::NotOperator, told));
        }
        Ok(Self { caller: caller.clone(), store: store.clone() })
    }
}

impl FromRequest for Operator {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = request.app_data::<Data<Parts>>().expect("mounted with the gateway's parts").clone();
        let caller = Caller::from_request(request, payload);
        Box::pin(async move { Self::of(&parts, &caller.await?.0).await })
    }
}

/// The migration that the path names.
pub(crate) struct Named(pub(crate) MigrationId);

impl FromRequest for Named {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.match_info().get("id").unwrap_or_default();
        let named = given.parse().map(Self).map_err(|_| {
            Problem::new(
                Code::InvalidId,
                "A migration's id is a UUID, as `POST /api/migration/start` answered it.",
            )
        });
        ready(named)
    }
}

/// The answer for a migration that is not there, or is somebody else's: the same for both.
pub(crate) fn not_found(id: MigrationId) -> Problem {
    Problem::new(Code::MigrationNotFound, format!("No migration of yours has the id {id}."))
}

/// The request's Idempotency-Key, if it carries one.
pub(crate) fn idempotency_key(request: &HttpRequest) -> Result<Option<Key>, Problem> {
    let mut sent = request.headers().get_all("idempotency-key");
    let Some(value) = sent.next() else { return Ok(None) };
    let single = sent.next().is_none();
    let key = value.to_str().ok().filter(|_| single).map(Key::parse);
    match key {
        Some(Ok(key)) => Ok(Some(key)),
        Some(Err(malformed)) => Err(Problem::new(Code::InvalidHeader, format!("{malformed}."))),
        None => Err(Problem::new(Code::InvalidHeader, "Send one Idempotency-Key, in ASCII.")),
    }
}

/// A JSON object as body, within its bounds.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(request, payload, |config| config.max_body);
        Box::pin(async { body.await.map(Self) })
    }
}

/// The same where many things come at once, within bounds of its own.
pub(crate) struct LargeBody<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for LargeBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(request, payload, |config| config.max_jobs_body);
        Box::pin(async { body.await.map(Self) })
    }
}

fn read_body<T: DeserializeOwned + 'static>(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: fn(&Config) -> usize,
) -> impl Future<Output = Result<T, Problem>> + use<T> {
    let config = &request.app_data::<Data<Parts>>().expect("mounted with the gateway's parts").config;
    let (limit, bound) = (limit(config), config.body_timeout);
    let reading = JsonBody::<Object<T>>::new(request, payload, None, true).limit(limit);
    async move {
        // Who sends it byte by byte must not hold a connection for ever.
        match timeout(bound, reading).await {
            Ok(read) => read.map(|Object(body)| body).map_err(|error| unreadable(&error, limit)),
            Err(_) => Err(Problem::new(
                Code::RequestTimeout,
                format!("Send the whole body within {} s.", bound.as_secs_f32()),
            )),
        }
    }
}

/// A value that is written as an object and in no other way: by itself, serde takes an array of the fields too.
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

fn unreadable(error: &JsonPayloadError, limit: usize) -> Problem {
    match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            Problem::new(Code::BodyTooLarge, format!("Send at most {limit} bytes."))
        }
        JsonPayloadError::ContentType => {
            Problem::new(Code::UnsupportedMediaType, "Send `Content-Type: application/json`.")
        }
        // serde names the field and what it expected; it quotes only what the client sent.
        JsonPayloadError::Deserialize(wrong) => Problem::new(Code::InvalidBody, format!("{wrong}.")),
        _ => Problem::new(Code::InvalidBody, "The body broke off or could not be decoded. Send it again."),
    }
}

pub(crate) fn query_config() -> QueryConfig {
    QueryConfig::default()
        .error_handler(|error, _| Problem::new(Code::InvalidQuery, format!("{}.", wrong_in(&error))).into())
}

/// What is wrong with a query, without the framework's preamble.
fn wrong_in(error: &QueryPayloadError) -> String {
    match error {
        QueryPayloadError::Deserialize(wrong) => wrong.to_string(),
        other => other.to_string(),
    }
}

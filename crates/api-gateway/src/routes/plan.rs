//! `GET` and `PATCH /api/migration/{id}/plan`: the plan as its owner sees, changes and approves it.
//!
//! A change names the plan that it was made for, and becomes a document of its own before the record learns of it: a
//! change that is refused at last leaves an object that nothing names.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Body, Caller, Named, not_found},
    keyed::{self, KeyRefused, Keyed},
    stored,
    view::plan::PlanAmended,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, ETag, EntityTag, Header, IfMatch},
    },
    web::{self, Data},
};
use domain::{JobId, Kind, MigrationId, TenantId, migration::MigrationState, trace::TraceContext};
use object_store::{ObjectStoreExt, PutPayload, path::Path as Key};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use site_write::plan::{Patch, Plan, Refused};
use std::collections::BTreeMap;
use store::{AmendOutcome, AmendPlan, Amended, Approval, PlanEdit};
use utoipa::ToSchema;
use uuid::Uuid;

/// The scope of this route's Idempotency-Keys. Stored: never change it.
const ROUTE: &str = "PATCH /api/migration/{id}/plan";
/// A larger plan is shown, but not edited: it is read into memory for that, in bytes.
const MOST_TO_EDIT: u64 = 64 << 20;
/// Where a plan's version is told, beside its hash in `ETag`.
const VERSION_HEADER: &str = "Plan-Version";

/// What is to be changed. Either all of it is, or nothing.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PlanChange {
    /// New names of pages' components, by the page's address on the site.
    #[serde(default)]
    #[schema(example = json!({"https://example.com/": "HomePage"}))]
    components: BTreeMap<String, String>,
    /// New names of shared parts, by the name that the plan has.
    #[serde(default)]
    #[schema(example = json!({"SiteHeader": "Masthead"}))]
    parts: BTreeMap<String, String>,
    /// Paths that the router serves pages under, by the page's address on the site; only of pages whose own address is
    /// no folder's name.
    #[serde(default)]
    served: BTreeMap<String, String>,
    /// The plan is good, with these changes: go on.
    #[serde(default)]
    approve: bool,
}

pub(crate) const REFUSALS: &[Code] = &[
    Code::InvalidId,
    Code::InvalidBody,
    Code::InvalidHeader,
    Code::Forbidden,
    Code::StaleForm,
    Code::MigrationNotFound,
    Code::RequestTimeout,
    Code::NotPlanned,
    Code::PlanInUse,
    Code::PlanNotAwaited,
    Code::KeyInFlight,
    Code::PlanChanged,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::InvalidPlanEdit,
    Code::KeyReused,
    Code::IfMatchMissing,
];

/// Shows the plan: which file every address becomes.
#[utoipa::path(
    get, path = "/api/migration/{id}/plan", tag = "migrations", params(("id" = Uuid, Path)),
    responses(
        (status = 200, content_type = "application/json", body = Value, description = "The plan's document",
            headers(
                ("ETag" = String, description = "Its hash; a change names it in If-Match"),
                ("Plan-Version" = i32, description = "From 1; raised by each change"))),
        (status = 304, description = "It is the one that If-None-Match named"))
)]
pub(crate) async fn plan(
    request: HttpRequest,
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
) -> Result<HttpResponse, Problem> {
    let planned = Planned::find(&parts, caller.0.tenant, id).await?;
    let tag = EntityTag::new_strong(planned.hash.clone());
    let version = (VERSION_HEADER, planned.version.to_string());
    if stored::is_known(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header(ETag(tag)).insert_header(version).finish());
    }
    let found = stored::open(&parts, &planned.key).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(ETag(tag))
        .insert_header(version)
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .no_chunking(found.meta.size)
        .streaming(found.into_stream()))
}

/// Changes the plan, approves it, or both.
///
/// A migration that was started with `reviewPlan` waits with its plan, as `questionnaire`, until it is approved. The plan
/// of a migration that is over can be changed for its next run: a retry goes on from TRANSFORM with it. With an
/// Idempotency-Key the request can be sent again without harm.
#[utoipa::path(
    patch, path = "/api/migration/{id}/plan", tag = "migrations", request_body = PlanChange,
    params(
        ("id" = Uuid, Path),
        ("If-Match" = String, Header, description = "The ETag of the plan that is meant"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "A quoted string of 1 to 255 printable characters, new for each new request")),
    responses((status = 200, body = PlanAmended, description = "It is changed, approved, or was so already",
        headers(
            ("ETag" = String, description = "The hash of the plan that came of it"),
            ("Idempotent-Replayed" = Option<String>, description = "`true` on a stored answer"))))
)]
pub(crate) async fn amend(
    request: HttpRequest,
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
    Body(body): Body<PlanChange>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_may_write()?;
    let meant = Meant::by(&request)?;
    // Migration and plan are part of what the key stands for.
    let keyed = Keyed::of(&request, ROUTE, &(id, &meant.0, &body))?;
    if let Some(keyed) = &keyed
        && let Some(answer) = keyed.stored(&parts, caller.tenant).await?
    {
        return Ok(keyed::again(&answer));
    }
    if body.is_empty() {
        let told = "Name at least one of components, parts and served, or approve the plan.";
        return Err(Problem::new(Code::InvalidBody, told));
    }
    revise(&parts, caller, id, |hash| meant.is(hash), keyed, body).await
}

/// The word of whoever was shown the plan of this hash: it is good as it is.
pub(crate) async fn approve(
    parts: &Parts,
    caller: &Caller,
    id: MigrationId,
    hash: &str,
) -> Result<(), Problem> {
    let caller = caller.who_may_write()?;
    let body = PlanChange { approve: true, ..PlanChange::default() };
    revise(parts, caller, id, |known| known == hash, None, body).await.map(drop)
}

/// The same for every way in: changes the plan if it is the one that is meant.
async fn revise(
    parts: &Parts,
    caller: &auth::Caller,
    id: MigrationId,
    is_meant: impl Fn(&str) -> bool,
    keyed: Option<Keyed>,
    body: PlanChange,
) -> Result<HttpResponse, Problem> {
    let planned = Planned::find(parts, caller.tenant, id).await?;
    planned.leaves_room()?;
    if !is_meant(&planned.hash) {
        return Err(changed(&planned.hash));
    }
    let approval = body
        .approve
        .then(|| Approval { job: JobId(Uuid::now_v7()), max_attempts: parts.config.max_attempts });
    let edit = planned.edited(parts, caller.tenant, id, body).await?;
    let (traceparent, tracestate) = telemetry::current_context();
    let wish = AmendPlan {
        tenant: caller.tenant,
        user: caller.user,
        migration: id,
        base: planned.hash,
        edit,
        approval,
        trace: TraceContext { traceparent, tracestate },
        idempotency: keyed.as_ref().map(|keyed| keyed.write(parts, StatusCode::OK, &Value::Null)),
        answer,
    };
    match parts.store.amend_plan(&wish).await? {
        AmendOutcome::Amended(amended) => {
            let tag = ETag(EntityTag::new_strong(amended.hash.clone()));
            Ok(HttpResponse::Ok().insert_header(tag).json(answer(&wish, &amended)))
        }
        AmendOutcome::Replayed(stored) => Ok(keyed::again(&stored)),
        AmendOutcome::KeyMismatch => Err(KeyRefused::Reused.into()),
        AmendOutcome::KeyInFlight => Err(KeyRefused::InFlight.into()),
        AmendOutcome::NotFound => Err(not_found(id)),
        AmendOutcome::NotPlanned(state) => Err(not_planned(state)),
        AmendOutcome::Changed(hash) => Err(changed(&hash)),
        AmendOutcome::InUse(state) => Err(in_use(state)),
        AmendOutcome::NotAwaited(state) => {
            let told = format!("It is {state}, and nothing waits for an approval. Leave `approve` out.");
            Err(Problem::new(Code::PlanNotAwaited, told).with("migrationStatus", state.to_string()))
        }
    }
}

fn answer(wish: &AmendPlan, amended: &Amended) -> Value {
    let message = match (&wish.approval, &wish.edit) {
        (Some(_), _) => "The plan is approved. The project waits for a worker to write it.",
        (None, None) => "The plan is as it was: it said so already.",
        (None, Some(_)) if amended.state == MigrationState::Questionnaire => {
            "The plan is changed. It still waits for approval."
        }
        (None, Some(_)) => "The plan is changed. A retry writes the project anew by it.",
    };
    let told = PlanAmended {
        migration_id: wish.migration.0,
        status: amended.state.to_string(),
        plan_version: amended.version,
        plan_hash: amended.hash.clone(),
        message: message.to_owned(),
    };
    serde_json::to_value(told).expect("plain strings, numbers and ids serialise")
}

impl PlanChange {
    fn is_empty(&self) -> bool {
        !self.approve && !self.edits()
    }

    fn edits(&self) -> bool {
        !(self.components.is_empty() && self.parts.is_empty() && self.served.is_empty())
    }
}

/// The plan that a request means, as it says: `*`, or tags.
struct Meant(String, IfMatch);

impl Meant {
    fn by(request: &HttpRequest) -> Result<Self, Problem> {
        let Some(sent) = request.headers().get(header::IF_MATCH) else {
            let told = "Send If-Match with the ETag that a GET of this address answered.";
            return Err(Problem::new(Code::IfMatchMissing, told));
        };
        let tags = IfMatch::parse(request)
            .map_err(|_| Problem::new(Code::InvalidHeader, "If-Match is `*`, or tags in double quotes."))?;
        Ok(Self(String::from_utf8_lossy(sent.as_bytes()).into_owned(), tags))
    }

    fn is(&self, hash: &str) -> bool {
        match &self.1 {
            IfMatch::Any => true,
            IfMatch::Items(tags) => {
                let own = EntityTag::new_strong(hash.to_owned());
                tags.iter().any(|tag| tag.strong_eq(&own))
            }
        }
    }
}

/// A plan that the record names.
struct Planned {
    state: MigrationState,
    version: i32,
    key: String,
    hash: String,
    /// PLAN's result, for the one that comes of a change.
    result: Value,
}

impl Planned {
    async fn find(parts: &Parts, tenant: TenantId, id: MigrationId) -> Result<Self, Problem> {
        let record = parts.store.plan(tenant, id).await?.ok_or_else(|| not_found(id))?;
        let result = record.result.ok_or_else(|| not_planned(record.state))?;
        let text = |member: &str| result[member].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            state: record.state,
            version: record.version,
            key: text("plan"),
            hash: text("hash"),
            result,
        })
    }

    /// The record has the last word; this spares the work.
    fn leaves_room(&self) -> Result<(), Problem> {
        if self.state.leaves_its_plan() { Ok(()) } else { Err(in_use(self.state)) }
    }

    /// The plan with the change, stored; none if it says the same.
    async fn edited(
        &self,
        parts: &Parts,
        tenant: TenantId,
        id: MigrationId,
        change: PlanChange,
    ) -> Result<Option<PlanEdit>, Problem> {
        if !change.edits() {
            return Ok(None);
        }
        let edits = json!({"components": change.components, "parts": change.parts, "served": change.served});
        let PlanChange { components, parts: names, served, .. } = change;
        let patch = Patch { plan: self.hash.clone(), components, parts: names, served };
        let found = stored::open(parts, &self.key).await?;
        if found.meta.size > MOST_TO_EDIT {
            return Err(refused("The plan is too large to be edited. Approve it as it is."));
        }
        let away = |error: object_store::Error| Problem::from_source(Kind::Unavailable, &error);
        let text = found.bytes().await.map_err(away)?;
        // Plans can be of megabytes: not between other requests.
        let made = web::block(move || edit(&text, &patch)).await;
        let (hash, text) = made.map_err(|error| Problem::from_source(Kind::Internal, &error))??;
        if hash == self.hash {
            return Ok(None);
        }
        // Named by its content: a request that is sent again writes the same.
        let key = format!("tenants/{tenant}/migrations/{id}/plans/{hash}.json");
        parts.objects.put(&Key::from(key.as_str()), PutPayload::from(text)).await.map_err(away)?;
        let mut result = self.result.clone();
        result["plan"] = key.into();
        result["hash"] = hash.clone().into();
        Ok(Some(PlanEdit { hash, edits, result }))
    }
}

/// The plan's text with the change, and its hash.
fn edit(text: &[u8], patch: &Patch) -> Result<(String, Vec<u8>), Problem> {
    let plan = Plan::read(text).map_err(|error| {
        tracing::info!(error = service_kit::exit::chain(&error), "a stored plan cannot be edited");
        refused("It was made by another release. Approve it as it is, or retry from PLAN.")
    })?;
    let edited = plan.edited(patch).map_err(|no: Refused| refused(&format!("{no}.")))?;
    let text = serde_json::to_vec(&edited).map_err(|error| Problem::from_source(Kind::Internal, &error))?;
    Ok((edited.hash().to_string(), text))
}

fn refused(told: &str) -> Problem {
    Problem::new(Code::InvalidPlanEdit, told)
}

fn not_planned(state: MigrationState) -> Problem {
    let told = format!("It is {state}. There is a plan as soon as PLAN is completed.");
    Problem::new(Code::NotPlanned, told).with("migrationStatus", state.to_string())
}

fn in_use(state: MigrationState) -> Problem {
    let told = if state.is_active() {
        format!("It is {state}. Change the plan when that is over, and retry.")
    } else {
        format!("It is {state}, which is for good. Start a new migration of the site.")
    };
    Problem::new(Code::PlanInUse, told).with("migrationStatus", state.to_string())
}

fn changed(hash: &str) -> Problem {
    let told = format!("The plan is {hash}. Read it again, and repeat the change with its ETag.");
    Problem::new(Code::PlanChanged, told).with("planHash", hash)
}

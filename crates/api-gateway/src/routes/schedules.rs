//! `/api/schedules`: jobs that repeat. A schedule is said whole, under a name, and said again without harm; what its jobs
//! may be is judged as if each were enqueued here and now.

use super::{
    jobs::{
        enqueue::JobRequest,
        judge::{Judge, Place},
    },
    nothing_here, taking,
};
use crate::{
    Code, Problem,
    gateway::Parts,
    input::{self, Caller, LargeBody},
    view::{
        jobs::JobNeeds,
        schedules::{Schedule, ScheduleInFull, Schedules},
    },
};
use actix_web::{
    HttpResponse,
    middleware::from_fn,
    web::{self, Data, Json, Path, ServiceConfig},
};
use domain::schedule::Missed;
use serde::Deserialize;
use serde_json::Value;
use store::{MAX_SCHEDULES, NewSchedule, ScheduleOutcome};
use utoipa::ToSchema;

/// Characters of a name.
const LONGEST_NAME: usize = 100;
/// The zone of those that name none.
const UTC: &str = "UTC";

/// The routes, all behind a key.
pub(crate) fn mount(config: &mut ServiceConfig) {
    let one = web::resource("/{name}").get(one).put(set).delete(remove);
    let schedules = web::scope("/api/schedules")
        .wrap(from_fn(input::authenticated))
        .service(taking("GET", web::resource("").get(list)))
        .service(taking("GET, HEAD, PUT, DELETE", one))
        .default_service(web::to(nothing_here));
    config.service(schedules);
}

pub(crate) const REFUSALS: &[Code] = &[
    Code::InvalidBody,
    Code::Forbidden,
    Code::ScheduleNotFound,
    Code::RequestTimeout,
    Code::TooManySchedules,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::InvalidSchedule,
    Code::UnknownKind,
    Code::InvalidPayload,
    Code::InvalidJob,
];

/// A job that repeats.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScheduleRequest {
    /// Five fields: minute, hour, day of the month, month, day of the week; such as `30 2 * * MON-FRI`.
    cron: String,
    /// The IANA name of the zone that it is meant in, such as `Europe/Berlin`; `UTC` if absent.
    time_zone: Option<String>,
    /// What becomes of times that nobody was there for: `skip` (they are over; so if absent), `once` (one job stands for
    /// all of them) or `all` (a job for each, up to the last hundred).
    missed: Option<String>,
    /// One of `GET /api/jobs/kinds`.
    kind: String,
    /// What the work of its jobs is: JSON that matches the kind's schema.
    #[schema(value_type = Object)]
    payload: Value,
    /// −100 to 100; higher goes first. 0 if absent.
    priority: Option<i16>,
    /// Attempts at each of its jobs, at most as many as the kind has; the kind's if absent.
    max_attempts: Option<u32>,
    /// What its jobs ask of the world outside, as of a job's own.
    destination: Option<String>,
    /// What its jobs need of their worker's machine, as of a job's own.
    needs: Option<JobNeeds>,
    /// It does not fire while it is; the times that pass meanwhile are over. False if absent.
    #[serde(default)]
    paused: bool,
}

/// Lists your organisation's schedules by name: all of them, 1000 at most.
#[utoipa::path(get, path = "/api/schedules", tag = "schedules", responses((status = 200, body = Schedules)))]
pub(crate) async fn list(parts: Data<Parts>, caller: Caller) -> Result<Json<Schedules>, Problem> {
    let found = parts.store.schedules(caller.0.tenant).await?;
    Ok(Json(Schedules { schedules: found.into_iter().map(Schedule::from).collect() }))
}

/// Reads a schedule, with its next times and the jobs of its last ones.
#[utoipa::path(
    get, path = "/api/schedules/{name}", tag = "schedules", params(("name" = String, Path)),
    responses((status = 200, body = ScheduleInFull))
)]
pub(crate) async fn one(
    parts: Data<Parts>,
    caller: Caller,
    name: Path<String>,
) -> Result<Json<ScheduleInFull>, Problem> {
    let found = parts.store.schedule(caller.0.tenant, named(&name)?).await?;
    let (schedule, firings) = found.ok_or_else(|| not_found(&name))?;
    Ok(Json(ScheduleInFull::of(schedule, firings)))
}

/// Has a schedule stand under a name, in the place of what stood there. Said again, it changes nothing.
#[utoipa::path(
    put, path = "/api/schedules/{name}", tag = "schedules", request_body = ScheduleRequest,
    params(("name" = String, Path, description = "1 to 100 letters, digits, `.`, `_` and `-`")),
    responses(
        (status = 200, body = ScheduleInFull, description = "It stands in the place of the one before"),
        (status = 201, body = ScheduleInFull, description = "It stands"))
)]
pub(crate) async fn set(
    parts: Data<Parts>,
    caller: Caller,
    name: Path<String>,
    LargeBody(body): LargeBody<ScheduleRequest>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_may_write()?;
    let name = named(&name)?;
    let missed = body.missed.as_deref().unwrap_or(Missed::Skip.as_str());
    let missed = missed.parse::<Missed>().map_err(|unknown| invalid(&unknown))?;
    let kinds = parts.store.job_kinds(caller.tenant).await?;
    let judge = Judge::of(Place::ALONE.kind(&body.kind, &kinds)?)?;
    let job = JobRequest {
        kind: body.kind,
        payload: body.payload,
        priority: body.priority,
        run_at: None,
        max_attempts: body.max_attempts,
        unique_key: None,
        destination: body.destination,
        needs: body.needs,
    };
    let job = judge.judge(Place::ALONE, job)?;
    let schedule = NewSchedule {
        tenant: caller.tenant,
        user: caller.user,
        name: name.to_owned(),
        cron: body.cron,
        time_zone: body.time_zone.unwrap_or_else(|| UTC.to_owned()),
        missed,
        kind: job.kind,
        payload: job.payload,
        priority: job.priority,
        destination: job.destination,
        needs: job.needs,
        max_attempts: job.max_attempts,
        paused: body.paused,
    };
    match parts.store.set_schedule(&schedule).await? {
        ScheduleOutcome::Created(record) => {
            Ok(HttpResponse::Created().json(ScheduleInFull::of(record, vec![])))
        }
        ScheduleOutcome::Replaced(record) => {
            let firings = parts.store.schedule(caller.tenant, name).await?;
            let firings = firings.map(|(_, firings)| firings).unwrap_or_default();
            Ok(HttpResponse::Ok().json(ScheduleInFull::of(record, firings)))
        }
        ScheduleOutcome::Refused(why) => Err(invalid(&why)),
        ScheduleOutcome::TooMany => {
            let told = format!("Your organisation has {MAX_SCHEDULES} others. Remove one first.");
            Err(Problem::new(Code::TooManySchedules, told))
        }
    }
}

/// Removes a schedule. The jobs that it fired stay.
#[utoipa::path(
    delete, path = "/api/schedules/{name}", tag = "schedules", params(("name" = String, Path)),
    responses((status = 204, description = "There is none of this name any more"))
)]
pub(crate) async fn remove(
    parts: Data<Parts>,
    caller: Caller,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_may_write()?;
    let name = named(&name)?;
    if parts.store.remove_schedule(caller.tenant, name).await? {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(not_found(name))
}

fn named(name: &str) -> Result<&str, Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(name);
    }
    let told = format!("a schedule's name has 1 to {LONGEST_NAME} letters, digits, `.`, `_` and `-`");
    Err(invalid(&told))
}

fn invalid(told: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::InvalidSchedule, format!("{told}."))
}

fn not_found(name: &str) -> Problem {
    Problem::new(Code::ScheduleNotFound, format!("No schedule of yours is called {name}."))
}

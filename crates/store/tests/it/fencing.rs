//! Law 3, statement by statement: a lease that is no longer the job's writes nothing at all.

use crate::world::{TTL, World, broken, done, event, finished, site_analysis, site_page, visit};
use domain::{analysis::Depth, phase::Phase, retry};
use serde_json::json;
use store::{Completion, FailedAttempt, Fenced, Lease, Store};
use uuid::Uuid;

/// A worker loses its job in the middle of ANALYZE; what it then tries is refused and leaves no trace.
async fn refused<T: std::fmt::Debug>(attempt: impl AsyncFn(&Store, &Lease) -> store::Result<Fenced<T>>) {
    let world = World::new().await;
    let (_, stale) = world.running("https://example.com/").await;
    let current = world.take_over(stale.job).await;
    done(world.worker.begin_job(&current, &[]).await);
    done(world.worker.begin_phase(&current, Phase::Analyze, &[]).await);
    // A job cannot be completed out of the phases that only read and plan.
    done(world.worker.begin_phase(&current, Phase::Transform, &[]).await);
    let before = world.everything().await;
    let answer = attempt(&world.worker, &stale).await;
    assert!(matches!(answer, Ok(Fenced::Stale)), "{answer:?}");
    assert_eq!(world.everything().await, before);
    // The same write of the one who holds the job goes through.
    let answer = attempt(&world.worker, &current).await;
    assert!(matches!(answer, Ok(Fenced::Done(_))), "{answer:?}");
}

#[tokio::test]
async fn begin_job_is_fenced() {
    refused(async |store, lease| store.begin_job(lease, &[event(9)]).await).await;
}

#[tokio::test]
async fn begin_phase_is_fenced() {
    refused(async |store, lease| store.begin_phase(lease, Phase::Plan, &[event(9)]).await).await;
}

#[tokio::test]
async fn append_events_is_fenced() {
    refused(async |store, lease| store.append_events(lease, 1, &[event(9)]).await).await;
}

#[tokio::test]
async fn complete_phase_is_fenced() {
    refused(async |store, lease| store.complete_phase(lease, Phase::Analyze, &json!({}), &[event(9)]).await)
        .await;
}

#[tokio::test]
async fn keep_analysis_is_fenced() {
    refused(async |store, lease| store.keep_analysis(lease, &site_analysis(Depth::Shallow)).await).await;
}

#[tokio::test]
async fn write_site_pages_is_fenced() {
    refused(async |store, lease| store.write_site_pages(lease, 1, &[site_page("/", "home", &[])]).await)
        .await;
}

#[tokio::test]
async fn complete_analysis_is_fenced() {
    let deep = site_analysis(Depth::Deep);
    refused(async |store, lease| store.complete_analysis(lease, &deep, &json!({}), &[event(9)]).await).await;
}

#[tokio::test]
async fn record_visits_is_fenced() {
    refused(async |store, lease| store.record_visits(lease, &[visit(1, b"{}")]).await).await;
}

#[tokio::test]
async fn complete_job_is_fenced() {
    let completion = Completion { project_id: Uuid::now_v7(), events: vec![finished()] };
    refused(async |store, lease| store.complete_job(lease, &completion).await).await;
}

#[tokio::test]
async fn fail_attempt_is_fenced() {
    let verdict = retry::Verdict::GiveUp;
    let failed = FailedAttempt { failure: broken(), verdict, events: vec![event(9)] };
    refused(async |store, lease| store.fail_attempt(lease, &failed).await).await;
}

#[tokio::test]
async fn hand_back_is_fenced() {
    refused(async |store, lease| store.hand_back(lease).await).await;
}

#[tokio::test]
async fn cancel_job_is_fenced() {
    refused(async |store, lease| store.cancel_job(lease, &[]).await).await;
}

#[tokio::test]
async fn a_heartbeat_keeps_what_is_held_and_misses_what_is_lost() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    for n in 0..3 {
        world.start(member, &format!("https://{n}.example.com/")).await;
    }
    let claimed = world.claim(3).await;
    let me = claimed[0].lease.worker;
    let held: Vec<_> = claimed.iter().map(|c| (c.lease.job, c.lease.epoch)).collect();
    let lost = claimed[1].lease.job;
    world.take_over(lost).await;
    // Its time is up, but nobody took it: the database may have been away.
    world.expire(claimed[2].lease.job).await;
    let kept = world.worker.heartbeat(me, &held, TTL).await.expect("a heartbeat");
    let mut jobs: Vec<_> = kept.iter().map(|k| k.job).collect();
    jobs.sort();
    assert_eq!(jobs, [claimed[0].lease.job, claimed[2].lease.job]);
    assert!(kept.iter().all(|k| !k.cancel_requested));
    assert!(world.rescue().await.is_empty(), "the renewed lease is not expired any more");
    let stranger = world.worker.heartbeat(crate::world::worker(), &held, TTL).await.expect("a heartbeat");
    assert_eq!(stranger, []);
}

#[tokio::test]
async fn a_job_that_is_over_has_no_lease_that_could_write() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    done(world.worker.begin_phase(&lease, Phase::Transform, &[]).await);
    let completion = Completion { project_id: Uuid::now_v7(), events: vec![finished()] };
    done(world.worker.complete_job(&lease, &completion).await);
    let before = world.everything().await;
    assert!(matches!(world.worker.append_events(&lease, 1, &[event(9)]).await, Ok(Fenced::Stale)));
    assert!(matches!(world.worker.cancel_job(&lease, &[event(9)]).await, Ok(Fenced::Stale)));
    // Said again after a lost answer, it is done, not stale; and it does nothing.
    done(world.worker.complete_job(&lease, &completion).await);
    assert_eq!(world.everything().await, before);
}

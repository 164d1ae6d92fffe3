//! One migration from its start to its end, looked at from all sides.

use crate::world::{TRACE_ID, World, done, event, finished, worker};
use domain::{migration::MigrationState, phase::Phase};
use serde_json::{Value, json};
use store::{Completion, Fenced, PhaseStart};
use uuid::Uuid;

#[tokio::test]
async fn a_job_is_carried_out_and_every_step_is_on_record() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let request = world.start(member, "https://example.com/").await;
    let claimed = world.claim_one().await;
    assert_eq!((claimed.attempt, claimed.max_attempts, claimed.lease.epoch.0), (1, 3, 1));
    assert_eq!(claimed.kind, domain::job::MIGRATE_WEBSITE);
    assert_eq!(claimed.payload["sourceUrl"], "https://example.com/");
    assert_eq!((claimed.correlation, &claimed.trace), (request.correlation, &request.trace));
    let lease = claimed.lease;
    done(world.worker.begin_job(&lease, &[]).await);
    for phase in Phase::ALL {
        let begun = done(world.worker.begin_phase(&lease, phase, &[event(phase.progress(0, 1))]).await);
        assert_eq!(begun, PhaseStart::Begun);
        let result = json!({"phase": phase});
        done(world.worker.complete_phase(&lease, phase, &result, &[event(phase.progress(1, 1))]).await);
    }
    let project_id = Uuid::now_v7();
    done(world.worker.complete_job(&lease, &Completion { project_id, events: vec![finished()] }).await);

    let record = world.gateway.migration(member.tenant, request.migration).await.expect("it is there");
    let record = record.expect("it is this tenant's");
    assert_eq!(
        (record.state, record.progress, record.phase),
        (MigrationState::Completed, 100, Some(Phase::Deploy))
    );
    assert_eq!(record.project_id, Some(project_id));
    assert!(record.finished_at.is_some());
    let phases = world.gateway.phases(member.tenant, request.migration, 1).await.expect("phases");
    assert_eq!(phases.iter().map(|p| p.phase).collect::<Vec<_>>(), Phase::ALL);
    assert!(phases.iter().all(|p| p.completed && p.starts == 1 && p.epoch == lease.epoch));
    assert_eq!(
        world.transitions(lease.job).await,
        [
            ">PENDING enqueued 0 0",
            "PENDING>PREPARING claimed 1 1",
            "PREPARING>RUNNING started 1 1",
            "RUNNING>COMPLETED completed 1 1"
        ]
    );
    let traced: i64 = world
        .one(
            &format!("SELECT count(*) FROM transitions WHERE job_id = $1 AND trace_id = '{TRACE_ID}'"),
            lease.job.0,
        )
        .await;
    assert_eq!(traced, 4);
    let leases: i64 = world.one("SELECT count(*) FROM leases WHERE job_id = $1", lease.job.0).await;
    assert_eq!(leases, 0);
}

#[tokio::test]
async fn a_phase_that_is_complete_is_not_begun_again_by_a_later_attempt() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let result = json!({"pages": 6, "odd": "x\0y"});
    done(world.worker.complete_phase(&lease, Phase::Analyze, &result, &[]).await);
    done(world.worker.begin_phase(&lease, Phase::Plan, &[]).await);
    let second = world.take_over(lease.job).await;
    assert_eq!(second.epoch.0, 2);
    done(world.worker.begin_job(&second, &[]).await);
    let before = world.everything().await;
    let kept = done(world.worker.begin_phase(&second, Phase::Analyze, &[event(2)]).await);
    assert_eq!(kept, PhaseStart::AlreadyComplete(json!({"pages": 6, "odd": "xy"})));
    assert_eq!(world.everything().await, before);
    assert_eq!(done(world.worker.begin_phase(&second, Phase::Plan, &[]).await), PhaseStart::Begun);
    let phases = world
        .worker
        .phases(second.tenant, crate::world::carried(&second).migration, 1)
        .await
        .expect("phases");
    let counted: Vec<_> = phases.iter().map(|p| (p.phase, p.starts, p.epoch.0)).collect();
    assert_eq!(counted, [(Phase::Analyze, 1, 1), (Phase::Plan, 2, 2)]);
}

#[tokio::test]
async fn what_is_said_again_after_a_lost_answer_changes_nothing() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    done(world.worker.complete_phase(&lease, Phase::Analyze, &json!(1), &[event(40)]).await);
    let before = world.everything().await;
    done(world.worker.begin_job(&lease, &[event(50)]).await);
    done(world.worker.complete_phase(&lease, Phase::Analyze, &json!(2), &[event(60)]).await);
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_phase_that_was_never_begun_cannot_be_completed() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let before = world.everything().await;
    let refused = world.worker.complete_phase(&lease, Phase::Verify, &Value::Null, &[event(90)]).await;
    assert!(matches!(refused, Err(store::Error::Corrupt { .. })), "{refused:?}");
    let refused = world.worker.complete_phase(&lease, Phase::Deploy, &json!({}), &[]).await;
    assert!(refused.is_err());
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn an_illegal_move_is_refused_by_the_code() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    world.start(member, "https://example.com/").await;
    let lease = world.claim_one().await.lease;
    // PREPARING to COMPLETED is not in the table.
    let completion = Completion { project_id: Uuid::now_v7(), events: vec![] };
    let before = world.everything().await;
    let refused = world.worker.complete_job(&lease, &completion).await;
    assert!(matches!(refused, Err(store::Error::Illegal { .. })), "{refused:?}");
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn the_holder_is_found_while_its_lease_lasts_and_its_process_runs() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let find = async || world.gateway.holder(request.tenant, request.migration).await.expect("a look");
    assert_eq!(find().await, None, "no such worker is registered");
    world.worker.register_worker(lease.worker, "http://10.0.0.7:50051", 2).await.expect("a row");
    assert!(world.worker.worker_heartbeat(lease.worker, Some(7)).await.expect("a heartbeat"));
    assert!(!world.worker.worker_heartbeat(worker(), None).await.expect("a heartbeat"));
    let holder = find().await.expect("it holds the job");
    assert_eq!((holder.job, holder.epoch, holder.worker), (lease.job, lease.epoch, lease.worker));
    assert_eq!(holder.grpc_address, "http://10.0.0.7:50051");
    world.worker.worker_stopped(lease.worker).await.expect("a row");
    assert_eq!(find().await, None, "it has stopped");
    world.worker.register_worker(lease.worker, "http://10.0.0.7:50051", 2).await.expect("a row");
    world.expire(lease.job).await;
    assert_eq!(find().await, None, "its lease has run out");
    assert!(matches!(world.worker.append_events(&lease, 1, &[]).await, Ok(Fenced::Done(_))));
}

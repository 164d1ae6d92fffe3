//! Jobs that repeat: one job per time whoever sweeps, and what becomes of times that nobody was there for.

use crate::world::{World, text};
use domain::{TenantId, WorkerId, schedule::Missed, task::Needs};
use futures::future::join_all;
use serde_json::json;
use std::time::Duration;
use store::{JobKind, Member, NewSchedule, ScheduleOutcome, ScheduleRecord};
use uuid::Uuid;

/// A worker that carries out the kind, for these tenants alone if any.
pub(crate) async fn offer(world: &World, tenants: Option<Vec<TenantId>>) {
    let kind = JobKind {
        name: "report".to_owned(),
        executor: "http".to_owned(),
        payload_schema: None,
        max_payload_bytes: 200,
        max_attempts: 3,
        timeout: Duration::from_secs(5),
        tenants,
    };
    world.worker.offer_job_kinds(WorkerId(Uuid::now_v7()), &[kind]).await.expect("offered");
}

pub(crate) fn yearly(member: Member, name: &str, missed: Missed) -> NewSchedule {
    NewSchedule {
        tenant: member.tenant,
        user: member.user,
        name: name.to_owned(),
        cron: "0 0 1 1 *".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        missed,
        kind: "report".to_owned(),
        payload: json!({"of": "a\0b"}),
        priority: 7,
        destination: Some("mail.example".to_owned()),
        needs: Needs { memory: 3, disk: 4 },
        max_attempts: 2,
        paused: false,
    }
}

/// Writes it, where there is none of its name.
pub(crate) async fn created(world: &World, schedule: &NewSchedule) -> ScheduleRecord {
    match world.gateway.set_schedule(schedule).await.expect("an answer") {
        ScheduleOutcome::Created(record) => record,
        other => panic!("{other:?}"),
    }
}

async fn replaced(world: &World, schedule: &NewSchedule) -> ScheduleRecord {
    match world.gateway.set_schedule(schedule).await.expect("an answer") {
        ScheduleOutcome::Replaced(record) => record,
        other => panic!("{other:?}"),
    }
}

/// Nobody was there for so many years.
async fn years_pass(world: &World, name: &str, years: i32) {
    let sql = "UPDATE schedules SET next_at = next_at - make_interval(years => $2) WHERE name = $1";
    assert_eq!(world.sql.execute(sql, &[&name, &years]).await.expect("the owner may"), 1);
}

async fn fired(world: &World) -> u32 {
    world.worker.fire_schedules(10).await.expect("a sweep")
}

#[tokio::test]
async fn a_time_gets_one_job_whoever_sweeps() {
    let world = World::new().await;
    offer(&world, None).await;
    let member = world.member("one@example.com").await;
    let next = created(&world, &yearly(member, "report", Missed::All)).await.next_at.expect("a time");
    assert_eq!(fired(&world).await, 0, "its time has not come");
    years_pass(&world, "report", 5).await;
    let swept = join_all((0..8).map(|_| fired(&world))).await;
    assert_eq!(swept.into_iter().sum::<u32>(), 5);
    // As if the first sweep's word on where it stands had been lost: the times themselves are remembered.
    years_pass(&world, "report", 7).await;
    assert_eq!(fired(&world).await, 2, "two of the seven are new");
    let sql = "SELECT count(*), count(DISTINCT run_at), bool_and(run_at = date_trunc('hour', run_at)),
                   bool_and(queue = 'report' AND priority = 7 AND state = 'PENDING' AND max_attempts = 2
                            AND destination = 'mail.example' AND needs = jsonb_build_object('memory', 3, 'disk', 4)),
                   count(*) FILTER (WHERE transitions.cause = 'enqueued')
               FROM jobs JOIN transitions ON transitions.job_id = jobs.id";
    let row = world.sql.query_one(sql, &[]).await.expect("the owner may");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(4)), (7, 7, 7));
    assert!(row.get::<_, bool>(2) && row.get::<_, bool>(3));
    let (record, firings) =
        world.gateway.schedule(member.tenant, "report").await.expect("an answer").expect("it stands");
    assert!(record.next_at.is_some_and(|at| at >= next), "{record:?}");
    assert_eq!(text(&record.payload, "of"), "ab");
    assert_eq!(firings.len(), 7);
    assert!(firings.is_sorted_by(|a, b| a.slot > b.slot), "the newest first: {firings:?}");
    world.sql.batch_execute("UPDATE firings SET fired_at = fired_at - interval '8 days'").await.expect("may");
    years_pass(&world, "report", 1).await;
    assert_eq!(fired(&world).await, 0, "it is forgotten after it was looked up");
    let left = world.sql.query_one("SELECT count(*) FROM firings", &[]).await.expect("the owner may");
    assert_eq!(left.get::<_, i64>(0), 0);
}

/// One that fails whenever it is tried stays due and comes before the others; they are fired all the same.
#[tokio::test]
async fn a_schedule_that_cannot_be_fired_holds_up_no_other() {
    let world = World::new().await;
    offer(&world, None).await;
    let member = world.member("one@example.com").await;
    for (name, years) in [("broken a", 9), ("broken b", 9), ("whole a", 2), ("whole b", 1)] {
        created(&world, &yearly(member, name, Missed::Once)).await;
        years_pass(&world, name, years).await;
    }
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                      IF EXISTS (SELECT FROM schedules WHERE id = NEW.schedule_id AND name LIKE 'broken%') THEN
                          RAISE EXCEPTION 'not this one';
                      END IF;
                      RETURN NEW;
                  END $$;
                  CREATE TRIGGER refused BEFORE INSERT ON firings FOR EACH ROW EXECUTE FUNCTION refuse()";
    world.sql.batch_execute(refuse).await.expect("the owner may");
    let sweep = async || world.worker.fire_schedules(1).await.expect("a sweep");
    assert_eq!((sweep().await, sweep().await, sweep().await), (1, 1, 0));
    world.sql.batch_execute("DROP TRIGGER refused ON firings").await.expect("the owner may");
    assert_eq!(fired(&world).await, 2, "nothing of theirs was lost");
}

#[tokio::test]
async fn missed_times_are_skipped_or_stood_for_by_one() {
    let world = World::new().await;
    offer(&world, None).await;
    let member = world.member("one@example.com").await;
    for (missed, jobs) in [(Missed::Once, 1), (Missed::Skip, 0)] {
        created(&world, &yearly(member, missed.as_str(), missed)).await;
        years_pass(&world, missed.as_str(), 3).await;
        assert_eq!(fired(&world).await, jobs, "{missed}");
        assert_eq!(fired(&world).await, 0, "it has moved on");
    }
}

#[tokio::test]
async fn what_never_fires_is_not_written_and_names_are_a_tenants_own() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let never = NewSchedule { cron: "0 0 30 2 *".to_owned(), ..yearly(member, "never", Missed::Skip) };
    let nowhere = NewSchedule { time_zone: "Mars".to_owned(), ..yearly(member, "nowhere", Missed::Skip) };
    for (schedule, told) in [(never, "never fires"), (nowhere, "Mars")] {
        let outcome = world.gateway.set_schedule(&schedule).await.expect("an answer");
        assert!(
            matches!(&outcome, ScheduleOutcome::Refused(why) if why.to_string().contains(told)),
            "{outcome:?}"
        );
    }
    created(&world, &yearly(member, "a", Missed::Skip)).await;
    let other = world.member("two@example.com").await;
    assert!(!world.gateway.remove_schedule(other.tenant, "a").await.expect("an answer"), "not its own");
    created(&world, &yearly(other, "a", Missed::Skip)).await;
    assert!(world.gateway.remove_schedule(other.tenant, "a").await.expect("an answer"));
    assert!(!world.gateway.remove_schedule(other.tenant, "a").await.expect("an answer"));
    assert_eq!(world.gateway.schedules(member.tenant).await.expect("a list").len(), 1);
}

#[tokio::test]
async fn said_again_it_stays_as_it_is_and_said_otherwise_it_counts_from_now() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let first = created(&world, &yearly(member, "a", Missed::Once)).await;
    years_pass(&world, "a", 1).await;
    let again = replaced(&world, &NewSchedule { priority: -3, ..yearly(member, "a", Missed::All) }).await;
    assert!(again.next_at < first.next_at, "a time that is due stays due");
    assert_eq!((again.id, again.priority, again.missed), (first.id, -3, Missed::All));
    let monthly = NewSchedule { cron: "0 0 1 * *".to_owned(), ..yearly(member, "a", Missed::Once) };
    let moved = replaced(&world, &monthly).await;
    assert!(moved.next_at > again.next_at && moved.next_at <= first.next_at);
    let paused = replaced(&world, &NewSchedule { paused: true, ..monthly.clone() }).await;
    assert_eq!((paused.paused, paused.next_at), (true, None));
    assert_eq!(fired(&world).await, 0);
    assert_eq!(replaced(&world, &monthly).await.next_at, moved.next_at, "what passed meanwhile is over");
}

#[tokio::test]
async fn the_most_schedules_of_a_tenant_are_counted_one_by_one() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    created(&world, &yearly(member, "0", Missed::Skip)).await;
    let sql = "INSERT INTO schedules (id, tenant_id, user_id, name, cron, time_zone, missed, kind, payload, max_attempts,
                                      next_at)
               SELECT gen_random_uuid(), tenant_id, user_id, n, cron, time_zone, missed, kind, payload, 1, next_at
               FROM schedules, generate_series(1, $1) AS n";
    world.sql.execute(sql, &[&997_i32]).await.expect("the owner may");
    let (x, y, z) = (
        yearly(member, "x", Missed::Skip),
        yearly(member, "y", Missed::Skip),
        yearly(member, "z", Missed::Skip),
    );
    let outcomes = join_all([&x, &y, &z].map(|new| world.gateway.set_schedule(new))).await;
    let refused = outcomes.iter().filter(|one| matches!(one, Ok(ScheduleOutcome::TooMany))).count();
    assert_eq!(refused, 1, "{outcomes:?}");
    replaced(&world, &yearly(member, "0", Missed::Once)).await;
}

#[tokio::test]
async fn what_cannot_be_fired_stops_says_why_and_holds_up_no_other() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    offer(&world, Some(vec![member.tenant])).await;
    let other = world.member("two@example.com").await;
    for (member, name) in [(member, "broken"), (member, "sound"), (other, "not-offered")] {
        created(&world, &yearly(member, name, Missed::Once)).await;
        years_pass(&world, name, 3).await;
    }
    world.sql.batch_execute("UPDATE schedules SET cron = 'x' WHERE name = 'broken'").await.expect("may");
    assert_eq!(fired(&world).await, 1);
    let mut listed = world.gateway.schedules(member.tenant).await.expect("a list");
    listed.extend(world.gateway.schedules(other.tenant).await.expect("a list"));
    let told: Vec<_> = listed.iter().map(|one| one.stopped.as_deref().unwrap_or("it goes on")).collect();
    for (told, expected) in told.iter().zip(["no cron expression", "it goes on", "no worker offers"]) {
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(listed.iter().map(|one| one.next_at.is_some()).collect::<Vec<_>>(), [false, true, false]);
    offer(&world, None).await;
    assert_eq!(replaced(&world, &yearly(other, "not-offered", Missed::Once)).await.stopped, None);
}

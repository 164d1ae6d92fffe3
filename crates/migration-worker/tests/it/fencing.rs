//! Law 3 as the worker keeps it: each of its statements is refused when the job has moved on, is counted by its
//! name exactly once, and is the last thing that the worker says about that job.
//!
//! The job is stolen by a trigger, inside the transaction of the worker's own write before, so that nothing of
//! chance lies between the theft and the write that has to be refused.

use crate::world::{BOUND, Bell, Running, World, small_site};
use domain::{JobId, MigrationId, trace::TraceContext};
use std::time::Duration;
use store::{CancelOutcome, CancelRequest};
use testkit::{
    site::{Answer, StaticSite},
    wait,
};

/// From now on, this change of this table moves the job's epoch on.
async fn steal_at(world: &World, change: &str, when: &str) {
    let sql = format!(
        "CREATE FUNCTION steal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
         BEGIN UPDATE jobs SET epoch = epoch + 1; RETURN NULL; END $$;
         CREATE TRIGGER steal AFTER {change} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION steal();"
    );
    world.db.sql().await.batch_execute(&sql).await.expect("a trigger");
}

struct Theft {
    world: World,
    site: StaticSite,
    running: Running,
    migration: MigrationId,
    job: JobId,
}

impl Theft {
    /// A worker at work, with heartbeats so rare that only its writes can tell it of the theft.
    async fn of(world: World, site: StaticSite, heartbeat: Duration) -> Self {
        let mut config = world.config(Bell::Away, site.addr());
        config.lease.heartbeat = heartbeat;
        config.sweep = Duration::from_secs(3600);
        config.finish_within = Duration::ZERO;
        let (migration, job) = world.start(&site).await;
        let running = Running::start(config).await;
        Self { world, site, running, migration, job }
    }

    /// Exactly one write was refused, one of these, and the job was dropped.
    async fn ends_refused(self, statements: &[&str]) {
        wait::until_true("the job to be dropped", BOUND, || async {
            self.running.metric("resettle_job_run_seconds", Some(("outcome", "lost"))) == 1.0
        })
        .await;
        let counted: f64 = statements.iter().map(|statement| self.running.stale_writes(statement)).sum();
        assert_eq!(counted, 1.0, "one of {statements:?}");
        assert_eq!(self.running.metric("resettle_stale_writes_refused_total", None), 1.0);
        let before = self.world.events(self.migration).await;
        self.running.stop().await;
        assert_eq!(self.world.events(self.migration).await, before);
        assert!(
            !["completed", "failed", "cancelled"]
                .contains(&&*self.world.migration_state(self.migration).await)
        );
    }
}

const SELDOM: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beginning_the_job_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    steal_at(&world, "UPDATE OF state ON jobs", "NEW.state = 'PREPARING'").await;
    Theft::of(world, site, SELDOM).await.ends_refused(&["job.begin"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beginning_a_phase_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    steal_at(&world, "INSERT ON transitions", "NEW.cause = 'started'").await;
    Theft::of(world, site, SELDOM).await.ends_refused(&["phase.begin"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telling_of_progress_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    // The crawl hangs: nothing but progress, the first look and what was read before can be written.
    site.answer("/about.html", Answer::stalled("text/html"));
    steal_at(&world, "INSERT ON phases", "NEW.phase = 'ANALYZE'").await;
    Theft::of(world, site, SELDOM)
        .await
        .ends_refused(&["event.append", "journal.record", "analysis.keep"])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recording_what_was_read_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    // Stolen with the first request that is recorded; the next is recorded, or progress told, whichever comes first.
    steal_at(&world, "INSERT ON crawl_journals", "true").await;
    let words = ["journal.record", "event.append", "analysis.keep"];
    Theft::of(world, site, SELDOM).await.ends_refused(&words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completing_the_analysis_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    // All that is left to do after the pages are written is to complete the phase.
    steal_at(&world, "INSERT ON site_pages", "NEW.number = 1").await;
    Theft::of(world, site, SELDOM).await.ends_refused(&["phase.complete", "event.append"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completing_a_phase_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    // Stolen when the last phase has told of itself: its result comes next, if not one more word of progress.
    let last = "NEW.phase = 'DEPLOY' AND NEW.detail->>'status' = 'running'";
    steal_at(&world, "INSERT ON events", last).await;
    Theft::of(world, site, SELDOM).await.ends_refused(&["phase.complete", "event.append"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completing_the_job_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    steal_at(&world, "UPDATE OF state ON phases", "NEW.phase = 'DEPLOY' AND NEW.state = 'completed'").await;
    Theft::of(world, site, SELDOM).await.ends_refused(&["job.complete"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_an_attempt_is_refused() {
    let (world, site) = (World::new().await, small_site().await);
    // A job that cannot be read fails right after it began.
    let spoil = "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN NEW.payload = '{}'; RETURN NEW; END $$;
                 CREATE TRIGGER spoil BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION spoil();";
    world.db.sql().await.batch_execute(spoil).await.expect("a trigger");
    steal_at(&world, "INSERT ON transitions", "NEW.cause = 'started'").await;
    Theft::of(world, site, SELDOM).await.ends_refused(&["job.fail"]).await;
}

/// The site hangs, so that the job waits in the crawl; steals it there.
async fn hanging(heartbeat: Duration) -> Theft {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let theft = Theft::of(world, site, heartbeat).await;
    wait::until_true("the crawl to hang", BOUND, || async { theft.site.hits("/about.html") > 0 }).await;
    // What the crawl had to tell before is told well within this.
    let lately = "SELECT count(*) FROM events WHERE at > clock_timestamp() - interval '1500 milliseconds'";
    wait::until_true("the history to be quiet", BOUND, || async { theft.world.count(lately).await == 0 })
        .await;
    theft
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handing_back_is_refused() {
    let theft = hanging(SELDOM).await;
    assert_eq!(theft.world.change("UPDATE jobs SET epoch = epoch + 1 WHERE id = $1", theft.job.0).await, 1);
    theft.running.ask_to_stop();
    theft.ends_refused(&["job.hand_back"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_is_refused() {
    let theft = hanging(Duration::from_millis(300)).await;
    // The heartbeat that brings the wish is the last statement that finds the job here.
    let request = CancelRequest {
        tenant: theft.world.member.tenant,
        user: theft.world.member.user,
        migration: theft.migration,
        trace: TraceContext::default(),
    };
    let sql = "CREATE FUNCTION steal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
               BEGIN UPDATE jobs SET epoch = epoch + 1 WHERE id = NEW.job_id AND cancel_requested_at IS NOT NULL
                     AND epoch = NEW.epoch; RETURN NULL; END $$;
               CREATE TRIGGER steal AFTER UPDATE ON leases FOR EACH ROW EXECUTE FUNCTION steal();";
    theft.world.db.sql().await.batch_execute(sql).await.expect("a trigger");
    let outcome = theft.world.gateway.request_cancel(&request).await.expect("a wish");
    assert_eq!(outcome, CancelOutcome::Requested);
    theft.ends_refused(&["job.cancel"]).await;
}

//! Dead letters as people settle them.

use crate::world::{World, done, retry_request, trace};
use domain::{
    JobId,
    dead_letter::{Filter, LetterState},
    failure::Reason,
    migration::MigrationState,
    phase::Phase,
};
use serde_json::json;
use store::{
    DeadLetter, DeadLetterPage, DiscardOutcome, Member, NewReplay, PhaseStart, ReplayOutcome, RetryOutcome,
    StartMigration,
};
use uuid::Uuid;

impl World {
    async fn letters(&self, of: &StartMigration, state: Option<LetterState>) -> Vec<DeadLetter> {
        let page = DeadLetterPage { limit: 100, before: None, state, filter: Filter::default() };
        self.gateway.dead_letters(of.tenant, &page).await.expect("a look")
    }

    async fn replay_one(&self, of: &StartMigration, id: Uuid) -> ReplayOutcome {
        self.gateway.replay_dead_letter(of.tenant, of.user, id, &trace()).await.expect("an answer")
    }

    /// So many migrations of one tenant that failed at once, oldest first.
    async fn dead(&self, count: usize) -> Vec<StartMigration> {
        let mut dead = vec![self.failed("https://0.example.com/").await];
        let member = Member { tenant: dead[0].tenant, user: dead[0].user };
        for n in 1..count {
            dead.push(self.start(member, &format!("https://{n}.example.com/")).await);
            self.die().await;
        }
        dead
    }

    /// The job that waits is claimed and dies.
    async fn die(&self) {
        let lease = self.claim_one().await.lease;
        let failure = domain::Failure::of(Reason::DeploymentError, "storage_unavailable", "Away.");
        let verdict = domain::retry::Verdict::GiveUp;
        done(
            self.worker
                .fail_attempt(&lease, &store::FailedAttempt { failure, verdict, events: vec![] })
                .await,
        );
    }

    async fn begin_replay(&self, of: &StartMigration, filter: Filter) -> store::ReplayRecord {
        let new = NewReplay { id: Uuid::now_v7(), tenant: of.tenant, user: of.user, filter, trace: trace() };
        self.gateway.begin_replay(&new).await.expect("written")
    }
}

fn by(reason: Reason) -> Filter {
    Filter { reason: Some(reason), ..Filter::default() }
}

#[tokio::test]
async fn a_letter_is_listed_and_holds_the_whole_job_and_every_attempt() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let letters = world.letters(&request, None).await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.job, letter.migration), (request.job, Some(request.migration)));
    assert_eq!((letter.state, letter.settled_at, letter.settled_by), (LetterState::Open, None, None));
    assert_eq!(letter.failure["code"], "site_unreachable");
    let full = world.gateway.dead_letter(request.tenant, letter.id).await.expect("a look").expect("there");
    assert_eq!(full.job["payload"]["sourceUrl"], "https://example.com/");
    let causes: Vec<_> = full.moves.iter().map(|one| (one.cause.as_str(), one.failure.is_some())).collect();
    assert_eq!(causes, [("enqueued", false), ("claimed", false), ("started", false), ("gave_up", true)]);
    let stranger = world.member("two@example.com").await;
    assert_eq!(world.gateway.dead_letter(stranger.tenant, letter.id).await.expect("a look"), None);
}

#[tokio::test]
async fn pages_and_filters_show_each_letter_once() {
    let world = World::new().await;
    let dead = world.dead(5).await;
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = DeadLetterPage { limit: 2, before, state: None, filter: Filter::default() };
        let found = world.gateway.dead_letters(dead[0].tenant, &page).await.expect("a look");
        let Some(last) = found.last() else { break };
        before = Some(last.id);
        seen.extend(found.iter().map(|letter| letter.job));
    }
    let newest_first: Vec<JobId> = dead.iter().rev().map(|one| one.job).collect();
    assert_eq!(seen, newest_first);
    let one = Filter { migration_id: Some(dead[2].migration), ..by(Reason::DeploymentError) };
    for (filter, found) in [
        (by(Reason::DeploymentError), 4),
        (by(Reason::Network), 0),
        (one, 1),
        (Filter { code: Some("site_unreachable".into()), ..Filter::default() }, 1),
        (Filter { kind: Some("migrate_website".into()), ..Filter::default() }, 5),
        (Filter { died_before: Some(time::OffsetDateTime::UNIX_EPOCH), ..Filter::default() }, 0),
    ] {
        let page = DeadLetterPage { limit: 100, before: None, state: None, filter: filter.clone() };
        let listed = world.gateway.dead_letters(dead[0].tenant, &page).await.expect("a look").len();
        let preview = world.gateway.preview_replay(dead[0].tenant, &filter).await.expect("a look");
        assert_eq!((listed, preview.found), (found, found as i32), "{filter:?}");
    }
}

#[tokio::test]
async fn a_replayed_job_goes_on_where_it_died_with_all_its_attempts_before_it() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let letter = world.letters(&request, None).await[0].id;
    assert_eq!(world.replay_one(&request, letter).await, ReplayOutcome::Replayed(request.job));
    assert_eq!(
        world.transitions(request.job).await.last().map(String::as_str),
        Some("FAILED>PENDING replayed 1 0")
    );
    let record = world.gateway.migration(request.tenant, request.migration).await.expect("a look");
    let record = record.expect("it is there");
    assert_eq!((record.state, record.run, record.error), (MigrationState::Queued, 1, None));
    let settled = &world.letters(&request, Some(LetterState::Replayed)).await[0];
    assert_eq!((settled.id, settled.settled_by), (letter, Some(request.user)));
    assert!(world.letters(&request, Some(LetterState::Open)).await.is_empty());

    let claimed = world.claim_one().await;
    assert_eq!((claimed.lease.job, claimed.lease.epoch.0, claimed.attempt), (request.job, 2, 1));
    done(world.worker.begin_job(&claimed.lease, &[]).await);
    let analyzed = done(world.worker.begin_phase(&claimed.lease, Phase::Analyze, &[]).await);
    assert_eq!(analyzed, PhaseStart::AlreadyComplete(json!({"kept": "analyze"})));
    let failure = crate::world::broken();
    let verdict = domain::retry::Verdict::GiveUp;
    let failed = store::FailedAttempt { failure, verdict, events: vec![] };
    done(world.worker.fail_attempt(&claimed.lease, &failed).await);
    assert_eq!(
        world.letters(&request, Some(LetterState::Open)).await.len(),
        1,
        "it died again: a letter of its own"
    );
    let before = world.everything().await;
    assert_eq!(world.replay_one(&request, letter).await, ReplayOutcome::Settled(LetterState::Replayed));
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn what_was_discarded_has_its_reason_and_is_not_replayed() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let letter = world.letters(&request, None).await[0].id;
    let discard = async || {
        world.gateway.discard_dead_letter(request.tenant, request.user, letter, "The site is gone.").await
    };
    assert_eq!(discard().await.expect("an answer"), DiscardOutcome::Discarded);
    let settled = &world.letters(&request, Some(LetterState::Discarded)).await[0];
    assert_eq!(settled.discard_reason.as_deref(), Some("The site is gone."));
    assert_eq!(discard().await.expect("an answer"), DiscardOutcome::Settled(LetterState::Discarded));
    assert_eq!(world.replay_one(&request, letter).await, ReplayOutcome::Settled(LetterState::Discarded));
    assert_eq!(world.state(request.job).await, "FAILED");
    let unknown = Uuid::now_v7();
    assert_eq!(world.replay_one(&request, unknown).await, ReplayOutcome::NotFound);
}

#[tokio::test]
async fn a_job_whose_migration_went_on_without_it_stays_dead() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let letter = world.letters(&request, None).await[0].id;
    assert!(matches!(
        world.gateway.retry_migration(&retry_request(&request)).await,
        Ok(RetryOutcome::Retried(_))
    ));
    let superseded = ReplayOutcome::Superseded(MigrationState::Queued, 2);
    assert_eq!(world.replay_one(&request, letter).await, superseded);

    let other =
        world.start(Member { tenant: request.tenant, user: request.user }, "https://b.example.com/").await;
    world.claim(1).await;
    world.die().await;
    let again =
        world.start(Member { tenant: request.tenant, user: request.user }, "https://b.example.com/").await;
    let letter = world.letters(&other, Some(LetterState::Open)).await[0].id;
    assert_eq!(world.replay_one(&request, letter).await, ReplayOutcome::AlreadyActive(again.migration));
}

#[tokio::test]
async fn a_replay_of_many_takes_what_fits_tells_its_progress_and_ends() {
    let world = World::new().await;
    let dead = world.dead(4).await;
    let begun = world.begin_replay(&dead[0], by(Reason::DeploymentError)).await;
    assert_eq!((begun.state.as_str(), begun.found, begun.replayed), ("running", 3, 0));
    let read = async || world.gateway.replay(dead[0].tenant, begun.id).await.expect("a look").expect("there");
    // One died meanwhile of the same: it was not meant.
    assert_eq!(world.worker.continue_replays(2).await.expect("a turn"), 2);
    let half = read().await;
    assert_eq!((half.state.as_str(), half.replayed, half.refused), ("running", 2, 0));
    world.die().await;
    assert_eq!(world.worker.continue_replays(100).await.expect("a turn"), 1);
    let whole = read().await;
    assert_eq!((whole.state.as_str(), whole.replayed, whole.refused), ("completed", 3, 0));
    assert!(whole.finished_at.is_some());
    assert_eq!(world.state(dead[0].job).await, "FAILED", "it failed of something else");
    assert_eq!(world.letters(&dead[0], Some(LetterState::Open)).await.len(), 2);
    assert_eq!(world.worker.continue_replays(100).await.expect("a turn"), 0);
    let actor: String = world
        .one("SELECT actor FROM transitions WHERE job_id = $1 AND cause = 'replayed'", dead[3].job.0)
        .await;
    assert_eq!(actor, format!("user:{}", dead[0].user));
}

#[tokio::test]
async fn a_replay_that_is_called_off_takes_no_further_letter() {
    let world = World::new().await;
    let dead = world.dead(3).await;
    let kind = Filter { kind: Some("migrate_website".into()), ..Filter::default() };
    let begun = world.begin_replay(&dead[0], kind).await;
    assert_eq!(world.worker.continue_replays(1).await.expect("a turn"), 1);
    let stranger = world.member("two@example.com").await;
    assert_eq!(world.gateway.cancel_replay(stranger.tenant, begun.id).await.expect("a look"), None);
    for _ in 0..2 {
        let cancelled = world.gateway.cancel_replay(dead[0].tenant, begun.id).await.expect("an answer");
        let cancelled = cancelled.expect("there");
        assert_eq!((cancelled.state.as_str(), cancelled.replayed), ("cancelled", 1));
    }
    assert_eq!(world.worker.continue_replays(100).await.expect("a turn"), 0);
    assert_eq!(world.letters(&dead[0], Some(LetterState::Open)).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_replay_at_once_take_each_letter_once_and_pass_over_what_cannot_be() {
    let world = World::new().await;
    let dead = world.dead(6).await;
    assert!(matches!(
        world.gateway.retry_migration(&retry_request(&dead[1])).await,
        Ok(RetryOutcome::Retried(_))
    ));
    let kind = Filter { kind: Some("migrate_website".into()), ..Filter::default() };
    let begun = world.begin_replay(&dead[0], kind).await;
    let mut replayed = 0;
    while world.gateway.replay(dead[0].tenant, begun.id).await.expect("a look").expect("there").state
        == "running"
    {
        let turns = futures::future::join_all((0..4).map(|_| world.worker.continue_replays(10))).await;
        replayed += turns.into_iter().map(|turn| turn.expect("a turn")).sum::<u32>();
    }
    let whole = world.gateway.replay(dead[0].tenant, begun.id).await.expect("a look").expect("there");
    assert_eq!((replayed, whole.replayed, whole.refused), (5, 5, 1));
    let moves: i64 = world
        .sql
        .query_one("SELECT count(*) FROM transitions WHERE cause = 'replayed'", &[])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(moves, 5);
}

#[tokio::test]
async fn the_database_refuses_a_replay_of_everything_and_a_letter_that_is_settled_by_nobody() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let (tenant, user) = (request.tenant, request.user);
    let all = NewReplay { id: Uuid::now_v7(), tenant, user, filter: Filter::default(), trace: trace() };
    world.gateway.begin_replay(&all).await.expect_err("an empty filter");
    let sql = "UPDATE dead_letters SET replayed_at = clock_timestamp()";
    world.sql.execute(sql, &[]).await.expect_err("who did it?");
}

//! The model of a job's life (`tests/model`) and these statements are one protocol: what is proved of the one is worth
//! nothing for the other unless they agree. Random commands are given to both, by holders old and new; after each, the
//! rows are the same, and so were the answers.

use crate::world::{DEADLINES, TTL, World, broken, event, finished, start_request, trace};
use domain::{WorkerId, job::MIGRATION_QUEUE, phase::Phase, retry::Policy};
use model::{Half, Terms, record::Fenced as Modelled, worker::Ending};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use store::{
    CancelRequest, ClaimRequest, Claimed, Completion, FailedAttempt, Fenced, PhaseStart, RescueRequest,
    StartMigration,
};
use uuid::Uuid;

const WORKERS: usize = 3;
const LIVES: u32 = 16;
const COMMANDS: usize = 40;
/// The one phase of the model: the last one, after which a job may be complete.
const LAST: Phase = Phase::Deploy;
const MAX_ATTEMPTS: u32 = model::terms::MAX_ATTEMPTS as u32;

/// Something that a worker, a sweeper or a person asks of the record. A lease is named by its age: 0 is the newest.
#[derive(Clone, Debug)]
enum Command {
    Claim(usize),
    Renew(usize),
    Begin(usize),
    EnterPhase(usize),
    KeepResult(usize),
    End(usize, Ending),
    LeaseRunsOut,
    Rescue,
    TakeCalledOff,
    Promote,
    Cancel,
}

fn commands() -> impl Strategy<Value = Command> {
    use Command as C;
    let old = prop_oneof![4 => Just(0_usize), 1 => Just(1), 1 => Just(2)];
    let ending =
        prop_oneof![Just(Ending::Complete), Just(Ending::Fail), Just(Ending::HandBack), Just(Ending::Cancel)];
    prop_oneof![
        6 => (0..WORKERS).prop_map(C::Claim),
        2 => old.clone().prop_map(C::Renew),
        4 => old.clone().prop_map(C::Begin),
        2 => old.clone().prop_map(C::EnterPhase),
        2 => old.clone().prop_map(C::KeepResult),
        5 => (old, ending).prop_map(|(old, ending)| C::End(old, ending)),
        2 => Just(C::LeaseRunsOut),
        3 => Just(C::Rescue),
        1 => Just(C::TakeCalledOff),
        3 => Just(C::Promote),
        1 => Just(C::Cancel),
    ]
}

/// One job, twice.
struct Twins {
    world: World,
    request: StartMigration,
    workers: [WorkerId; WORKERS],
    terms: Terms,
    model: model::World,
    /// Every lease that was ever given, and by what word its holder ended it.
    given: Vec<(usize, Claimed)>,
    ended: HashMap<i64, Ending>,
    entered: bool,
}

impl Twins {
    async fn new() -> Self {
        let world = World::new().await;
        let member = world.member("one@example.com").await;
        let request =
            StartMigration { max_attempts: MAX_ATTEMPTS, ..start_request(member, "https://example.com/") };
        world.gateway.start_migration(&request).await.expect("a start");
        let terms = Terms::sound(Half::Leases, WORKERS, 0);
        let (workers, model) = ([(); WORKERS].map(|()| WorkerId(Uuid::now_v7())), model::World::new(&terms));
        Self { world, request, workers, terms, model, given: vec![], ended: HashMap::new(), entered: false }
    }

    /// Gives a command to both; what they answered.
    async fn obey(&mut self, command: &Command) -> (String, String) {
        match *command {
            Command::Claim(worker) => self.claim(worker).await,
            Command::LeaseRunsOut => {
                let sql = "UPDATE leases SET expires_at = claimed_at + interval '1 microsecond'";
                self.world.sql.batch_execute(sql).await.expect("the owner may");
                if let Some(lease) = &mut self.model.record.lease {
                    lease.left = 0;
                }
                Default::default()
            }
            Command::Rescue => self.rescue().await,
            Command::TakeCalledOff => self.take_called_off().await,
            Command::Promote => {
                let promoted = self.world.worker.promote_due(self.workers[0], 10).await;
                promoted.expect("a promotion");
                self.model.record.job.wait = 0; // the policy here gives none
                self.model.promote();
                Default::default()
            }
            Command::Cancel => {
                let StartMigration { tenant, user, migration, .. } = self.request;
                let wish = CancelRequest { tenant, user, migration, trace: trace() };
                self.world.gateway.request_cancel(&wish).await.expect("a wish");
                self.model.cancel();
                Default::default()
            }
            Command::Renew(old)
            | Command::Begin(old)
            | Command::EnterPhase(old)
            | Command::KeepResult(old)
            | Command::End(old, _) => match self.given.iter().rev().nth(old).cloned() {
                Some((worker, claimed)) => self.under(worker, &claimed, command).await,
                None => Default::default(),
            },
        }
    }

    async fn claim(&mut self, worker: usize) -> (String, String) {
        let request = ClaimRequest {
            queue: MIGRATION_QUEUE,
            worker: self.workers[worker],
            slots: 1,
            ttl: TTL,
            begin: None,
        };
        let claimed = self.world.worker.claim(&request).await.expect("a claim").pop();
        let told = claimed.as_ref().map(|claimed| claimed.lease.epoch.0);
        self.given.extend(claimed.map(|claimed| (worker, claimed)));
        (format!("{told:?}"), format!("{:?}", self.model.claim(&self.terms, worker)))
    }

    /// What a holder says, the present one or one that does not know that it is none any more.
    async fn under(&mut self, worker: usize, claimed: &Claimed, command: &Command) -> (String, String) {
        let (store, lease, terms) = (&self.world.worker, &claimed.lease, self.terms);
        let epoch = u8::try_from(lease.epoch.0).expect("a life is short");
        match *command {
            Command::Renew(_) => {
                let asked = [(lease.job, lease.epoch)];
                let kept = store.heartbeat(lease.worker, &asked, TTL).await.expect("a heartbeat").pop();
                let beat = self.model.renew(worker, epoch);
                let modelled = beat.kept.then_some(beat.cancel_requested);
                (format!("{:?}", kept.map(|kept| kept.cancel_requested)), format!("{modelled:?}"))
            }
            Command::Begin(_) => {
                let told = store.begin_job(lease, &[event(0)]).await.expect("an answer");
                (said(&told), modelled(&self.model.begin(&terms, epoch)))
            }
            Command::EnterPhase(_) => {
                let told = store.begin_phase(lease, LAST, &[event(1)]).await.expect("an answer");
                self.entered |= told != Fenced::Stale;
                let told = told.map(|start| matches!(start, PhaseStart::AlreadyComplete(_)));
                (said(&told), modelled(&self.model.enter_phase(&terms, epoch)))
            }
            Command::KeepResult(_) if !self.entered => Default::default(), // no worker does
            Command::KeepResult(_) => {
                let result = json!({"pages": 3});
                let told = store.complete_phase(lease, LAST, &result, &[event(20)]).await;
                (said(&told.expect("an answer")), modelled(&self.model.keep_result(&terms, epoch)))
            }
            Command::End(_, ending) => self.end(claimed, epoch, ending).await,
            _ => Default::default(),
        }
    }

    async fn end(&mut self, claimed: &Claimed, epoch: u8, ending: Ending) -> (String, String) {
        let (store, lease) = (&self.world.worker, &claimed.lease);
        let before = self.ended.get(&lease.epoch.0).copied();
        let held = self.model.record.job.epoch == epoch;
        let running = self.model.record.job.state == domain::job::JobState::Running;
        // A worker says one end and no other, and completes only what it began.
        if before.is_some_and(|before| before != ending)
            || (ending == Ending::Complete && before.is_none() && held && !(running && self.entered))
        {
            return Default::default();
        }
        let told = match ending {
            Ending::Complete => {
                let completion = Completion { project_id: Uuid::now_v7(), events: vec![finished()] };
                store.complete_job(lease, &completion).await
            }
            Ending::Fail => {
                let failure = broken();
                let verdict = PROMPT.judge(&failure, claimed.attempt, 0.0);
                let failed = FailedAttempt { failure, verdict, events: vec![] };
                store.fail_attempt(lease, &failed).await.map(|to| to.map(drop))
            }
            Ending::HandBack => store.hand_back(lease).await.map(|to| to.map(drop)),
            Ending::Cancel => store.cancel_job(lease, &[]).await,
        };
        let told = told.expect("an answer");
        let answer = self.model.end(&self.terms, epoch, ending, before.is_some());
        if told != Fenced::Stale {
            self.ended.insert(lease.epoch.0, ending);
        }
        (said(&told), modelled(&answer))
    }

    async fn rescue(&mut self) -> (String, String) {
        let rescued = self.sweep(TTL).await;
        let lost = self.model.record.lease.as_ref().is_some_and(|lease| lease.left == 0);
        if lost {
            self.model.take_away();
        }
        (format!("{rescued}"), format!("{}", usize::from(lost)))
    }

    /// A sweep for which every grace is over, at a moment at which no lease has run out.
    async fn take_called_off(&mut self) -> (String, String) {
        let model = &mut self.model;
        if model.record.lease.as_ref().is_none_or(|lease| lease.left == 0) {
            return Default::default();
        }
        let called_off = model.record.job.cancel_requested;
        if called_off {
            model.take_called_off();
        }
        (format!("{}", self.sweep(Duration::ZERO).await), format!("{}", usize::from(called_off)))
    }

    async fn sweep(&self, cancel_grace: Duration) -> usize {
        let request = RescueRequest {
            // Somebody who holds nothing: a holder that takes its own lease away has ended it itself.
            worker: WorkerId(Uuid::now_v7()),
            ttl: Duration::from_millis(1),
            deadlines: &DEADLINES,
            cancel_grace,
            limit: 10,
            policy: &PROMPT,
            jitter: 0.0,
        };
        self.world.worker.rescue_expired(&request).await.expect("a sweep").len()
    }

    /// Both records in the same words.
    async fn records(&self) -> (String, String) {
        let sql = "SELECT state || ' #' || jobs.epoch || ' attempts ' || attempts
                       || CASE WHEN cancel_requested_at IS NOT NULL AND state IN ('PREPARING', 'RUNNING')
                          THEN ' called off' ELSE '' END
                       || coalesce(' held by ' || worker_id || ' #' || leases.epoch, '')
                       || CASE WHEN EXISTS (SELECT FROM phases WHERE phases.state = 'completed') THEN ' kept' ELSE '' END
                   FROM jobs LEFT JOIN leases ON leases.job_id = jobs.id WHERE jobs.id = $1";
        let model::world::Record { job, lease, result_kept, .. } = &self.model.record;
        let mut modelled = format!("{} #{} attempts {}", job.state, job.epoch, job.attempts);
        if job.cancel_requested && job.state.is_leased() {
            modelled.push_str(" called off");
        }
        if let Some((holder, lease)) = lease.as_ref().and_then(|lease| Some((lease.holder?, lease))) {
            modelled.push_str(&format!(" held by {} #{}", self.workers[holder], lease.epoch));
        }
        if *result_kept {
            modelled.push_str(" kept");
        }
        (self.world.one(sql, self.request.job.0).await, modelled)
    }
}

/// No waits: time is no part of this.
const PROMPT: Policy = Policy { max_attempts: MAX_ATTEMPTS, base: Duration::ZERO, cap: Duration::ZERO };

fn said<T: std::fmt::Debug>(told: &Fenced<T>) -> String {
    format!("{told:?}")
}

fn modelled<T: std::fmt::Debug>(told: &Modelled<T>) -> String {
    format!("{told:?}")
}

#[test]
fn the_model_and_the_statements_agree_on_every_command() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = ProptestConfig {
        cases: LIVES,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    };
    let lives = prop::collection::vec(commands(), 1..COMMANDS);
    let outcome = TestRunner::new(config).run(&lives, |life| {
        runtime.block_on(async {
            let mut twins = Twins::new().await;
            for (place, command) in life.iter().enumerate() {
                let (told, modelled) = twins.obey(command).await;
                prop_assert_eq!(told, modelled, "the answer to command {}, {:?}", place, command);
                let (record, modelled) = twins.records().await;
                prop_assert_eq!(record, modelled, "the record after command {}, {:?}", place, command);
            }
            prop_assert_eq!(twins.model.breaches, model::world::Breaches::default());
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
}

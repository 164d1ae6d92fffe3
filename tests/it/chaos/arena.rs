//! Where a schedule is played: real processes over a Postgres and a RabbitMQ of their own, and the hands that break
//! them and put them together again.

use super::{
    history::{self, Accepted},
    look::Look,
    plan::{Fault, Plan},
    sites,
    tool::{KIND, Tool},
};
use crate::stack::{Stack, Terms, Worker};
use bus::{Bell, Delivery};
use futures::{StreamExt, future::select};
use serde_json::{Value, json};
use std::{fs, io::ErrorKind, path::PathBuf, pin::pin, sync::Arc, time::Duration};
use testkit::{broker::Broker, disk::SmallDisk, postgres::Cluster, site::StaticSite, wait};
use tokio::time::Instant;

/// Everything that has to happen happens within this, whatever else the machine is doing.
pub(crate) const BOUND: Duration = Duration::from_secs(120);
pub(crate) const WORKERS: usize = 2;
/// Far more than all the artefacts of a run.
const DISK: u64 = 48 << 20;
/// How far the clocks of gateway and broadcaster are wrong, in seconds: one is ahead, the other behind.
const SKEW: i64 = 5 * 3600;

/// How much is to do, and how fast.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Chores that a worker does at a time.
    pub(crate) at_once: u32,
    /// How long a chore takes.
    pub(crate) pace: Duration,
    /// What takes longer is ended by its worker.
    pub(crate) timeout: Duration,
    /// How long leases last.
    pub(crate) ttl: Duration,
    /// How much is kept, as a worker's configuration has it.
    pub(crate) retention: &'static str,
}

impl Default for Load {
    /// Long enough to be interrupted in, short enough for many.
    fn default() -> Self {
        let (pace, timeout) = (Duration::from_millis(120), Duration::from_secs(1));
        Self { at_once: 2, pace, timeout, ttl: Duration::from_millis(1500), retention: "" }
    }
}

pub(crate) struct Arena {
    pub(crate) stack: Stack,
    pub(crate) workers: Vec<Worker>,
    pub(crate) tool: Tool,
    pub(crate) look: Look,
    load: Load,
    accepted: Accepted,
    site: StaticSite,
    disk: Arc<SmallDisk>,
    /// Listens where the workers do, when hints are to be lost.
    thief: Arc<dyn Bell>,
    /// Wishes so far: each has a key of its own.
    wishes: usize,
    /// Where the programs of the release before lie, if every other worker is one of those.
    before: Option<PathBuf>,
    // Dropped last: the processes above die quietly while their servers still stand.
    cluster: Cluster,
    broker: Broker,
}

impl Arena {
    pub(crate) async fn open(most_sites: usize, load: Load) -> Self {
        let (broker, cluster, site) =
            tokio::join!(Broker::start(), Cluster::start(), sites::serve(most_sites));
        let (tool, disk) = tokio::join!(Tool::serve(load.pace, load.timeout), SmallDisk::with_room_for(DISK));
        let disk = Arc::new(disk);
        let database = cluster.database().await;
        history::keep_log(&database).await;
        let terms = Terms {
            amqp: broker.url(),
            kinds: tool.kind(load.at_once) + load.retention,
            disk: Some(Arc::clone(&disk)),
            skew: SKEW,
            ..Terms::with_shared_broker(site.addr()).ttl(load.ttl)
        };
        let thief = terms.bell();
        let stack = Stack::start(database, terms).await;
        let before = std::env::var_os("CHAOS_BEFORE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let (workers, look, accepted, wishes) = (vec![], Look::default(), Accepted::default(), 0);
        let mut arena = Self {
            stack,
            workers,
            tool,
            look,
            load,
            accepted,
            site,
            disk,
            thief,
            wishes,
            before,
            cluster,
            broker,
        };
        for number in 0..WORKERS {
            let worker = arena.worker(number, 0).await;
            arena.workers.push(worker);
        }
        arena
    }

    /// Plays a schedule to the end of its jobs, and has the record checked; answers what came of them.
    pub(crate) async fn play(&mut self, plan: &Plan) -> Result<String, String> {
        let before = (self.accepted.migrations.len(), self.accepted.chores.len());
        for _ in 0..plan.sites {
            self.accept_site().await;
        }
        self.accept_chores(plan.chores).await;
        for strike in &plan.strikes {
            self.progress(strike.after).await;
            self.strike(strike.fault).await;
        }
        self.look.until(&self.stack.database, OPEN, 0).await;
        self.look.until(&self.stack.database, UNPUBLISHED, 0).await;
        let mine = Accepted {
            migrations: self.accepted.migrations[before.0..].to_vec(),
            chores: self.accepted.chores[before.1..].to_vec(),
        };
        let look = self.stack.database.sql().await;
        history::check(&look, &mine, &self.tool).await?;
        history::check_count(&look, &self.accepted).await?;
        sites::check(&self.stack, &self.site, before.0, &mine.migrations).await?;
        Ok(self.look.told(&self.stack.database, &mine).await)
    }

    /// Is all that was ever accepted in order still?
    pub(crate) async fn check(&self) -> Result<(), String> {
        history::check(&self.stack.database.sql().await, &self.accepted, &self.tool).await
    }

    /// The same where retention has taken away the older ones.
    pub(crate) async fn check_what_is_left(&self) -> Result<(), String> {
        let look = self.stack.database.sql().await;
        let left = history::left_of(&look, &self.accepted).await;
        history::check(&look, &left, &self.tool).await
    }

    async fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::KillWorker(number) => self.replace_worker(number, 0).await,
            Fault::SkewWorker(number, hours) => self.replace_worker(number, hours * 3600).await,
            Fault::StopWorker(number) => {
                self.workers[number].process.terminate();
                let successor = self.worker(number, 0).await;
                std::mem::replace(&mut self.workers[number], successor).process.exited(BOUND).await;
            }
            Fault::PauseWorker(number) => self.freeze(number, self.load.ttl / 2).await,
            Fault::FreezeWorker(number) => self.freeze(number, self.load.ttl * 2).await,
            Fault::KillGateway => self.accept_while_the_gateway_dies().await,
            Fault::CutSessions => self.cut_sessions().await,
            Fault::RestartPostgres => {
                self.cluster.stop().await;
                self.cluster.start_again().await;
            }
            Fault::CrashPostgres => self.cluster.crash().await,
            Fault::LoseHints => self.accept_while_hints_are_lost().await,
            Fault::LoseBroker => {
                self.broker.kill();
                self.broker.lose_everything();
                self.broker.start_again().await;
            }
            Fault::FillStore => self.accept_while_the_store_is_full().await,
            Fault::FailDeployment => self.accept_while_nothing_can_be_deployed().await,
            Fault::HangTool => {
                self.tool.hang(2);
                self.accept_chores(2).await;
            }
            Fault::FailTool => {
                self.tool.fail(3);
                self.accept_chores(3).await;
            }
            Fault::Cancel => self.cancel_the_last().await,
        }
    }

    async fn replace_worker(&mut self, number: usize, skew: i64) {
        self.workers[number].process.kill();
        self.workers[number] = self.worker(number, skew).await;
    }

    async fn worker(&self, number: usize, skew: i64) -> Worker {
        let programs = self.before.as_deref().filter(|_| number % 2 == 1);
        self.stack.worker_off_by(skew, programs).await
    }

    pub(crate) async fn cut_sessions(&self) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'resettle%'";
        self.stack.database.sql().await.batch_execute(sql).await.expect("the superuser may");
    }

    pub(crate) async fn freeze(&self, number: usize, time: Duration) {
        let process = &self.workers[number].process;
        process.freeze();
        let over = Instant::now() + time;
        wait::until_true("the pause to be over", BOUND, || async { Instant::now() >= over }).await;
        process.thaw();
    }

    /// Has one more website accepted, asking again under the same key until there is an answer.
    async fn accept_site(&mut self) {
        let url = format!("{}{}/", self.site.url(), self.accepted.migrations.len());
        let body = json!({"sourceUrl": url, "userPrompt": "Keep it as it is."});
        let key = self.key();
        let answer = self.insist("/api/migration/start", &key, &body).await;
        self.accepted.migrations.push(answer["migrationId"].as_str().expect("an id").to_owned());
    }

    pub(crate) async fn accept_chores(&mut self, many: usize) {
        let (key, body) = (self.key(), chores(many));
        let answer = self.insist("/api/jobs", &key, &body).await;
        self.note_chores(&answer);
    }

    fn note_chores(&mut self, answer: &Value) {
        let ids = answer["jobs"].as_array().expect("a list").iter();
        self.accepted.chores.extend(ids.map(|job| job["jobId"].as_str().expect("an id").to_owned()));
    }

    async fn accept_while_the_gateway_dies(&mut self) {
        let (key, body) = (self.key(), chores(2));
        let client = self.stack.client.clone();
        let asked = async { client.post("/api/jobs", Some(&key), &body).await.map(drop) };
        // Whether the answer came, or the request, nobody knows; that is the point.
        let (_unknown, ()) = tokio::join!(asked, async { self.stack.replace_gateway().await });
        let answer = self.insist("/api/jobs", &key, &body).await;
        self.note_chores(&answer);
    }

    pub(crate) async fn accept_while_hints_are_lost(&mut self) {
        let thief = Arc::clone(&self.thief);
        let mut hints = thief.hints(KIND, 64);
        // Its first word is that it listens.
        wait::within("somebody else to listen", BOUND, hints.next()).await;
        let stealing = async {
            while let Some(delivery) = hints.next().await {
                if let Delivery::Hint(hint) = delivery {
                    // One that cannot be acknowledged comes again, to somebody else perhaps.
                    let _late = hint.ack().await;
                }
            }
        };
        let accepting = async {
            self.accept_chores(4).await;
            self.progress(8).await;
        };
        select(pin!(stealing), pin!(accepting)).await;
    }

    async fn accept_while_the_store_is_full(&mut self) {
        let sql = "SELECT count(*) FROM transitions WHERE cause IN ('attempt_failed', 'gave_up')";
        let look = || self.look.number(&self.stack.database, sql);
        let before = wait::until("a look at the record", BOUND, look).await;
        self.disk.fill();
        self.accept_site().await;
        self.look.until_more(&self.stack.database, sql, before).await;
        self.disk.make_room();
    }

    async fn accept_while_nothing_can_be_deployed(&mut self) {
        let sql = "SELECT count(*) FROM transitions WHERE failure->>'reason' = 'deployment_error'";
        let look = || self.look.number(&self.stack.database, sql);
        let before = wait::until("a look at the record", BOUND, look).await;
        self.accept_site().await;
        let migration = self.accepted.migrations.last().expect("it was accepted");
        // A folder lies where the package is to go.
        let package = sites::package(&self.stack, migration).await;
        let in_the_way = self.disk.from_outside(&package);
        match fs::create_dir_all(&in_the_way) {
            // It was deployed already.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return,
            made => made.expect("the disk has room"),
        }
        self.look.until_more(&self.stack.database, sql, before).await;
        fs::remove_dir(&in_the_way).expect("nothing was put into it");
    }

    fn key(&mut self) -> String {
        self.wishes += 1;
        format!("wish-{}", self.wishes)
    }

    async fn insist(&self, path: &str, key: &str, body: &Value) -> Value {
        wait::until("a wish to be accepted", BOUND, || async {
            let answer = self.stack.client.post(path, Some(key), body).await.ok()?;
            answer.error_for_status().ok()?.json().await.ok()
        })
        .await
    }

    async fn cancel_the_last(&self) {
        let path = match (self.accepted.chores.last(), self.accepted.migrations.last()) {
            (_, Some(id)) if self.wishes.is_multiple_of(2) => format!("/api/migration/{id}/cancel"),
            (Some(id), _) => format!("/api/jobs/{id}/cancel"),
            (None, _) => return,
        };
        wait::until_true("the wish to cancel to be heard", BOUND, || async {
            let answer = self.stack.client.post(&path, None, &json!({})).await;
            // 409: it was over before.
            answer.is_ok_and(|answer| !answer.status().is_server_error())
        })
        .await;
    }

    /// Waits until the record is so many lines longer, or there is nothing left to do.
    async fn progress(&self, lines: i64) {
        let sql = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM transitions)";
        let (look, database) = (&self.look, &self.stack.database);
        let before = wait::until("a look at the record", BOUND, || look.number(database, sql)).await;
        wait::until_true("the record to grow", BOUND, || async {
            look.number(database, sql).await.is_some_and(|now| now >= before + lines)
                || look.number(database, OPEN).await == Some(0)
        })
        .await;
    }
}

fn chores(many: usize) -> Value {
    json!({"jobs": vec![json!({"kind": KIND, "payload": {}}); many]})
}

/// Jobs that are not over.
pub(crate) const OPEN: &str =
    "SELECT count(*) FROM jobs WHERE state NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')";
const UNPUBLISHED: &str = "SELECT count(*) FROM outbox WHERE published_at IS NULL";

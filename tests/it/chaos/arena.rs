//! Where a schedule is played: real processes over a Postgres and a RabbitMQ of their own, and the hands that break
//! them and put them together again.

use super::{
    history,
    plan::{Fault, Plan},
};
use crate::{
    record,
    stack::{Stack, Terms, Worker},
};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{
    broker::Broker,
    postgres::Cluster,
    site::{Answer, StaticSite},
    wait,
};
use tokio::time::Instant;

/// Everything that has to happen happens within this, whatever else the machine is doing.
const BOUND: Duration = Duration::from_secs(120);
const TTL: Duration = Duration::from_millis(1500);
pub(crate) const WORKERS: usize = 2;

pub(crate) struct Arena {
    stack: Stack,
    workers: Vec<Worker>,
    site: StaticSite,
    hints: String,
    accepted: Vec<String>,
    // Dropped last: the processes above die quietly while their servers still stand.
    cluster: Cluster,
    broker: Broker,
}

impl Arena {
    pub(crate) async fn open(most_jobs: usize) -> Self {
        let (broker, cluster, site) = tokio::join!(Broker::start(), Cluster::start(), site(most_jobs));
        let database = cluster.database().await;
        history::keep_log(&database).await;
        let terms = Terms { amqp: broker.url(), ..Terms::with_shared_broker(site.addr()).ttl(TTL) };
        let hints = format!("{}.jobs.{}", terms.prefix, domain::job::MIGRATION_QUEUE);
        let stack = Stack::start(database, terms).await;
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            workers.push(stack.worker().await);
        }
        Self { stack, workers, site, hints, accepted: vec![], cluster, broker }
    }

    /// Plays a schedule to the end of its jobs, and has the record checked; answers what came of them.
    pub(crate) async fn play(&mut self, plan: &Plan) -> Result<String, String> {
        let before = self.accepted.len();
        for _ in 0..plan.jobs {
            self.accept().await;
        }
        for strike in &plan.strikes {
            self.progress(strike.after).await;
            self.strike(strike.fault).await;
        }
        self.all_over().await;
        let told = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
        wait::until_true("every announcement to be published", BOUND, || self.finds(told, 0)).await;
        history::check(&self.stack.database, &self.accepted).await?;
        let mine = &self.accepted[before..];
        self.nothing_was_asked_for_twice(before, mine).await?;
        let mut told = Vec::new();
        for migration in mine {
            let job = record::job(&self.stack.database, migration).await;
            if job.starts_with("COMPLETED") {
                self.stack
                    .client
                    .artifact(migration)
                    .await
                    .map_err(|error| format!("{migration}: {error:#}"))?;
            }
            told.push(job);
        }
        Ok(told.join(", "))
    }

    async fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::KillWorker(number) => {
                self.workers[number].process.kill();
                self.workers[number] = self.stack.worker().await;
            }
            Fault::StopWorker(number) => {
                self.workers[number].process.terminate();
                let successor = self.stack.worker().await;
                std::mem::replace(&mut self.workers[number], successor).process.exited(BOUND).await;
            }
            Fault::PauseWorker(number) => self.freeze(number, TTL / 2).await,
            Fault::FreezeWorker(number) => self.freeze(number, TTL * 2).await,
            Fault::KillGateway => self.accept_while_the_gateway_dies().await,
            Fault::CutSessions => {
                let sql =
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'resettle%'";
                self.stack.database.sql().await.batch_execute(sql).await.expect("the superuser may");
            }
            Fault::RestartPostgres => {
                self.cluster.stop().await;
                self.cluster.start_again().await;
            }
            Fault::CrashPostgres => self.cluster.crash().await,
            Fault::LoseHints => {
                self.broker.ctl(&["purge_queue", &self.hints]).await;
            }
            Fault::KillBroker => {
                self.broker.kill();
                self.broker.start_again().await;
            }
            Fault::Cancel => self.cancel_the_last().await,
        }
    }

    async fn freeze(&self, number: usize, time: Duration) {
        let process = &self.workers[number].process;
        process.freeze();
        let over = Instant::now() + time;
        wait::until_true("the pause to be over", BOUND, || async { Instant::now() >= over }).await;
        process.thaw();
    }

    /// Has one more migration accepted, asking again under the same key until there is an answer.
    async fn accept(&mut self) {
        let (key, body) = self.wish();
        let id = wait::until("a migration to be accepted", BOUND, || self.ask(&key, &body)).await;
        self.accepted.push(id);
    }

    async fn accept_while_the_gateway_dies(&mut self) {
        let (key, body) = self.wish();
        let client = self.stack.client.clone();
        let asked = async { client.post("/api/migration/start", Some(&key), &body).await.map(drop) };
        // Whether the answer came, or the request, nobody knows; that is the point.
        let (_unknown, ()) = tokio::join!(asked, async { self.stack.replace_gateway().await });
        let id = wait::until("the same wish to be accepted", BOUND, || self.ask(&key, &body)).await;
        self.accepted.push(id);
    }

    fn wish(&self) -> (String, Value) {
        let number = self.accepted.len();
        let url = format!("{}{number}/", self.site.url());
        (format!("wish-{number}"), json!({"sourceUrl": url, "userPrompt": "Keep it as it is."}))
    }

    async fn ask(&self, key: &str, body: &Value) -> Option<String> {
        let answer = self.stack.client.post("/api/migration/start", Some(key), body).await.ok()?;
        let answer: Value = answer.error_for_status().ok()?.json().await.ok()?;
        answer["migrationId"].as_str().map(str::to_owned)
    }

    async fn cancel_the_last(&self) {
        let Some(id) = self.accepted.last() else { return };
        let path = format!("/api/migration/{id}/cancel");
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
        let number = || async { self.stack.database.sql().await.query_one(sql, &[]).await.ok()?.get(0) };
        let before: i64 = wait::until("a look at the record", BOUND, number).await;
        wait::until_true("the record to grow", BOUND, || async {
            number().await.is_some_and(|now| now >= before + lines) || self.finds(OPEN, 0).await
        })
        .await;
    }

    async fn all_over(&self) {
        wait::until_true("every job to end", BOUND, || self.finds(OPEN, 0)).await;
    }

    async fn finds(&self, sql: &str, expected: i64) -> bool {
        let row = self.stack.database.sql().await.query_one(sql, &[]).await;
        row.is_ok_and(|row| row.get::<_, i64>(0) == expected)
    }

    /// The website's own log: a page is asked for once in each crawl that was begun, and in none after the one that
    /// was completed.
    async fn nothing_was_asked_for_twice(&self, first: usize, mine: &[String]) -> Result<(), String> {
        for (place, migration) in mine.iter().enumerate() {
            let number = first + place;
            let crawls = history::crawls(&self.stack.database, migration).await;
            // Not the front page: a crawl that begins asks for it first to see where the site is.
            let page = format!("/{number}/about.html");
            let asked = self.site.hits(&page);
            if asked > crawls {
                return Err(format!("{page} was asked for {asked} times in {crawls} crawls"));
            }
        }
        Ok(())
    }
}

const OPEN: &str = "SELECT count(*) FROM jobs WHERE state NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')";

/// A small site for each migration, all on one port: two pages that come slowly enough to be interrupted.
async fn site(many: usize) -> StaticSite {
    let pages = (0..many).flat_map(|number| {
        let page = |title: &str| {
            let text = format!(
                "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\
                 <main><h1>{title} {number}</h1><p>One of many small sites.</p><a href=\"/{number}/\">Home</a> \
                 <a href=\"/{number}/about.html\">About</a></main></body></html>"
            );
            Answer::html(text).delayed(Duration::from_millis(100))
        };
        [(format!("/{number}/"), page("Home")), (format!("/{number}/about.html"), page("About"))]
    });
    StaticSite::serve(pages.collect::<std::collections::BTreeMap<_, _>>()).await
}

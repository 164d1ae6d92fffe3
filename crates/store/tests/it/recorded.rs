//! What a release asked of the database it may still ask after the next release's steps: while an installation is upgraded,
//! workers of both run side by side on one database.
//!
//! `recorded/` holds the statements of releases, with what each takes and gives. `make upgrade-record` writes today's. A step that
//! a recorded release cannot live with raises `min_reader` above it, and its file goes.

use crate::{
    statements::statements,
    world::{World, carried, worker},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use store::schema::VERSION;
use tokio_postgres::Client;

/// Set to anything: today's statements are written down.
const RECORD: &str = "RESETTLE_RECORD";

/// A release, by the last step of the schema that it knew.
struct Release {
    version: i32,
    statements: Vec<Value>,
}

impl Release {
    /// The text of the statement of that name.
    fn sql(&self, name: &str) -> &str {
        let first = format!("-- {name}");
        let named = |one: &&Value| text(one).lines().next() == Some(first.as_str());
        text(self.statements.iter().find(named).unwrap_or_else(|| panic!("{name} was not recorded")))
    }
}

fn text(statement: &Value) -> &str {
    statement["sql"].as_str().expect("a recorded statement has a text")
}

/// This package's folder: Cargo says it to tests, and so does `tests/suite`.
fn package() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("tests are run by Cargo or by tests/suite").into()
}

fn folder() -> PathBuf {
    package().join("tests/it/recorded")
}

/// Every release that may still run beside today's.
fn releases() -> Vec<Release> {
    let files = fs::read_dir(folder()).expect("releases were recorded");
    let mut releases: Vec<Release> = files
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("v26.json");
            let text = fs::read_to_string(&path).expect("a readable file");
            Release {
                version: name.trim_start_matches('v').parse().expect("v26.json"),
                statements: serde_json::from_str(&text).expect("as it was written"),
            }
        })
        .collect();
    releases.sort_by_key(|release| release.version);
    assert!(!releases.is_empty(), "`make upgrade-record` writes one");
    releases
}

/// A statement with what the server says that it takes and gives: what its program encodes and decodes.
async fn prepared(sql: &Client, statement: &str) -> Result<Value, tokio_postgres::Error> {
    let prepared = sql.prepare(statement).await?;
    let takes: Vec<&str> = prepared.params().iter().map(tokio_postgres::types::Type::name).collect();
    let column = |column: &tokio_postgres::Column| format!("{} {}", column.name(), column.type_().name());
    let gives: Vec<String> = prepared.columns().iter().map(column).collect();
    Ok(json!({"sql": statement, "takes": takes, "gives": gives}))
}

#[tokio::test]
async fn what_a_recorded_release_asks_is_answered_as_it_was() {
    let world = World::new().await;
    if std::env::var_os(RECORD).is_some() {
        record(&world).await;
    }
    let min_reader: i32 =
        world.sql.query_one("SELECT min_reader FROM schema_compatibility", &[]).await.expect("a row").get(0);
    for release in releases() {
        let version = release.version;
        assert!(
            version >= min_reader,
            "no release of V{version} runs any more: remove recorded/v{version}.json"
        );
        assert!(release.statements.len() > 100, "only {} statements of V{version}", release.statements.len());
        for recorded in &release.statements {
            match prepared(&world.sql, text(recorded)).await {
                Ok(today) => assert_eq!(today, *recorded, "V{version}: another form than it was"),
                Err(error) => panic!(
                    "a release of V{version} still asks this ({error:?}); expand first and contract when none of \
                     them runs, or raise min_reader:\n{}",
                    text(recorded)
                ),
            }
        }
    }
}

async fn record(world: &World) {
    let mut recorded = Vec::new();
    for statement in statements(&package().join("src")) {
        recorded.push(prepared(&world.sql, &statement).await.expect("today's statements fit today's schema"));
    }
    recorded.sort_by(|one, other| text(one).cmp(text(other)));
    fs::create_dir_all(folder()).expect("the folder is ours");
    let written = serde_json::to_string_pretty(&recorded).expect("texts") + "\n";
    fs::write(folder().join(format!("v{VERSION}.json")), written).expect("the folder is ours");
}

/// The writes of a worker of before, as its role, under a lease that another took meanwhile.
#[tokio::test]
async fn a_worker_of_a_recorded_release_is_fenced_like_todays() {
    for release in releases() {
        let world = World::new().await;
        let (_, old) = world.running("https://example.com/").await;
        let sql = world.db.sql_as("resettle_worker").await;
        let carries = carried(&old);
        let fenced = async |epoch: i64| {
            let (migration, run) = (Some(carries.migration.0), Some(carries.run));
            let told = sql
                .query(release.sql("job.fence"), &[&old.job.0, &epoch, &old.tenant.0, &migration, &run])
                .await;
            told.expect("the role may").len()
        };
        let beats = async |holder: uuid::Uuid, epoch: i64| {
            let (jobs, epochs) = (vec![old.job.0], vec![epoch]);
            let told = sql.query(release.sql("lease.heartbeat"), &[&holder, &jobs, &epochs, &60.0_f64]).await;
            told.expect("the role may").len()
        };
        assert_eq!(
            (fenced(old.epoch.0).await, beats(old.worker.0, old.epoch.0).await),
            (1, 1),
            "it holds the job"
        );
        let new = world.take_over(old.job).await;
        assert!(new.epoch > old.epoch);
        assert_eq!(
            (fenced(old.epoch.0).await, beats(old.worker.0, old.epoch.0).await),
            (0, 0),
            "and holds it no more"
        );
        assert_eq!((fenced(new.epoch.0).await, beats(new.worker.0, new.epoch.0).await), (1, 1));
        let release_lease = release.sql("lease.release");
        let gone = sql.execute(release_lease, &[&old.job.0, &old.epoch.0]).await.expect("the role may");
        assert_eq!(gone, 0, "it takes nobody else's lease away");
        assert_eq!(beats(worker().0, new.epoch.0).await, 0, "nor does it keep one that is another's");
        let illegal = sql.execute("UPDATE jobs SET state = 'COMPLETED' WHERE id = $1", &[&old.job.0]).await;
        assert!(illegal.is_err(), "PREPARING to COMPLETED is no move, whoever says it");
    }
}

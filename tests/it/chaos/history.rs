//! The checker: what the record says of a job's life, judged against the domain's table and the promises.
//!
//! It reads the transitions, the events, the leases, the outbox, and a log of effects that the database keeps for the
//! test where the worker can neither see nor skip it.

use super::tool::Tool;
use domain::job::JobState;
use serde_json::Value;
use testkit::postgres::Database;
use tokio_postgres::Client;
use uuid::Uuid;

/// One line of a job's audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) from: Option<JobState>,
    pub(crate) to: JobState,
    pub(crate) claimed: bool,
    pub(crate) epoch: i64,
}

/// The end of a job whose whole life is in order.
pub(crate) fn judge(moves: &[Move]) -> Result<JobState, String> {
    let (mut state, mut epoch) = (None, 0);
    for (place, one) in moves.iter().enumerate() {
        let wrong = |what: &str| Err(format!("move {place}, {one:?}: {what}"));
        if one.from != state {
            return wrong("it does not begin where the last one ended");
        }
        match one.from {
            None if one.to == JobState::Pending => {}
            Some(from) if from.allows(one.to) => {}
            None | Some(_) => return wrong("the table has no such move"),
        }
        if one.epoch != epoch + i64::from(one.claimed) {
            return wrong("its epoch is not the job's");
        }
        (state, epoch) = (Some(one.to), one.epoch);
    }
    let ends = moves.iter().filter(|one| is_end(one.to)).count();
    match state {
        Some(end) if is_end(end) && ends == 1 => Ok(end),
        Some(last) => Err(format!("it ended {ends} times and stands at {last}")),
        None => Err("it has no moves".into()),
    }
}

fn is_end(state: JobState) -> bool {
    matches!(state, JobState::Completed | JobState::Failed | JobState::Cancelled)
}

const LOG: &str = "
    CREATE TABLE effects_log (
        id bigint GENERATED ALWAYS AS IDENTITY, migration uuid, run integer, purpose text, epoch bigint, held bigint
    );
    CREATE FUNCTION log_effect() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO effects_log (migration, run, purpose, epoch, held)
        SELECT NEW.migration_id, NEW.run, NEW.phase, NEW.epoch, leases.epoch
        FROM jobs LEFT JOIN leases ON leases.job_id = jobs.id
        WHERE jobs.migration_id = NEW.migration_id AND jobs.run = NEW.run;
        RETURN NULL;
    END $$;
    CREATE TRIGGER effects AFTER INSERT OR UPDATE OF state ON phases FOR EACH ROW WHEN (NEW.state = 'completed')
        EXECUTE FUNCTION log_effect();";

/// Starts the log of effects.
pub(crate) async fn keep_log(database: &Database) {
    database.sql().await.batch_execute(LOG).await.expect("the owner may");
}

/// What was accepted: ids as they were answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accepted {
    pub(crate) migrations: Vec<String>,
    pub(crate) chores: Vec<String>,
}

/// Those whose jobs are still recorded.
pub(crate) async fn left_of(look: &Client, accepted: &Accepted) -> Accepted {
    let sql = "SELECT id::text FROM jobs WHERE id::text = ANY ($1)";
    let rows = look.query(sql, &[&accepted.chores]).await.expect("the query runs");
    Accepted { chores: rows.iter().map(|row| row.get(0)).collect(), ..accepted.clone() }
}

/// How often the crawl of a migration was begun: as often may one of its pages have been asked for.
pub(crate) async fn crawls(look: &Client, migration: &str) -> usize {
    let sql = "SELECT starts::bigint FROM phases WHERE migration_id::text = $1 AND phase = 'ANALYZE'";
    let row = look.query_opt(sql, &[&migration]).await.expect("the query runs");
    row.map_or(0, |row| row.get::<_, i64>(0) as usize)
}

/// What must never be found, and how it is counted.
const NEVER: [(&str, &str); 6] = [
    ("an open lease", "SELECT count(*) FROM leases"),
    ("an open tracking session", "SELECT count(*) FROM tracking_sessions WHERE closed_at IS NULL"),
    (
        "an effect that happened twice",
        "SELECT count(*) FROM (SELECT FROM effects_log GROUP BY migration, run, purpose HAVING count(*) > 1) AS twice",
    ),
    (
        "an effect under an epoch that did not hold the lease",
        "SELECT count(*) FROM effects_log WHERE held IS DISTINCT FROM epoch",
    ),
    (
        "a job that failed without a dead letter, or the other way round",
        "SELECT count(*) FROM jobs LEFT JOIN dead_letters ON dead_letters.job_id = jobs.id
         WHERE (jobs.state = 'FAILED') <> (dead_letters.id IS NOT NULL)",
    ),
    (
        "a run with more than one job",
        "SELECT count(*) FROM (SELECT FROM jobs WHERE migration_id IS NOT NULL
                               GROUP BY migration_id, run HAVING count(*) > 1) AS doubled",
    ),
];

/// Checks what the record says of these, one by one, and what it may say of nothing at all.
pub(crate) async fn check(look: &Client, these: &Accepted, tool: &Tool) -> Result<(), String> {
    for migration in &these.migrations {
        check_migration(look, migration).await.map_err(|what| format!("migration {migration}: {what}"))?;
    }
    for chore in &these.chores {
        check_chore(look, chore, tool).await.map_err(|what| format!("chore {chore}: {what}"))?;
    }
    for (nothing, sql) in NEVER {
        let found = count(look, sql).await;
        if found != 0 {
            return Err(format!("{found} times {nothing}"));
        }
    }
    Ok(())
}

/// Is just that recorded which was accepted?
pub(crate) async fn check_count(look: &Client, accepted: &Accepted) -> Result<(), String> {
    for (what, sql, many) in [
        ("migrations", "SELECT count(*) FROM migrations", accepted.migrations.len()),
        ("chores", "SELECT count(*) FROM jobs WHERE migration_id IS NULL", accepted.chores.len()),
    ] {
        let known = count(look, sql).await;
        if known != many as i64 {
            return Err(format!("{known} {what} are recorded, and {many} were accepted"));
        }
    }
    Ok(())
}

async fn count(look: &Client, sql: &str) -> i64 {
    look.query_one(sql, &[]).await.expect("the query runs").get(0)
}

async fn check_migration(look: &Client, migration: &str) -> Result<(), String> {
    let id: Uuid = migration.parse().expect("an id");
    let sql = "SELECT jobs.state, migrations.state, jobs.id
               FROM jobs JOIN migrations ON migrations.id = jobs.migration_id WHERE migrations.id = $1";
    let row = look.query_one(sql, &[&id]).await.expect("the query runs");
    let (job, whole): (&str, &str) = (row.get(0), row.get(1));
    let end = judge(&moves(look, row.get(2)).await)?;
    if job != end.as_str() || !whole.eq_ignore_ascii_case(job) {
        return Err(format!("its moves end at {end}, its job is {job}, the migration {whole}"));
    }
    check_events(look, id).await?;
    let sql = "SELECT count(*) FROM phases WHERE migration_id = $1 AND state = 'completed'";
    let complete: i64 = look.query_one(sql, &[&id]).await.expect("the query runs").get(0);
    if end == JobState::Completed && complete != domain::phase::Phase::ALL.len() as i64 {
        return Err(format!("it is complete with {complete} phases"));
    }
    Ok(())
}

async fn check_chore(look: &Client, chore: &str, tool: &Tool) -> Result<(), String> {
    let id: Uuid = chore.parse().expect("an id");
    let end = judge(&moves(look, id).await)?;
    let sql = "SELECT state, epoch, result FROM jobs WHERE id = $1";
    let row = look.query_one(sql, &[&id]).await.expect("the query runs");
    let (state, epoch, result): (&str, i64, Option<Value>) = (row.get(0), row.get(1), row.get(2));
    if state != end.as_str() || (end == JobState::Completed) != result.is_some() {
        return Err(format!("its moves end at {end}, it is {state} with the result {result:?}"));
    }
    tool.check(chore, epoch, result.as_ref())
}

async fn moves(look: &Client, job: Uuid) -> Vec<Move> {
    let sql = "SELECT from_state, to_state, cause, epoch FROM transitions WHERE job_id = $1 ORDER BY id";
    let rows = look.query(sql, &[&job]).await.expect("the query runs");
    let state = |name: &str| name.parse::<JobState>().expect("a state of the table");
    let read = |row: tokio_postgres::Row| Move {
        from: row.get::<_, Option<&str>>(0).map(state),
        to: state(row.get(1)),
        claimed: row.get::<_, &str>(2) == "claimed",
        epoch: row.get(3),
    };
    rows.into_iter().map(read).collect()
}

/// 1, 2, 3, …, and one `done` at the end.
async fn check_events(look: &Client, migration: Uuid) -> Result<(), String> {
    let sql = "SELECT seq, type FROM events WHERE migration_id = $1 ORDER BY seq";
    let rows = look.query(sql, &[&migration]).await.expect("the query runs");
    let told: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let gapless = told.iter().zip(1..).all(|((seq, _), place)| *seq == place);
    let done = told.iter().filter(|(_, kind)| kind == "done").count();
    let last = told.last().is_some_and(|(_, kind)| kind == "done");
    if gapless && done == 1 && last { Ok(()) } else { Err(format!("its events are out of order: {told:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobState as S;

    fn life(moves: &[(JobState, i64)]) -> Vec<Move> {
        let mut from = None;
        let mut step = |&(to, epoch): &(JobState, i64)| {
            let claimed = to == S::Preparing;
            Move { from: from.replace(to), to, claimed, epoch }
        };
        moves.iter().map(&mut step).collect()
    }

    #[test]
    fn a_life_in_order_passes() {
        let once = life(&[(S::Pending, 0), (S::Preparing, 1), (S::Running, 1), (S::Completed, 1)]);
        assert_eq!(judge(&once), Ok(S::Completed));
        let twice = life(&[
            (S::Pending, 0),
            (S::Preparing, 1),
            (S::WaitingRetry, 1),
            (S::Pending, 1),
            (S::Preparing, 2),
            (S::Running, 2),
            (S::Completed, 2),
        ]);
        assert_eq!(judge(&twice), Ok(S::Completed));
    }

    #[test]
    fn what_must_never_be_is_found() {
        let base = [(S::Pending, 0), (S::Preparing, 1), (S::Running, 1)];
        let with = |more: &[(JobState, i64)]| judge(&life(&[&base[..], more].concat()));
        assert!(with(&[]).is_err(), "it never ended");
        assert!(with(&[(S::Completed, 1), (S::Completed, 1)]).is_err(), "twice");
        assert!(
            with(&[(S::WaitingRetry, 1), (S::Pending, 1), (S::Preparing, 2), (S::Running, 1)]).is_err(),
            "stale"
        );
        assert!(
            with(&[(S::WaitingRetry, 1), (S::Pending, 1), (S::Preparing, 1)]).is_err(),
            "a token given twice"
        );
        assert!(with(&[(S::WaitingRetry, 1), (S::Running, 1)]).is_err(), "no such move");
        let mut torn = life(&[&base[..], &[(S::Completed, 1)]].concat());
        torn.remove(2);
        assert!(judge(&torn).is_err(), "a move is missing");
        assert!(judge(&[]).is_err(), "no life at all");
    }
}

//! Faults put into the world around the services, never into them: a gate in the database that holds a write open
//! until the test has done what it wants to do meanwhile.

use std::time::Duration;
use testkit::wait;
use tokio_postgres::Client;

const BOUND: Duration = Duration::from_secs(60);
const GATE: i64 = 7_340_001;

/// While it stands, the result of one phase cannot be committed: the transaction that tries waits.
pub(crate) struct Gate {
    holder: Client,
}

impl Gate {
    /// Puts a gate before the completion of `phase`. The trigger stays; without a holder it lets everything pass.
    pub(crate) async fn before_completion_of(phase: &str, database: &testkit::postgres::Database) -> Self {
        let holder = database.sql().await;
        let sql = format!(
            "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF NEW.phase = '{phase}' AND NEW.state = 'completed' THEN
                     PERFORM pg_advisory_xact_lock_shared({GATE});
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER gate BEFORE INSERT OR UPDATE ON phases FOR EACH ROW EXECUTE FUNCTION wait_at_the_gate();
             SELECT pg_advisory_lock({GATE});"
        );
        holder.batch_execute(&sql).await.expect("the gate can be put up");
        Self { holder }
    }

    /// Waits until somebody stands before it: who does has done all but say so.
    pub(crate) async fn reached(&self) {
        let sql = format!("SELECT count(*) FROM pg_locks WHERE {}", waits());
        wait::until_true("the gate to be reached", BOUND, || async {
            let row = self.holder.query_one(&sql, &[]).await.expect("the query runs");
            row.get::<_, i64>(0) > 0
        })
        .await;
    }

    /// Lets everybody pass.
    pub(crate) async fn open(self) {
        self.holder.batch_execute(&format!("SELECT pg_advisory_unlock({GATE})")).await.expect("it opens");
    }

    /// Ends every session that waits at the gate, as the death of its client's machine would, and opens it.
    pub(crate) async fn open_after_cutting_those_who_wait(self) {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {};
             SELECT pg_advisory_unlock({GATE});",
            waits()
        );
        self.holder.batch_execute(&sql).await.expect("the gate can be opened");
    }
}

/// Those locks that somebody waits for at the gate of this database: others have gates of that name, too.
fn waits() -> String {
    format!(
        "locktype = 'advisory' AND objid = {GATE} AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

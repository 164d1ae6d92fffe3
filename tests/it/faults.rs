//! Faults put into the world around the services, never into them: a gate in the database that holds a write open
//! until the test has done what it wants to do meanwhile.

use tokio_postgres::Client;

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

    /// Lets everybody pass.
    pub(crate) async fn open(self) {
        self.holder.batch_execute(&format!("SELECT pg_advisory_unlock({GATE})")).await.expect("it opens");
    }

    /// Ends every session that waits at the gate, as the death of its client's machine would, and opens it.
    pub(crate) async fn open_after_cutting_those_who_wait(self) {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks
             WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted;
             SELECT pg_advisory_unlock({GATE});"
        );
        self.holder.batch_execute(&sql).await.expect("the gate can be opened");
    }
}

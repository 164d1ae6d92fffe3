//! What operators see: the queue of all tenants. On the operators' connection, whose role reads and nothing else; what an
//! operator changes is changed on the gateway's, in the name of the tenant that it belongs to.
//!
//! No question costs a scan of a table that grows: what is counted is counted up to a bound, and what lies beyond it is
//! the planner's estimate, and said to be one.

mod jobs;
mod letters;
mod queues;
mod workers;

pub use jobs::{HeldLease, JobInFull, JobLine, JobLines, JobWanted, ToldEvent};
pub use letters::{LetterOfTenant, LettersWanted, PoisonLine};
pub use queues::{Count, Overview, StateCount, Throughput};
pub use workers::{LeaseLine, WorkerLine};

use crate::{
    Result, Store,
    tx::{Tx, Work},
};
use domain::{TenantId, UserId};

impl Store {
    /// Is this person an operator? On the operators' connection.
    pub async fn is_operator(&self, user: UserId) -> Result<bool> {
        self.run(&IsOperator { user }).await
    }

    /// Makes a person an operator; `false` if they were one. On the owner's connection.
    pub async fn grant_operator(&self, user: UserId) -> Result<bool> {
        self.run(&Change { user, sql: GRANT }).await
    }

    /// Takes it back; `false` if they were none. On the owner's connection.
    pub async fn revoke_operator(&self, user: UserId) -> Result<bool> {
        self.run(&Change { user, sql: REVOKE }).await
    }
}

const GRANT: &str = "-- operator.grant\nINSERT INTO operators (user_id) VALUES ($1) ON CONFLICT DO NOTHING";
const REVOKE: &str = "-- operator.revoke\nDELETE FROM operators WHERE user_id = $1";

struct IsOperator {
    user: UserId,
}

impl Work for IsOperator {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let sql = "-- operator.find\nSELECT FROM operators WHERE user_id = $1";
        Ok(tx.query_opt(sql, &[&self.user.0]).await?.is_some())
    }
}

struct Change {
    user: UserId,
    sql: &'static str,
}

impl Work for Change {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        Ok(tx.execute(self.sql, &[&self.user.0]).await? == 1)
    }
}

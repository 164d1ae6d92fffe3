//! The only crate with SQL: one file per aggregate, one per command of the job's state machine.
//!
//! Every change of state is one transaction that also writes its transition, its events and its announcements
//! (law 2), checks the caller's lease where there is one (law 3), takes its locks in the order job → lease →
//! event head (law 13), and judges time by the database's clock (law 5). Nothing here talks to anything but
//! Postgres, and no transaction waits for anything else.
//!
//! Start at [`Store`]; the life of a job is in [`jobs`], that of a migration in [`migrations`].
#![warn(missing_docs)]

mod analysis;
mod announced;
mod api_keys;
mod circuits;
mod connect;
mod crawl_journal;
mod dead_letters;
mod error;
mod events;
mod figures;
mod gates;
mod idempotency;
mod job_kinds;
mod jsonb;
mod operations;
mod options;
mod outbox;
mod poison;
mod pool;
mod restored;
mod retention;
mod role;
mod schedules;
mod sessions;
mod tenancy;
mod tls;
mod tracking;
mod tx;
mod workers;

pub mod jobs;
pub mod migrations;
pub mod schema;

pub use analysis::{
    Analysis, AnalysisRecord, MAX_PAGE_FACTS, MAX_PAGES, MAX_SITE_FACTS, PageFilter, ProblemCounts, SitePage,
    SitePageRecord,
};
pub use api_keys::{ApiKeyRecord, NewApiKey};
pub use crawl_journal::{KeyHash, MAX_VISIT, MAX_VISITS, NewVisit, OldJournal};
pub use dead_letters::{
    DeadLetter, DeadLetterInFull, DeadLetterPage, DiscardOutcome, JobRetry, JobRetryOutcome, NewReplay,
    Preview, ReplayOutcome, ReplayRecord, TransitionRecord,
};
pub use error::{Error, Result};
pub use events::{Horizon, PlacedEvent, Tail, Tip, Touched, TouchedPage};
pub use figures::{Figures, QueueFigures};
pub use gates::{GateChange, GateOutcome, GateRecord, GateWish, Rate, Terms};
pub use idempotency::StoredAnswer;
pub use job_kinds::{JobKind, REMEMBERED};
pub use jobs::{
    ClaimRequest, Claimed, Completion, EARLIEST, EnqueueOutcome, EnqueueRequest, Enqueued, FailedAttempt,
    Fenced, JobPage, JobRecord, JobsFound, Kept, LATEST, Lease, MAX_AT_ONCE, MAX_BATCH, MigrationRun,
    MovesPage, NewTask, PhaseStart, RescueRequest, Rescued, StopOutcome, StopRequest, Taken, Told,
};
pub use migrations::{
    AmendOutcome, AmendPlan, Amended, Approval, CancelOutcome, CancelRequest, Holder, IdempotentWrite,
    MigrationRecord, NewBrief, PageRequest, PhaseRecord, PlanEdit, PlanRecord, Retried, RetryMigration,
    RetryOutcome, StartMigration, StartOutcome,
};
pub use operations::{
    Count, HeldLease, JobInFull, JobLine, JobLines, JobWanted, LeaseLine, LetterOfTenant, LettersWanted,
    Overview, PoisonLine, StateCount, Throughput, ToldEvent, WorkerLine,
};
pub use options::Options;
pub use outbox::{OutboxRow, OutboxTopic};
pub use poison::Poison;
pub use pool::Store;
pub use restored::{Restored, restored};
pub use retention::{Forgettable, Retention};
pub use schedules::{Firing, MAX_SCHEDULES, NewSchedule, ScheduleOutcome, ScheduleRecord};
pub use sessions::{NewSession, SessionRecord};
pub use tenancy::Member;
pub use tls::TlsMode;

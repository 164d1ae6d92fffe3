//! PENDING → PREPARING: takes runnable jobs, as many as the worker has slots: the tenants in turn, each one's best-ranked
//! first, as far as the gates have room. Where nothing is to be set up, the claim begins them as well: both moves are made,
//! and both are in the log, in one write.
//!
//! What is decided is decided by [`domain::turn`], from what [`survey`] saw. Where a limit counts, the claim first takes
//! the limit's advisory lock and then counts the open leases anew (law 12): whoever claims at the same moment counts
//! after this one's commit. Locks are taken in one order: limits, then jobs, which nobody waits for.

mod write;

use super::{
    Lease,
    survey::{self, Look, Seen},
    turns::Turns,
};
use crate::{
    Result, Store, gates,
    tx::{Tx, Work},
};
use domain::{
    CorrelationId, TenantId, WorkerId,
    gate::{Gates, Limit, Open, Scope},
    task::Needs,
    trace::TraceContext,
    turn::{Deal, Dealt, Lane, Place},
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

/// A wish for work.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// The queue to take from.
    pub queue: &'a str,
    /// Who asks.
    pub worker: WorkerId,
    /// At most so many jobs.
    pub slots: u32,
    /// How long the leases last without a heartbeat.
    pub ttl: Duration,
    /// Begins them at once (PENDING → PREPARING → RUNNING): whoever sweeps takes one away when it has run for longer
    /// than this. None leaves them PREPARING, as a job that carries out a migration has to be: it tells of its beginning
    /// ([`Store::begin_job`]).
    pub begin: Option<Duration>,
}

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The lease on it.
    pub lease: Lease,
    /// What kind of work it is.
    pub kind: String,
    /// What it asks of the world outside; empty for nothing in particular.
    pub destination: String,
    /// What the work is.
    pub payload: Value,
    /// What it needs of the machine, beyond what its kind needs.
    pub needs: Needs,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// Which run of the job this is: 1, and one more each time that a person has it tried again.
    pub run: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// What ties the run's traces together.
    pub correlation: CorrelationId,
    /// The trace context of the request that enqueued it.
    pub trace: TraceContext,
    /// How long it was runnable before this claim, by the database's clock.
    pub waited: Duration,
}

/// What came of a wish for work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// The jobs, now this worker's.
    pub jobs: Vec<Claimed>,
    /// There are slots left and jobs waiting, which a limit or a rate holds back: when a job of the queue ends, or the
    /// bucket has filled, there may be room.
    pub held_back: bool,
    /// A later part of the claim failed: the database may hold leases for this worker that are not among these.
    pub in_doubt: bool,
}

/// Rounds of one claim: each goes on where the one before had to stop looking.
const ROUNDS: u32 = 8;

impl Store {
    /// Claims runnable jobs of a queue, and nothing but answers them: see [`Store::take`].
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>> {
        Ok(self.take(request).await?.jobs)
    }

    /// Claims runnable jobs of a queue. Where the round stands is kept in this store and its clones: a process goes round
    /// the tenants as one.
    pub async fn take(&self, request: &ClaimRequest<'_>) -> Result<Taken> {
        let mut taken = Taken::default();
        let mut left = *request;
        for _ in 0..ROUNDS {
            if left.slots == 0 {
                break;
            }
            let round = Round { request: &left, place: self.turns().of(request.queue), turns: self.turns() };
            let told = match self.run(&round).await {
                // What was taken before is this worker's: it must hear of it.
                Err(error) if !taken.jobs.is_empty() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a claim was cut short");
                    taken.in_doubt = true;
                    break;
                }
                told => told?,
            };
            self.turns().stand(request.queue, told.place);
            left.slots = left.slots.saturating_sub(u32::try_from(told.jobs.len()).unwrap_or(u32::MAX));
            taken.jobs.extend(told.jobs);
            taken.held_back |= told.held_back;
            if !told.more {
                break;
            }
        }
        taken.held_back &= left.slots > 0;
        Ok(taken)
    }
}

/// One round of a claim, which is one transaction.
struct Round<'a> {
    request: &'a ClaimRequest<'a>,
    place: Option<Place>,
    turns: &'a Turns,
}

/// What came of it.
struct Told {
    jobs: Vec<Claimed>,
    place: Option<Place>,
    held_back: bool,
    /// There is more to look at.
    more: bool,
}

impl Work for Round<'_> {
    type Out = Told;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Told> {
        // Nearly always nothing is shut: both questions are put at once.
        let (gates, seen) = tokio::try_join!(gates::read(tx), self.look(tx, &[], &[]))?;
        let open = open(tx, &gates).await?;
        let (tenants, destinations) = shut(&gates, &open);
        let seen = match (tenants.as_slice(), destinations.as_slice()) {
            ([], []) => seen,
            _ => self.look(tx, &tenants, &destinations).await?,
        };
        let dealt = self.deal(&seen, &gates, &open);
        let limits = self.limits(&seen.lanes, &dealt, &gates);
        if limits.is_empty() {
            return self.take(tx, seen, dealt, &[]).await;
        }
        gates::lock(tx, &limits).await?;
        // Only what was dealt at first: the locks are its limits'.
        let mut lanes = dealt.picks.iter();
        let kept = seen.lanes.into_iter().filter(|_| lanes.next().is_some_and(|picks| *picks > 0)).collect();
        let (seen, gates) = (Seen { lanes: kept, ..seen }, gates::read(tx).await?);
        let again = self.deal(&seen, &gates, &self::open(tx, &gates).await?);
        let held_back = again.held_back || dealt.held_back;
        let metered: Vec<&Limit> = limits.iter().filter(|limit| gates.metered(limit)).collect();
        self.take(tx, seen, Dealt { held_back, ..again }, &metered).await
    }
}

/// What is open, where anything counts it.
async fn open(tx: &Tx<'_>, gates: &Gates) -> Result<Open> {
    if gates.count() { gates::open(tx).await } else { Ok(Open::default()) }
}

/// Tenants and destinations for which nothing may begin.
fn shut(gates: &Gates, open: &Open) -> (Vec<Uuid>, Vec<String>) {
    let tenants = gates.shut(Scope::Tenant, open);
    (tenants.iter().filter_map(|key| key.parse().ok()).collect(), gates.shut(Scope::Destination, open))
}

impl Round<'_> {
    /// The lanes from the round's place on, and then those before it.
    async fn look(&self, tx: &Tx<'_>, tenants: &[Uuid], destinations: &[String]) -> Result<Seen> {
        let look = Look {
            queue: self.request.queue,
            slots: self.request.slots,
            shut_tenants: tenants,
            shut_destinations: destinations,
        };
        let from = self.place.map_or(Uuid::nil(), |place| match place.left {
            0 => Uuid::from_u128(place.tenant.0.as_u128().wrapping_add(1)),
            _ => place.tenant.0,
        });
        let (ahead, behind) = tokio::try_join!(
            survey::survey(tx, &look, from, Uuid::max()),
            survey::survey(tx, &look, Uuid::nil(), from)
        )?;
        let mut seen = match ahead.cut_at {
            Some(_) => ahead,
            None => Seen {
                lanes: [ahead.lanes, behind.lanes].concat(),
                shut: ahead.shut || behind.shut,
                long: [ahead.long, behind.long].concat(),
                ..behind
            },
        };
        survey::look_further(tx, &look, &mut seen, self.turns).await?;
        Ok(seen)
    }

    fn deal(&self, seen: &Seen, gates: &Gates, open: &Open) -> Dealt {
        Deal {
            queue: self.request.queue,
            lanes: &seen.lanes,
            slots: self.request.slots,
            place: self.place,
            cut: seen.cut_at.is_some(),
            gates,
            open,
        }
        .deal()
    }

    /// The limits of what was dealt, in one order for everybody.
    fn limits(&self, lanes: &[Lane], dealt: &Dealt, gates: &Gates) -> Vec<Limit> {
        let dealt = lanes.iter().zip(&dealt.picks).filter(|(_, picks)| **picks > 0);
        let limits: BTreeSet<Limit> = dealt
            .flat_map(|(lane, _)| gates.limits(self.request.queue, lane.tenant, &lane.destination))
            .collect();
        limits.into_iter().collect()
    }

    async fn take(&self, tx: &Tx<'_>, seen: Seen, dealt: Dealt, metered: &[&Limit]) -> Result<Told> {
        let jobs = write::claim(tx, self.request, &seen.lanes, &dealt.picks).await?;
        for limit in metered {
            let counts = |job: &&Claimed| match limit.scope {
                Scope::All | Scope::Queue => true,
                Scope::Tenant => job.lease.tenant.to_string() == limit.key,
                Scope::Destination => job.destination == limit.key,
            };
            gates::spend(tx, limit, jobs.iter().filter(counts).count()).await?;
        }
        // Where nothing could be dealt, the next round looks further on.
        let place = match seen.cut_at {
            Some(tenant) if jobs.is_empty() => Some(Place { tenant, left: 0 }),
            _ => dealt.place,
        };
        let more = seen.cut_at.is_some() || (!seen.long.is_empty() && !jobs.is_empty());
        Ok(Told { jobs, place, held_back: dealt.held_back || seen.shut, more })
    }
}

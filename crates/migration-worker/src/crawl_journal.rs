//! The crawl's journal in Postgres: what one attempt was answered, the next one does not ask again.
//!
//! Written as everything under a lease is: fenced, and patient while the database is away. A worker that lost its job
//! records nothing more, and its crawl ends with the failed write. Which keys there are is held here (many on this
//! machine's disk), so that a first attempt never asks for what cannot be there.

use crate::{Stop, pen::Pen};
use async_trait::async_trait;
use site_fetch::disk::Table;
use site_read::journal::{Journal, Visit, VisitKey};
use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::{KeyHash, NewVisit};

// What the engine keeps of one answer fits: it cuts what is too much, and says so.
const _: () = assert!(site_read::journal::MAX_VISIT <= store::MAX_VISIT);

/// Bytes of visits in one transaction, but for a single one that is larger.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The journal of one run.
pub(crate) struct RunJournal {
    pen: Pen,
    goes_on: bool,
    known: Mutex<Table<0>>,
}

impl RunJournal {
    /// Goes on with what earlier attempts at this run recorded.
    pub(crate) async fn open(pen: Pen) -> io::Result<Self> {
        let (mut known, mut after) = (Table::default(), None);
        loop {
            let keys = pen.recorded_keys(after).await.map_err(stopped)?;
            after = keys.last().copied();
            if after.is_none() {
                break;
            }
            for key in keys {
                known.insert(key, [])?;
            }
        }
        if !known.is_empty() {
            tracing::info!(recorded = known.len(), "an earlier attempt is taken up");
        }
        Ok(Self { pen, goes_on: !known.is_empty(), known: Mutex::new(known) })
    }

    /// Did an earlier attempt record anything?
    pub(crate) fn goes_on(&self) -> bool {
        self.goes_on
    }

    fn known(&self) -> MutexGuard<'_, Table<0>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the keys that are there.
    fn among(&self, keys: &[KeyHash]) -> io::Result<Vec<KeyHash>> {
        let known = self.known();
        let mut there = Vec::new();
        for key in keys {
            if known.get(key)?.is_some() {
                there.push(*key);
            }
        }
        Ok(there)
    }
}

#[async_trait]
impl Journal for RunJournal {
    async fn recall(&self, keys: &[VisitKey]) -> io::Result<Vec<Option<Arc<Visit>>>> {
        let hashes: Vec<KeyHash> = keys.iter().map(VisitKey::fingerprint).collect();
        let there = self.among(&hashes)?;
        if there.is_empty() {
            return Ok(vec![None; keys.len()]);
        }
        let mut found: HashMap<KeyHash, Arc<Visit>> = HashMap::with_capacity(there.len());
        for (hash, bytes) in self.pen.recall_visits(there).await.map_err(stopped)? {
            found.insert(hash, Arc::new(serde_json::from_slice(&bytes)?));
        }
        Ok(hashes.iter().map(|hash| found.get(hash).cloned()).collect())
    }

    async fn record(&self, visits: &[(VisitKey, Arc<Visit>)]) -> io::Result<()> {
        // Of a key that is recorded twice in one call the last value counts.
        let mut latest: BTreeMap<KeyHash, NewVisit> = BTreeMap::new();
        for (key, visit) in visits {
            let bytes = serde_json::to_vec(&**visit)?;
            let hash = key.fingerprint();
            latest
                .insert(hash, NewVisit { hash, key: format!("{:?} {}", key.purpose, key.url), visit: bytes });
        }
        let mut batch: Vec<NewVisit> = Vec::new();
        let mut bytes = 0;
        for visit in latest.into_values() {
            if bytes + visit.visit.len() > MOST_BYTES && !batch.is_empty() {
                self.write(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
            bytes += visit.visit.len();
            batch.push(visit);
        }
        self.write(batch).await
    }
}

impl RunJournal {
    async fn write(&self, batch: Vec<NewVisit>) -> io::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let hashes: Vec<KeyHash> = batch.iter().map(|visit| visit.hash).collect();
        self.pen.record_visits(batch).await.map_err(stopped)?;
        let mut known = self.known();
        for hash in hashes {
            known.insert(hash, [])?;
        }
        Ok(())
    }
}

/// A write that was refused or given up, as the engine's traits want it. Whoever drives the work knows why.
pub(crate) fn stopped(stop: Stop) -> io::Error {
    io::Error::other(format!("the work has to end: {stop:?}"))
}

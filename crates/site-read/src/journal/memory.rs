//! Journals that do not outlive their process.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Journal, Visit, VisitKey};

/// A journal in memory: for tests and for who wants to see what was asked.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    visits: Mutex<HashMap<VisitKey, Arc<Visit>>>,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn recall(&self, keys: &[VisitKey]) -> io::Result<Vec<Option<Arc<Visit>>>> {
        let visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.iter().map(|key| visits.get(key).cloned()).collect())
    }

    async fn record(&self, visits: &[(VisitKey, Arc<Visit>)]) -> io::Result<()> {
        let mut kept = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(visits.iter().cloned());
        Ok(())
    }
}

/// No journal: a crawl that dies begins anew.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unrecorded;

#[async_trait]
impl Journal for Unrecorded {
    async fn recall(&self, keys: &[VisitKey]) -> io::Result<Vec<Option<Arc<Visit>>>> {
        Ok(vec![None; keys.len()])
    }

    async fn record(&self, _: &[(VisitKey, Arc<Visit>)]) -> io::Result<()> {
        Ok(())
    }
}

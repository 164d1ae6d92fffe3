//! Where a process stands in its rounds of the tenants, by queue. Kept in memory alone: a place that is lost costs
//! nobody more than one turn, and a row that every claim wrote would be waited for by all.

use domain::turn::Place;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// More queues than a process takes jobs of.
const MOST: usize = 1000;

/// The places.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Place>>);

impl Turns {
    pub(crate) fn of(&self, queue: &str) -> Option<Place> {
        self.lock().get(queue).copied()
    }

    pub(crate) fn stand(&self, queue: &str, place: Option<Place>) {
        let Some(place) = place else { return };
        let mut places = self.lock();
        if places.len() >= MOST && !places.contains_key(queue) {
            places.clear();
        }
        places.insert(queue.to_owned(), place);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

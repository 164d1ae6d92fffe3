//! Where a process stands in its rounds of the tenants, by queue, and of a tenant with very many destinations among these.
//! Kept in memory alone: a place that is lost costs nobody more than one turn, and a row that every claim wrote would be
//! waited for by all.

use domain::{TenantId, turn::Place};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// More queues, and more tenants with very many destinations, than a process takes jobs of.
const MOST: usize = 1000;

/// The places.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    rounds: Mutex<HashMap<String, Place>>,
    destinations: Mutex<HashMap<(String, TenantId), String>>,
}

impl Turns {
    pub(crate) fn of(&self, queue: &str) -> Option<Place> {
        lock(&self.rounds).get(queue).copied()
    }

    pub(crate) fn stand(&self, queue: &str, place: Option<Place>) {
        if let Some(place) = place {
            keep(&mut lock(&self.rounds), queue.to_owned(), place);
        }
    }

    /// The destination of a tenant up to which was looked last.
    pub(crate) fn looked_at(&self, queue: &str, tenant: TenantId) -> Option<String> {
        lock(&self.destinations).get(&(queue.to_owned(), tenant)).cloned()
    }

    /// The next look begins behind there; with none, anew.
    pub(crate) fn look_from(&self, queue: &str, tenant: TenantId, destination: Option<String>) {
        let mut destinations = lock(&self.destinations);
        let key = (queue.to_owned(), tenant);
        match destination {
            Some(destination) => keep(&mut destinations, key, destination),
            None => drop(destinations.remove(&key)),
        }
    }
}

fn lock<T>(places: &Mutex<T>) -> MutexGuard<'_, T> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep<K: Hash + Eq, V>(places: &mut HashMap<K, V>, key: K, value: V) {
    if places.len() >= MOST && !places.contains_key(&key) {
        places.clear();
    }
    places.insert(key, value);
}

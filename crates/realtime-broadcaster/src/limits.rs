//! How many streams there may be, in the process and per tenant. Counted here: a limit is per process.

use domain::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts open streams.
#[derive(Clone)]
pub(crate) struct Limits {
    open: Arc<Mutex<Open>>,
    process: usize,
    tenant: usize,
}

#[derive(Default)]
struct Open {
    all: usize,
    tenants: HashMap<TenantId, usize>,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Process,
    Tenant,
}

impl Limits {
    pub(crate) fn new(process: usize, tenant: usize) -> Self {
        Self { open: Arc::default(), process, tenant }
    }

    /// A place for one stream, given back when it is dropped.
    pub(crate) fn enter(&self, tenant: TenantId) -> Result<Place, Full> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.process {
            return Err(Full::Process);
        }
        let own = open.tenants.entry(tenant).or_default();
        if *own >= self.tenant {
            return Err(Full::Tenant);
        }
        *own += 1;
        open.all += 1;
        Ok(Place { open: Arc::clone(&self.open), tenant })
    }

    /// Streams that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

/// One stream's place.
pub(crate) struct Place {
    open: Arc<Mutex<Open>>,
    tenant: TenantId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(own) = open.tenants.get_mut(&self.tenant) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn places_are_limited_and_given_back() {
        let limits = Limits::new(3, 2);
        let [one, two] = [1, 2].map(|id| TenantId(Uuid::from_u128(id)));
        let first = limits.enter(one).ok();
        let _second = limits.enter(one).ok();
        assert_eq!(limits.enter(one).err(), Some(Full::Tenant));
        let _third = limits.enter(two).ok();
        assert_eq!(limits.enter(two).err(), Some(Full::Process));
        drop(first);
        assert_eq!(limits.open(), 2);
        assert!(limits.enter(two).is_ok());
    }
}

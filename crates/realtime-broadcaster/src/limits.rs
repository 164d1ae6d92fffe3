//! How many streams there may be: in the process, and of one tenant, one user and one address. Counted here: a limit
//! is per process.

use domain::{TenantId, UserId};

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Most streams of each sort.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) process: usize,
    pub(crate) tenant: usize,
    pub(crate) user: usize,
    pub(crate) address: usize,
}

/// Whose streams are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Tenant(TenantId),
    User(UserId),
    Address(IpAddr),
}

/// What is streamed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// One migration, as server-sent events.
    Migration,
    /// A tenant's migrations, as server-sent events.
    Feed,
    /// One migration, by gRPC.
    Watch,
}

impl Sort {
    pub(crate) const ALL: [Self; 3] = [Self::Migration, Self::Feed, Self::Watch];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Migration => "migration",
            Self::Feed => "feed",
            Self::Watch => "watch",
        }
    }
}

/// Counts open streams.
#[derive(Clone)]
pub(crate) struct Limits {
    open: Arc<Mutex<Open>>,
    most: Most,
}

#[derive(Default)]
struct Open {
    all: usize,
    sorts: [usize; Sort::ALL.len()],
    of: HashMap<Who, usize>,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Process,
    Tenant,
    User,
    Address,
}

impl Limits {
    pub(crate) fn new(most: Most) -> Self {
        Self { open: Arc::default(), most }
    }

    /// A person's place for one stream, given back when it is dropped.
    pub(crate) fn enter(
        &self,
        sort: Sort,
        tenant: TenantId,
        user: UserId,
        address: IpAddr,
    ) -> Result<Place, Full> {
        let limits = [
            (Who::Tenant(tenant), self.most.tenant, Full::Tenant),
            (Who::User(user), self.most.user, Full::User),
            (Who::Address(address), self.most.address, Full::Address),
        ];
        self.take(sort, &limits)
    }

    /// The same for a service, which may watch for many people from one address.
    pub(crate) fn enter_service(&self, sort: Sort, tenant: TenantId) -> Result<Place, Full> {
        self.take(sort, &[(Who::Tenant(tenant), self.most.tenant, Full::Tenant)])
    }

    fn take(&self, sort: Sort, limits: &[(Who, usize, Full)]) -> Result<Place, Full> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.most.process {
            return Err(Full::Process);
        }
        for (who, most, full) in limits {
            if open.of.get(who).is_some_and(|count| count >= most) {
                return Err(*full);
            }
        }
        open.all += 1;
        open.sorts[sort as usize] += 1;
        let counted: Box<[Who]> = limits.iter().map(|(who, ..)| *who).collect();
        for who in &counted {
            *open.of.entry(*who).or_default() += 1;
        }
        Ok(Place { open: Arc::clone(&self.open), sort, counted })
    }

    /// Streams of a sort that are open now.
    pub(crate) fn open_of(&self, sort: Sort) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).sorts[sort as usize]
    }

    /// How many there may be.
    pub(crate) fn most(&self) -> usize {
        self.most.process
    }
}

/// One stream's place.
pub(crate) struct Place {
    open: Arc<Mutex<Open>>,
    sort: Sort,
    counted: Box<[Who]>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        let of_its_sort = &mut open.sorts[self.sort as usize];
        *of_its_sort = of_its_sort.saturating_sub(1);
        for who in &self.counted {
            if let Some(count) = open.of.get_mut(who) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    open.of.remove(who);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn all(limits: &Limits) -> usize {
        limits.open.lock().expect("nobody panicked").all
    }

    #[test]
    fn places_are_limited_in_each_way_and_given_back() {
        let limits = Limits::new(Most { process: 6, tenant: 4, user: 2, address: 3 });
        let enter = |tenant, user, address: u8| {
            let (tenant, user) = (TenantId(Uuid::from_u128(tenant)), UserId(Uuid::from_u128(user)));
            limits.enter(Sort::Feed, tenant, user, IpAddr::from([192, 0, 2, address]))
        };
        let mut places: Vec<Place> = [(1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 2, 3)]
            .into_iter()
            .map(|(tenant, user, address)| enter(tenant, user, address).expect("there is room"))
            .collect();
        assert_eq!(enter(2, 1, 9).err(), Some(Full::User));
        assert_eq!(enter(1, 3, 9).err(), Some(Full::Tenant));
        places.extend(enter(2, 3, 1).ok());
        assert_eq!(enter(2, 4, 1).err(), Some(Full::Address));
        places.extend(enter(2, 4, 9).ok());
        assert_eq!(enter(3, 5, 8).err(), Some(Full::Process));
        assert_eq!((all(&limits), limits.open_of(Sort::Feed), limits.open_of(Sort::Watch)), (6, 6, 0));
        places.clear();
        let service = limits.enter_service(Sort::Watch, TenantId(Uuid::from_u128(1))).expect("there is room");
        assert_eq!((all(&limits), limits.open_of(Sort::Feed), limits.open_of(Sort::Watch)), (1, 0, 1));
        drop(service);
        assert_eq!(all(&limits), 0);
        assert!(enter(1, 1, 1).is_ok());
        assert!(
            limits.open.lock().expect("nobody panicked").of.is_empty(),
            "nothing is kept of those who left"
        );
    }
}

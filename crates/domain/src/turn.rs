//! Whose turn it is: tenants go round, each beginning as many jobs in its turn as its weight says, and among its own jobs
//! the best-ranked first. What many jobs one tenant has waiting does not matter to another's.
//!
//! Every worker goes round by itself and keeps its [`Place`]; nothing about it is stored, so that no row is written by
//! all. Rank within a tenant is `run_at` less a minute for each point of priority: a job gains on later ones of a higher
//! priority as it waits, and none waits for ever.

use crate::{
    TenantId,
    gate::{Gates, Open, Scope},
};
use std::collections::HashMap;

/// Jobs of one tenant for one destination that could run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Whose they are.
    pub tenant: TenantId,
    /// What they ask; empty for nothing in particular.
    pub destination: String,
    /// Their ranks in microseconds, best (least) first; as many as could be dealt at most.
    pub ranks: Vec<i64>,
}

/// Where a worker stands in its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose turn it was last.
    pub tenant: TenantId,
    /// How many jobs of its turn it has not begun yet.
    pub left: u32,
}

/// What was dealt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealt {
    /// How many of each lane, in the order of the lanes.
    pub picks: Vec<u32>,
    /// Where the round stands then; as it was, if nothing was dealt.
    pub place: Option<Place>,
    /// Something waits that a gate holds back.
    pub held_back: bool,
}

/// The question: who waits, and what there is to deal.
#[derive(Clone, Copy, Debug)]
pub struct Deal<'a> {
    /// The queue that is dealt from.
    pub queue: &'a str,
    /// Who waits: all lanes of a tenant together, the tenants in the order of the round, the one at the place first if
    /// something of its turn is left.
    pub lanes: &'a [Lane],
    /// At most so many.
    pub slots: u32,
    /// Where the round stands.
    pub place: Option<Place>,
    /// More tenants wait than the lanes show: nobody gets a second turn before they had their first.
    pub cut: bool,
    /// What holds jobs back.
    pub gates: &'a Gates,
    /// What is open.
    pub open: &'a Open,
}

impl Deal<'_> {
    /// Deals.
    pub fn deal(&self) -> Dealt {
        let mut hand = Hand::new(self);
        let mut place = self.place;
        let mut turns = self.turns();
        loop {
            let before = hand.left;
            for turn in &mut turns {
                if hand.left == 0 {
                    break;
                }
                let kept = place.filter(|place| place.tenant == turn.tenant && place.left > 0);
                let allotment = kept.map_or_else(|| self.gates.weight(turn.tenant), |place| place.left);
                let taken = hand.take(turn, allotment);
                if taken > 0 {
                    place = Some(Place { tenant: turn.tenant, left: allotment - taken });
                }
            }
            if self.cut || hand.left == 0 || hand.left == before {
                return Dealt { picks: hand.picks, place, held_back: hand.held_back };
            }
        }
    }

    fn turns(&self) -> Vec<Turn> {
        let mut turns: Vec<Turn> = Vec::new();
        for (at, lane) in self.lanes.iter().enumerate() {
            let jobs = lane.ranks.iter().map(|rank| (*rank, at));
            match turns.last_mut().filter(|turn| turn.tenant == lane.tenant) {
                Some(turn) => turn.jobs.extend(jobs),
                None => turns.push(Turn { tenant: lane.tenant, jobs: jobs.collect(), next: 0 }),
            }
        }
        for turn in &mut turns {
            turn.jobs.sort_unstable();
        }
        turns
    }
}

/// One tenant's jobs, best first, each with its lane.
struct Turn {
    tenant: TenantId,
    jobs: Vec<(i64, usize)>,
    /// The first that was not looked at. What was held back once is held back for the rest of the deal: room only
    /// shrinks.
    next: usize,
}

/// What has been dealt so far, and the room that is left.
struct Hand<'a> {
    deal: &'a Deal<'a>,
    picks: Vec<u32>,
    left: u32,
    tenants: HashMap<TenantId, u32>,
    destinations: HashMap<&'a str, u32>,
    held_back: bool,
}

impl<'a> Hand<'a> {
    fn new(deal: &'a Deal<'a>) -> Self {
        let room = |scope, key: &str| deal.gates.room(scope, key, deal.open);
        let most = room(Scope::All, crate::gate::ANYBODY).min(room(Scope::Queue, deal.queue));
        let lanes = deal.lanes.iter();
        Self {
            deal,
            picks: vec![0; deal.lanes.len()],
            left: deal.slots.min(most),
            tenants: lanes
                .clone()
                .map(|lane| (lane.tenant, room(Scope::Tenant, &lane.tenant.to_string())))
                .collect(),
            destinations: lanes
                .filter(|lane| !lane.destination.is_empty())
                .map(|lane| (lane.destination.as_str(), room(Scope::Destination, &lane.destination)))
                .collect(),
            held_back: most < deal.slots && !deal.lanes.is_empty(),
        }
    }

    /// Takes up to `allotment` of a tenant's jobs; answers how many.
    fn take(&mut self, turn: &mut Turn, allotment: u32) -> u32 {
        let mut taken = 0;
        while taken < allotment && self.left > 0 {
            let Some((_, lane)) = turn.jobs.get(turn.next) else { break };
            turn.next += 1;
            taken += u32::from(self.pass(turn.tenant, *lane));
        }
        taken
    }

    fn pass(&mut self, tenant: TenantId, lane: usize) -> bool {
        let own = self.tenants.get_mut(&tenant);
        let destination = self.destinations.get_mut(self.deal.lanes[lane].destination.as_str());
        let mut rooms: Vec<&mut u32> = own.into_iter().chain(destination).collect();
        if rooms.iter().any(|room| **room == 0) {
            self.held_back = true;
            return false;
        }
        // u32::MAX stands for no limit, and outlasts any number of slots.
        rooms.iter_mut().for_each(|room| **room -= 1);
        self.left -= 1;
        self.picks[lane] += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Gate;
    use uuid::Uuid;

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    fn lane(of: u128, destination: &str, ranks: &[i64]) -> Lane {
        Lane { tenant: tenant(of), destination: destination.into(), ranks: ranks.to_vec() }
    }

    fn deal(lanes: &[Lane], slots: u32, place: Option<Place>, gates: Gates) -> Dealt {
        let open = Open::default();
        Deal { queue: "q", lanes, slots, place, cut: false, gates: &gates, open: &open }.deal()
    }

    #[test]
    fn everybody_gets_a_turn_before_anybody_gets_a_second() {
        let lanes = [lane(1, "", &[1, 2, 3, 4]), lane(2, "", &[90]), lane(3, "", &[50, 51])];
        let dealt = deal(&lanes, 4, None, Gates::default());
        assert_eq!(dealt.picks, [2, 1, 1]);
        assert_eq!(dealt.place, Some(Place { tenant: tenant(1), left: 0 }));
        assert_eq!(deal(&lanes, 100, None, Gates::default()).picks, [4, 1, 2], "all there is");
    }

    #[test]
    fn a_tenants_own_jobs_go_by_rank_across_its_destinations() {
        let lanes = [lane(1, "a", &[5, 6]), lane(1, "b", &[1, 2, 9])];
        assert_eq!(deal(&lanes, 3, None, Gates::default()).picks, [1, 2]);
    }

    #[test]
    fn a_turn_goes_on_where_it_was_interrupted() {
        let weighty = Gate {
            scope: Scope::Tenant,
            key: tenant(1).to_string(),
            weight: 3,
            most: None,
            tokens: None,
            paused: false,
        };
        let gates = || Gates::from_iter([weighty.clone()]);
        let lanes = [lane(1, "", &[1, 2, 3, 4, 5, 6]), lane(2, "", &[7, 8])];
        let first = deal(&lanes, 2, None, gates());
        assert_eq!((first.picks, first.place), (vec![2, 0], Some(Place { tenant: tenant(1), left: 1 })));
        let second = deal(&lanes, 2, first.place, gates());
        assert_eq!((second.picks, second.place), (vec![1, 1], Some(Place { tenant: tenant(2), left: 0 })));
    }

    #[test]
    fn what_is_full_is_passed_over_and_said() {
        let host = |most| Gate {
            scope: Scope::Destination,
            key: "a".into(),
            weight: 1,
            most: Some(most),
            tokens: None,
            paused: false,
        };
        let lanes = [lane(1, "a", &[1, 2, 3]), lane(1, "b", &[8, 9])];
        let dealt = deal(&lanes, 4, None, Gates::from_iter([host(1)]));
        assert_eq!((dealt.picks, dealt.held_back), (vec![1, 2], true));
        let dealt = deal(&lanes, 4, None, Gates::from_iter([host(9)]));
        assert_eq!((dealt.picks, dealt.held_back), (vec![3, 1], false));
    }

    #[test]
    fn nobody_gets_a_second_turn_while_others_are_not_in_sight() {
        let (gates, open) = (Gates::default(), Open::default());
        let lanes = [lane(1, "", &[1, 2]), lane(2, "", &[3, 4])];
        let cut =
            Deal { queue: "q", lanes: &lanes, slots: 4, place: None, cut: true, gates: &gates, open: &open };
        assert_eq!(cut.deal().picks, [1, 1]);
    }
}

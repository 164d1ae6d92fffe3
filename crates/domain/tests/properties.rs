//! What holds for every history, every address and every key, not just for those that somebody thought of.

use domain::{
    TenantId, circuit,
    gate::{Gate, Gates, Open, Scope},
    idempotency::Key,
    job::JobState,
    migration::MigrationState,
    source_url::SourceUrl,
    turn::{Deal, Dealt, Lane, Place},
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Deals until nothing more can be dealt or the deals are over, with nothing given back.
fn fair(waiting: &[(u128, usize, usize)], weights: &[u32], most: &[Option<u32>], deals: &[u32]) {
    let tenant = |n: u128| TenantId(Uuid::from_u128(n + 1));
    let host = |n: usize| ["", "a", "b"][n].to_owned();
    let mut lanes: BTreeMap<(u128, usize), Vec<i64>> = BTreeMap::new();
    for (at, (of, to, jobs)) in waiting.iter().enumerate() {
        let ranks = lanes.entry((*of, *to)).or_default();
        ranks.extend((0..*jobs).map(|n| (at * 7 + n * 13) as i64 % 50));
        ranks.sort_unstable();
    }
    let plain = |scope, key: String| Gate { scope, key, weight: 1, most: None, tokens: None, paused: false };
    let weighty = weights
        .iter()
        .enumerate()
        .map(|(n, weight)| Gate { weight: *weight, ..plain(Scope::Tenant, tenant(n as u128).to_string()) });
    let full = (1..3).map(|n| Gate { most: most[n], ..plain(Scope::Destination, host(n)) });
    let gates: Gates = weighty.chain(full).collect();
    let (mut open, mut place) = (Open::default(), None);
    let mut begun: BTreeMap<u128, u32> = BTreeMap::new();
    let mut held: BTreeMap<usize, u32> = BTreeMap::new();
    for slots in deals {
        // In the order of the round, as a survey tells it.
        let from = place.map_or(0, |place: domain::turn::Place| {
            place.tenant.0.as_u128() - 1 + u128::from(place.left == 0)
        });
        let mut round: Vec<(u128, usize)> = lanes.keys().copied().collect();
        round.sort_by_key(|(of, to)| (*of < from, *of, *to));
        let seen: Vec<Lane> = round
            .iter()
            .map(|(of, to)| Lane {
                tenant: tenant(*of),
                destination: host(*to),
                ranks: lanes[&(*of, *to)].clone(),
            })
            .collect();
        let dealt =
            Deal { queue: "q", lanes: &seen, slots: *slots, place, cut: false, gates: &gates, open: &open }
                .deal();
        assert!(dealt.picks.iter().sum::<u32>() <= *slots);
        for (key, picks) in round.iter().zip(&dealt.picks) {
            let ranks = lanes.get_mut(key).expect("it was seen");
            assert!(*picks as usize <= ranks.len(), "more than there is");
            ranks.drain(..*picks as usize);
            open.add("q", tenant(key.0), &host(key.1), *picks);
            *begun.entry(key.0).or_default() += picks;
            *held.entry(key.1).or_default() += picks;
        }
        lanes.retain(|_, ranks| !ranks.is_empty());
        place = dealt.place;
        for (n, most) in most.iter().enumerate().skip(1) {
            let held = held.get(&n).copied().unwrap_or(0);
            assert!(most.is_none_or(|most| held <= most), "{held} for {most:?}");
        }
        // Who has jobs that nothing holds back is at most one turn behind whoever got most for their weight.
        for (of, _) in lanes.keys().filter(|(_, to)| *to == 0) {
            let turns =
                |n: u128| f64::from(begun.get(&n).copied().unwrap_or(0)) / f64::from(weights[n as usize]);
            for n in 0..6 {
                assert!(turns(n) <= turns(*of) + 1.0, "{n} had {} turns, {of} {}", turns(n), turns(*of));
            }
        }
        let left_over = *slots > dealt.picks.iter().sum::<u32>();
        assert!(
            !left_over || lanes.keys().all(|(_, to)| *to != 0),
            "a slot was left while somebody could take it"
        );
    }
}

fn tenant(number: usize) -> TenantId {
    TenantId(Uuid::from_u128(number as u128 + 1))
}

/// Each tenant's weight, at its own gate.
fn weights(of: &[(usize, u32)]) -> Gates {
    let gate = |(number, (_, weight)): (usize, &(usize, u32))| Gate {
        scope: Scope::Tenant,
        key: tenant(number).to_string(),
        weight: *weight,
        most: None,
        tokens: None,
        paused: false,
    };
    of.iter().enumerate().map(gate).collect()
}

/// What is dealt to tenants with so many jobs each, in the order of the round from this place on.
fn deal(waiting: &[usize], slots: u32, place: Option<Place>, gates: &Gates) -> (Vec<u32>, Dealt) {
    let mut order: Vec<usize> = (0..waiting.len()).filter(|number| waiting[*number] > 0).collect();
    let from = place.map(|place| (place.tenant, place.left > 0));
    // Whose turn is not over goes first; then those behind it.
    order.sort_by_key(|number| match from {
        Some((last, again)) => {
            let number = tenant(*number);
            (number < last || (number == last && !again), number)
        }
        None => (false, tenant(*number)),
    });
    let lane = |number: &usize| Lane {
        tenant: tenant(*number),
        destination: String::new(),
        ranks: (0..waiting[*number] as i64).collect(),
    };
    let lanes: Vec<Lane> = order.iter().map(lane).collect();
    let open = Open::default();
    let dealt = Deal { queue: "q", lanes: &lanes, slots, place, cut: false, gates, open: &open }.deal();
    let mut picks = vec![0; waiting.len()];
    order.iter().zip(&dealt.picks).for_each(|(number, taken)| picks[*number] = *taken);
    (picks, dealt)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever is asked of a job, in whatever order: what is refused changes nothing, a job that is over for good
    /// stays so, and nobody works on it who has not claimed it.
    #[test]
    fn no_sequence_of_wishes_leaves_the_table(wishes in prop::collection::vec(0..JobState::ALL.len(), 0..60)) {
        let mut path = vec![JobState::Pending];
        for wish in wishes {
            let (now, wish) = (path[path.len() - 1], JobState::ALL[wish]);
            match now.to(wish) {
                Ok(moved) => path.push(moved),
                Err(refused) => prop_assert!(refused.to_string().contains(now.as_str())),
            }
        }
        for step in path.windows(2) {
            prop_assert!(step[0].allows(step[1]));
            prop_assert!(!matches!(step[0], JobState::Completed | JobState::Cancelled), "over is over");
            prop_assert!(step[1] != JobState::Running || step[0] == JobState::Preparing, "unclaimed work");
            prop_assert!(step[1] != JobState::Completed || step[0] == JobState::Running, "a result of nothing");
        }
    }

    /// Likewise of a migration: what is called off stays so, and nothing but the table's moves happens.
    #[test]
    fn no_sequence_of_wishes_leaves_the_table_of_migrations(
        wishes in prop::collection::vec(0..MigrationState::ALL.len(), 0..60)
    ) {
        let mut now = MigrationState::Queued;
        for wish in wishes {
            let wish = MigrationState::ALL[wish];
            match now.to(wish) {
                Ok(moved) => {
                    prop_assert!(now.allows(moved) && moved == wish);
                    prop_assert!(now != MigrationState::Cancelled, "over is over");
                    now = moved;
                }
                Err(refused) => prop_assert!(refused.to_string().contains(now.as_str())),
            }
        }
    }

    /// No slot stays empty while somebody waits, and of tenants who both still wait none had a turn more than the other
    /// could have had.
    #[test]
    fn turns_are_even(of in prop::collection::vec((0usize..40, 1u32..4), 1..8), slots in 1u32..40) {
        let waiting: Vec<usize> = of.iter().map(|(jobs, _)| *jobs).collect();
        let (picks, dealt) = deal(&waiting, slots, None, &weights(&of));
        let all: usize = waiting.iter().sum();
        prop_assert_eq!(picks.iter().sum::<u32>() as usize, all.min(slots as usize));
        prop_assert!(!dealt.held_back);
        prop_assert!(picks.iter().zip(&waiting).all(|(taken, jobs)| *taken as usize <= *jobs));
        let turns = |number: usize| (picks[number].div_ceil(of[number].1), picks[number] / of[number].1);
        for one in 0..of.len() {
            for other in (0..of.len()).filter(|other| (picks[*other] as usize) < waiting[*other]) {
                prop_assert!(turns(one).0 <= turns(other).1 + 1, "{picks:?} of {of:?} in {slots}");
            }
        }
    }

    /// However much others have waiting, and wherever the round stands: whoever comes begins within two deals, unless there
    /// are more tenants and weights than that many slots.
    #[test]
    fn a_newcomer_does_not_wait_behind_a_backlog(
        of in prop::collection::vec((1usize..2000, 1u32..4), 1..8), slots in 1u32..10, deals in 0usize..12,
        newcomer in 0usize..9,
    ) {
        let mut of = of;
        let newcomer = newcomer % (of.len() + 1);
        of.insert(newcomer, (0, 1));
        let gates = weights(&of);
        let mut waiting: Vec<usize> = of.iter().map(|(jobs, _)| *jobs).collect();
        let mut place = None;
        let mut turn = |waiting: &mut Vec<usize>| {
            let (picks, dealt) = deal(waiting, slots, place, &gates);
            place = dealt.place;
            waiting.iter_mut().zip(&picks).for_each(|(jobs, taken)| *jobs -= *taken as usize);
            picks
        };
        for _ in 0..deals {
            turn(&mut waiting);
        }
        waiting[newcomer] = 1;
        // A whole round of all others: so many starts may come first, whatever is waiting.
        let round: u32 = of.iter().enumerate().filter(|(n, _)| *n != newcomer).map(|(_, (_, weight))| weight).sum();
        let mut before = 0;
        while waiting[newcomer] > 0 {
            prop_assert!(before <= round, "{before} began before it, of {of:?}");
            let picks = turn(&mut waiting);
            before += picks.iter().sum::<u32>() - picks[newcomer];
        }
    }

    /// A circuit that opened stays open for longer with each further failure, and never for longer than a quarter of an
    /// hour.
    #[test]
    fn a_circuit_is_patient_within_bounds(failures in 0u32..u32::MAX) {
        let (one, next) = (circuit::open_for(failures), circuit::open_for(failures + 1));
        prop_assert_eq!(one.is_some(), failures >= circuit::OPENS_AT);
        prop_assert!(one <= next && next.is_none_or(|time| time.as_secs() <= 900));
    }

    #[test]
    fn a_url_that_is_accepted_is_accepted_again_as_itself(text in "\\PC{0,60}|https?://[a-zA-Z0-9.:/@%?#\\[\\] -]{0,60}") {
        if let Ok(url) = SourceUrl::parse(&text) {
            let again = SourceUrl::parse(url.as_url().as_str());
            prop_assert_eq!(again.as_ref().map(|url| url.as_url().clone()), Ok(url.as_url().clone()));
            let normal = SourceUrl::parse(&url.normalised()).map(|url| url.normalised());
            prop_assert_eq!(normal, Ok(url.normalised()), "normal already");
        }
    }

    #[test]
    fn whatever_is_taken_for_a_timetable_fires_later_and_later(
        fields in prop::collection::vec("\\*|[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}|\\*/[0-9]{1,2}|L|MON#[0-9]|[A-Z]{3}|\\PC{0,3}", 4..7),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata"]),
        seconds in any::<u32>(),
    ) {
        domain::schedule::hold(&fields.join(" "), zone, seconds);
    }

    /// Whatever waits and however much room there is: nobody gets more than there is, than there is room for, or than
    /// their turn and one more give them while somebody else, for whom there is room, has less.
    #[test]
    fn turns_are_fair_to_everybody_for_whom_there_is_room(
        waiting in prop::collection::vec((0..6_u128, 0..3_usize, 1..30_usize), 0..14),
        weights in prop::collection::vec(1..4_u32, 6),
        most in prop::collection::vec(prop::option::of(0..6_u32), 3),
        deals in prop::collection::vec(1..20_u32, 1..12),
    ) {
        fair(&waiting, &weights, &most, &deals);
    }

    #[test]
    fn a_key_that_is_accepted_is_printable_and_bounded(header in "\\PC{0,300}|\"[ -~]{0,300}\"") {
        if let Ok(key) = Key::parse(&header) {
            prop_assert!(!key.as_str().is_empty() && key.as_str().len() <= 255);
            let quoted = format!("\"{}\"", key.as_str().replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(Key::parse(&quoted), Ok(key), "said in the other form");
        }
    }
}

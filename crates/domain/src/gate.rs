//! What holds jobs back although they could run: limits on how many run at once, limits on how many start in a time, and
//! pauses. Each belongs to a queue, a tenant, a destination, or to everything.
//!
//! Pure arithmetic: what is open, and how full a bucket is, the caller has read under the locks that make it true.

use crate::TenantId;
use std::{collections::HashMap, fmt, str::FromStr};

/// The key of the gate for everybody of its scope who has none of their own.
pub const ANYBODY: &str = "*";
/// The longest key, in bytes.
pub const MAX_KEY: usize = 300;
/// The most gates that there are: every claim reads them.
pub const MAX_GATES: usize = 1000;
/// The highest weight of a tenant.
pub const MAX_WEIGHT: u32 = 100;

/// What a gate stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everything.
    All,
    /// A queue; each kind of job has one of its own.
    Queue,
    /// The jobs of one tenant, whatever their queue.
    Tenant,
    /// The jobs that ask the same of the world outside, whoever's they are: a host, a model.
    Destination,
}

/// A text that names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope; there are all, queue, tenant and destination")]
pub struct UnknownScope(pub String);

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::All, Self::Queue, Self::Tenant, Self::Destination];

    /// The name in the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Queue => "queue",
            Self::Tenant => "tenant",
            Self::Destination => "destination",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| UnknownScope(text.into()))
    }
}

/// A gate as it stands at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// What it stands before.
    pub scope: Scope,
    /// Which of them, or [`ANYBODY`].
    pub key: String,
    /// Jobs that a tenant may begin in one turn, 1 to [`MAX_WEIGHT`].
    pub weight: u32,
    /// Jobs that may be held at once.
    pub most: Option<u32>,
    /// Starts that are left in the bucket; none where no rate is set.
    pub tokens: Option<f64>,
    /// Nothing is begun.
    pub paused: bool,
}

/// How many leases are open, by what they are counted for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open(HashMap<(Scope, String), u32>);

impl Open {
    /// Counts `leases` open ones of this queue, tenant and destination.
    pub fn add(&mut self, queue: &str, tenant: TenantId, destination: &str, leases: u32) {
        for (scope, key) in keys(queue, tenant, destination) {
            *self.0.entry((scope, key)).or_default() += leases;
        }
    }

    fn of(&self, scope: Scope, key: &str) -> u32 {
        self.0.get(&(scope, key.to_owned())).copied().unwrap_or(0)
    }

    /// Everything that was counted in a scope.
    fn keys(&self, scope: Scope) -> impl Iterator<Item = &str> {
        self.0.keys().filter(move |(of, _)| *of == scope).map(|(_, key)| key.as_str())
    }
}

/// What a job is counted for; no destination is none.
fn keys(queue: &str, tenant: TenantId, destination: &str) -> impl Iterator<Item = (Scope, String)> {
    let destination = (!destination.is_empty()).then(|| (Scope::Destination, destination.to_owned()));
    [(Scope::All, ANYBODY.to_owned()), (Scope::Queue, queue.to_owned()), (Scope::Tenant, tenant.to_string())]
        .into_iter()
        .chain(destination)
}

/// All gates, by what they stand before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gates(HashMap<(Scope, String), Gate>);

impl FromIterator<Gate> for Gates {
    fn from_iter<I: IntoIterator<Item = Gate>>(gates: I) -> Self {
        Self(gates.into_iter().map(|gate| ((gate.scope, gate.key.clone()), gate)).collect())
    }
}

/// A gate with a limit, and what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Limit {
    /// What it stands before.
    pub scope: Scope,
    /// What is counted: never [`ANYBODY`], except for everything.
    pub key: String,
}

impl Gates {
    /// The gate that a key has to pass.
    fn before(&self, scope: Scope, key: &str) -> Option<&Gate> {
        let own = self.0.get(&(scope, key.to_owned()));
        own.or_else(|| self.0.get(&(scope, ANYBODY.to_owned())))
    }

    /// Does any of them count what is open?
    pub fn count(&self) -> bool {
        self.0.values().any(|gate| gate.most.is_some())
    }

    /// Jobs that a tenant may begin in one turn.
    pub fn weight(&self, tenant: TenantId) -> u32 {
        let key = (Scope::Tenant, tenant.to_string());
        self.0.get(&key).map_or(1, |gate| gate.weight.clamp(1, MAX_WEIGHT))
    }

    /// How many more may begin at this one gate.
    pub fn room(&self, scope: Scope, key: &str, open: &Open) -> u32 {
        let Some(gate) = self.before(scope, key) else { return u32::MAX };
        if gate.paused {
            return 0;
        }
        let slots = gate.most.map_or(u32::MAX, |most| most.saturating_sub(open.of(scope, key)));
        // Truncation is meant: a part of a token starts nothing.
        let tokens = gate.tokens.map_or(u32::MAX, |tokens| tokens.max(0.0) as u32);
        slots.min(tokens)
    }

    /// Keys of a scope at whose gate nothing may begin. Complete as far as a gate of their own or an open lease makes
    /// it so; who is held back by a pause for [`ANYBODY`] is not listed.
    pub fn shut(&self, scope: Scope, open: &Open) -> Vec<String> {
        let own = self.0.keys().filter(|(of, _)| *of == scope).map(|(_, key)| key.as_str());
        let mut shut: Vec<String> = own
            .chain(open.keys(scope))
            .filter(|key| *key != ANYBODY && self.room(scope, key, open) == 0)
            .map(str::to_owned)
            .collect();
        shut.sort_unstable();
        shut.dedup();
        shut
    }

    /// What is counted or metered for such a job, in one order for everybody.
    pub fn limits(&self, queue: &str, tenant: TenantId, destination: &str) -> Vec<Limit> {
        keys(queue, tenant, destination)
            .filter(|(scope, key)| {
                self.before(*scope, key).is_some_and(|gate| gate.most.is_some() || gate.tokens.is_some())
            })
            .map(|(scope, key)| Limit { scope, key })
            .collect()
    }

    /// Is a rate set for it?
    pub fn metered(&self, limit: &Limit) -> bool {
        self.before(limit.scope, &limit.key).is_some_and(|gate| gate.tokens.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const T: TenantId = TenantId(Uuid::from_u128(7));

    fn gate(scope: Scope, key: &str) -> Gate {
        Gate { scope, key: key.into(), weight: 1, most: None, tokens: None, paused: false }
    }

    #[test]
    fn the_narrowest_of_what_a_gate_says_counts() {
        let mut open = Open::default();
        open.add("q", T, "host", 3);
        let of = |gate: Gate| Gates::from_iter([gate]).room(Scope::Queue, "q", &open);
        assert_eq!(of(gate(Scope::Queue, "other")), u32::MAX);
        assert_eq!(of(Gate { most: Some(5), ..gate(Scope::Queue, "q") }), 2);
        assert_eq!(of(Gate { most: Some(2), ..gate(Scope::Queue, "q") }), 0);
        assert_eq!(of(Gate { most: Some(9), tokens: Some(1.9), ..gate(Scope::Queue, "q") }), 1);
        assert_eq!(of(Gate { tokens: Some(-3.0), ..gate(Scope::Queue, "q") }), 0);
        assert_eq!(of(Gate { most: Some(9), paused: true, ..gate(Scope::Queue, "q") }), 0);
        assert_eq!(of(Gate { most: Some(4), ..gate(Scope::Queue, ANYBODY) }), 1);
    }

    #[test]
    fn ones_own_gate_stands_in_for_everybodys() {
        let mut open = Open::default();
        open.add("q", T, "busy", 2);
        open.add("q", T, "roomy", 2);
        let all = Gate { most: Some(2), ..gate(Scope::Destination, ANYBODY) };
        let own = Gate { most: Some(5), ..gate(Scope::Destination, "roomy") };
        let off = Gate { paused: true, ..gate(Scope::Destination, "off") };
        let gates = Gates::from_iter([all, own, off]);
        assert_eq!(gates.shut(Scope::Destination, &open), ["busy", "off"]);
        assert_eq!(gates.room(Scope::Destination, "fresh", &open), 2);
        assert_eq!(gates.limits("q", T, "x"), [Limit { scope: Scope::Destination, key: "x".into() }]);
        assert_eq!(gates.limits("q", T, ""), [], "no destination passes no gate of destinations");
    }

    #[test]
    fn scopes_read_back() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert!("kind".parse::<Scope>().is_err());
    }
}

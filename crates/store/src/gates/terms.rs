//! What a gate may say. Beyond these bounds it has no meaning.

use domain::{
    TenantId,
    gate::{ANYBODY, MAX_KEY, MAX_WEIGHT, Scope},
};

/// So many starts in a time, and so many at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Starts per second in the long run: more than 0.00001, at most a million.
    pub per_second: f64,
    /// Starts at once: 1 to a million.
    pub burst: u32,
}

/// What holds for a key, beside a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// For a tenant: the jobs of one turn, 1 to [`MAX_WEIGHT`].
    pub weight: u32,
    /// Jobs held at once; no limit without.
    pub most: Option<u32>,
    /// Starts in a time; no limit without.
    pub rate: Option<Rate>,
}

impl Terms {
    /// What holds where nobody said anything.
    pub const OPEN: Self = Self { weight: 1, most: None, rate: None };
}

/// May a gate of this scope have this key?
pub(super) fn check_key(scope: Scope, key: &str) -> Result<(), String> {
    if key.is_empty() || key.len() > MAX_KEY || key.contains('\0') {
        return Err(format!("a key has 1 to {MAX_KEY} bytes, and no U+0000"));
    }
    match scope {
        Scope::All if key != ANYBODY => Err(format!("the key of everything is {ANYBODY}")),
        // Written as ids are printed: it is compared as text.
        Scope::Tenant
            if key != ANYBODY && key.parse().map(|id: TenantId| id.to_string()).as_deref() != Ok(key) =>
        {
            Err("a tenant's key is its id, in lower case and with hyphens".to_owned())
        }
        _ => Ok(()),
    }
}

/// May this be said of it?
pub(super) fn check(scope: Scope, key: &str, terms: &Terms) -> Result<(), String> {
    check_key(scope, key)?;
    let own = scope == Scope::Tenant && key != ANYBODY;
    if !(1..=MAX_WEIGHT).contains(&terms.weight) || (terms.weight != 1 && !own) {
        return Err(format!("a weight is a tenant's own, 1 to {MAX_WEIGHT}"));
    }
    if terms.most.is_some_and(|most| i32::try_from(most).is_err()) {
        return Err(format!("at most {} may run at once", i32::MAX));
    }
    let Some(rate) = terms.rate else { return Ok(()) };
    if key == ANYBODY && scope != Scope::All {
        return Err("a rate needs a key of its own: each has its own bucket".to_owned());
    }
    if !(0.000_01..=1e6).contains(&rate.per_second) || !(1..=1_000_000).contains(&rate.burst) {
        return Err("a rate is 0.00001 to 1000000 per second, its burst 1 to 1000000".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_meaning_is_refused_with_what_has() {
        let plain = Terms::OPEN;
        let rate = |per_second, burst| Terms { rate: Some(Rate { per_second, burst }), ..plain };
        let tenant = TenantId(uuid::Uuid::from_u128(0xab)).to_string();
        for (scope, key, terms, fits) in [
            (Scope::Tenant, tenant.as_str(), Terms { weight: 100, ..plain }, true),
            (Scope::Tenant, &tenant.to_uppercase(), plain, false),
            (Scope::Tenant, "*", Terms { weight: 2, ..plain }, false),
            (Scope::Tenant, &tenant, Terms { weight: 0, ..plain }, false),
            (Scope::Tenant, "*", Terms { most: Some(0), ..plain }, true),
            (Scope::All, "everything", plain, false),
            (Scope::All, "*", rate(5.0, 1), true),
            (Scope::Destination, "*", rate(5.0, 1), false),
            (Scope::Destination, "host", rate(0.0, 1), false),
            (Scope::Destination, "host", rate(f64::NAN, 1), false),
            (Scope::Destination, "host", rate(1.0, 0), false),
            (Scope::Destination, "", plain, false),
        ] {
            assert_eq!(check(scope, key, &terms).is_ok(), fits, "{scope} {key} {terms:?}");
        }
    }
}

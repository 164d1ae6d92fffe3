//! How random a text is, in bits a character.

/// Shannon's entropy over its characters.
pub(super) fn of(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    let mut total = 0_u32;
    for c in text.chars() {
        *counts.entry(c).or_default() += 1;
        total += 1;
    }
    let share = |count: &u32| f64::from(*count) / f64::from(total.max(1));
    counts.values().map(share).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_less_than_keys() {
        assert!(of("") == 0.0 && of("aaaa") == 0.0);
        assert!(of("please-enter-password") < 3.6, "{}", of("please-enter-password"));
        assert!(of("q7Zp1xV9bT3mK8sL2wR5") > 4.0);
    }
}

//! What holds for every history, every address and every key, not just for those that somebody thought of.

use domain::{idempotency::Key, job::JobState, source_url::SourceUrl};
use proptest::prelude::*;

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
    fn a_key_that_is_accepted_is_printable_and_bounded(header in "\\PC{0,300}|\"[ -~]{0,300}\"") {
        if let Ok(key) = Key::parse(&header) {
            prop_assert!(!key.as_str().is_empty() && key.as_str().len() <= 255);
            let quoted = format!("\"{}\"", key.as_str().replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(Key::parse(&quoted), Ok(key), "said in the other form");
        }
    }
}

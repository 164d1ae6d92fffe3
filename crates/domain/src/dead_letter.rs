//! Dead letters: jobs that used up their attempts, kept whole until a person replays or discards them.

use crate::{MigrationId, failure::Reason, job::UnknownState};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::OffsetDateTime;

/// What became of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Nobody settled it yet.
    Open,
    /// Its job was put back into its queue.
    Replayed,
    /// Somebody decided that it stays dead.
    Discarded,
}

impl LetterState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Replayed, Self::Discarded];

    /// The name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

impl FromStr for LetterState {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| UnknownState(text.into()))
    }
}

/// Which dead letters are meant: those that fit everything that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// Of jobs of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whose last attempt failed for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Whose last failure has this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Of this migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration_id: Option<MigrationId>,
    /// That died at this time or later.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub died_after: Option<OffsetDateTime>,
    /// That died before this time.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub died_before: Option<OffsetDateTime>,
}

impl Filter {
    /// Does it leave nothing out? Such a filter is no wish: a replay of everything has to be asked for in so many words.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_filter_reads_back_and_only_one_without_a_word_is_empty() {
        assert!(Filter::default().is_empty());
        let stored = json!({"reason": "upstream_5xx", "diedBefore": "2026-11-21T10:00:00Z"});
        let filter: Filter = serde_json::from_value(stored.clone()).expect("it reads");
        assert!(!filter.is_empty());
        assert_eq!(serde_json::to_value(&filter).expect("it serialises"), stored);
        assert!(serde_json::from_value::<Filter>(json!({"colour": "red"})).is_err());
    }
}

//! The trace contexts that notes brought, kept until their events are read.
//!
//! A context that is dropped costs a parent in a trace: the row's own is used instead.

use crate::topics::lock;
use domain::{MigrationId, trace::TraceContext};
use std::{collections::BTreeMap, sync::Mutex};

/// Contexts kept at a topic.
const MOST: usize = 256;

/// See the file's head.
#[derive(Default)]
pub(crate) struct Noted {
    contexts: Mutex<BTreeMap<(MigrationId, i64), TraceContext>>,
}

impl Noted {
    pub(crate) fn keep(&self, migration: MigrationId, seq: i64, trace: TraceContext) {
        let mut contexts = lock(&self.contexts);
        contexts.insert((migration, seq), trace);
        while contexts.len() > MOST {
            contexts.pop_first();
        }
    }

    /// The context of the note that told of this event; forgets those of the migration's earlier ones.
    pub(crate) fn take(&self, migration: MigrationId, seq: i64) -> Option<TraceContext> {
        let mut contexts = lock(&self.contexts);
        let found = contexts.remove(&(migration, seq));
        while let Some((&earlier, _)) = contexts.range((migration, i64::MIN)..(migration, seq)).next() {
            contexts.remove(&earlier);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_notes_context_is_given_once_and_only_the_latest_are_kept() {
        let (noted, one, two) =
            (Noted::default(), MigrationId(Uuid::from_u128(1)), MigrationId(Uuid::from_u128(2)));
        let context = |seq: i64| TraceContext { traceparent: Some(seq.to_string()), tracestate: None };
        for seq in [2, 1, 5] {
            noted.keep(one, seq, context(seq));
        }
        noted.keep(two, 1, context(1));
        assert_eq!(noted.take(one, 2), Some(context(2)));
        assert_eq!(noted.take(one, 1), None, "what lies behind is forgotten");
        assert_eq!(noted.take(one, 4), None);
        assert_eq!(noted.take(one, 5), Some(context(5)));
        assert_eq!(noted.take(two, 1), Some(context(1)), "another migration's is not");
        let kept = i64::try_from(MOST).expect("small");
        for seq in 0..kept * 2 {
            noted.keep(one, seq, context(seq));
        }
        assert_eq!(lock(&noted.contexts).len(), MOST);
        assert_eq!(noted.take(one, kept * 2 - 1), Some(context(kept * 2 - 1)));
    }
}

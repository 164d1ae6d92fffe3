//! Events of one migration that were read together: encoded once, and shared by all who get them.

use crate::frame;
use bytes::Bytes;
use domain::event::{Event, EventType};

/// One to some hundred events that follow one another.
#[derive(Debug)]
pub(crate) struct Page {
    events: Vec<Event>,
    /// All events as they go over the wire.
    bytes: Bytes,
    /// Where each begins in there.
    starts: Vec<usize>,
}

impl Page {
    /// `cursor` is what a client goes on from after an event. Events follow one another by their numbers.
    pub(crate) fn new(events: Vec<Event>, cursor: impl Fn(&Event) -> String) -> Self {
        let (mut bytes, mut starts) = (Vec::new(), Vec::with_capacity(events.len()));
        for event in &events {
            starts.push(bytes.len());
            frame::event(&mut bytes, event, &cursor(event));
        }
        // What is shared by many for a while should not be larger than it has to be.
        bytes.shrink_to_fit();
        Self { events, bytes: bytes.into(), starts }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The first event's number.
    pub(crate) fn first(&self) -> Option<i64> {
        self.events.first().map(|event| event.seq)
    }

    /// The last event's number.
    pub(crate) fn last(&self) -> Option<i64> {
        self.events.last().map(|event| event.seq)
    }

    /// Is the last event the end of a run?
    pub(crate) fn ends(&self) -> bool {
        self.events.last().is_some_and(|event| event.event_type == EventType::Done)
    }

    /// What of it comes after the event `at`: `None` where others are missing in between.
    pub(crate) fn after(&self, at: i64) -> Option<Rest<'_>> {
        let first = self.first().filter(|first| *first <= at.saturating_add(1))?;
        // A page has some hundred events.
        let known = usize::try_from(at - first + 1).unwrap_or(usize::MAX).min(self.events.len());
        Some(Rest { page: self, from: known })
    }
}

/// The part of a page that a listener has not had.
#[derive(Clone, Copy)]
pub(crate) struct Rest<'a> {
    page: &'a Page,
    from: usize,
}

impl<'a> Rest<'a> {
    pub(crate) fn events(self) -> &'a [Event] {
        self.page.events.get(self.from..).unwrap_or_default()
    }

    /// As it goes over the wire; no copy.
    pub(crate) fn bytes(self) -> Bytes {
        match self.page.starts.get(self.from) {
            Some(&start) => self.page.bytes.slice(start..),
            None => Bytes::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CorrelationId, MigrationId};
    use serde_json::Map;
    use uuid::Uuid;

    fn page(seqs: std::ops::RangeInclusive<i64>) -> Page {
        let event = |seq| Event {
            seq,
            ts: 1,
            event_type: EventType::Log,
            migration_id: MigrationId(Uuid::nil()),
            run: 1,
            phase: None,
            progress: 0,
            correlation_id: CorrelationId(Uuid::nil()),
            detail: Map::new(),
        };
        Page::new(seqs.map(event).collect(), |event| event.seq.to_string())
    }

    #[test]
    fn a_listener_gets_what_it_has_not_had_and_hears_of_what_is_missing() {
        let page = page(4..=6);
        assert_eq!((page.first(), page.last(), page.ends()), (Some(4), Some(6), false));
        let after = |at| {
            let rest = page.after(at)?;
            let bytes = String::from_utf8(rest.bytes().to_vec()).expect("text");
            assert_eq!(bytes.matches("\n\n").count(), rest.events().len());
            Some((rest.events().len(), bytes.split('\n').next().unwrap_or_default().to_owned()))
        };
        assert_eq!(after(2), None, "the third is missing");
        assert_eq!(after(3), Some((3, "id: 4".into())));
        assert_eq!(after(5), Some((1, "id: 6".into())));
        assert_eq!(after(6), Some((0, String::new())));
        assert_eq!(after(99), Some((0, String::new())));
    }

    #[test]
    fn a_page_without_events_is_after_nothing() {
        let empty = Page::new(Vec::new(), |_| String::new());
        assert!(empty.is_empty() && empty.after(0).is_none() && !empty.ends());
    }
}

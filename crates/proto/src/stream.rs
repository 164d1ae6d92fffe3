//! A migration's history as it grows, and what a broadcaster carries: the border of `resettle.stream.v1`.

use domain::{
    MigrationId, TenantId,
    event::{Event, EventType},
};

/// Generated from `/proto/stream/v1`.
pub mod v1 {
    #![expect(missing_docs, reason = "generated: the documentation is in the .proto files")]
    #![expect(clippy::allow_attributes_without_reason, reason = "generated: it gives none")]
    tonic::include_proto!("resettle.stream.v1");
}

/// Whose history is asked for, and from where on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The organisation that the migration belongs to.
    pub tenant: TenantId,
    /// The migration.
    pub migration: MigrationId,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// Why a message from the wire means nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An id is not a UUID.
    #[error("{field} is {given:?}, which is not a UUID")]
    Id {
        /// Which.
        field: &'static str,
        /// What was sent.
        given: String,
        #[source]
        source: uuid::Error,
    },
    /// A type of event that this version does not know.
    #[error("there is no event type number {0}")]
    EventType(i32),
    /// A phase that this version does not know.
    #[error("there is no phase {0:?}")]
    Phase(String),
    /// Progress that is no percentage.
    #[error("a progress of {0} is not between 0 and 100")]
    Progress(i32),
    /// The detail is not a JSON object.
    #[error("an event's detail is not a JSON object")]
    Detail(#[source] serde_json::Error),
}

impl TryFrom<v1::WatchMigrationRequest> for Watch {
    type Error = Error;

    fn try_from(wire: v1::WatchMigrationRequest) -> Result<Self, Error> {
        Ok(Self {
            tenant: id("tenant_id", &wire.tenant_id)?,
            migration: id("migration_id", &wire.migration_id)?,
            cursor: Some(wire.cursor).filter(|cursor| !cursor.is_empty()),
        })
    }
}

impl From<Watch> for v1::WatchMigrationRequest {
    fn from(watch: Watch) -> Self {
        Self {
            tenant_id: watch.tenant.to_string(),
            migration_id: watch.migration.to_string(),
            cursor: watch.cursor.unwrap_or_default(),
        }
    }
}

/// An event and the cursor behind it, for the wire.
pub fn event(event: &Event, cursor: String) -> v1::Event {
    v1::Event {
        seq: event.seq,
        ts_ms: event.ts,
        r#type: wire_type(event.event_type).into(),
        migration_id: event.migration_id.to_string(),
        run: event.run,
        phase: event.phase.map(|phase| phase.as_str().to_owned()).unwrap_or_default(),
        progress: event.progress.into(),
        correlation_id: event.correlation_id.to_string(),
        // A map with text keys can always be written.
        detail_json: serde_json::to_string(&event.detail).unwrap_or_default(),
        cursor,
    }
}

impl TryFrom<v1::Event> for Event {
    type Error = Error;

    fn try_from(wire: v1::Event) -> Result<Self, Error> {
        let progress = i16::try_from(wire.progress).ok().filter(|progress| (0..=100).contains(progress));
        let phase = match wire.phase.as_str() {
            "" => None,
            name => Some(name.parse().map_err(|_| Error::Phase(name.to_owned()))?),
        };
        Ok(Self {
            seq: wire.seq,
            ts: wire.ts_ms,
            event_type: event_type(wire.r#type)?,
            migration_id: id("migration_id", &wire.migration_id)?,
            run: wire.run,
            phase,
            progress: progress.ok_or(Error::Progress(wire.progress))?,
            correlation_id: id("correlation_id", &wire.correlation_id)?,
            detail: serde_json::from_str(&wire.detail_json).map_err(Error::Detail)?,
        })
    }
}

fn id<T: std::str::FromStr<Err = uuid::Error>>(field: &'static str, given: &str) -> Result<T, Error> {
    given.parse().map_err(|source| Error::Id { field, given: given.to_owned(), source })
}

const fn wire_type(event_type: EventType) -> v1::EventType {
    match event_type {
        EventType::PhaseUpdate => v1::EventType::PhaseUpdate,
        EventType::Metric => v1::EventType::Metric,
        EventType::Log => v1::EventType::Log,
        EventType::Error => v1::EventType::Error,
        EventType::Done => v1::EventType::Done,
    }
}

fn event_type(number: i32) -> Result<EventType, Error> {
    match v1::EventType::try_from(number).map_err(|_| Error::EventType(number))? {
        v1::EventType::Unspecified => Err(Error::EventType(number)),
        v1::EventType::PhaseUpdate => Ok(EventType::PhaseUpdate),
        v1::EventType::Metric => Ok(EventType::Metric),
        v1::EventType::Log => Ok(EventType::Log),
        v1::EventType::Error => Ok(EventType::Error),
        v1::EventType::Done => Ok(EventType::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::phase::Phase;
    use serde_json::{Map, json};

    fn told(event_type: EventType, phase: Option<Phase>) -> Event {
        Event {
            seq: 7,
            ts: 1_790_000_000_123,
            event_type,
            migration_id: "01985e2c-2c5b-7a4e-9f5e-0123456789ab".parse().expect("a UUID"),
            run: 2,
            phase,
            progress: 41,
            correlation_id: "01985e2c-2c5b-7a4e-9f5e-0123456789ac".parse().expect("a UUID"),
            detail: Map::from_iter([("notes".to_owned(), json!("reading /ü"))]),
        }
    }

    #[test]
    fn what_goes_out_comes_back_the_same() {
        for event_type in EventType::ALL {
            for phase in Phase::ALL.into_iter().map(Some).chain([None]) {
                let sent = told(event_type, phase);
                let wire = event(&sent, "c".into());
                assert_eq!(Event::try_from(wire).expect("valid"), sent);
            }
        }
        let asked = Watch {
            tenant: "01985e2c-2c5b-7a4e-9f5e-0123456789ad".parse().expect("a UUID"),
            migration: "01985e2c-2c5b-7a4e-9f5e-0123456789ab".parse().expect("a UUID"),
            cursor: Some("c".into()),
        };
        assert_eq!(Watch::try_from(v1::WatchMigrationRequest::from(asked.clone())).expect("valid"), asked);
    }

    #[test]
    fn each_broken_field_is_named() {
        let good = event(&told(EventType::Log, None), String::new());
        let bad = |change: fn(&mut v1::Event)| {
            let mut wire = good.clone();
            change(&mut wire);
            Event::try_from(wire).expect_err("must be refused")
        };
        assert!(matches!(bad(|w| w.migration_id = "seven".into()), Error::Id { field: "migration_id", .. }));
        assert!(matches!(bad(|w| w.r#type = 0), Error::EventType(0)));
        assert!(matches!(bad(|w| w.phase = "SLEEP".into()), Error::Phase(_)));
        assert!(matches!(bad(|w| w.progress = 101), Error::Progress(101)));
        assert!(matches!(bad(|w| w.detail_json = "[]".into()), Error::Detail(_)));
        let nobody = v1::WatchMigrationRequest { tenant_id: "me".into(), ..Default::default() };
        assert!(matches!(Watch::try_from(nobody), Err(Error::Id { field: "tenant_id", .. })));
    }
}

//! How the work on a phase tells where it is: at once to whoever asks this process, and at most a few times a
//! second to the migration's history.

use crate::{Stop, held::Hold, pen::Pen};
use domain::{
    event::{EventType, NewEvent},
    phase::Phase,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// Four events a second at most: each is a row, an announcement and a frame for every subscriber.
const GAP: Duration = Duration::from_millis(250);

/// What is being done at this moment.
#[derive(Clone, Debug, PartialEq)]
struct Note {
    progress: i16,
    detail: Value,
}

/// Told by the work, from any thread, without waiting.
pub(crate) struct Teller {
    hold: Arc<Hold>,
    phase: Phase,
    notes: watch::Sender<Option<Note>>,
}

impl Teller {
    pub(crate) fn new(hold: Arc<Hold>, phase: Phase) -> Self {
        let begun = phase.progress(0, 0);
        hold.show(|live| {
            live.phase = Some(phase);
            live.progress = live.progress.max(begun);
        });
        Self { hold, phase, notes: watch::Sender::new(None) }
    }

    /// `done` of `known` units are done, `tool` does `notes`.
    pub(crate) fn tell(&self, done: u64, known: u64, tool: &str, notes: &str) {
        self.tell_more(done, known, tool, notes, json!({}));
    }

    /// The same, with further figures.
    pub(crate) fn tell_more(&self, done: u64, known: u64, tool: &str, notes: &str, mut detail: Value) {
        let mut progress = self.phase.progress(done, known);
        self.hold.show(|live| {
            // More units may become known than were done meanwhile; what was shown does not fall.
            progress = progress.max(live.progress);
            live.progress = progress;
            live.step.clear();
            live.step.push_str(notes);
        });
        detail["status"] = "running".into();
        detail["currentTool"] = tool.into();
        detail["notes"] = notes.into();
        self.notes.send_replace(Some(Note { progress, detail }));
    }

    /// Writes what was told into the history until `done`; what was not written by then is not worth it.
    pub(crate) async fn publish(&self, pen: &Pen, done: &CancellationToken) -> Result<(), Stop> {
        let mut notes = self.notes.subscribe();
        let mut last = None;
        while done.run_until_cancelled(notes.changed()).await.is_some() {
            let note = notes.borrow_and_update().clone();
            let Some(note) = note.filter(|note| last.as_ref() != Some(note)) else { continue };
            let event =
                NewEvent::new(EventType::PhaseUpdate, Some(self.phase), note.progress, note.detail.clone());
            pen.append(&[event]).await?;
            last = Some(note);
            if done.run_until_cancelled(sleep(GAP)).await.is_none() {
                break;
            }
        }
        Ok(())
    }
}

//! Who listens in this process, and the handing on to them without ever waiting for one.

use crate::{Delivery, Hint, JobHint, NoteDelivery, Poison, delivery::Receipt};
use serde_json::json;
use std::collections::HashMap;
use tokio::sync::mpsc::Sender;

#[derive(Default)]
pub(super) struct Registry {
    hints: HashMap<String, Vec<Sender<Delivery>>>,
    notes: Vec<Sender<NoteDelivery>>,
    /// Moves on with every hint, so that takers of one queue get their turns.
    turn: usize,
    /// Is the connection up and listening?
    listening: bool,
}

impl Registry {
    pub(super) fn add_hints(&mut self, queue: &str, taker: Sender<Delivery>) {
        if self.listening {
            offer(&taker, Delivery::Resubscribed, Delivery::Resubscribed);
        }
        let takers = self.hints.entry(queue.to_owned()).or_default();
        takers.retain(|taker| !taker.is_closed());
        takers.push(taker);
    }

    pub(super) fn add_notes(&mut self, subscriber: Sender<NoteDelivery>) {
        if self.listening {
            offer(&subscriber, NoteDelivery::Resubscribed, NoteDelivery::Resubscribed);
        }
        self.notes.retain(|subscriber| !subscriber.is_closed());
        self.notes.push(subscriber);
    }

    /// The connection listens again: whatever was said in between is lost, so all have to look.
    pub(super) fn listening(&mut self) {
        self.listening = true;
        for taker in self.hints.values().flatten() {
            offer(taker, Delivery::Resubscribed, Delivery::Resubscribed);
        }
        for subscriber in &self.notes {
            offer(subscriber, NoteDelivery::Resubscribed, NoteDelivery::Resubscribed);
        }
    }

    pub(super) fn deaf(&mut self) {
        self.listening = false;
    }

    /// A hint goes to one taker of its queue; one that nobody here takes is for another process.
    pub(super) fn hint(&mut self, channel: &str, payload: &str) {
        let (queue, delivery) = match serde_json::from_str::<JobHint>(payload) {
            Ok(body) => {
                (Some(body.queue.clone()), Delivery::Hint(Hint { body, receipt: Receipt::NotNeeded }))
            }
            Err(error) => (None, poison(channel, payload, &error.to_string())),
        };
        self.turn = self.turn.wrapping_add(1);
        let takers: Vec<&Sender<Delivery>> = match &queue {
            Some(queue) => self.hints.get(queue).into_iter().flatten().collect(),
            // Nobody knows whose it was, so any taker may keep it.
            None => self.hints.values().flatten().collect(),
        };
        let open: Vec<_> = takers.into_iter().filter(|taker| !taker.is_closed()).collect();
        if open.is_empty() {
            return;
        }
        let first = self.turn % open.len();
        let roomy = (0..open.len()).map(|step| open[(first + step) % open.len()]).find(|t| t.capacity() > 1);
        offer(roomy.unwrap_or(open[first]), delivery, Delivery::Resubscribed);
    }

    /// A note goes to every subscriber.
    pub(super) fn note(&mut self, payload: &str) {
        self.notes.retain(|subscriber| !subscriber.is_closed());
        match serde_json::from_str(payload) {
            Ok(note) => {
                let note = NoteDelivery::Note(note);
                for subscriber in &self.notes {
                    offer(subscriber, note.clone(), NoteDelivery::Resubscribed);
                }
            }
            Err(error) => tracing::warn!(%error, "an event note cannot be read"),
        }
    }
}

fn poison(channel: &str, payload: &str, error: &str) -> Delivery {
    Delivery::Poison(Poison {
        queue: channel.to_owned(),
        body: payload.as_bytes().to_vec(),
        headers: json!({}),
        error: error.to_owned(),
        receipt: Receipt::NotNeeded,
    })
}

/// Never waits. The last free place is kept for `look`: a reader that is so far behind finds it after what it
/// has, and whatever is left out until then is covered by it.
fn offer<T>(reader: &Sender<T>, item: T, look: T) {
    let item = match reader.capacity() {
        0 => return,
        1 => look,
        _ => item,
    };
    // The listener is the only one who sends, under the registry's lock, so the place is still free; a reader
    // that has left misses nothing.
    let _ = reader.try_send(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{JobId, trace::TraceContext};
    use tokio::sync::mpsc;
    use uuid::Uuid;

    fn payload(queue: &str) -> String {
        let hint = JobHint { queue: queue.into(), job: JobId(Uuid::nil()), trace: TraceContext::default() };
        serde_json::to_string(&hint).expect("JSON")
    }

    #[test]
    fn a_reader_that_is_behind_is_told_to_look_and_holds_up_nobody() {
        let mut registry = Registry::default();
        let (taker, mut reader) = mpsc::channel(3);
        registry.add_hints("q", taker);
        for _ in 0..10 {
            registry.hint("c", &payload("q"));
        }
        assert!(matches!(reader.try_recv(), Ok(Delivery::Hint(_))));
        assert!(matches!(reader.try_recv(), Ok(Delivery::Hint(_))));
        assert!(matches!(reader.try_recv(), Ok(Delivery::Resubscribed)));
        assert!(reader.try_recv().is_err());
    }

    #[test]
    fn takers_of_one_queue_share_its_hints_and_others_hear_nothing() {
        let mut registry = Registry::default();
        let (one, mut first) = mpsc::channel(10);
        let (two, second) = mpsc::channel(10);
        let (other, mut elsewhere) = mpsc::channel(10);
        registry.add_hints("q", one);
        registry.add_hints("q", two);
        registry.add_hints("other", other);
        for _ in 0..4 {
            registry.hint("c", &payload("q"));
        }
        assert_eq!((first.len(), second.len(), elsewhere.len()), (2, 2, 0));
        drop(second);
        registry.hint("c", &payload("q"));
        assert_eq!(first.len(), 3);
        registry.hint("c", "unreadable");
        let poisoned = first.len() + elsewhere.len();
        assert_eq!(poisoned, 4);
        first.close();
        elsewhere.close();
    }
}

//! How a migration's history is shown while it happens: a bar on a screen, plain lines in a log, JSON for programs.

use crate::terminal::{is_screen, note, say};
use domain::{
    event::{Event, EventType},
    phase::Phase,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Plain lines are written when this much was gained, and at each phase's begin and end.
const PLAIN_STEP: i16 = 10;

/// Where the history goes.
pub(crate) enum Progress {
    /// A bar that is redrawn; what stays is printed above it.
    Screen(ProgressBar),
    /// A line now and then.
    Plain { told: i16 },
    /// Every event as it came.
    Json,
}

impl Progress {
    pub(crate) fn new(json: bool, source: &Url) -> Self {
        Self::of(json, &format!("moving {source}"))
    }

    /// With what is said first, unless programs read it.
    pub(crate) fn of(json: bool, told: &str) -> Self {
        if json {
            return Self::Json;
        }
        note(told);
        if !is_screen() {
            return Self::Plain { told: -PLAIN_STEP };
        }
        let style = ProgressStyle::with_template("{spinner} {bar:30} {pos:>3} %  {wide_msg}");
        let bar = ProgressBar::new(100).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::Screen(bar)
    }

    pub(crate) fn show(&mut self, event: &Event) {
        let silent = notes(event).is_empty();
        match self {
            Self::Json => {
                // An event is made of strings, numbers and objects: it has a JSON form.
                if let Ok(line) = serde_json::to_string(event) {
                    say(line);
                }
            }
            Self::Screen(_) | Self::Plain { .. } if silent => {}
            Self::Screen(bar) => draw(bar, event),
            Self::Plain { told } => {
                if stays(event) || event.progress >= *told + PLAIN_STEP {
                    *told = event.progress;
                    note(line(event));
                }
            }
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn leave(&self) {
        if let Self::Screen(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn draw(bar: &ProgressBar, event: &Event) {
    bar.set_position(event.progress.max(0).unsigned_abs().into());
    if stays(event) {
        bar.println(line(event));
    } else {
        bar.set_message(format!("{} {}", phase_name(event.phase), notes(event)));
    }
}

/// Is this worth a line of its own? Whatever is not just a phase under way.
fn stays(event: &Event) -> bool {
    match event.event_type {
        EventType::PhaseUpdate => text(event, "status") == "completed",
        EventType::Log | EventType::Error => true,
        EventType::Metric | EventType::Done => false,
    }
}

fn line(event: &Event) -> String {
    let mark = if event.event_type == EventType::Error { "!" } else { " " };
    format!("{:>3} % {mark} {:<9} {}", event.progress, phase_name(event.phase), notes(event))
}

fn phase_name(phase: Option<Phase>) -> &'static str {
    phase.map_or("", Phase::as_str)
}

fn notes(event: &Event) -> String {
    let told =
        if event.event_type == EventType::Error { text(event, "message") } else { text(event, "notes") };
    // The site has a say in these (page titles, addresses): nothing of it may steer the terminal.
    told.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn text<'a>(event: &'a Event, name: &str) -> &'a str {
    event.detail.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CorrelationId, MigrationId};
    use serde_json::json;
    use uuid::Uuid;

    fn event(event_type: EventType, detail: Value) -> Event {
        Event {
            seq: 1,
            ts: 0,
            event_type,
            migration_id: MigrationId(Uuid::nil()),
            run: 1,
            phase: Some(Phase::Analyze),
            progress: 7,
            correlation_id: CorrelationId(Uuid::nil()),
            detail: detail.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn a_line_says_how_far_where_and_what() {
        let read =
            event(EventType::PhaseUpdate, json!({"status": "completed", "notes": "12 pages were read."}));
        assert!(stays(&read));
        assert_eq!(line(&read), "  7 %   ANALYZE   12 pages were read.");
        let failed = event(EventType::Error, json!({"message": "It is\u{1b}[31m not HTML."}));
        assert_eq!(line(&failed), "  7 % ! ANALYZE   It is [31m not HTML.");
    }

    #[test]
    fn a_phase_under_way_is_no_line_of_its_own() {
        assert!(!stays(&event(EventType::PhaseUpdate, json!({"status": "running"}))));
        assert!(!stays(&event(EventType::Metric, json!({}))));
    }
}

//! How a crawl is shown while it runs: a bar on a screen, plain lines in a log, JSON for programs. A few times a
//! second at most.

use crate::terminal::{is_screen, note, say};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use site_read::Progress;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use url::Url;

/// Between two lines for programs, and between two for a log.
const JSON_GAP: Duration = Duration::from_millis(250);
const PLAIN_GAP: Duration = Duration::from_secs(5);

/// Where the progress goes.
pub(crate) struct Show {
    way: Way,
    told: Mutex<Option<Instant>>,
}

enum Way {
    Screen(ProgressBar),
    Plain,
    Json,
}

impl Show {
    pub(crate) fn new(json: bool, source: &Url, goes_on: bool) -> Self {
        let told = Mutex::new(None);
        if json {
            return Self { way: Way::Json, told };
        }
        let goes_on = if goes_on { ", where an earlier crawl was interrupted" } else { "" };
        note(format_args!("reading {source}{goes_on}"));
        if !is_screen() {
            return Self { way: Way::Plain, told };
        }
        let style = ProgressStyle::with_template("{spinner} {bar:30} {pos} of {len}  {wide_msg}");
        let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { way: Way::Screen(bar), told }
    }

    pub(crate) fn progress(&self, progress: &Progress) {
        let Progress { pages_done, pages_known, assets_done, assets_known, current } = progress;
        match &self.way {
            Way::Screen(bar) => {
                bar.set_length(pages_known + assets_known);
                bar.set_position(pages_done + assets_done);
                bar.set_message(plain(current));
            }
            Way::Plain if self.is_due(PLAIN_GAP) => note(format_args!(
                "{pages_done} of {pages_known} pages, {assets_done} of {assets_known} assets: {}",
                plain(current)
            )),
            Way::Json if self.is_due(JSON_GAP) => say(json!({
                "type": "progress",
                "pagesDone": pages_done, "pagesKnown": pages_known,
                "assetsDone": assets_done, "assetsKnown": assets_known,
                "current": current,
            })),
            Way::Plain | Way::Json => {}
        }
    }

    /// What is done now that everything is read.
    pub(crate) fn step(&self, what: &str) {
        match &self.way {
            Way::Screen(bar) => bar.set_message(plain(what)),
            Way::Plain => note(plain(what)),
            Way::Json => say(json!({"type": "progress", "step": what})),
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn leave(&self) {
        if let Way::Screen(bar) = &self.way {
            bar.finish_and_clear();
        }
    }

    fn is_due(&self, gap: Duration) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.is_none_or(|told| told.elapsed() >= gap);
        if due {
            *told = Some(Instant::now());
        }
        due
    }
}

/// The site has a say in its addresses: nothing of it may steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

//! What a page is in the browser: everything that the gate holds one side against the other by. Data alone.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use serde::Deserialize;

/// One side of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The document's HTTP status.
    pub(crate) status: Option<u16>,
    /// Where the browser was in the end.
    pub(crate) url: String,
    pub(crate) facts: Facts,
    /// Its words when it had been looked at, if it changed meanwhile.
    pub(crate) last_words: Option<Vec<String>>,
    /// One per width, in the order that was asked for.
    pub(crate) boxes: Vec<Boxes>,
    /// The pictures that were taken, by width, as PNG.
    pub(crate) pictures: BTreeMap<u32, Bytes>,
    /// Errors that were thrown or written.
    pub(crate) console: Vec<String>,
    pub(crate) asked: Vec<Asked>,
    /// Role and name of what assistive technology is told of.
    pub(crate) spoken: Vec<(String, String)>,
}

/// A request of the page and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
}

/// What does not depend on the width; see `facts.js`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Facts {
    pub(crate) words: Vec<String>,
    /// There were more words than are kept.
    pub(crate) cut: bool,
    pub(crate) images: Vec<String>,
    /// Images that did not come or cannot be shown.
    pub(crate) broken: Vec<String>,
    pub(crate) links: Vec<String>,
    pub(crate) frames: Vec<String>,
    pub(crate) forms: Vec<String>,
    /// What search engines read: name and value.
    pub(crate) seo: Vec<(String, String)>,
}

/// The visible elements at one width; see `boxes.js`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Boxes {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) mode: Mode,
    /// Names of the properties in a style, and every style that occurs.
    pub(crate) names: Vec<String>,
    pub(crate) styles: Vec<String>,
    pub(crate) nodes: Vec<Node>,
    /// How many visible elements there are; more than `nodes` if there were too many.
    pub(crate) visible: u64,
}

/// By which rules a page is laid out: its doctype says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    #[default]
    Standards,
    /// By those of today, but for how high lines are.
    LimitedQuirks,
    Quirks,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standards => "by the rules of today",
            Self::LimitedQuirks => "as with an old doctype",
            Self::Quirks => "as without a doctype",
        })
    }
}

/// One visible element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) tag: String,
    pub(crate) id: String,
    /// Left, top, width and height in half CSS pixels.
    pub(crate) place: [i64; 4],
    /// Its style and that of its `::before` and `::after`, as places in the list of styles.
    pub(crate) styles: [Option<usize>; 3],
}

#[derive(Deserialize)]
struct Measured {
    names: Vec<String>,
    styles: Vec<String>,
    nodes: Vec<(String, String, [f64; 4], [i64; 3])>,
    visible: u64,
    height: f64,
    mode: Mode,
}

impl Boxes {
    /// As the script wrote it.
    pub(crate) fn read(width: u32, text: &str) -> serde_json::Result<Self> {
        let Measured { names, styles, nodes, visible, height, mode } = serde_json::from_str(text)?;
        let nodes = nodes.into_iter().map(|(tag, id, place, styles)| Node {
            tag,
            id,
            place: place.map(|length| (length * 2.0).round() as i64),
            styles: styles.map(|number| usize::try_from(number).ok()),
        });
        let height = height.max(0.0) as u32;
        Ok(Self { width, height, mode, names, styles, nodes: nodes.collect(), visible })
    }

    /// A style's text; nothing where there is none.
    pub(crate) fn style(&self, number: Option<usize>) -> &str {
        number.and_then(|number| self.styles.get(number)).map_or("", String::as_str)
    }
}

//! The facts of one page.
//!
//! [`analyse`] walks the parsed document once; each file below collects one sort of fact on that walk, and what
//! follows from several of them is concluded at the end.

mod bound;
mod conclude;
mod forms;
mod head;
mod kind;
mod media;
mod outline;
mod parts;
mod scripts;
mod text;
mod walk;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::hash::Hash;
use super::problem::Problem;
use crate::render::{Reason, needs_script};
use crate::tree::Document;

/// What is known of a page besides its document.
#[derive(Debug, Clone, Copy)]
pub struct PageInput<'a> {
    /// Where it answered.
    pub url: &'a Url,
    /// Its HTTP status.
    pub status: u16,
    /// Headers of the answer, names in lower case.
    pub headers: &'a [(String, String)],
}

/// Everything that one document tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageAnalysis {
    /// The shape of this document; see [`PageAnalysis::VERSION`].
    pub version: u32,
    /// What sort of page it is.
    pub kind: PageKind,
    /// Text of the title element.
    pub title: Option<String>,
    /// The description of its metadata.
    pub description: Option<String>,
    /// The canonical address that it names, absolute.
    pub canonical: Option<String>,
    /// `lang` of the document, as written.
    pub language: Option<String>,
    /// `dir` of the document or its body.
    pub direction: Option<Direction>,
    /// What it tells search engines to do.
    pub robots: Option<String>,
    /// Its viewport, as written.
    pub viewport: Option<String>,
    /// Its generator, as written.
    pub generator: Option<String>,
    /// The same page in other languages.
    pub alternates: Vec<Alternate>,
    /// Open Graph and other metadata with a `property`, in order.
    pub properties: BTreeMap<String, Vec<String>>,
    /// Metadata for Twitter cards.
    pub twitter: BTreeMap<String, String>,
    /// Structured data.
    pub structured_data: Vec<StructuredData>,
    /// Headings in order.
    pub headings: Vec<Heading>,
    /// Landmarks in order.
    pub landmarks: Vec<Landmark>,
    /// Forms in order.
    pub forms: Vec<Form>,
    /// Scripts in order.
    pub scripts: Vec<Script>,
    /// Elements with handlers in their attributes (`onclick`, …) or `javascript:` addresses.
    pub inline_handlers: u32,
    /// Web fonts that the document itself asks for.
    pub fonts: Vec<String>,
    /// Images in order.
    pub images: Vec<Image>,
    /// Other parties' hosts that it loads from, in order of name.
    pub third_parties: Vec<ThirdParty>,
    /// Platforms that it shows marks of, in order of name.
    pub platforms: Vec<String>,
    /// Links.
    pub links: Links,
    /// Entries of its navigations, in order.
    pub menu: Vec<NavigationItem>,
    /// Basic faults of accessibility.
    pub accessibility: Accessibility,
    /// Its text.
    pub text: Text,
    /// Parts that other pages may share.
    pub parts: Vec<Part>,
    /// A hash of its outer structure: pages of one template have the same.
    pub template: Hash,
    /// The mark of a cookie wall, if it shows one.
    pub cookie_wall: Option<String>,
    /// Why it shows itself only when its scripts run, if so.
    pub needs_script: Option<Reason>,
    /// What a person should know.
    pub problems: Vec<Problem>,
}

impl PageAnalysis {
    /// The shape written by this build.
    pub const VERSION: u32 = 1;
}

/// What sort of page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PageKind {
    /// The front page.
    Home,
    /// A text with an author or a date.
    Article,
    /// Many entries of one shape.
    Listing,
    /// Something that is sold.
    Product,
    /// Mostly images.
    Gallery,
    /// A way to write to the owner.
    Contact,
    /// A form for something else.
    Form,
    /// A search, or its results.
    Search,
    /// A password is asked for.
    Login,
    /// Text.
    Document,
    /// It says that something is not there or went wrong.
    Error,
    /// It sends its visitor on.
    Redirect,
    /// It only holds frames.
    Frames,
    /// None of these.
    #[default]
    Other,
}

impl PageKind {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Article => "article",
            Self::Listing => "listing",
            Self::Product => "product",
            Self::Gallery => "gallery",
            Self::Contact => "contact",
            Self::Form => "form",
            Self::Search => "search",
            Self::Login => "login",
            Self::Document => "document",
            Self::Error => "error",
            Self::Redirect => "redirect",
            Self::Frames => "frames",
            Self::Other => "other",
        }
    }
}

/// Which way the text runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

/// The page in another language.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alternate {
    /// As written: a language tag or `x-default`.
    pub language: String,
    /// Absolute.
    pub url: String,
}

/// Structured data of one sort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StructuredData {
    /// `json-ld`, `microdata` or `rdfa`.
    pub format: String,
    /// The types that it names, each once.
    pub types: Vec<String>,
    /// Can it be read?
    pub valid: bool,
}

/// One heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its text.
    pub text: String,
}

/// One landmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Landmark {
    /// Its role by the ARIA standard: `banner`, `navigation`, `main`, …
    pub role: String,
    /// Its label, if it has one.
    pub label: Option<String>,
}

/// One form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// Where it sends, absolute.
    pub action: String,
    /// `get`, `post` or `dialog`.
    pub method: String,
    /// How a post is encoded, if it says so.
    pub encoding: Option<String>,
    /// What it asks for.
    pub fields: Vec<Field>,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Its name, empty if it sends nothing.
    pub name: String,
    /// `text`, `email`, `select`, `textarea`, …
    pub kind: String,
    /// Must it be filled in?
    pub required: bool,
    /// Does anything say what it is for?
    pub labelled: bool,
}

/// One script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// Its address, absolute; `None` for one that stands in the page.
    pub url: Option<String>,
    /// What it does.
    pub kind: ScriptKind,
    /// What it is called, where that is known.
    pub name: Option<String>,
    /// Its version, where the address tells.
    pub version: Option<String>,
    /// Length of its text in bytes, for one that stands in the page.
    pub bytes: u64,
    /// Does it write into the document while that is being read?
    pub writes: bool,
}

/// What a script does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScriptKind {
    /// Counts visitors.
    Analytics,
    /// Loads others by rules kept elsewhere.
    TagManager,
    /// Shows advertisements.
    Advertising,
    /// Asks for consent.
    Consent,
    /// Brings something of another party's: a map, a chat, a video.
    Widget,
    /// Builds the page.
    Framework,
    /// Helps other scripts.
    Library,
    /// Changes the document.
    DomMutation,
    /// Does something else of the site's own.
    Own,
    /// Data, never run.
    Data,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Its address, absolute; `None` for one inside the page.
    pub url: Option<String>,
    /// What stands for it: `None` if nothing was written, empty if it is decoration.
    pub alt: Option<String>,
    /// Width and height as the page declares them, in CSS pixels.
    pub declared: Option<(u32, u32)>,
    /// Width and height of the image itself, in pixels, where it was read.
    pub real: Option<(u32, u32)>,
    /// Is it loaded only when it comes into view?
    pub lazy: bool,
    /// Are there other sizes of it?
    pub responsive: bool,
}

/// A host of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThirdParty {
    /// Its name.
    pub host: String,
    /// What it is for.
    pub purpose: String,
}

/// An entry of a navigation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NavigationItem {
    /// What it says.
    pub text: String,
    /// Where it leads, absolute.
    pub url: String,
}

/// How many links there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    /// To the same host.
    pub internal: u32,
    /// To other hosts.
    pub external: u32,
    /// To a mail address, a telephone or another program.
    pub other: u32,
}

/// Basic faults that a parser can see, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accessibility {
    /// Images without `alt`.
    pub images_without_alt: u32,
    /// Fields that nothing names.
    pub fields_without_label: u32,
    /// Links without text.
    pub empty_links: u32,
    /// Buttons without text.
    pub empty_buttons: u32,
    /// Headings that skip a level.
    pub skipped_headings: u32,
    /// Ids that stand more than once.
    pub duplicate_ids: u32,
    /// Frames without a title.
    pub frames_without_title: u32,
    /// May the reader not enlarge the page?
    pub zoom_prevented: bool,
}

/// The text of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Text {
    /// Words, or characters of scripts that write without spaces.
    pub words: u32,
    /// Those outside header, navigation, asides and footer.
    pub main_words: u32,
    /// Under which like texts differ in few bits: of the main words, if there are enough.
    pub fingerprint: Hash,
    /// Equal for equal texts.
    pub hash: Hash,
}

/// A part of the page that other pages may share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// What it is.
    pub role: PartRole,
    /// Equal for parts of the same elements and classes.
    pub structure: Hash,
    /// Equal for parts that also say and link the same.
    pub content: Hash,
    /// Elements in it.
    pub elements: u32,
    /// How often it stands on this page.
    pub times: u32,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PartRole {
    /// What stands on top.
    Header,
    /// Ways to other pages.
    Navigation,
    /// What stands beside.
    Aside,
    /// What stands at the bottom.
    Footer,
    /// One of several of the same shape, side by side.
    Card,
}

/// Takes a page's facts from its document.
#[must_use]
pub fn analyse(document: &Document<'_>, input: &PageInput<'_>) -> PageAnalysis {
    let mut page = walk::walk(document, input);
    page.needs_script = needs_script(document);
    conclude::conclude(&mut page, input);
    page
}

#[cfg(test)]
mod tests;

//! The plan: which file every address becomes, before a line of it is written.
//!
//! A document with a version, so that it can be stored, shown and compared. It holds decisions, never content: content
//! stays in the snapshot and is read again when the project is written.

mod assets;
pub(crate) mod build;
pub(crate) mod cards;
mod edited;
pub(crate) mod groups;
pub(crate) mod keeps;
mod matcher;
mod parts;
mod redirects;
pub(crate) mod routes;
mod served;
mod services;
pub(crate) mod shared;
mod slashes;
pub(crate) mod soft;
pub(crate) mod variants;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use site_read::{ContentHash, Page};

use crate::{Error, Next, dom::Use};
pub use cards::{Card, Property};
pub use edited::{Patch, Refused};
pub use keeps::{Keep, Keeps};
use matcher::matcher;
pub(crate) use parts::Parts;
pub use services::Service;
pub use slashes::TrailingSlash;
pub use variants::Variant;

/// The version of the document that this program writes.
pub const VERSION: u32 = 3;
/// The oldest one that it reads: what such a plan does not know, it did not decide.
const OLDEST: u32 = 2;

/// The property that tells a part which page is the current one.
pub(crate) const CURRENT: &str = "current";

/// Where everything of a site goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The [`VERSION`] of the program that wrote it.
    pub version: u32,
    /// The Next.js that the project is written for.
    #[serde(default, skip_serializing_if = "Next::is_newest")]
    pub next: Next,
    /// Scheme, host and port whose addresses are the site's own.
    pub origin: String,
    /// What the site's server did about slashes at the end; the redirects hold what follows from it.
    pub trailing_slash: TrailingSlash,
    /// One per page, in the order of their addresses.
    pub routes: Vec<Route>,
    /// Root layouts: pages with the same style sheets, `<html>` and `<body>`.
    pub groups: Vec<Group>,
    /// Parts that several pages have alike.
    pub shared: Vec<SharedPart>,
    /// Parts that repeat with other content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
    /// Files under `public/`, and those that became code.
    pub assets: Vec<Asset>,
    /// Addresses that lead to others, chains collapsed.
    pub redirects: Vec<Redirect>,
    /// Addresses whose page or file stands elsewhere; tried before pages and files.
    pub rewrites: Vec<Rewrite>,
    /// The forms of the site, for whoever must give them a server.
    pub forms: Vec<Form>,
    /// Others' services that its pages have scripts of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// What could not be carried, or was carried with a difference.
    pub findings: Vec<Finding>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The page's address in the snapshot.
    pub url: String,
    /// The address in the project: path and query, percent-encoded.
    pub path: String,
    /// The path that the router serves it under; differs from `path` only where a rewrite leads to it.
    pub served: String,
    /// The file that holds it, from the project's root.
    pub file: String,
    /// The name of its component.
    pub component: String,
    /// The group whose root layout it has.
    pub group: String,
    /// Names of the shared parts that the page itself uses, in document order.
    pub shared: Vec<String>,
    /// Whether the page has scripts or handlers of its own; such pages are entered and left by full page loads.
    pub scripted: bool,
    /// Whether it is written as a browser showed it, since the site sent little but scripts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rendered: bool,
    /// What it keeps as the site had it, because it did not measure the same otherwise.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kept: BTreeSet<Keep>,
}

impl Route {
    /// What of its page it is written from.
    #[must_use]
    pub fn markup<'p>(&self, page: &'p Page) -> &'p ContentHash {
        if self.kept.contains(&Keep::Sent) { page.sent() } else { &page.html }
    }

    /// Does every link on it load a new document?
    pub(crate) fn hard(&self) -> bool {
        self.scripted || self.kept.contains(&Keep::Links)
    }
}

/// A root layout and what its pages have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, also that of its route group if there are several.
    pub name: String,
    /// The layout's file, from the project's root.
    pub layout: String,
    /// The hash of what the pages have in common.
    pub key: String,
    /// How many pages it has.
    pub pages: u64,
    /// Style sheets, in their order: addresses, or `inline` with a number.
    pub styles: Vec<String>,
    /// Shared parts that stand before every page's own content.
    pub before: Vec<String>,
    /// Shared parts that stand after it.
    pub after: Vec<String>,
}

/// A part that several pages have alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedPart {
    /// The component's name.
    pub name: String,
    /// Its file, from the project's root.
    pub file: String,
    /// The structural hash of the subtree that it replaces.
    pub hash: String,
    /// How many pages have it.
    pub pages: u64,
    /// Its forms, if it has several: what its pages have alike but for the entry that is marked as the current one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
}

impl SharedPart {
    /// How it is used, by the hash of the subtree that it stands for.
    pub(crate) fn uses(&self) -> Vec<(String, Use)> {
        let of = |current: Option<&String>| {
            let given = current.map(|page| (CURRENT.to_owned(), page.clone())).into_iter().collect();
            Use { name: self.name.clone(), given }
        };
        if self.variants.is_empty() {
            return vec![(self.hash.clone(), of(None))];
        }
        self.variants.iter().map(|variant| (variant.hash.clone(), of(variant.current.as_ref()))).collect()
    }
}

/// A file of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its address in the snapshot.
    pub url: String,
    /// The address that it answers at in the project: path and, where versions differ, query.
    pub path: String,
    /// The file, from the project's root.
    pub file: String,
    /// Its bytes, as the site had them.
    pub body: ContentHash,
}

/// An address that leads to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The old address: path and query, percent-encoded.
    pub from: String,
    /// The configuration's matcher for it.
    pub matcher: Matcher,
    /// Where it leads: a path of the site or an absolute address.
    pub to: String,
    /// The status that the site itself answered with.
    pub status: u16,
    /// What leads it on.
    pub by: By,
}

/// What answers an address that is no page's or file's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// `next.config.ts`, which compares paths without regard to case and to a slash at the end.
    Configuration,
    /// `proxy.ts`, which compares them to the letter, and queries, too.
    Proxy,
    /// Next's own server, unasked: it merges slashes that stand together.
    Server,
}

/// An address that is answered by a route or file which stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// The address: path and query, percent-encoded.
    pub from: String,
    /// The configuration's matcher for it.
    pub matcher: Matcher,
    /// The path that answers.
    pub to: String,
    /// What leads it there.
    pub by: By,
}

/// How Next's configuration names an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The path pattern, percent-encoded, its pattern characters escaped.
    pub source: String,
    /// Query parameters that must be there: name to the regular expression of its value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
}

/// A form of the site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The page that it stands on.
    pub page: String,
    /// Where it sends to, absolute.
    pub action: String,
    /// `get`, `post` or `dialog`.
    pub method: String,
    /// The names of its controls, in document order.
    pub fields: Vec<String>,
}

/// Something that a person should know about the result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// A stable word for the kind of it.
    pub code: String,
    /// The address it is about.
    pub url: String,
    /// What it is, in a sentence.
    pub note: String,
}

impl Plan {
    /// Reads a stored plan: one of this version, or of an earlier one that says enough.
    ///
    /// # Errors
    /// [`Error::PlanVersion`] of any other version, [`Error::PlanText`] of what is no plan. Such a plan has to be made anew.
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        /// What every version has.
        #[derive(Deserialize)]
        struct Any {
            version: u32,
        }
        let Any { version } = serde_json::from_slice(text).map_err(Error::PlanText)?;
        if !(OLDEST..=VERSION).contains(&version) {
            return Err(Error::PlanVersion { found: version, oldest: OLDEST, newest: VERSION });
        }
        serde_json::from_slice(text).map_err(Error::PlanText)
    }

    /// Can this program write a project by it?
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (oldest, newest) = (OLDEST, VERSION);
        let known = (oldest..=newest).contains(&self.version);
        known.then_some(()).ok_or(Error::PlanVersion { found: self.version, oldest, newest })
    }

    /// The same plan for a project of that Next.js.
    #[must_use]
    pub fn on(mut self, next: Next) -> Self {
        self.next = next;
        if next == Next::Fourteen {
            // The page for what is not there is a whole document, and stands beside root layouts, not in one.
            self.groups.iter_mut().for_each(|group| group.aside(&mut self.routes));
        }
        self
    }

    /// The route of a page, by its address in the snapshot.
    pub fn route(&self, url: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.url == url)
    }
}

//! What a site is made of: facts of each page, taken from its parsed document, and of the site as a whole.
//!
//! Everything here computes and nothing fetches, but for [`shallow`]. The same pages give the same facts, byte
//! for byte; every list and text has its bound, so that a hostile page costs no more than a large one.
//!
//! Start at [`of_reading`], which tells what a finished crawl found; [`analyse`] does so for a page, [`SiteFold`] for
//! a site from its pages.

mod clip;
mod hash;
pub mod known;
mod page;
mod problem;
mod reading;
mod shallow;
mod site;
mod sizes;

pub use hash::Hash;
pub use page::{
    Accessibility, Alternate, Direction, Field, Form, Heading, Image, Landmark, Links, NavigationItem,
    PageAnalysis, PageInput, PageKind, Part, PartRole, Script, ScriptKind, StructuredData, Text, ThirdParty,
    analyse,
};
pub use problem::{Problem, ProblemCounts, Severity};
pub use reading::{Keeper, of_reading};
pub use shallow::{ShallowAnalysis, shallow};
pub use site::{
    Duplicates, Group, Locale, Locales, OtherHost, PageNumbers, Redirects, SharedPart, SiteAnalysis,
    SiteFold, SiteInput, SiteProblem, SizeBounds, SizeClass, Soft404s, Technology,
};

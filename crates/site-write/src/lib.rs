//! Plans and writes the Next.js project for a site that was read.
//!
//! Two pure functions over a stored snapshot: [`plan`] decides where everything goes, [`transform`] writes it.
//! Neither touches the network, the file system or a clock; the same snapshot gives the same bytes, whichever
//! machine and however often. The site is converted, not interpreted: its own elements, classes and style sheets are
//! kept, and what cannot be kept is named in the plan's findings.
//!
//! Start reading at [`plan::Plan`], then `dom` (what a page is), `page` (how it is taken apart), `jsx` (how it is printed)
//! and `project` (which files come out).

mod crawlers;
mod css;
mod dom;
mod error;
pub mod invariants;
mod jsx;
mod next;
mod page;
mod parallel;
pub mod plan;
mod project;
mod snapshot;

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
};

use bytes::Bytes;
use site_read::{ContentHash, Snapshot};

pub use dom::text::visible_text;
pub use error::Error;
pub use jsx::FLAGS;
pub use next::Next;
pub use page::handlers::is_event;
pub use plan::{Keeps, Plan};
pub use project::{Contents, Project};

/// What this crate's functions give back.
pub type Result<T> = std::result::Result<T, Error>;

/// The package file of every project.
pub const PACKAGE_JSON: &str = include_str!("../template/package.json");
/// Its lock file.
pub const PACKAGE_LOCK: &str = include_str!("../template/package-lock.json");
/// As much of the package file as a build needs, for who builds projects without looking through their code.
pub const BUILD_JSON: &str = include_str!("../template/build/package.json");
/// Its lock file; a test holds it against the whole one.
pub const BUILD_LOCK: &str = include_str!("../template/build/package-lock.json");

/// The script of a project that keeps the doctypes of old pages, from its root; a project without such pages has none. Node runs it
/// after `next build`, without arguments.
pub const OLD_DOCTYPES: &str = page::doctype::FILE;

/// The component of a project that shows images by `next/image`, from its root; a project without such images has none.
pub const IMAGE: &str = project::IMAGE_FILE;

/// The stored bodies of a snapshot, by their hash. Several threads ask at once.
pub trait Bodies: Sync {
    /// The bytes with this hash, if they are held.
    fn get(&self, hash: &ContentHash) -> Option<Bytes>;
}

impl Bodies for BTreeMap<ContentHash, Bytes> {
    fn get(&self, hash: &ContentHash) -> Option<Bytes> {
        self.get(hash).cloned()
    }
}

impl<S: std::hash::BuildHasher + Sync> Bodies for HashMap<ContentHash, Bytes, S> {
    fn get(&self, hash: &ContentHash) -> Option<Bytes> {
        self.get(hash).cloned()
    }
}

/// The bodies that [`plan`] and [`transform`] read; everything else is only named by its hash in the project.
pub fn needed(snapshot: &Snapshot) -> Vec<ContentHash> {
    snapshot::needed(snapshot)
}

/// The addresses of the images that a page shows, as the project has to name them; what is compared when a page is checked.
/// Nothing if `url` is none.
pub fn images(html: &str, url: &str) -> Vec<String> {
    url::Url::parse(url).map(|url| page::images(html, &url)).unwrap_or_default()
}

/// Decides the routes, layouts, shared parts, assets and redirects of the project.
pub fn plan(snapshot: &Snapshot, bodies: &dyn Bodies) -> Result<Plan> {
    plan::build::plan(snapshot, bodies)
}

/// Writes the project that the plan describes.
pub fn transform(plan: &Plan, snapshot: &Snapshot, bodies: &dyn Bodies) -> Result<Project> {
    transform_on(parallel::processors(), plan, snapshot, bodies)
}

/// The same on so many threads: whatever their number, the same bytes.
pub fn transform_on(
    threads: NonZeroUsize,
    plan: &Plan,
    snapshot: &Snapshot,
    bodies: &dyn Bodies,
) -> Result<Project> {
    let site = snapshot::Site::read(threads, snapshot, bodies, &plan.keeps())?;
    project::write(threads, plan, site, snapshot, bodies)
}

/// The same plan, of which some pages keep more of what the site had; what no page uses any more is not in it.
///
/// # Errors
/// [`Error::PlanMismatch`] if a page is named that the plan does not have.
pub fn keeping(plan: &Plan, keeps: &Keeps, snapshot: &Snapshot, bodies: &dyn Bodies) -> Result<Plan> {
    let plan = plan::keeps::keeping(plan, keeps)?;
    let site = snapshot::Site::read(parallel::processors(), snapshot, bodies, &plan.keeps())?;
    Ok(plan::keeps::settled(plan, site))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn packages(lock: &str) -> serde_json::Map<String, Value> {
        let mut lock: Value = serde_json::from_str(lock).expect("a lock file is JSON");
        match lock["packages"].take() {
            Value::Object(packages) => packages,
            other => panic!("packages: {other}"),
        }
    }

    #[test]
    fn a_build_has_the_very_packages_that_the_project_names() {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("a package file is JSON");
        for next in [Next::Sixteen, Next::Fourteen] {
            let ((package, lock), (build, build_lock)) = (next.packages(), next.build_packages());
            let whole = packages(lock);
            for (name, package) in packages(build_lock).into_iter().filter(|(name, _)| !name.is_empty()) {
                assert_eq!(whole[&name]["integrity"], package["integrity"], "{next:?}: {name}");
            }
            assert_eq!(json(build)["dependencies"], json(package)["dependencies"], "{next:?}");
        }
    }
}

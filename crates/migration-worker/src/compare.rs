//! What builds written projects and compares them with their sites in a browser, where the machine can confine both. That it
//! cannot is said aloud: a finding of each project, or a worker that does not start where comparing is demanded.

use serde::Deserialize;
use site_check::{Bounds, Comparer, Toolchain, Workshop, compare};
use site_read::render::{Cells, Unavailable};
use std::path::PathBuf;
use tokio::sync::OnceCell;

/// The widths at which both sides of each page are kept as pictures, for its owner to see: a desk's and a phone's.
const PICTURED: [u32; 2] = [1280, 390];

/// The share of the memory there is that a build may use: so many parts of so many.
const OF_A_BUILD: (u64, u64) = (3, 4);

/// Whether projects are built and compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// They are not.
    Never,
    /// Where Node, Chromium and their confinement are; elsewhere it is a finding that they were not.
    #[default]
    Auto,
    /// A worker that cannot do it does not start.
    Always,
}

/// How projects are compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Whether.
    pub when: When,
    /// Pages of a project that are shown in the browser, one of each layout first.
    pub pages: usize,
    /// Browsers at work at once for one project.
    pub browsers: usize,
    /// The Chromium; without it the usual places are looked at.
    pub chromium: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        let compare::Options { pages, .. } = compare::Options::default();
        // A worker has other jobs beside this one.
        Self { when: When::default(), pages, browsers: 1, chromium: None }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=1000).contains(&self.pages) {
            return Err("compare.pages has to be between 1 and 1000".into());
        }
        if !(1..=compare::MOST_BROWSERS).contains(&self.browsers) {
            return Err(format!("compare.browsers has to be between 1 and {}", compare::MOST_BROWSERS));
        }
        Ok(())
    }

    fn comparer(&self) -> Result<Comparer, Unavailable> {
        let pictures = PICTURED.to_vec();
        let (pages, browsers) = (self.pages, self.browsers);
        let mut options = compare::Options { pages, pictures, browsers, ..compare::Options::default() };
        options.browser.chromium.clone_from(&self.chromium);
        Comparer::open(options)
    }
}

/// What builds and what compares.
pub(crate) struct Tools {
    pub(crate) workshop: Workshop,
    pub(crate) comparer: Comparer,
}

/// Prepares them when they are first needed.
pub(crate) struct Inspector {
    options: Options,
    bounds: Bounds,
    tools: OnceCell<Tools>,
}

impl Inspector {
    /// Refuses what is demanded and cannot be had. A build gets no more than its share of `memory`, the bytes that this process and
    /// what it starts may use, where there is a limit: what exceeds that takes the worker down with it.
    pub(crate) fn new(options: Options, memory: Option<u64>) -> Result<Self, Unavailable> {
        if options.when == When::Always {
            Cells::find()?.try_out()?;
            options.comparer()?;
        }
        let most = Bounds::default().memory;
        let memory = memory.map_or(most, |limit| most.min(limit / OF_A_BUILD.1 * OF_A_BUILD.0));
        Ok(Self { options, bounds: Bounds { memory, ..Bounds::default() }, tools: OnceCell::new() })
    }

    pub(crate) fn when(&self) -> When {
        self.options.when
    }

    /// Why there are none is for the log.
    pub(crate) async fn tools(&self, toolchain: &Toolchain) -> Result<&Tools, Unavailable> {
        let prepare = || async {
            let workshop = Workshop::open(toolchain.clone(), self.bounds.clone())?;
            Ok(Tools { workshop, comparer: self.options.comparer()? })
        };
        self.tools.get_or_try_init(prepare).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_demanded_and_missing_is_refused_at_the_start() {
        let nowhere = || Some(PathBuf::from("/nowhere/chromium"));
        let options = |when| Options { when, chromium: nowhere(), ..Options::default() };
        assert!(matches!(Inspector::new(options(When::Always), None), Err(Unavailable::NoChromium)));
        for when in [When::Auto, When::Never] {
            assert!(Inspector::new(options(when), None).is_ok(), "{when:?}");
        }
        let bad = |options: Options| options.check().expect_err("out of its bounds");
        assert!(bad(Options { pages: 0, ..Options::default() }).contains("compare.pages"));
        for browsers in [0, 9] {
            assert!(bad(Options { browsers, ..Options::default() }).contains("compare.browsers"));
        }
    }

    #[test]
    fn a_build_leaves_the_worker_a_quarter_of_the_memory() {
        let of_a_build = |memory| {
            let inspector = Inspector::new(Options::default(), memory).expect("nothing is demanded");
            inspector.bounds.memory
        };
        assert_eq!(of_a_build(Some(4 << 30)), 3 << 30);
        for plenty in [None, Some(64 << 30)] {
            assert_eq!(of_a_build(plenty), Bounds::default().memory);
        }
    }
}

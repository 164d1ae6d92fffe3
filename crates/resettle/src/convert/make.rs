//! A snapshot becomes a project: planned, written and checked by the engine, and put on disk.

use bytes::Bytes;
use clap::ValueEnum;
use futures::{StreamExt, TryStreamExt, stream};
use site_check::{lint, project};
use site_read::{Archive, ContentHash, FolderArchive, Snapshot};
use site_write::{Contents, Keeps, Next, Plan, Project};
use std::{collections::HashMap, io, path::Path, sync::Arc};

/// The most bytes of pages and style sheets that are held in memory.
const MOST_TEXT: u64 = 1024 * 1024 * 1024;
/// Files that are read or written at once.
const AT_ONCE: usize = 8;

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("its pages and style sheets are larger than {MOST_TEXT} bytes together, which is the limit")]
    TooLarge,
    #[error("none of its addresses answered with a page")]
    NoPages,
    #[error("the project could not be written: a fault of ours")]
    Writing(#[source] site_write::Error),
    #[error("the project names a file outside itself, {path:?}: a fault of ours")]
    Outside { path: String },
    #[error("the project could not be measured")]
    Measuring(#[source] site_check::Error),
    #[error("the engine panicked: a fault of ours")]
    Panicked(#[from] tokio::task::JoinError),
    #[error("{doing} failed")]
    Io {
        doing: &'static str,
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// A stable word for it.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "TOO_LARGE",
            Self::NoPages => "NO_PAGES",
            Self::Writing(_)
            | Self::Outside { .. }
            | Self::Measuring(_)
            | Self::Panicked(_)
            | Self::Io { .. } => "INTERNAL",
        }
    }
}

/// Which Next.js a project is written for, as it is said at a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Major {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "14")]
    Fourteen,
}

impl From<Major> for Next {
    fn from(major: Major) -> Self {
        match major {
            Major::Sixteen => Self::Sixteen,
            Major::Fourteen => Self::Fourteen,
        }
    }
}

/// What the engine works from.
pub(super) struct Sources {
    pub(super) snapshot: Snapshot,
    pub(super) texts: HashMap<ContentHash, Bytes>,
}

impl Sources {
    /// Reads what the engine will ask for.
    pub(super) async fn load(snapshot: Snapshot, archive: &FolderArchive) -> Result<Self, Error> {
        let loading = site_write::needed(&snapshot)
            .into_iter()
            .map(|hash| async move { archive.get(&hash).await.map(|body| (hash, body)) });
        let mut arriving = stream::iter(loading).buffer_unordered(AT_ONCE);
        let (mut texts, mut bytes) = (HashMap::new(), 0);
        while let Some((hash, body)) = arriving
            .try_next()
            .await
            .map_err(|source| Error::Io { doing: "reading what was stored", source })?
        {
            bytes += body.len() as u64;
            if bytes > MOST_TEXT {
                return Err(Error::TooLarge);
            }
            texts.insert(hash, body);
        }
        drop(arriving);
        Ok(Self { snapshot, texts })
    }
}

/// A project with what was found out about it.
pub(super) struct Made {
    pub(super) sources: Arc<Sources>,
    pub(super) plan: Plan,
    pub(super) project: Project,
    pub(super) lint: lint::Report,
    pub(super) checks: site_check::Report,
}

/// Plans, writes and checks. The same sources give the same project.
pub(super) async fn make(sources: Sources, next: Next) -> Result<Made, Error> {
    let planning = move |Sources { snapshot, texts }: &Sources| {
        site_write::plan(snapshot, texts).map(|plan| plan.on(next))
    };
    made(Arc::new(sources), planning).await
}

/// Writes and checks a plan that somebody has.
async fn made(
    sources: Arc<Sources>,
    plan: impl FnOnce(&Sources) -> site_write::Result<Plan> + Send + 'static,
) -> Result<Made, Error> {
    // Work for a processor, not for the runtime's own threads.
    let made = tokio::task::spawn_blocking(move || {
        let plan = plan(&sources)?;
        let Sources { snapshot, texts } = &*sources;
        let project = project::write(&plan, snapshot, texts)?;
        let lint = project::look_through(&project);
        let checks = site_check::verify(&plan, snapshot, texts, &project);
        Ok(Made { plan, project, lint, checks, sources })
    });
    made.await?.map_err(|error| match error {
        site_write::Error::NoPages => Error::NoPages,
        error => Error::Writing(error),
    })
}

impl Made {
    /// The same site by this plan, of which some pages keep more of what it had.
    pub(super) async fn keeping(&self, plan: &Plan, keeps: &Keeps) -> Result<Self, Error> {
        let (plan, keeps) = (plan.clone(), keeps.clone());
        let keeping =
            move |Sources { snapshot, texts }: &Sources| site_write::keeping(&plan, &keeps, snapshot, texts);
        made(Arc::clone(&self.sources), keeping).await
    }

    /// The same site by a plan that was made of this one's.
    pub(super) async fn by(self, plan: Plan) -> Result<Self, Error> {
        if plan == self.plan { Ok(self) } else { made(self.sources, |_| Ok(plan)).await }
    }

    /// Did it pass what needs neither build nor browser?
    pub(super) fn is_sound(&self) -> bool {
        self.lint.passed && self.checks.passed()
    }

    /// Puts every file of it into `folder`.
    pub(super) async fn put(&self, folder: &Path, archive: &FolderArchive) -> Result<(), Error> {
        put(&self.project, folder, archive).await
    }
}

/// Puts every file of a project into `folder`.
pub(super) async fn put(project: &Project, folder: &Path, archive: &FolderArchive) -> Result<(), Error> {
    // Collected, so that this future's type names no closure over borrowed pairs, which no caller could send.
    let putting: Vec<_> = project
        .files
        .iter()
        .map(|(path, contents)| async move {
            let target = project::place(folder, path).ok_or_else(|| Error::Outside { path: path.clone() })?;
            let written = match contents {
                Contents::Text(text) => project::put(&target, text.as_bytes()).await,
                Contents::Stored(hash) => match archive.get(hash).await {
                    Ok(body) => project::put(&target, &body).await,
                    Err(error) => Err(error),
                },
            };
            written.map_err(|source| Error::Io { doing: "writing the project", source })
        })
        .collect();
    stream::iter(putting).buffer_unordered(AT_ONCE).try_collect().await
}

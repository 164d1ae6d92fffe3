//! What the phases hand on to each other: read from the object store by the keys that phase results name, once
//! per attempt. Nothing passes from phase to phase by any other way, so it does not matter who ran the last one.

use crate::{
    cpu::Cpu,
    failure,
    objects::{self, Bodies, Objects},
};
use bytes::Bytes;
use domain::Failure;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use site_read::{ContentHash, Snapshot};
use site_write::{Contents, Plan, Project};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio::sync::OnceCell;

/// Objects read or written at once.
pub(crate) const AT_ONCE: usize = 8;

/// The bodies that planning, writing and checking read.
pub(crate) type Texts = Arc<HashMap<ContentHash, Bytes>>;

/// One attempt's view of what earlier phases left.
pub(crate) struct Materials {
    pub(crate) objects: Objects,
    pub(crate) bodies: Bodies,
    pub(crate) cpu: Cpu,
    max_text_bytes: u64,
    snapshot: OnceCell<Arc<Snapshot>>,
    texts: OnceCell<Texts>,
    plan: OnceCell<Arc<Plan>>,
    files: OnceCell<Arc<Files>>,
}

/// TRANSFORM's list of files: what DEPLOY packs and VERIFY checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    /// Each file's content, by its path.
    pub(crate) files: BTreeMap<String, FileBody>,
}

/// One file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileBody {
    /// The stored body.
    pub(crate) hash: ContentHash,
    /// Was it written by TRANSFORM, or taken over as it was read?
    pub(crate) written: bool,
}

impl Materials {
    pub(crate) fn new(objects: Objects, bodies: Bodies, cpu: Cpu, max_text_bytes: u64) -> Self {
        Self {
            objects,
            bodies,
            cpu,
            max_text_bytes,
            snapshot: OnceCell::new(),
            texts: OnceCell::new(),
            plan: OnceCell::new(),
            files: OnceCell::new(),
        }
    }

    pub(crate) async fn snapshot(&self, key: &str) -> Result<Arc<Snapshot>, Failure> {
        let load = || async { Ok(Arc::new(self.objects.get_json(key).await?)) };
        self.snapshot.get_or_try_init(load).await.cloned()
    }

    /// The plan; one that another release made in a form that this one does not read is made anew, which a stored snapshot
    /// allows at any time, and keeps what its owner called things.
    pub(crate) async fn plan(&self, key: &str, snapshot: &Arc<Snapshot>) -> Result<Arc<Plan>, Failure> {
        let load = || async {
            let text = self.objects.get(key).await?;
            let error = match Plan::read(&text) {
                Ok(plan) => return Ok(Arc::new(plan)),
                Err(error) => error,
            };
            tracing::warn!(error = %service_kit::exit::chain(&error), key, "the stored plan is made anew");
            let texts = self.texts(snapshot).await?;
            let snapshot = Arc::clone(snapshot);
            let made = self.cpu.run(move || site_write::plan(&snapshot, &*texts)).await?;
            Ok(Arc::new(made.map_err(|error| failure::of_writing(&error))?.named_as(&text)))
        };
        self.plan.get_or_try_init(load).await.cloned()
    }

    pub(crate) async fn files(&self, key: &str) -> Result<Arc<Files>, Failure> {
        let load = || async { Ok(Arc::new(self.objects.get_json(key).await?)) };
        self.files.get_or_try_init(load).await.cloned()
    }

    /// Every body that the offline engine reads, in memory, within the bound.
    pub(crate) async fn texts(&self, snapshot: &Snapshot) -> Result<Texts, Failure> {
        let load = || async {
            let loaded = self.load(site_write::needed(snapshot), self.max_text_bytes).await?;
            Ok(Arc::new(loaded))
        };
        self.texts.get_or_try_init(load).await.cloned()
    }

    async fn load(
        &self,
        hashes: Vec<ContentHash>,
        most: u64,
    ) -> Result<HashMap<ContentHash, Bytes>, Failure> {
        let loading = hashes.into_iter().map(|hash| async move {
            let body = self.bodies.load(&hash).await?;
            Ok::<_, objects::Error>((hash, body))
        });
        let mut arriving = stream::iter(loading).buffer_unordered(AT_ONCE);
        let (mut loaded, mut bytes) = (HashMap::new(), 0);
        while let Some((hash, body)) = arriving.try_next().await? {
            bytes += body.len() as u64;
            if bytes > most {
                return Err(failure::too_large(most));
            }
            loaded.insert(hash, body);
        }
        Ok(loaded)
    }

    /// The project as TRANSFORM wrote it: its own files as text, all else by hash.
    pub(crate) async fn project(&self, files: &Files) -> Result<Project, Failure> {
        let written: Vec<_> =
            files.files.values().filter(|file| file.written).map(|f| f.hash.clone()).collect();
        let texts = self.load(written, self.max_text_bytes).await?;
        let mut project = Project { files: BTreeMap::new() };
        for (path, file) in &files.files {
            let contents = match texts.get(&file.hash).filter(|_| file.written) {
                Some(text) => Contents::Text(String::from_utf8_lossy(text).into_owned()),
                None => Contents::Stored(file.hash.clone()),
            };
            project.files.insert(path.clone(), contents);
        }
        Ok(project)
    }
}

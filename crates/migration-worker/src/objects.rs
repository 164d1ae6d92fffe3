//! Objects outside Postgres: bodies by their content, documents and artefacts by what they are for.
//!
//! Every write is idempotent (law 4): a body's key is its hash, any other key is made of tenant, migration, run
//! and purpose, never of an attempt, and the same work writes the same bytes.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Failure, TenantId};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, buffered::BufWriter, path::Path as Key};
use serde::{Serialize, de::DeserializeOwned};
use site_read::{Archive, ContentHash};
use std::{io, path::Path, sync::Arc};
use tokio::io::AsyncWriteExt;

/// Why an object could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The store refused, or is away.
    #[error("the object {key} could not be {doing}")]
    Store {
        /// Which object.
        key: String,
        /// `read` or `written`.
        doing: &'static str,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// A file on its way to the store, or a stream of it, broke.
    #[error("the object {key} could not be transferred")]
    Transfer {
        /// Which object.
        key: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A document that this program cannot read.
    #[error("the object {key} is not what it should be")]
    Unreadable {
        /// Which object.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        tracing::warn!(error = %service_kit::exit::chain(&error), "an object could not be used");
        match error {
            Error::Unreadable { .. } => Self::may_pass(
                "internal",
                "A stored intermediate result cannot be read. Start a new run of this migration.",
            )
            .for_good(),
            _ => Self::may_pass(
                "storage_unavailable",
                "The storage for bodies and results could not be used. If this stays, its operator has to look.",
            ),
        }
    }
}

/// A handle on the store; cheap to clone.
#[derive(Clone)]
pub(crate) struct Objects(Arc<dyn ObjectStore>);

impl Objects {
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    pub(crate) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        let written = self.0.put(&Key::from(key), PutPayload::from_bytes(bytes)).await;
        written.map(drop).map_err(|source| Error::Store { key: key.to_owned(), doing: "written", source })
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Bytes, Error> {
        let failed = |source| Error::Store { key: key.to_owned(), doing: "read", source };
        self.0.get(&Key::from(key)).await.map_err(failed)?.bytes().await.map_err(failed)
    }

    async fn has(&self, key: &str) -> Result<bool, Error> {
        match self.0.head(&Key::from(key)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(Error::Store { key: key.to_owned(), doing: "read", source }),
        }
    }

    /// Writes a document; answers its bytes' hash.
    pub(crate) async fn put_json<T: Serialize>(&self, key: &str, document: &T) -> Result<ContentHash, Error> {
        let unreadable = |source| Error::Unreadable { key: key.to_owned(), source };
        let bytes = Bytes::from(serde_json::to_vec(document).map_err(unreadable)?);
        let hash = ContentHash::of(&bytes);
        self.put(key, bytes).await?;
        Ok(hash)
    }

    pub(crate) async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        let bytes = self.get(key).await?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Unreadable { key: key.to_owned(), source })
    }

    /// Streams a file into the store: it may be larger than memory.
    pub(crate) async fn put_file(&self, key: &str, file: &Path) -> Result<(), Error> {
        let failed = |source| Error::Transfer { key: key.to_owned(), source };
        let mut from = tokio::fs::File::open(file).await.map_err(failed)?;
        let mut into = BufWriter::new(Arc::clone(&self.0), Key::from(key));
        tokio::io::copy(&mut from, &mut into).await.map_err(failed)?;
        // Only the shutdown makes the object appear, whole.
        into.shutdown().await.map_err(failed)
    }

    /// The bodies of a tenant.
    pub(crate) fn bodies_of(&self, tenant: TenantId) -> Bodies {
        Bodies { objects: self.clone(), tenant }
    }
}

/// One tenant's bodies, by their content.
#[derive(Clone)]
pub(crate) struct Bodies {
    objects: Objects,
    tenant: TenantId,
}

impl Bodies {
    fn key(&self, hash: &ContentHash) -> String {
        format!("tenants/{}/bodies/{hash}", self.tenant)
    }

    /// Keeps the bytes, if they are not kept already.
    pub(crate) async fn keep(&self, bytes: Bytes) -> Result<ContentHash, Error> {
        let hash = ContentHash::of(&bytes);
        let key = self.key(&hash);
        if !self.objects.has(&key).await? {
            self.objects.put(&key, bytes).await?;
        }
        Ok(hash)
    }

    pub(crate) async fn load(&self, hash: &ContentHash) -> Result<Bytes, Error> {
        self.objects.get(&self.key(hash)).await
    }
}

#[async_trait]
impl Archive for Bodies {
    async fn put(&self, bytes: Bytes) -> io::Result<ContentHash> {
        self.keep(bytes).await.map_err(io::Error::other)
    }

    async fn get(&self, hash: &ContentHash) -> io::Result<Bytes> {
        self.load(hash).await.map_err(|error| match &error {
            Error::Store { source: object_store::Error::NotFound { .. }, .. } => {
                io::Error::new(io::ErrorKind::NotFound, error)
            }
            _ => io::Error::other(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn open() -> (tempfile::TempDir, Objects) {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let url = format!("file://{}", folder.path().display());
        let options = service_kit::objects::Options { url, ..Default::default() };
        let objects = Objects::new(options.open().expect("opens"));
        (folder, objects)
    }

    #[tokio::test]
    async fn a_body_is_kept_once_under_its_hash() {
        let (_folder, objects) = open();
        let bodies = objects.bodies_of(TenantId(Uuid::now_v7()));
        let first = Archive::put(&bodies, Bytes::from_static(b"hello")).await.expect("kept");
        let again = Archive::put(&bodies, Bytes::from_static(b"hello")).await.expect("kept");
        assert_eq!(first, again);
        assert_eq!(Archive::get(&bodies, &first).await.expect("there"), Bytes::from_static(b"hello"));
        let missing = Archive::get(&bodies, &ContentHash::of(b"other")).await.expect_err("not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let stranger = objects.bodies_of(TenantId(Uuid::now_v7()));
        assert!(Archive::get(&stranger, &first).await.is_err(), "a tenant has its own bodies");
    }

    #[tokio::test]
    async fn a_document_reads_back_and_nonsense_is_refused() {
        let (_folder, objects) = open();
        objects.put_json("a/b.json", &vec![1, 2]).await.expect("written");
        assert_eq!(objects.get_json::<Vec<i32>>("a/b.json").await.expect("read"), [1, 2]);
        let wrong = objects.get_json::<String>("a/b.json").await.expect_err("not a string");
        assert!(matches!(wrong, Error::Unreadable { .. }));
    }

    #[tokio::test]
    async fn a_file_larger_than_one_part_arrives_whole() {
        let (folder, objects) = open();
        let bytes: Vec<u8> = (0..11_000_000u32).map(|n| n as u8).collect();
        let file = folder.path().join("source");
        std::fs::write(&file, &bytes).expect("written");
        objects.put_file("artifact.zip", &file).await.expect("stored");
        assert_eq!(objects.get("artifact.zip").await.expect("there"), bytes);
    }
}

//! Where bodies, documents and artefacts are kept: a folder or an S3 bucket, opened the same way by every service.
//!
//! Opens and nothing else: which keys there are is the services' business.

use crate::Secret;
use object_store::{
    ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem, path::Path as Key, prefix::PrefixStore,
};
use serde::Deserialize;
use std::{io, path::PathBuf, sync::Arc};
use url::Url;

/// Where objects are kept.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// `file:///folder` or `s3://bucket/prefix`.
    pub url: String,
    /// The S3 server, if it is not Amazon's.
    pub endpoint: Option<String>,
    /// The S3 region.
    pub region: Option<String>,
    /// The S3 access key; without one, the machine's own credentials are looked for.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Secret,
    /// May the endpoint be plain http? For a server on the same machine or network.
    pub allow_http: bool,
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL names no place that objects can be kept at.
    #[error("objects.url has to be file:///folder or s3://bucket/prefix")]
    Url,
    /// The folder cannot be made.
    #[error("the folder for objects cannot be made")]
    Folder(#[source] io::Error),
    /// The store cannot be set up.
    #[error("the object store cannot be set up")]
    SetUp(#[source] object_store::Error),
}

enum Place {
    Folder(PathBuf),
    Bucket(Url),
}

impl Options {
    /// Does the URL name a place? Opens nothing.
    pub fn check(&self) -> Result<(), String> {
        self.place().map(drop).map_err(|error| error.to_string())
    }

    /// Opens the store; a folder is made if it is not there.
    pub fn open(&self) -> Result<Arc<dyn ObjectStore>, Error> {
        match self.place()? {
            Place::Folder(folder) => {
                std::fs::create_dir_all(&folder).map_err(Error::Folder)?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(Error::SetUp)?;
                // What Postgres is told to be there has to survive a power cut, as Postgres does.
                Ok(Arc::new(store.with_fsync(true)))
            }
            Place::Bucket(url) => self.bucket(&url),
        }
    }

    fn place(&self) -> Result<Place, Error> {
        let url = Url::parse(&self.url).map_err(|_| Error::Url)?;
        match url.scheme() {
            "file" => url.to_file_path().map(Place::Folder).map_err(|()| Error::Url),
            "s3" if url.host_str().is_some() => Ok(Place::Bucket(url)),
            _ => Err(Error::Url),
        }
    }

    fn bucket(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, Error> {
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(url.host_str().unwrap_or_default())
            .with_allow_http(self.allow_http);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(id) = &self.access_key_id {
            builder = builder.with_access_key_id(id).with_secret_access_key(self.secret_access_key.expose());
        }
        let store = builder.build().map_err(Error::SetUp)?;
        Ok(Arc::new(PrefixStore::new(store, Key::from(url.path().trim_matches('/')))))
    }
}

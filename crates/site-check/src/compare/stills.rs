//! What the pages of a served project look like, with no site to hold them against: tells whether a change of the project
//! moves anything that is seen.

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use site_read::{MemoryArchive, Snapshot};
use url::Url;

use super::{
    Comparer,
    copy::Copy,
    original::Original,
    pixels,
    stage::{Side, Stage},
};
use crate::{Error, Result, Server};

/// Where the browser has the project; only its server answers there, and nothing anywhere else.
const HOME: &str = "http://localhost/";

/// Pictures of pages, one per width of the comparer that pictures are taken at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stills(BTreeMap<String, BTreeMap<u32, Bytes>>);

impl Stills {
    /// The paths that look otherwise in the other, or are not in it: in size, or in one pixel whose difference can be seen.
    pub fn moved<'a>(&'a self, other: &Self) -> Vec<&'a str> {
        let alike = |path: &String, mine: &BTreeMap<u32, Bytes>| {
            let other = other.0.get(path).filter(|other| other.len() == mine.len());
            other.is_some_and(|other| mine.values().zip(other.values()).all(|(a, b)| pixels::same(a, b)))
        };
        self.0.iter().filter(|(path, mine)| !alike(path, mine)).map(|(path, _)| path.as_str()).collect()
    }

    /// Only these paths.
    pub fn only(mut self, paths: &[String]) -> Self {
        self.0.retain(|path, _| paths.contains(path));
        self
    }
}

impl Comparer {
    /// Shows these paths of a served project, at those widths that pictures are taken at. An error means that one of them
    /// cannot be shown, or the browser not be started.
    pub async fn stills(&self, server: &Server, paths: &[String]) -> Result<Stills> {
        let home = Url::parse(HOME).expect("a constant address");
        let (nothing, archive) = (Snapshot::empty(home.clone(), home), MemoryArchive::new());
        let elsewhere = Original::of(&nothing, &archive);
        let project = Copy::of(server.socket(), &nothing.home, &elsewhere);
        let mut stage = Stage::start(&self.programs, &self.options).await.map_err(Error::Browser)?;
        let mut stills = Stills::default();
        for path in paths {
            let address =
                project.address(path).map_err(|_| Error::Asking(io::ErrorKind::InvalidInput.into()))?;
            let look = stage.look(&Side::Copy(&project), &address).await.map_err(Error::Browser)?;
            stills.0.insert(path.clone(), look.pictures);
        }
        stage.end().await;
        Ok(stills)
    }
}

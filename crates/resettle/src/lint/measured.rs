//! Mendings that are measured: the project is built as it is and as it would be, each time in a copy of its own and in a
//! cell, and its pages are shown in a browser. A mending after which it does not build, or which moves what is seen, is
//! taken back; of several, halves are tried until it is known which.
//!
//! Writes nothing into the project. What changes by itself between two looks is no evidence, and is told.

use super::tree;
use crate::tools::Tools;
use serde_json::Value;
use service_kit::exit::chain;
use site_check::{
    Server,
    compare::{self, Stills},
    lint::{self, Applied, Fixed, Options},
};
use site_write::Next;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};
use tempfile::TempDir;

/// The most builds until it is known what moves, that of the project as it is included; what is not decided by then is taken
/// back. One more looks at what is left together.
const MOST_BUILDS: usize = 12;
/// The most pages that are looked at, in the order of their paths.
const MOST_PAGES: usize = 24;
/// The widths in CSS pixels that they are looked at: a desk and a hand.
const WIDTHS: [u32; 2] = [1280, 390];

/// What may be written.
pub(super) struct Settled {
    pub(super) fixed: Fixed,
    /// Mendings that moved something.
    pub(super) taken_back: Vec<Applied>,
    /// Pages that were looked at and say nothing, since they change by themselves.
    pub(super) unsteady: Vec<String>,
}

/// A project's own files, and how they are mended.
#[derive(Clone, Copy)]
pub(super) struct Project<'a> {
    pub(super) folder: &'a Path,
    pub(super) files: &'a BTreeMap<String, String>,
    pub(super) options: &'a Options,
}

impl Project<'_> {
    /// Mends what `wanted` says.
    pub(super) fn mended(&self, wanted: &mut dyn FnMut(&Applied) -> bool) -> Fixed {
        let files = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        lint::fix(files, self.options, wanted)
    }

    /// The version of Next.js that it asks for, where that is one that can be built here.
    fn next(&self) -> Result<Next, String> {
        let text = fs::read_to_string(self.folder.join("package.json"));
        let package: Option<Value> = text.ok().and_then(|text| serde_json::from_str(&text).ok());
        let asked = package.as_ref().and_then(|package| package["dependencies"]["next"].as_str());
        let major = asked.map(|asked| asked.trim_start_matches(['^', '~', '=', 'v']));
        match major.and_then(|version| version.split('.').next()) {
            Some("16") => Ok(Next::Sixteen),
            Some("14") => Ok(Next::Fourteen),
            _ => Err("its package.json asks for no Next.js 14 or 16".to_owned()),
        }
    }
}

/// Keeps of these mendings what moves nothing; why nothing could be measured, otherwise.
pub(super) async fn settle(
    project: Project<'_>,
    all: Fixed,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Settled, String> {
    let next = project.next()?;
    let options = compare::Options { widths: WIDTHS.to_vec(), ..compare::Options::default() };
    let tools = Tools::find(options, next).await?;
    tell("building the project as it is");
    let before = Before::of(&tools, &project).await?;
    let mut trial = Trial { tools: &tools, project, before: &before, builds: 1, tell };
    let moving = trial.moving(&all.applied).await?;
    let fixed = project.mended(&mut |one| wanted(&all.applied, one) && !moving.contains(&one.id));
    let taken_back = all.applied.into_iter().filter(|one| moving.contains(&one.id)).collect();
    Ok(Settled { fixed, taken_back, unsteady: before.unsteady })
}

/// Only what was found on the whole project is known, and was measured with it.
fn wanted(known: &[Applied], one: &Applied) -> bool {
    known.iter().any(|known| known.id == one.id)
}

/// The project as it is.
struct Before {
    paths: Vec<String>,
    stills: Stills,
    unsteady: Vec<String>,
}

impl Before {
    async fn of(tools: &Tools, project: &Project<'_>) -> Result<Self, String> {
        let built = Built::of(tools, project, &BTreeMap::new()).await?;
        let built = built.map_err(|said| format!("the project does not build as it is: {said}"))?;
        let paths = built.paths()?;
        let (once, again) = (built.stills(tools, &paths).await?, built.stills(tools, &paths).await?);
        built.server.end().await;
        let unsteady: Vec<String> = once.moved(&again).into_iter().map(str::to_owned).collect();
        let paths: Vec<String> = paths.into_iter().filter(|path| !unsteady.contains(path)).collect();
        if paths.is_empty() {
            return Err("it has no page that stays as it is and is the same for every visitor".to_owned());
        }
        Ok(Self { stills: once.only(&paths), paths, unsteady })
    }
}

struct Trial<'a> {
    tools: &'a Tools,
    project: Project<'a>,
    before: &'a Before,
    builds: usize,
    tell: &'a (dyn Fn(&str) + Sync),
}

impl Trial<'_> {
    /// The ids of those that move something; where only several together do, of all of them.
    async fn moving(&mut self, all: &[Applied]) -> Result<BTreeSet<String>, String> {
        let (mut moving, mut innocent) = (BTreeSet::new(), Vec::new());
        let mut open = vec![(all.to_vec(), self.moves(all).await?)];
        while let Some((group, moves)) = open.pop() {
            if !moves {
                innocent.push(group);
                continue;
            }
            if group.len() == 1 || self.builds >= MOST_BUILDS {
                moving.extend(group.into_iter().map(|one| one.id));
                continue;
            }
            let (some, others) = group.split_at(group.len().div_ceil(2));
            let of_others = self.moves(others).await?;
            // If the others move nothing, it is these: beside them, at least.
            let of_some =
                if !of_others || self.builds >= MOST_BUILDS { true } else { self.moves(some).await? };
            open.extend([(some.to_vec(), of_some), (others.to_vec(), of_others)]);
        }
        // Each part may be innocent by itself, and not beside the others.
        let left: Vec<Applied> = all.iter().filter(|one| !moving.contains(&one.id)).cloned().collect();
        if !left.is_empty() && !innocent.contains(&left) && self.moves(&left).await? {
            moving.extend(left.into_iter().map(|one| one.id));
        }
        Ok(moving)
    }

    async fn moves(&mut self, group: &[Applied]) -> Result<bool, String> {
        self.builds += 1;
        let count = group.len();
        (self.tell)(&format!("building it with {count} {} mended", super::human::things(count, "place")));
        let mended = self.project.mended(&mut |one| wanted(group, one));
        let Ok(built) = Built::of(self.tools, &self.project, &mended.files).await? else { return Ok(true) };
        let stills = built.stills(self.tools, &self.before.paths).await?;
        built.server.end().await;
        Ok(!self.before.stills.moved(&stills).is_empty())
    }
}

/// A copy of the project, built and served.
struct Built {
    scratch: TempDir,
    server: Server,
}

impl Built {
    /// With these files in place of its own; what the build said if it failed.
    async fn of(
        tools: &Tools,
        project: &Project<'_>,
        changed: &BTreeMap<String, String>,
    ) -> Result<Result<Self, String>, String> {
        let failed = |error: io::Error| format!("a copy of the project cannot be made: {error}");
        let scratch = tempfile::Builder::new().prefix("resettle-lint-").tempdir().map_err(failed)?;
        tree::copy(project.folder, scratch.path()).map_err(failed)?;
        for (path, text) in changed {
            fs::write(scratch.path().join(path), text).map_err(failed)?;
        }
        let built = tools.workshop.build(scratch.path()).await.map_err(|error| chain(&error))?;
        if !built.succeeded {
            return Ok(Err(built.said));
        }
        let server = tools.workshop.serve(scratch.path()).await.map_err(|error| chain(&error))?;
        Ok(Ok(Self { scratch, server }))
    }

    /// The paths of its pages that are known without a visitor, as the build wrote them down.
    fn paths(&self) -> Result<Vec<String>, String> {
        let text = fs::read(self.scratch.path().join(".next/prerender-manifest.json"));
        let text = text.map_err(|error| format!("the build left no list of pages: {error}"))?;
        let list: Value = serde_json::from_slice(&text).map_err(|error| format!("{error} in it"))?;
        let routes = list["routes"].as_object().into_iter().flatten();
        // What has no data of its own is a file, such as robots.txt, or Next's.
        let pages = routes.filter(|(path, route)| route["dataRoute"].is_string() && !path.starts_with("/_"));
        Ok(pages.map(|(path, _)| path.clone()).take(MOST_PAGES).collect())
    }

    async fn stills(&self, tools: &Tools, paths: &[String]) -> Result<Stills, String> {
        tools.comparer.stills(&self.server, paths).await.map_err(|error| chain(&error))
    }
}

//! Node, the packages that projects are written for, and what is asked of them: `tsc` and `next build`.
//!
//! The packages are installed once per lock file into a folder of their own, whole or not at all, without running any
//! package's scripts. Nothing of a website is executed: `tsc` reads, and `next build` renders what this program wrote.
//!
//! Types are checked by TypeScript 7, a program for the machine, in a fifth of the time of the TypeScript that a project
//! brings along; `next build` checks them with the project's own.

use crate::{Bounds, Error, Problem, Result, command::Run, scratch};
use site_write::Next;
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

const INSTALL: Duration = Duration::from_secs(10 * 60);
const CHECK: Duration = Duration::from_secs(5 * 60);
const CHECK_HEAP_MIB: u32 = 2048;
const BUILD_HEAP_MIB: u32 = 4096;
/// The oldest Node that Next.js takes.
const OLDEST: (u32, u32) = (20, 9);

/// What checks types: its package file and its lock.
const CHECKER: (&str, &str) =
    (include_str!("../checker/package.json"), include_str!("../checker/package-lock.json"));

/// Installed packages that projects are checked and built with.
#[derive(Clone, Debug)]
pub struct Toolchain {
    node_modules: PathBuf,
    checker: PathBuf,
}

impl Toolchain {
    /// Finds Node on the path and installs the packages below `dir`, unless they are there already. Two processes
    /// that prepare at once both succeed; one of them did the work for nothing. What an earlier process that was
    /// killed in the middle left there is removed.
    pub async fn prepare(dir: &Path) -> Result<Self> {
        Self::prepare_for(dir, Next::default()).await
    }

    /// The same for projects of that Next.js.
    pub async fn prepare_for(dir: &Path, next: Next) -> Result<Self> {
        let (package, lock) = next.build_packages();
        Self::prepare_with(dir, package, lock).await
    }

    /// The same with every package of a project: those that look through its code, too.
    pub async fn prepare_whole(dir: &Path) -> Result<Self> {
        Self::prepare_with(dir, site_write::PACKAGE_JSON, site_write::PACKAGE_LOCK).await
    }

    async fn prepare_with(dir: &Path, package: &str, lock: &str) -> Result<Self> {
        old_enough().await?;
        create_dir(dir).await?;
        in_folder(dir, scratch::clear).await?;
        let (node_modules, checker) =
            tokio::try_join!(installed(dir, package, lock), installed(dir, CHECKER.0, CHECKER.1))?;
        Ok(Self { node_modules, checker })
    }

    /// Where the packages are.
    pub fn node_modules(&self) -> &Path {
        &self.node_modules
    }

    /// Gives a project its own copy of the packages, as hard links: a build refuses packages behind a symbolic link
    /// that leads out of its project. Both have to be on one file system; otherwise the files are copied.
    pub async fn install_into(&self, project: &Path) -> Result<()> {
        let target = project.join("node_modules");
        if exists(&target).await {
            return Ok(());
        }
        let (from, to) = (self.node_modules.clone(), target.clone());
        let linking = tokio::task::spawn_blocking(move || link_tree(&from, &to));
        let linked = linking.await.unwrap_or_else(|_| Err(io::Error::other("linking the packages panicked")));
        linked.map_err(|source| file_error(&target, source))
    }
}

/// A finished `next build`.
#[derive(Clone, Debug)]
pub struct Build {
    /// Did it succeed?
    pub succeeded: bool,
    /// The end of what it said.
    pub said: String,
}

/// What `tsc --noEmit` says of a project whose files lie in `project`. The packages are linked in for it.
pub async fn type_check(project: &Path, toolchain: &Toolchain) -> Result<Vec<Problem>> {
    let link = project.join("node_modules");
    if !exists(&link).await {
        let linked = tokio::fs::symlink(&toolchain.node_modules, &link).await;
        linked.map_err(|source| file_error(&link, source))?;
    }
    let tsc = toolchain.checker.join("typescript/bin/tsc");
    let tsc = tsc.to_str().ok_or_else(|| file_error(&tsc, io::ErrorKind::InvalidFilename.into()))?;
    let arguments = [tsc, "--noEmit", "--pretty", "false"];
    let run = Run { program: "node", arguments: &arguments, folder: project, bound: CHECK };
    let ended = run.to_the_end(None, CHECK_HEAP_MIB).await?;
    let problems: Vec<Problem> = ended.lines.iter().filter_map(|line| problem(line)).collect();
    if ended.status.success() || !problems.is_empty() {
        return Ok(problems);
    }
    Err(Error::Failed { command: run.shown(), status: ended.status, said: ended.tail(20) })
}

/// Runs `next build` in a project that has its packages.
pub async fn build(project: &Path) -> Result<Build> {
    let arguments = ["node_modules/next/dist/bin/next", "build"];
    let bound = Bounds::default().build_of(project).await;
    let run = Run { program: "node", arguments: &arguments, folder: project, bound };
    let ended = run.to_the_end(None, BUILD_HEAP_MIB).await?;
    Ok(Build { succeeded: ended.status.success(), said: ended.tail(60) })
}

/// `app/page.tsx(3,7): error TS2322: Type …`
fn problem(line: &str) -> Option<Problem> {
    let (place, message) = line.split_once(": error ")?;
    let (file, at) = place.rsplit_once('(').unwrap_or((place, ""));
    let at = at.trim_end_matches(')');
    let message = if at.is_empty() { message.to_owned() } else { format!("at {at}: {message}") };
    Some(Problem { file: file.to_owned(), message })
}

async fn old_enough() -> Result<()> {
    let run = Run { program: "node", arguments: &["--version"], folder: Path::new("."), bound: CHECK };
    let found = run.to_the_end(None, CHECK_HEAP_MIB).await?.tail(1);
    if version(&found).is_some_and(|version| version >= OLDEST) {
        Ok(())
    } else {
        Err(Error::TooOld { found })
    }
}

/// `v20.11.1` → (20, 11)
fn version(said: &str) -> Option<(u32, u32)> {
    let mut parts = said.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Where the packages of that lock file are below `dir`, where they are put unless they are there already.
async fn installed(dir: &Path, package: &str, lock: &str) -> Result<PathBuf> {
    let home = dir.join(&blake3::hash(lock.as_bytes()).to_hex()[..16]);
    let node_modules = home.join("node_modules");
    if exists(&node_modules).await {
        return Ok(node_modules);
    }
    // Goes by itself if this future is dropped: an install that was called off leaves nothing.
    let scratch = in_folder(dir, scratch::make).await?;
    install(scratch.folder.path(), package, lock).await?;
    match tokio::fs::rename(scratch.folder.path(), &home).await {
        Ok(()) => drop(scratch.folder.keep()),
        // Somebody else was quicker: this attempt's folder has no further use.
        Err(_) if exists(&node_modules).await => {}
        Err(source) => return Err(file_error(&home, source)),
    }
    Ok(node_modules)
}

async fn install(folder: &Path, package: &str, lock: &str) -> Result<()> {
    create_dir(folder).await?;
    for (name, text) in [("package.json", package), ("package-lock.json", lock)] {
        let path = folder.join(name);
        tokio::fs::write(&path, text).await.map_err(|source| file_error(&path, source))?;
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let run = Run { program: "npm", arguments: &arguments, folder, bound: INSTALL };
    let ended = run.to_the_end(None, BUILD_HEAP_MIB).await?;
    if ended.status.success() {
        return Ok(());
    }
    Err(Error::Failed { command: run.shown(), status: ended.status, said: ended.tail(20) })
}

fn link_tree(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            link_tree(&source, &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&source)?, &target)?;
        } else if std::fs::hard_link(&source, &target).is_err() {
            std::fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// Does something with a folder that may take a while.
async fn in_folder<T: Send + 'static>(dir: &Path, work: fn(&Path) -> io::Result<T>) -> Result<T> {
    let path = dir.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&path)).await;
    let done = done.unwrap_or_else(|_| Err(io::Error::other("looking through the folder panicked")));
    done.map_err(|source| file_error(dir, source))
}

async fn create_dir(path: &Path) -> Result<()> {
    tokio::fs::create_dir_all(path).await.map_err(|source| file_error(path, source))
}

async fn exists(path: &Path) -> bool {
    tokio::fs::try_exists(path).await.unwrap_or(false)
}

fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_problems_are_read() {
        assert_eq!(version("v20.11.1"), Some((20, 11)));
        assert_eq!(version("20"), None);
        let read = problem("app/page.tsx(3,7): error TS2322: Type 'x'.").expect("a problem");
        assert_eq!(
            (read.file.as_str(), read.message.as_str()),
            ("app/page.tsx", "at 3,7: TS2322: Type 'x'.")
        );
        assert!(problem("error in the middle of nowhere").is_none());
    }

    #[tokio::test]
    async fn packages_are_linked_and_a_wrong_type_is_found() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let dir = std::env::var("RESETTLE_TEST_CACHE").expect("`make test` sets RESETTLE_TEST_CACHE");
        let toolchain =
            Toolchain::prepare(&Path::new(&dir).join("toolchain")).await.expect("Node and npm are here");
        std::fs::write(folder.path().join("tsconfig.json"), r#"{"compilerOptions":{"strict":true}}"#)
            .expect("written");
        std::fs::write(folder.path().join("a.ts"), "export const n: number = 'one';\n").expect("written");
        let problems = type_check(folder.path(), &toolchain).await.expect("tsc runs");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].file == "a.ts" && problems[0].message.contains("TS2322"), "{problems:?}");
        std::fs::write(folder.path().join("a.ts"), "export const n: number = 1;\n").expect("written");
        assert_eq!(type_check(folder.path(), &toolchain).await.expect("tsc runs"), []);
    }
}

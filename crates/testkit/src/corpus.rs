//! Whole websites that nobody of this project wrote, from pinned npm packages under the MIT licence.
//!
//! Nothing of them is in the repository: the first test that needs one fetches it with `npm pack`, checks its
//! sha256, and unpacks it into a cache that later runs find.

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

const VARIABLE: &str = "RESETTLE_TEST_CACHE";

struct Package {
    name: &'static str,
    package: &'static str,
    version: &'static str,
    sha256: &'static str,
    /// The folder inside the package that holds the site.
    path: &'static str,
    /// Where that folder stands inside the site.
    mount: &'static str,
    /// Folders of the site that are sources, not pages.
    without: &'static [&'static str],
}

const PACKAGES: &[Package] = &[
    Package {
        name: "business-casual",
        package: "startbootstrap-business-casual",
        version: "7.0.9",
        sha256: "08452cf16289bf733bb7712aa5dbc2a980ac1042b0bad5dd755029e3ca8a42a0",
        path: "package/dist",
        mount: "",
        without: &[],
    },
    Package {
        name: "spectre",
        package: "spectre.css",
        version: "0.5.9",
        sha256: "285c3bc709a1c30a83c8276f0f87b838e3089ec41c78621e496b638146eeeb03",
        path: "package/docs",
        mount: "docs",
        without: &["docs/src"],
    },
];

/// The folder of a site, ready to be served: `business-casual` (home `/index.html`) or `spectre` (home
/// `/docs/index.html`).
pub fn site(name: &str) -> PathBuf {
    let package = PACKAGES.iter().find(|package| package.name == name);
    let package = package.unwrap_or_else(|| panic!("the corpus has no site {name:?}"));
    let cache = cache();
    let site = cache.join(format!("{name}-{}-{}", package.version, &package.sha256[..12]));
    if !site.is_dir() {
        // One process fetches, the others wait for it; the kernel lets go of the lock if it dies.
        let lock = File::create(cache.join(format!("{name}.lock"))).expect("the cache takes files");
        flock(&lock, FlockOperation::LockExclusive).expect("the cache's file system knows locks");
        if !site.is_dir() {
            package.materialise(&cache, &site);
        }
    }
    site
}

fn cache() -> PathBuf {
    let folder = match std::env::var_os(VARIABLE) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::temp_dir().join("resettle-test-cache"),
    };
    let folder = folder.join("corpus");
    fs::create_dir_all(&folder)
        .unwrap_or_else(|error| panic!("{} cannot be made: {error}", folder.display()));
    folder
}

impl Package {
    /// Unpacked beside its place and renamed at the end: a crash on the way leaves no half a site.
    fn materialise(&self, cache: &Path, site: &Path) {
        let scratch =
            tempfile::Builder::new().prefix(self.name).tempdir_in(cache).expect("the cache takes folders");
        let archive = self.fetch(scratch.path());
        run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(scratch.path()));
        let finished = scratch.path().join("site");
        let mounted = finished.join(self.mount);
        fs::create_dir_all(mounted.parent().expect("the site is in a folder"))
            .expect("the scratch folder is ours");
        let pages = scratch.path().join(self.path);
        // A mount of "" is the site itself, and then there is nothing to move it into.
        let target = if self.mount.is_empty() { &finished } else { &mounted };
        fs::rename(&pages, target)
            .unwrap_or_else(|error| panic!("{} is not in the package: {error}", self.path));
        for folder in self.without {
            fs::remove_dir_all(finished.join(folder)).unwrap_or_else(|error| panic!("no {folder}: {error}"));
        }
        fs::rename(&finished, site)
            .unwrap_or_else(|error| panic!("{} cannot be made: {error}", site.display()));
    }

    fn fetch(&self, folder: &Path) -> PathBuf {
        let wanted = format!("{}@{}", self.package, self.version);
        run(Command::new("npm").args(["pack", "--silent", "--pack-destination"]).arg(folder).arg(&wanted));
        let archive = folder.join(format!("{}-{}.tgz", self.package, self.version));
        let bytes = fs::read(&archive).unwrap_or_else(|error| panic!("npm packed no {wanted}: {error}"));
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sum, self.sha256, "{wanted} is not the package that was pinned");
        archive
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{:?} cannot be started ({error}); `make test` sets it up", command.get_program())
    });
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {text}");
}

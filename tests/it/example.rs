//! The example site, served on loopback, and what a project made of it must be.

use crate::{stack::toolchain, tree::root};
use site_check::Toolchain;
use std::{collections::BTreeMap, net::Ipv4Addr, path::Path};
use testkit::{
    made::{Shelf, version},
    site::StaticSite,
};

/// Steady, so that the same project comes of it in every run; each test that builds it has a place of its own.
pub(crate) async fn site_at(place: Ipv4Addr) -> StaticSite {
    StaticSite::serve_steadily(place, root().join("crates/resettle/example-site")).await
}

pub(crate) async fn site() -> StaticSite {
    StaticSite::serve(root().join("crates/resettle/example-site")).await
}

/// Writes the files of a project and gives them to a real `next build`, unless it took these very files before.
pub(crate) async fn assert_next_builds(files: &BTreeMap<String, Vec<u8>>) {
    // Beside the packages, so that they can be hard-linked instead of copied.
    std::fs::create_dir_all(toolchain()).expect("the cache folder can be made");
    let folder =
        tempfile::Builder::new().prefix("project-").tempdir_in(toolchain()).expect("a scratch folder");
    for (path, bytes) in files {
        let target = folder.path().join(path);
        std::fs::create_dir_all(target.parent().expect("below the folder")).expect("a folder can be made");
        std::fs::write(target, bytes).expect("a file can be written");
    }
    let toolchain = Toolchain::prepare(&toolchain()).await.expect("Node and npm are here");
    // The packages' folder is named by their lock file.
    let beside = ["next build", &toolchain.node_modules().to_string_lossy(), &version("node")];
    Shelf::of("taken").made(folder.path(), &beside, builds(folder.path(), &toolchain)).await;
}

async fn builds(project: &Path, toolchain: &Toolchain) {
    toolchain.install_into(project).await.expect("the packages can be linked");
    let build = site_check::build(project).await.expect("next build runs");
    assert!(build.succeeded, "next build refused the project:\n{}", build.said);
}

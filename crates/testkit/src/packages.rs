//! Packages of a test's own helper programs: installed as their lock file says, once for as long as it says the same.

use std::{fs::File, path::Path, process::Command};

/// Where it is noted what was installed: inside, so that it goes with the packages.
const NOTE: &str = "node_modules/.installed-for";

/// `npm ci` in a folder, unless it was done for this very lock file with this very Node. Runs no package's scripts. Who
/// comes while another one installs there waits for it, also in another process.
pub fn install(folder: &Path) {
    let turn = File::open(folder.join("package.json")).expect("the folder names its packages");
    turn.lock().expect("a file here can be locked");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let wanted = [read("package.json"), read("package-lock.json"), crate::made::version("node")].concat();
    if read(NOTE) == wanted {
        return;
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        .current_dir(folder)
        .status();
    let done = npm.expect("npm is installed: `make setup`").success();
    assert!(done, "npm ci in {} failed", folder.display());
    std::fs::write(folder.join(NOTE), wanted).expect("the packages' folder takes a file");
}

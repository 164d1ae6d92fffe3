//! What was made once is not made again, and only of the very same.

use futures::FutureExt;
use std::{fs, panic::AssertUnwindSafe, path::Path};
use testkit::made::Shelf;

/// Works like a bundler: reads a file, adds one, changes one.
async fn bundle(folder: &Path) {
    let text = fs::read_to_string(folder.join("page.txt")).expect("it is there");
    fs::create_dir_all(folder.join("out/deep")).expect("made");
    fs::create_dir_all(folder.join("node_modules")).expect("made");
    fs::write(folder.join("out/deep/page"), text.to_uppercase()).expect("written");
    fs::write(folder.join("node_modules/packages"), "").expect("written");
    fs::write(folder.join("settings.txt"), "changed").expect("written");
}

fn project(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs::write(folder.path().join("page.txt"), text).expect("written");
    fs::write(folder.path().join("settings.txt"), "as it was").expect("written");
    folder
}

fn outcome(folder: &Path) -> [String; 2] {
    ["out/deep/page", "settings.txt"].map(|path| fs::read_to_string(folder.join(path)).expect("it was made"))
}

#[tokio::test]
async fn the_same_bytes_are_worked_on_once_and_any_other_anew() {
    let place = tempfile::tempdir().expect("a scratch folder");
    let shelf = Shelf::at(place.path());
    let work = async |text: &str, beside: &[&str]| {
        let folder = project(text);
        let worked = shelf.made(folder.path(), beside, bundle(folder.path())).await;
        assert_eq!(outcome(folder.path()), [text.to_uppercase(), "changed".to_owned()]);
        assert_eq!(folder.path().join("node_modules").exists(), worked, "packages are not kept");
        worked
    };
    assert!(work("one", &["v1"]).await);
    assert!(!work("one", &["v1"]).await, "what was made is put there");
    assert!(work("two", &["v1"]).await, "another byte");
    assert!(work("one", &["v2"]).await, "another version");
    assert!(work("one", &["v", "1"]).await, "other parts of the same letters");
    assert!(!work("two", &["v1"]).await);
}

#[tokio::test]
async fn what_failed_is_not_kept_and_there_is_an_end_to_what_is() {
    let place = tempfile::tempdir().expect("a scratch folder");
    let (shelf, folder) = (Shelf::at(place.path()), project("one"));
    let failing = AssertUnwindSafe(shelf.made(folder.path(), &[], async { panic!("the bundler refuses") }));
    assert!(failing.catch_unwind().await.is_err());
    assert!(shelf.made(folder.path(), &[], bundle(folder.path())).await, "it is made now");
    for number in 0..40 {
        let folder = project(&number.to_string());
        assert!(shelf.made(folder.path(), &[], bundle(folder.path())).await);
    }
    let kept = fs::read_dir(place.path()).expect("a folder").count();
    assert_eq!(kept, 24, "the newest, and nothing that is unfinished");
}

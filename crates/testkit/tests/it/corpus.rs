//! The pinned sites are there, whole, and are fetched once.

use testkit::corpus;

#[test]
fn the_sites_are_there_without_their_sources() {
    let casual = corpus::site("business-casual");
    for page in ["index.html", "about.html", "products.html", "store.html"] {
        assert!(casual.join(page).is_file(), "{page}");
    }
    let spectre = corpus::site("spectre");
    assert!(spectre.join("docs/index.html").is_file());
    assert!(!spectre.join("docs/src").exists());
}

#[test]
fn many_at_once_get_the_same_folder() {
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| corpus::site("spectre"))).collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), corpus::site("spectre"));
    }
}

#[test]
#[should_panic(expected = "the corpus has no site")]
fn an_unknown_site_is_an_error() {
    corpus::site("no-such-site");
}

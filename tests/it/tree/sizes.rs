//! The size budget: small files, each opening with what it is for.

use super::{files_below, root};
use std::path::{Path, PathBuf};

/// Production lines that no file may exceed, unless it stands in [`LARGE`] with its reason.
const FILE_LIMIT: usize = 500;
const P90_LIMIT: usize = 350;
const MEDIAN_LIMIT: usize = 150;

/// Files over the limit: path and why one piece is clearer.
const LARGE: &[(&str, &str)] = &[];

/// Lines before the file's own test module: tests beside the code are not counted.
fn production_lines(text: &str) -> usize {
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count()
}

fn production_files() -> Vec<(PathBuf, usize)> {
    files_below(&root().join("crates"), ".rs")
        .into_iter()
        .filter(|path| !path.components().any(|part| part.as_os_str() == "tests"))
        .map(|path| {
            let lines = production_lines(&std::fs::read_to_string(&path).expect("a source file is text"));
            (path, lines)
        })
        .collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").display().to_string()
}

#[test]
fn files_stay_small() {
    let mut files = production_files();
    for (path, lines) in &files {
        let excused = LARGE.iter().any(|(large, reason)| *large == relative(path) && !reason.is_empty());
        assert!(*lines <= FILE_LIMIT || excused, "{} has {lines} lines: split it at a seam", relative(path));
    }
    files.sort_by_key(|(_, lines)| *lines);
    let median = files[files.len() / 2].1;
    let p90 = files[files.len() * 9 / 10].1;
    assert!(median <= MEDIAN_LIMIT, "the median file has {median} lines");
    assert!(p90 <= P90_LIMIT, "one file in ten has more than {p90} lines");
}

#[test]
fn the_list_of_large_files_is_not_stale() {
    for (large, _) in LARGE {
        let text = std::fs::read_to_string(root().join(large)).expect("a listed file exists");
        assert!(production_lines(&text) > FILE_LIMIT, "{large} is small now: take it off the list");
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for (path, _) in production_files() {
        let text = std::fs::read_to_string(&path).expect("a source file is text");
        assert!(text.starts_with("//!"), "{} must open with //! and its purpose", relative(&path));
    }
}

#[test]
fn modules_are_named_files() {
    for path in files_below(&root().join("crates"), ".rs") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let vague = ["mod.rs", "utils.rs", "util.rs", "helpers.rs", "common.rs", "types.rs", "manager.rs"];
        assert!(!vague.contains(&name.as_str()), "{}: name it for what it holds", relative(&path));
    }
}

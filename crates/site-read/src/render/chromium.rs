//! Where there is a Chromium that can be shut in: the program itself, as distributions install it. What is around
//! it (wrapper scripts, snaps, flatpaks) reads files that are not there inside, or brings a confinement of its own
//! that leaves no room for ours; it is never run, and named so that its owner knows why.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Unavailable, cell};

/// Where packages of distributions and of Google put the program.
const PROGRAMS: [&str; 11] = [
    "usr/lib/chromium/chromium",
    "usr/lib/chromium/chrome",
    "usr/lib/chromium-browser/chromium-browser",
    "usr/lib/chromium-browser/chrome",
    "usr/lib64/chromium-browser/chromium-browser",
    "usr/lib64/chromium/chromium",
    "opt/google/chrome/chrome",
    "opt/google/chrome-beta/chrome",
    "opt/google/chrome-unstable/chrome",
    "opt/chromium.org/chromium/chrome",
    "opt/chromium/chrome",
];

/// What some packages bring beside the program: the same browser without its windows.
const SHELL: &str = "chromium-headless-shell";

/// Where a snap or a flatpak shows that it is there.
const PACKAGED: [(&str, &str); 4] = [
    ("snap", "snap/bin/chromium"),
    ("snap", "var/lib/snapd/snap/bin/chromium"),
    ("flatpak", "var/lib/flatpak/exports/bin/org.chromium.Chromium"),
    ("flatpak", "var/lib/flatpak/exports/bin/com.google.Chrome"),
];

/// What may be a script that only starts the snap, as Ubuntu has it.
const SCRIPTS: [&str; 2] = ["usr/bin/chromium-browser", "usr/bin/chromium"];

/// Bytes of a script that are looked at.
const MAX_SCRIPT: u64 = 16 * 1024;

/// The Chromium of the machine whose files are below `root`, or the one that was named.
pub(super) fn find(root: &Path, named: Option<&Path>) -> Result<PathBuf, Unavailable> {
    let usual = || PROGRAMS.iter().map(|path| root.join(path)).find(|path| is_program(path));
    let found = named.map_or_else(usual, |path| Some(path.to_owned()).filter(|path| is_program(path)));
    if let Some(found) = found.and_then(|path| path.canonicalize().ok()) {
        return Ok(found);
    }
    let there = |path: &Path| path.symlink_metadata().is_ok();
    let packaged = PACKAGED.iter().map(|(by, path)| (*by, root.join(path))).find(|(_, path)| there(path));
    let script = || SCRIPTS.iter().map(|path| root.join(path)).find(|path| starts_a_snap(path));
    match packaged.or_else(|| script().map(|path| ("snap", path))).filter(|_| named.is_none()) {
        Some((by, path)) => Err(Unavailable::Packaged { by, path }),
        None => Err(Unavailable::NoChromium),
    }
}

/// The same browser without windows, menus and pages of its own, where it is installed beside the program: it draws
/// the same pages for about half the processor's time, but knows only some of the policies (`policy.rs`).
pub(super) fn shell_beside(program: &Path) -> Option<PathBuf> {
    Some(program.with_file_name(SHELL)).filter(|path| is_program(path))
}

/// Whether it is a program for the machine, not for a shell.
fn is_program(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    cell::is_program(path) && read.is_ok() && start == *b"\x7fELF"
}

fn starts_a_snap(path: &Path) -> bool {
    let mut script = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_SCRIPT).read_to_end(&mut script));
    read.is_ok() && script.starts_with(b"#!") && String::from_utf8_lossy(&script).contains("snap")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn with(files: &[(&str, &str)]) -> Self {
            let root = tempfile::tempdir().expect("a folder");
            for (path, content) in files {
                let path = root.path().join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                fs::write(&path, content).expect("written");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
            }
            Self(root)
        }

        fn finds(&self) -> Result<String, String> {
            let root = self.0.path().canonicalize().expect("there");
            let found = find(&root, None).map_err(|error| error.to_string())?;
            Ok(found.strip_prefix(&root).expect("below the root").display().to_string())
        }
    }

    #[test]
    fn the_program_is_taken_and_not_the_script_around_it() {
        for (files, found) in [
            (
                &[
                    ("usr/bin/chromium", "#!/bin/sh\nexec /usr/lib/chromium/chromium"),
                    ("usr/lib/chromium/chromium", "\x7fELF"),
                ][..],
                "usr/lib/chromium/chromium",
            ),
            (
                &[("opt/google/chrome/chrome", "\x7fELF"), ("snap/bin/chromium", "\x7fELF")],
                "opt/google/chrome/chrome",
            ),
            (
                &[
                    ("usr/lib64/chromium-browser/chromium-browser", "\x7fELF"),
                    ("usr/lib/chromium-browser/chromium-browser", "#!/bin/sh"),
                ],
                "usr/lib64/chromium-browser/chromium-browser",
            ),
        ] {
            assert_eq!(Machine::with(files).finds().as_deref(), Ok(found));
        }
    }

    #[test]
    fn a_snap_or_a_flatpak_is_named_and_not_run() {
        for (files, by) in [
            (&[("snap/bin/chromium", "\x7fELF")][..], "a snap"),
            (&[("usr/bin/chromium-browser", "#!/bin/sh\nexec /snap/bin/chromium \"$@\"\n")], "a snap"),
            (&[("var/lib/flatpak/exports/bin/org.chromium.Chromium", "#!/bin/sh")], "a flatpak"),
        ] {
            let said = Machine::with(files).finds().expect_err("it cannot be confined");
            assert!(said.contains(by) && said.contains(files[0].0), "{said}");
            assert!(said.contains("chromium of Debian") && said.contains("google-chrome-stable"), "{said}");
        }
        // As snapd leaves it: a link to a program that is no Chromium.
        let machine = Machine::with(&[]);
        fs::create_dir_all(machine.0.path().join("snap/bin")).expect("made");
        symlink("/usr/bin/snap", machine.0.path().join("snap/bin/chromium")).expect("linked");
        assert!(machine.finds().is_err_and(|said| said.contains("a snap")));
    }

    #[test]
    fn the_browser_without_windows_is_found_beside_the_other() {
        let files = [
            ("usr/lib/chromium/chromium", "\x7fELF"),
            ("usr/lib/chromium/chromium-headless-shell", "\x7fELF"),
        ];
        for (count, there) in [(1, false), (2, true)] {
            let machine = Machine::with(&files[..count]);
            let program = find(machine.0.path(), None).expect("a Chromium");
            assert_eq!(shell_beside(&program).is_some(), there);
        }
    }

    #[test]
    fn a_machine_without_any_says_what_to_install() {
        for files in [&[][..], &[("usr/lib/chromium/chromium", "#!/bin/sh")]] {
            let said = Machine::with(files).finds().expect_err("there is none");
            assert!(said.contains("install the package chromium"), "{said}");
        }
    }
}

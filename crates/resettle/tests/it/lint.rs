//! `resettle lint` on folders: what it says, how it ends, what it writes, and what it leaves alone.

use crate::scratch::{Scratch, resettle};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};

const PAGE: &str = "export default function Page() {\n  return (\n    <form>\n      <input disabled=\"\" name=\"é\" />\n      <a href=\"javascript:void(0)\">x</a>\n    </form>\n  );\n}\n";
const CLEAN: &str = "export default function Page() {\n  return <main>clean</main>;\n}\n";

fn put(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().expect("in a folder")).expect("made");
    fs::write(file, text).expect("written");
}

fn lint(folder: &Path, options: &[&str]) -> Output {
    let mut command = resettle(&["lint"]);
    command.args(options).arg(folder).output().expect("the program is there")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn findings_are_told_as_compilers_do() {
    let scratch = Scratch::new();
    put(scratch.path(), "app/page.tsx", PAGE);
    let output = lint(scratch.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(out(&output));
    insta::assert_snapshot!(told(&output));
}

#[test]
fn a_clean_project_ends_with_0_and_a_wrong_command_line_with_64() {
    let scratch = Scratch::new();
    put(scratch.path(), "app/page.tsx", CLEAN);
    let output = lint(scratch.path(), &[]);
    assert_eq!(
        (output.status.code(), told(&output).trim()),
        (Some(0), "1 file read, 0 violations, 0 recommendations; score 100 of 100")
    );
    assert_eq!(lint(&scratch.path().join("nowhere"), &[]).status.code(), Some(64));
    assert_eq!(lint(scratch.path(), &["--json", "--sarif"]).status.code(), Some(64));
}

#[test]
fn only_the_projects_own_files_are_read() {
    let scratch = Scratch::new();
    for path in
        ["node_modules/a/i.ts", ".next/a.ts", "public/a.js", "lib/generated/a.ts", "out/a.js", ".git/a.ts"]
    {
        put(scratch.path(), path, PAGE);
    }
    let outside = Scratch::new();
    put(outside.path(), "app/page.tsx", PAGE);
    put(scratch.path(), "app/page.tsx", CLEAN);
    std::os::unix::fs::symlink(outside.path().join("app"), scratch.path().join("linked")).expect("a link");
    std::os::unix::fs::symlink(outside.path().join("app/page.tsx"), scratch.path().join("app/link.tsx"))
        .expect("a link");
    std::os::unix::fs::symlink(scratch.path(), scratch.path().join("app/circle")).expect("a link");
    let output = lint(scratch.path(), &["--fix"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(told(&output).starts_with("1 file read"), "{}", out(&output));
    assert_eq!(fs::read_to_string(outside.path().join("app/page.tsx")).expect("still there"), PAGE);
}

#[test]
fn mending_changes_just_what_is_told_and_the_second_time_nothing() {
    let scratch = Scratch::new();
    put(scratch.path(), "app/page.tsx", PAGE);
    put(scratch.path(), "app/b/page.tsx", CLEAN);
    let file = scratch.path().join("app/page.tsx");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("changed");
    let output = lint(scratch.path(), &["--fix", "--json"]);
    assert_eq!(output.status.code(), Some(1), "one violation has no mending");
    let report: Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON alone");
    assert_eq!(report["violations"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["violations"][0]["type"], "javascript_url");
    assert!(told(&output).contains("mended 1 place in 1 file"));
    let mended = fs::read_to_string(&file).expect("there");
    assert_eq!(mended, PAGE.replace("disabled=\"\"", "disabled"));
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
    let again = lint(scratch.path(), &["--fix", "--json"]);
    assert_eq!(again.stdout, output.stdout);
    assert!(!told(&again).contains("mended"), "nothing is mended twice");
    let left: Vec<_> = fs::read_dir(scratch.path().join("app")).expect("there").collect();
    assert_eq!(left.len(), 2, "nothing is left over");
}

#[test]
fn sarif_names_the_place_and_the_rule() {
    let scratch = Scratch::new();
    put(scratch.path(), "app/page.tsx", PAGE);
    let output = lint(scratch.path(), &["--sarif"]);
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON alone");
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let found: Vec<&str> = results.iter().filter_map(|it| it["ruleId"].as_str()).collect();
    assert_eq!(found, ["empty_string_boolean", "javascript_url"]);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"app/page.tsx".into(), &4.into())
    );
}

/// `hidden=""` is nothing to React, so that the paragraph is seen; mended, it is hidden.
const SEEN: &str = "export default function Page() {\n  return (\n    <main>\n      <p hidden=\"\">seen</p>\n    </main>\n  );\n}\n";
const NEEDLESS: &str =
    "\"use client\";\n\nexport default function Page() {\n  return <main>said</main>;\n}\n";
const LAYOUT: &str = "export default function Layout({ children }) {\n  return (\n    <html lang=\"en\">\n      <body>{children}</body>\n    </html>\n  );\n}\n";

#[test]
fn a_mending_that_moves_what_is_seen_is_taken_back_and_the_others_stay() {
    let scratch = Scratch::new();
    put(scratch.path(), "package.json", site_write::BUILD_JSON);
    put(scratch.path(), "app/layout.jsx", LAYOUT);
    put(scratch.path(), "app/page.jsx", SEEN);
    put(scratch.path(), "app/said/page.jsx", NEEDLESS);
    let mut command = resettle(&["lint", "--fix", "--compare", "always"]);
    let cache = std::env::var_os("RESETTLE_TEST_CACHE").expect("`make test` sets RESETTLE_TEST_CACHE");
    let output =
        command.env("XDG_CACHE_HOME", cache).arg(scratch.path()).output().expect("the program is there");
    let said = told(&output);
    assert!(
        said.contains("taken back, since it moves what is seen: app/page.jsx: empty_string_boolean"),
        "{said}"
    );
    assert!(said.contains("mended 1 place in 1 file"), "{said}");
    let text = |path: &str| fs::read_to_string(scratch.path().join(path)).expect("there");
    assert_eq!(text("app/page.jsx"), SEEN);
    assert!(!text("app/said/page.jsx").contains("use client"), "{}", text("app/said/page.jsx"));
    assert!(out(&output).contains("empty_string_boolean"), "it is still told of: {}", out(&output));
    assert!(!scratch.path().join(".next").exists(), "nothing of a build is left in the project");
}

#[test]
fn what_cannot_be_measured_and_has_to_be_is_not_mended() {
    let scratch = Scratch::new();
    put(scratch.path(), "app/page.tsx", PAGE);
    let output = lint(scratch.path(), &["--fix", "--compare", "always"]);
    assert_eq!(output.status.code(), Some(75), "{}", told(&output));
    assert!(told(&output).contains("asks for no Next.js 14 or 16"), "{}", told(&output));
    assert_eq!(fs::read_to_string(scratch.path().join("app/page.tsx")).expect("there"), PAGE);
    let output = lint(scratch.path(), &["--compare", "never"]);
    assert_eq!(output.status.code(), Some(64), "without --fix there is nothing to compare");
}

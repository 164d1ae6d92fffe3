//! The lint on its fixtures, each rule with what it finds and what it must leave alone; and what holds of any input at all.

use crate::snapshot::Site;
use proptest::prelude::*;
use site_check::lint::{self, Fixed, Options, Report};
use site_write::{Contents, Project};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn options() -> Options {
    Options { image_hosts: BTreeSet::from(["images.allowed.example".to_owned()]), ..Options::default() }
}

/// A fixture: its file, the path that it is linted under, and its text.
struct Fixture {
    file: PathBuf,
    path: String,
    text: String,
}

impl Fixture {
    fn name(&self) -> String {
        self.file.file_stem().expect("a fixture has a name").to_string_lossy().into_owned()
    }

    fn lint(&self) -> Report {
        lint::lint([(self.path.as_str(), self.text.as_str())], &options())
    }

    fn fix(&self) -> Fixed {
        lint::fix([(self.path.as_str(), self.text.as_str())], &options(), &mut |_| true)
    }
}

fn fixtures(rule: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lint").join(rule);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display())) {
        let file = entry.expect("an entry can be read").path();
        if file.extension().is_some_and(|it| it == "tsx") {
            let text = fs::read_to_string(&file).expect("a fixture is text");
            let named = text.lines().next().and_then(|line| line.strip_prefix("// path: "));
            found.push(Fixture { path: named.unwrap_or("app/page.tsx").to_owned(), file, text });
        }
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found
}

fn all_fixtures() -> Vec<Fixture> {
    lint::rules().iter().flat_map(|rule| fixtures(rule.name)).collect()
}

/// Findings as a person reads them, and what the mending makes of the file.
fn shown(fixture: &Fixture) -> String {
    let mut out = String::new();
    let report = fixture.lint();
    for (weight, list) in [("", &report.violations), ("advice: ", &report.recommendations)] {
        for it in list {
            let fixable = if it.fixable { " [--fix]" } else { "" };
            let caret = format!("{}{}", " ".repeat(it.excerpt.caret), "^".repeat(it.excerpt.width));
            writeln!(out, "{}:{} {}: {weight}{}{fixable}", it.line, it.column, it.kind, it.description)
                .and_then(|()| writeln!(out, "    {}\n    {caret}", it.excerpt.text))
                .expect("text takes text");
        }
    }
    for text in fixture.fix().files.values() {
        let before: Vec<&str> = fixture.text.lines().collect();
        let now: Vec<&str> = text.lines().collect();
        out.push_str("--fix\n");
        for line in before.iter().filter(|line| !now.contains(line)) {
            writeln!(out, "  - {}", line.trim()).expect("text takes text");
        }
        for line in now.iter().filter(|line| !before.contains(line)) {
            writeln!(out, "  + {}", line.trim()).expect("text takes text");
        }
    }
    out
}

#[test]
fn every_bad_example_is_found_where_it_is() {
    for rule in lint::rules() {
        let bad = fixtures(rule.name).into_iter().filter(|fixture| fixture.name().starts_with("bad"));
        for fixture in bad {
            let report = fixture.lint();
            let found = report.violations.iter().any(|it| it.kind == rule.name);
            assert!(found && !report.passed && report.score < 100, "{}", fixture.file.display());
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(fixture.file.parent().expect("in a folder"));
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| insta::assert_snapshot!(fixture.name(), shown(&fixture)));
        }
    }
}

#[test]
fn every_good_example_is_left_alone() {
    for fixture in all_fixtures().iter().filter(|fixture| fixture.name().starts_with("good")) {
        let report = fixture.lint();
        let quiet = report.passed && report.recommendations.is_empty() && report.score == 100;
        assert!(quiet, "{}: {report:#?}", fixture.file.display());
        assert!(fixture.fix().files.is_empty(), "{} is changed", fixture.file.display());
    }
}

#[test]
fn every_rule_has_both_examples_a_page_and_a_line_in_the_list() {
    let list = fs::read_to_string(root().join("docs/lint/README.md")).expect("the list of rules");
    for rule in lint::rules() {
        let names: Vec<String> = fixtures(rule.name).iter().map(Fixture::name).collect();
        for wanted in ["bad", "good"] {
            assert!(names.iter().any(|name| name == wanted), "{} has no {wanted}.tsx", rule.name);
        }
        let page = fs::read_to_string(root().join(rule.docs()))
            .unwrap_or_else(|why| panic!("{}: {why}", rule.docs()));
        for part in [&*format!("# {}\n", rule.name), "**What to do.**", "## Bad", "## Good"] {
            assert!(page.contains(part), "{} lacks {part:?}", rule.docs());
        }
        for fixture in fixtures(rule.name).iter().filter(|it| matches!(it.name().as_str(), "bad" | "good")) {
            assert!(
                page.contains(&fixture.text),
                "{} shows another {} than the fixture",
                rule.docs(),
                fixture.name()
            );
        }
        let fixable = fixtures(rule.name).iter().any(|it| {
            let report = it.lint();
            report.violations.iter().any(|found| found.kind == rule.name && found.fixable)
        });
        let line =
            format!("| [{0}]({0}.md) | {1} | {2} |", rule.name, rule.about, if fixable { "yes" } else { "" });
        assert!(list.contains(&line), "docs/lint/README.md lacks {line:?}");
    }
    let known: BTreeSet<&str> = lint::rules().iter().map(|rule| rule.name).collect();
    for folder in ["docs/lint", "crates/site-check/fixtures/lint"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(name == "README" || known.contains(&*name), "{folder}/{name} is of no rule");
        }
    }
    assert!(lint::rules().is_sorted_by_key(|rule| rule.name.to_ascii_lowercase()), "the table is in order");
}

#[test]
fn the_answer_is_json_with_the_names_that_were_promised() {
    let text = "export default function Page() {\n  return <a href=\"javascript:void(0)\">𝒳</a>;\n}\n";
    let report = lint::lint([("app/page.tsx", text)], &Options::default());
    insta::assert_json_snapshot!(report);
}

#[test]
fn a_secret_is_shown_nowhere() {
    let key = format!("AKIA{}", "Z7QK".repeat(4));
    let text =
        format!("export const a = <a href=\"javascript:x\" title=\"{key}\">{key}</a>;\nlet a; // {key}\n");
    for text in [text.replace("let a;", ""), text] {
        let report = lint::lint([("app/page.tsx", text.as_str())], &Options::default());
        assert!(report.violations.len() >= 2 || report.violations[0].kind == "unreadable");
        assert!(!format!("{report:?}").contains(&key[..12]), "{report:?}");
    }
}

#[test]
fn the_order_of_the_files_makes_no_difference() {
    let files: Vec<(String, String)> = all_fixtures()
        .into_iter()
        .enumerate()
        .map(|(at, it)| (format!("app/{at}/{}", it.path), it.text))
        .collect();
    let pairs = || files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let forward = lint::lint(pairs(), &options());
    let backward = lint::lint(pairs().collect::<Vec<_>>().into_iter().rev(), &options());
    assert_eq!(forward, backward);
    assert_eq!(forward.files, files.len());
    let few = Options { most_violations: 3, ..options() };
    let cut = lint::lint(pairs(), &few);
    assert!(cut.truncated && cut.violations == forward.violations[..3] && cut.score == forward.score);
}

#[test]
fn an_image_host_of_the_configuration_is_allowed() {
    let page =
        "export default function Page() { return <img src=\"https://cdn.example/a.png\" alt=\"\" />; }";
    let config =
        "export default { images: { remotePatterns: [{ protocol: \"https\", hostname: \"*.example\" }] } };";
    assert!(!lint::lint([("app/page.tsx", page)], &Options::default()).passed);
    assert!(lint::lint([("app/page.tsx", page), ("next.config.ts", config)], &Options::default()).passed);
}

#[test]
fn flags_of_the_compiler_are_read_from_its_configuration() {
    let text =
        "{\n  // as it was\n  \"compilerOptions\": { \"strict\": true, \"strictNullChecks\": false, },\n}\n";
    let report = lint::lint([("tsconfig.json", text)], &Options::default());
    let found = &report.violations[0];
    assert_eq!((found.kind, found.line, found.column), ("ignore_flag", 3, 40));
    assert_eq!(lint::lint([("tsconfig.json", "{")], &Options::default()).violations[0].kind, "unreadable");
}

#[test]
fn a_mending_that_is_refused_is_not_made_and_keeps_its_name() {
    let text = "export const a = <p><input disabled=\"\" /><input disabled=\"\" required=\"\" /></p>;";
    let files = [("app/page.tsx", text)];
    let all = lint::fix(files, &Options::default(), &mut |_| true);
    let ids: BTreeSet<&str> = all.applied.iter().map(|it| it.id.as_str()).collect();
    assert_eq!((all.applied.len(), ids.len()), (3, 3));
    assert!(all.report.passed);
    for refused in &all.applied {
        let most = lint::fix(files, &Options::default(), &mut |it| it.id != refused.id);
        let others: Vec<_> = all.applied.iter().filter(|it| *it != refused).cloned().collect();
        assert_eq!(most.applied, others);
        assert_eq!(most.report.violations.len(), 1, "{refused:?}");
    }
}

#[test]
fn what_the_site_had_is_kept_with_a_reason_and_nothing_else() {
    let classes = |tail: &str| format!("{} {tail}", "wide-[calc(100%_-_2rem)] ".repeat(11));
    let key = format!("AKIA{}", "Z7QK".repeat(4));
    let html = format!(
        "<!doctype html><html lang=en><head><title>T</title></head><body><div class='{}' data-key='{key}'>one</div>\
         <img src='http://cdn.example/a&amp;b.png' alt=''><form action='javascript:void(0)'><input name=a></form>\
         <link rel=stylesheet href='/late.css'><script>start('{key}')</script></body></html>",
        classes("a&amp;b")
    );
    let site = Site::new().page("/", &html).asset("/late.css", "text/css", "p{}");
    let plan = site_write::plan(&site.snapshot, &site.bodies).expect("a plan");
    let mut project = site_write::transform(&plan, &site.snapshot, &site.bodies).expect("a project");
    let texts = |project: &Project| -> Vec<(String, String)> {
        let texts = project.files.iter().filter_map(|(path, contents)| match contents {
            Contents::Text(text) => Some((path.clone(), text.clone())),
            Contents::Stored(_) => None,
        });
        texts.collect()
    };
    let look = |project: &Project| {
        let texts = texts(project);
        lint::lint(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())), &Options::default())
    };
    let before = look(&project);
    let kinds: BTreeSet<&str> = before.violations.iter().map(|it| it.kind).collect();
    // A long class list and an address that is code are converted before anybody could mind them.
    assert_eq!(kinds, BTreeSet::from(["img_element", "secret", "stylesheet_without_precedence"]));
    let count = lint::settle(&plan, &site.snapshot, &site.bodies, &mut project);
    let after = look(&project);
    assert!(after.passed && after.suppressed == count && count == before.violations.len(), "{after:#?}");
    assert_eq!(lint::settle(&plan, &site.snapshot, &site.bodies, &mut project), 0, "once is enough");
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:#?}");

    let file = &plan.routes[0].file;
    let strange = format!("export default () => <p className=\"{}\">x</p>;\n", classes("c"));
    project.files.insert(file.clone(), Contents::Text(strange));
    assert_eq!(
        lint::settle(&plan, &site.snapshot, &site.bodies, &mut project),
        0,
        "the site had no such list"
    );
}

/// Text that is nearly TypeScript: pieces of it, whole fixtures, and their cut-off halves.
fn nearly_tsx() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<div ",
        "<p>",
        "</p>",
        "</div>",
        "/>",
        ">",
        "{",
        "}",
        "{...({ hidden: \"\" })}",
        "disabled=\"\" ",
        "open={\"\"} ",
        "href=\"javascript:a\" ",
        "rel=\"stylesheet\" ",
        "<link href=\"/é.css\" rel=\"stylesheet\" />",
        "'use client';\n",
        "import Script from \"next/script\";\n",
        "<Script src=\"/a.js\" />",
        "<Script<T>/>",
        "export const a = ",
        "() => ",
        "window.x",
        "document.body.append(1)",
        "typeof window !== 'undefined' && ",
        "if (typeof window === 'undefined') return;",
        ";\n",
        "// lint-ignore secret: because\n",
        "/* lint-ignore x */",
        "\"AKIAZ7QKZ7QKZ7QKZ7QK\"",
        "é𝒳",
        "\u{2028}",
        "\r\n",
        "`${",
        "`",
        "require(x)",
        "import('a' + b)",
        "function f() {",
        "class A extends B { render() {",
        "useEffect(() => ",
        "(",
        ")",
        "[",
        "]",
        "{ source: \"/ö\", destination: \"/\" }",
        "&amp;",
        "\\",
        "'",
        "\"",
        "<!--",
        "a:b",
        "async ",
        "await ",
        "</",
        "<></>",
        "className=\"x\" ",
        "onclick=\"a()\" ",
        "{/* lint-ignore img_element: seen */}",
        "<img src=\"//h.example/é\" width=\"1\" height=\"1\"/>",
    ]);
    let whole = prop::sample::select(all_fixtures().into_iter().map(|it| it.text).collect::<Vec<_>>());
    let cut = (whole, any::<prop::sample::Index>(), prop::collection::vec(pieces.clone(), 0..4)).prop_map(
        |(text, at, more)| {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = boundaries[at.index(boundaries.len())];
            format!("{}{}{}", &text[..at], more.concat(), &text[at..])
        },
    );
    prop_oneof![prop::collection::vec(pieces, 0..24).prop_map(|it| it.concat()), cut, ".{0,80}"]
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "app/page.tsx",
        "next.config.ts",
        "components/A.jsx",
        "app/layout.tsx",
        "tsconfig.json",
        "a.d.ts",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_makes_it_panic_and_mending_comes_to_an_end(path in path(), text in nearly_tsx()) {
        let files = BTreeMap::from([(path, text.as_str())]);
        let pairs = || files.iter().map(|(path, text)| (*path, *text));
        let report = lint::lint(pairs(), &Options::default());
        prop_assert_eq!(&report, &lint::lint(pairs(), &Options::default()));
        prop_assert_eq!(report.passed, report.violations.is_empty());

        let once = lint::fix(pairs(), &Options::default(), &mut |_| true);
        let unreadable = |report: &Report| report.violations.iter().any(|it| it.kind == "unreadable");
        prop_assert_eq!(unreadable(&once.report), unreadable(&report), "what parsed still parses");
        let mended = once.files.get(path).map_or(text.as_str(), String::as_str);
        let twice = lint::fix([(path, mended)], &Options::default(), &mut |_| true);
        prop_assert!(twice.files.is_empty() && twice.applied.is_empty(), "mended again: {:?}", twice.applied);
        prop_assert!(!once.report.violations.iter().any(|it| it.fixable), "left: {:?}", once.report.violations);
    }
}

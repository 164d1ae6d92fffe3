//! What a project's owner looks through it with: the linter and the formatter that it ships the rules for.

use crate::stack;
use site_check::Toolchain;
use std::path::Path;
use tempfile::TempDir;
use testkit::{
    corpus,
    made::{Shelf, version},
};
use tokio::process::Command;

/// A page with something for each of the components that only some projects have.
const ALL_COMPONENTS: &str = "<!doctype html><html lang=en><head><title>All</title><noscript><link rel=stylesheet href=/n.css></noscript>\
    </head><body><main><h1>All</h1><p style='color:red!important;margin:0'>One</p><p style='margin:1px' @click=go>Two</p>\
    <template id=t><b>t</b></template><x-y><template shadowrootmode=open><b>s</b></template></x-y><p hidden=until-found>Found</p>\
    <button onclick='go()'>Go</button><script>function go() { document.title = 'Gone'; }</script></main></body></html>";
const COMPONENTS: &[&str] = &[
    "LegacyHandlers.tsx",
    "LegacyHistory.ts",
    "LegacyPage.tsx",
    "LegacyParser.ts",
    "LegacyScripts.tsx",
    "LegacyShadow.tsx",
    "LegacyTemplate.tsx",
    "css.ts",
];

/// The projects of these sites, side by side where their packages are found.
async fn projects(toolchain: &Toolchain, sites: &[(&str, &Path)]) -> TempDir {
    let home = toolchain.node_modules().parent().expect("packages lie in a folder");
    let folder = tempfile::Builder::new().prefix("kept-").tempdir_in(home).expect("a scratch folder");
    for (name, site) in sites {
        let mut convert = Command::new(stack::binary("resettle"));
        convert.arg("convert").arg(site).arg("--out").arg(folder.path().join(name)).env("PATH", "");
        let done = convert.output().await.expect("it can be started");
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    }
    folder
}

/// Runs a program of the packages; what it said, if it found something.
async fn complaints(
    toolchain: &Toolchain,
    folder: &Path,
    program: &str,
    arguments: &[&str],
) -> Option<String> {
    let mut node = Command::new("node");
    node.arg(toolchain.node_modules().join(program)).args(arguments).current_dir(folder);
    let done = node.output().await.expect("node can be started");
    let said = [done.stdout, done.stderr].concat();
    (!done.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

async fn nothing_is_found(toolchain: &Toolchain, folder: &Path) {
    // Both at once: most of the time goes into starting.
    let eslint = [
        "--config",
        "example/eslint.config.mjs",
        "--max-warnings",
        "0",
        "--ignore-pattern",
        "**/public/**",
        "example",
        "foreign",
        "all",
    ];
    let said = complaints(toolchain, folder, "eslint/bin/eslint.js", &eslint).await;
    assert_eq!(said, None, "ESLint");
    for project in ["example", "foreign", "all"] {
        let own = folder.join(project);
        let said = complaints(toolchain, &own, "prettier/bin/prettier.cjs", &["--check", "."]).await;
        assert_eq!(said, None, "Prettier on {project}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eslint_and_prettier_find_nothing_in_a_project_by_the_rules_that_it_ships() {
    let toolchain = Toolchain::prepare_whole(&stack::toolchain()).await.expect("Node and npm are here");
    let example = crate::tree::root().join("crates/resettle/example-site");
    let foreign = corpus::site("business-casual");
    let all = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(all.path().join("index.html"), ALL_COMPONENTS).expect("written");
    let sites = [("example", example.as_path()), ("foreign", &foreign), ("all", all.path())];
    let folder = projects(&toolchain, &sites).await;
    for component in COMPONENTS {
        let written = folder.path().join("all/components").join(component);
        assert!(written.is_file(), "{component} is looked through, too");
    }
    // The packages' folder is named by their lock file.
    let beside = ["eslint; prettier", &toolchain.node_modules().to_string_lossy(), &version("node")];
    let looking = nothing_is_found(&toolchain, folder.path());
    Shelf::of("looked-through").made(folder.path(), &beside, looking).await;
    // And they do look: what a rule is against is found.
    let wrong = "import { useState } from \"react\";\nexport function Wrong() {\n  if (1) useState(0);\n  return null\n}\n";
    std::fs::write(folder.path().join("example/proof.tsx"), wrong).expect("written");
    let eslint = ["--config", "eslint.config.mjs", "proof.tsx"];
    let own = folder.path().join("example");
    let said = complaints(&toolchain, &own, "eslint/bin/eslint.js", &eslint).await;
    assert!(said.is_some_and(|said| said.contains("react-hooks/rules-of-hooks")));
    assert!(
        complaints(&toolchain, &own, "prettier/bin/prettier.cjs", &["--check", "proof.tsx"]).await.is_some()
    );
}

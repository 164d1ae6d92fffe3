//! A project for who has to stay with Next.js 14: the same pages, in files that it knows. That it builds is shown by `make next-14`.
//! What pages with old doctypes need is the same for both.

use crate::snapshot::Site;
use site_write::{Contents, Next, Plan, Project};

fn text<'a>(project: &'a Project, path: &str) -> &'a str {
    match project.files.get(path) {
        Some(Contents::Text(text)) => text,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn an_old_doctype_is_kept_after_every_build_and_today_s_needs_nothing() {
    let files = |html: &str, next| {
        let site = Site::new().page("/", html);
        let plan = site_write::plan(&site.snapshot, &site.bodies).expect("a plan").on(next);
        site_write::transform(&plan, &site.snapshot, &site.bodies).expect("a project")
    };
    let script = "scripts/old-doctypes.mjs";
    let at_start = "if (phase === PHASE_PRODUCTION_SERVER) execFileSync(process.execPath, [\"scripts/old-doctypes.mjs\"]);";
    for next in [Next::Sixteen, Next::Fourteen] {
        let old = files("<html><head><title>Old</title></head><body><p>words</p></body></html>", next);
        assert!(text(&old, script).contains("\n  none: \"\","));
        let built = "\"build\": \"next build && node scripts/old-doctypes.mjs\"";
        assert!(text(&old, "package.json").contains(built));
        assert!(text(&old, next.configuration()).contains(at_start));
        assert!(text(&old, "MIGRATION.md").contains(script) && text(&old, "README.md").contains(script));
        let layouts = old.files.keys().filter(|path| path.ends_with("layout.tsx"));
        let said = layouts.filter(|path| text(&old, path).contains("<html data-doctype=\"none\">"));
        assert_eq!(said.count(), 1);
        let today = files(
            "<!doctype html><html><head><title>New</title></head><body><p>words</p></body></html>",
            next,
        );
        assert!(!today.files.contains_key(script));
        assert!(text(&today, "package.json").contains("\"build\": \"next build\""));
        assert!(text(&today, next.configuration()).ends_with("\nexport default config;\n"));
    }
}

#[test]
fn a_project_for_next_14_has_the_same_pages_in_files_that_it_knows() {
    let page = |title: &str| {
        format!(
            "<!doctype html><html lang=en><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        )
    };
    let site = Site::new()
        .page("/", &page("Home"))
        .page("/a.html", &page("A"))
        .not_found(&page("Not here"))
        .redirect("/gone?id=7", "/a.html", 301);
    let newest = site_write::plan(&site.snapshot, &site.bodies).expect("a plan");
    let plan = newest.clone().on(Next::Fourteen);
    let written = |plan: &Plan| site_write::transform(plan, &site.snapshot, &site.bodies).expect("a project");
    let (ours, project) = (written(&newest), written(&plan));
    for (route, same) in plan.routes.iter().zip(&newest.routes) {
        assert!(route.file.starts_with("app/(pages)/"), "beside the page for what is not there: {route:?}");
        assert_eq!(text(&project, &route.file), text(&ours, &same.file));
    }
    assert!(text(&project, "app/layout.tsx").contains("return children;"));
    assert!(text(&project, "app/not-found.tsx").contains("<html lang=\"en\">"));
    assert!(text(&project, "app/(pages)/layout.tsx").contains("<html lang=\"en\">"));
    assert!(text(&project, "next.config.mjs").contains("const config = {\n"));
    assert!(text(&project, "middleware.ts").contains("export function middleware(request: NextRequest)"));
    assert!(text(&project, "package.json").contains("\"next\": \"14."));
    assert!(text(&project, ".eslintrc.json").contains("next/core-web-vitals"));
    for newer in ["next.config.ts", "proxy.ts", "app/global-not-found.tsx", "eslint.config.mjs"] {
        assert!(!project.files.contains_key(newer), "{newer}");
    }
    let said = ["README.md", "MIGRATION.md", ".prettierignore"].map(|path| text(&project, path)).concat();
    assert!(
        said.contains("next.config.mjs") && !said.contains("next.config.ts") && !said.contains("proxy.ts")
    );
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:#?}");
    let stored = serde_json::to_vec(&plan).expect("JSON");
    assert_eq!(Plan::read(&stored).expect("a plan"), plan);
    assert!(!serde_json::to_string(&newest).expect("JSON").contains("\"next\""), "the newest is not said");
}

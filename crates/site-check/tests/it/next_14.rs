//! A project for who has to stay with Next.js 14: the same pages, in files that it knows. That it builds is shown by `make next-14`.

use crate::{server::text, snapshot::Site};
use site_write::{Next, Plan};

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

//! What a project has for pages with old doctypes, whatever Next.js it is written for. That browsers show them as before is shown
//! in `likeness`.

use crate::{server::text, snapshot::Site};
use site_write::Next;

#[test]
fn an_old_doctype_is_kept_after_every_build_and_today_s_needs_nothing() {
    let files = |html: &str, next| {
        let site = Site::new().page("/", html);
        let plan = site_write::plan(&site.snapshot, &site.bodies).expect("a plan").on(next);
        site_write::transform(&plan, &site.snapshot, &site.bodies).expect("a project")
    };
    let script = "scripts/old-doctypes.mjs";
    let at_start = "if (phase === PHASE_PRODUCTION_SERVER) spawnSync(process.execPath, [oldDoctypes], { stdio: \"inherit\" });";
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

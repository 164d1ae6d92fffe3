//! Analytics and widgets are told apart from a page's other scripts, and named for its owner.

use crate::{
    server::{text, written},
    snapshot::Site,
};
use site_read::analysis::{ScriptKind, known::Loading};

const TAG: &str = "<script async src='https://www.googletagmanager.com/gtag/js?id=G-1'></script>\
    <script>window.dataLayer = window.dataLayer || []; function gtag(){dataLayer.push(arguments);} gtag('js', new Date()); gtag('config', 'G-1');</script>";
const CHAT: &str = "<script>window.$crisp=[];window.CRISP_WEBSITE_ID='1';(function(){var d=document,s=d.createElement('script');\
    s.src='https://client.crisp.chat/l.js';s.async=1;d.getElementsByTagName('head')[0].appendChild(s);})();</script>";
const OWN: &str = "<script src='https://code.jquery.com/jquery-3.7.1.min.js'></script>\
    <script>$('#menu').on('click', function () { $(this).toggleClass('open'); });</script>";
/// Tells a service of what visitors do: it waits for the library, and so does the service with it.
const TOLD: &str = "<script src='https://static.hotjar.com/c/hotjar-1.js'></script>\
    <script>$('#menu').on('click', function () { window.hj = 'static.hotjar.com'; });</script>";
const CAPTCHA: &str = "<script src='https://www.google.com/recaptcha/api.js'></script>";

fn page(head: &str, tail: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>Shop</title>{head}</head><body><p id=menu>Words</p>{tail}</body></html>"
    )
}

#[test]
fn analytics_and_widgets_are_next_js_s_to_load_and_what_others_wait_for_is_not() {
    let site = Site::new()
        .page("/", &page(TAG, &format!("{OWN}{CHAT}")))
        .page("/told.html", &page("", &format!("{OWN}{TOLD}{CAPTCHA}")))
        .page("/only.html", &page(TAG, ""));
    let (plan, project) = written(&site);
    let home = text(&project, "app/page.tsx");
    let tag =
        "<Script src={\"https://www.googletagmanager.com/gtag/js?id=G-1\"} strategy=\"afterInteractive\" />";
    assert!(home.contains(tag), "{home}");
    assert!(
        home.contains("<Script id=\"google-analytics\" strategy=\"afterInteractive\">{\"window.dataLayer"),
        "{home}"
    );
    assert!(home.contains("<Script id=\"crisp\" strategy=\"lazyOnload\">{\"window.$crisp=[]"), "{home}");
    let chain = home.split_once("<LegacyScripts").expect("its own scripts are in a chain").1;
    assert!(chain.contains("jquery-3.7.1") && chain.contains("toggleClass"), "{home}");
    assert!(!chain.contains("gtag") && !chain.contains("crisp"), "{home}");
    let told = text(&project, "app/told.html/page.tsx");
    assert!(!told.contains("<Script"), "{told}");
    let only = text(&project, "app/only.html/page.tsx");
    assert!(only.contains("<Script") && !only.contains("LegacyScripts"), "{only}");

    let (after, lazy) = (Some(Loading::AfterInteractive), Some(Loading::LazyOnload));
    let services: Vec<_> =
        plan.services.iter().map(|it| (it.name.as_str(), it.kind, it.loading, it.pages)).collect();
    let expected = [
        ("Crisp", ScriptKind::Widget, lazy, 1),
        ("Google Analytics", ScriptKind::Analytics, after, 2),
        ("Hotjar", ScriptKind::Analytics, None, 1),
        ("reCAPTCHA", ScriptKind::Widget, None, 1),
    ];
    assert_eq!(services, expected);
    let migration = text(&project, "MIGRATION.md");
    for line in [
        "- Google Analytics (analytics) on 2 pages: by `next/script`, `afterInteractive`\n",
        "- Crisp (widget) on 1 page: by `next/script`, `lazyOnload`\n",
        "- reCAPTCHA (widget) on 1 page: in order with the page's own scripts, which may wait for it\n",
    ] {
        assert!(migration.contains(line), "{migration}");
    }
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:#?}");
}

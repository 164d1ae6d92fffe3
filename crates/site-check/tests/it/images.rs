//! What `next/image` makes of an image, by itself and in the component that projects have around it (docs/adr/009).

use crate::{react, server::cache, server::written, snapshot::Site};
use site_check::Toolchain;
use site_write::Contents;
use tokio::process::Command;

const PROGRAM: &str = r#"
const load = require("node:module").createRequire(process.argv[1] + "/");
const { createElement } = load("react");
const { renderToStaticMarkup } = load("react-dom/server");
const loaded = load("next/image");
const Image = loaded.default ?? loaded;
for (const more of [{}, { unoptimized: true }]) {
  console.log(renderToStaticMarkup(createElement(Image, { src: "/a.png", alt: "a", width: 640, height: 800, ...more })));
}
"#;

#[tokio::test]
async fn next_image_by_itself_changes_what_a_browser_does_with_an_image() {
    std::fs::create_dir_all(cache()).expect("the cache can be made");
    let toolchain = Toolchain::prepare(&cache()).await.expect("Node and npm are here");
    let mut node = Command::new("node");
    node.args(["--eval", PROGRAM]).arg(toolchain.node_modules()).env("NODE_ENV", "production");
    let done = node.output().await.expect("node can be started");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    let [plain, unoptimised] = lines[..] else {
        panic!("two images: {said}{}", String::from_utf8_lossy(&done.stderr));
    };
    for changed in [plain, unoptimised] {
        for added in [r#"decoding="async""#, r#"style="color:transparent""#, r#"loading="lazy""#] {
            assert!(changed.contains(added), "{changed}");
        }
    }
    assert!(plain.contains(r#"srcSet="/_next/image?url=%2Fa.png"#), "{plain}");
    assert!(unoptimised.contains(r#" src="/a.png""#), "{unoptimised}");
}

#[test]
fn the_projects_component_adds_only_what_says_nothing() {
    let images = "<p><img src=/a.png alt=a width=640 height=800 class=wide>\
                  <img src=/a.png alt='' width=8 height=8 loading=lazy style='color: red'>\
                  <img src=/a.png alt=b><img src=/a.png alt=c class=fluid><img src=/a.png alt=d style='max-width: 9px'>";
    let css = "p img { border: 1px solid } .fluid { max-width: 100%; height: auto }";
    let page = format!("<!doctype html><link rel=stylesheet href=/a.css>{images}");
    let site = Site::new().page("/", &page).image("/a.png", 64, 32).asset("/a.css", "text/css", css);
    let (plan, project) = written(&site);
    let page = &react::render(&project)[&plan.routes[0].file];
    assert_eq!(page.complaints, Vec::<String>::new());
    for image in [
        r#"<img alt="a" loading="eager" width="640" height="800" decoding="auto" data-nimg="1" class="wide" style="color:revert-layer" src="/a.png"/>"#,
        r#"<img alt="" loading="lazy" width="8" height="8" decoding="auto" data-nimg="1" style="color:red" src="/a.png"/>"#,
        // Their size is the file's.
        r#"<img alt="b" loading="eager" width="64" height="32" decoding="auto" data-nimg="1" style="color:revert-layer;aspect-ratio:auto" src="/a.png"/>"#,
        r#"<img alt="c" loading="eager" width="64" height="32" decoding="auto" data-nimg="1" class="fluid" style="color:revert-layer;aspect-ratio:auto" src="/a.png"/>"#,
        r#"<img alt="d" src="/a.png" style="max-width:9px"/>"#,
    ] {
        assert!(page.html.contains(image), "{image} is not in\n{}", page.html);
    }
    let Contents::Text(told) = &project.files["MIGRATION.md"] else { panic!("it is text") };
    assert!(told.contains("- 4 images by `next/image`"), "{told}");
    assert!(told.contains("- 1 image as `<img>`: style sheets say their size"), "{told}");
}

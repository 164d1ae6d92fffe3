//! What `next/image` would make of an image: the reason why images stay as they are (docs/adr/006).

use crate::server::cache;
use site_check::Toolchain;
use tokio::process::Command;

const PROGRAM: &str = r#"
const load = require("node:module").createRequire(process.argv[1] + "/");
const { createElement } = load("react");
const { renderToStaticMarkup } = load("react-dom/server");
const loaded = load("next/image");
const Image = loaded.default ?? loaded;
for (const more of [{}, { unoptimized: true }, { unoptimized: true, loading: "eager" }]) {
  console.log(renderToStaticMarkup(createElement(Image, { src: "/a.png", alt: "a", width: 640, height: 800, ...more })));
}
"#;

#[tokio::test]
async fn next_image_changes_what_a_browser_does_with_an_image_whichever_way_it_is_asked() {
    std::fs::create_dir_all(cache()).expect("the cache can be made");
    let toolchain = Toolchain::prepare(&cache()).await.expect("Node and npm are here");
    let mut node = Command::new("node");
    node.args(["--eval", PROGRAM]).arg(toolchain.node_modules()).env("NODE_ENV", "production");
    let done = node.output().await.expect("node can be started");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    let [plain, unoptimised, eager] = lines[..] else {
        panic!("three images: {said}{}", String::from_utf8_lossy(&done.stderr));
    };
    for changed in [plain, unoptimised, eager] {
        assert!(
            changed.contains(r#"decoding="async""#) && changed.contains(r#"style="color:transparent""#),
            "{changed}"
        );
    }
    assert!(plain.contains(r#"srcSet="/_next/image?url=%2Fa.png"#), "{plain}");
    assert!(
        unoptimised.contains(r#"loading="lazy""#) && unoptimised.contains(r#"src="/a.png""#),
        "{unoptimised}"
    );
    assert!(eager.contains(r#"<link rel="preload" as="image""#), "{eager}");
}

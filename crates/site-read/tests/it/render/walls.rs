//! Cookie walls: told no in many forms, never yes.

use site_read::render::Wall;

use super::render;
use crate::server::{Reply, Site};

const HEAD: &str = "<!doctype html><html><body style='overflow:hidden'><main><h1>The page itself</h1></main>\
    <a href=/x>Decline</a><script>function said(what){document.title=what;\
    document.querySelectorAll('.wall').forEach((wall)=>wall.remove());document.body.style.overflow='auto'}</script>";

fn wall(buttons: &str) -> Reply {
    Reply::html(format!(
        "{HEAD}<div class=wall style='position:fixed;inset:0;background:#fff'><p>We use cookies.</p>\
         <button onclick=\"said('yes')\">Accept all</button><button onclick=\"said('yes')\">OK</button>{buttons}</div>"
    ))
}

#[tokio::test]
async fn walls_are_refused_by_their_tools_and_by_their_words() {
    let site = Site::with(vec![
        ("/onetrust", wall("<button id=onetrust-reject-all-handler onclick=\"said('no')\">x</button>")),
        ("/words", wall("<button onclick=\"said('no')\">Nur notwendige Cookies</button>")),
        (
            "/link",
            wall(
                "<a href=# role=button onclick=\"said('no')\">Continuer sans accepter &rarr;</a><a href=# onclick=\"said('no')\">Tout refuser</a>",
            ),
        ),
    ]);
    for (path, by) in
        [("/onetrust", "OneTrust"), ("/words", "nur notwendige cookies"), ("/link", "tout refuser")]
    {
        let rendered = render(&site, path).await.expect("a rendered page");
        assert_eq!(rendered.walls, [Wall::Refused { by: by.to_owned() }], "{path}");
        assert!(rendered.html.contains("<title>no</title>"), "{path}: {}", rendered.html);
        assert!(!rendered.html.contains("We use cookies"), "{path}");
        assert_eq!(rendered.url.path(), path, "no link of the page was followed");
    }
}

#[tokio::test]
async fn a_wall_that_takes_no_no_is_hidden_and_told() {
    let header = "<header style='position:sticky;top:0'>Our cookie recipes</header>";
    let walled = wall("<a href=/policy>Privacy policy</a>");
    let plain = Reply::html(format!("{header}<main><p>Cookies are baked at 180 degrees.</p></main>"));
    let site = Site::with(vec![("/", walled), ("/recipes", plain)]);
    let rendered = render(&site, "/").await.expect("a rendered page");
    assert_eq!(rendered.walls, [Wall::Hidden { by: "wall".to_owned() }]);
    assert!(!rendered.html.contains("<title>yes</title>"), "nothing was agreed to");
    assert!(rendered.html.contains("display: none !important"), "{}", rendered.html);
    assert!(rendered.html.contains("overflow: visible !important"), "{}", rendered.html);

    let recipes = render(&site, "/recipes").await.expect("a rendered page");
    assert!(recipes.walls.is_empty(), "a page about biscuits is no wall: {:?}", recipes.walls);
}

//! What came of a migration: the report that VERIFY leaves, as JSON, as a page in both languages, and its pictures.

use crate::{
    browser::Browser,
    server::{Server, key_of, refused},
};
use serde_json::{Value, json};

const BEFORE: &[u8] = b"\x89PNG before";
const AFTER: &[u8] = b"\x89PNG after";

impl Server {
    fn keep(&self, key: &str, bytes: &[u8]) {
        let file = self.objects.path().join(key);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        std::fs::write(file, bytes).expect("it can be written");
    }

    /// A migration that was checked, with this comparison in its report; and where its bodies are.
    async fn checked(&self, comparison: Option<Value>) -> (String, String) {
        let id = self.started("/").await;
        let sql = self.database.sql().await;
        let tenant: uuid::Uuid = sql
            .query_one("SELECT tenant_id FROM migrations WHERE id::text = $1", &[&id])
            .await
            .expect("a row")
            .get(0);
        let at = format!("tenants/{tenant}/migrations/{id}/run-1");
        let mut report = json!({"checks": []});
        if let Some(comparison) = comparison {
            report["comparison"] = comparison;
        }
        let notes: Vec<Value> = (0..201)
            .map(|n| json!({"code": "body_handler", "url": format!("https://old.example/{n}"), "note": "A <b> was left out."}))
            .collect();
        let plan = json!({"version": 2, "redirects": [{}, {}], "findings": notes, "routes": []});
        self.keep(&format!("{at}/report.json"), report.to_string().as_bytes());
        self.keep(&format!("{at}/plan.json"), plan.to_string().as_bytes());
        let phase = "INSERT INTO phases (migration_id, run, phase, tenant_id, state, starts, epoch, completed_at, result)
                     SELECT id, run, $2::text, tenant_id, 'completed', 1, 1, now(), $3::jsonb FROM migrations WHERE id::text = $1";
        for (name, result) in [
            ("ANALYZE", json!({"pages": 12, "assets": 30})),
            ("PLAN", json!({"plan": format!("{at}/plan.json"), "routes": 12, "layouts": 1, "shared": 3})),
            ("TRANSFORM", json!({"files": 58})),
            (
                "VERIFY",
                json!({"report": format!("{at}/report.json"), "checks": ["text", "types"], "findings": ["Look at /about."]}),
            ),
        ] {
            sql.execute(phase, &[&id, &name, &result]).await.expect("an insert");
        }
        (id, format!("tenants/{tenant}/bodies"))
    }
}

fn comparison(before: &str, after: &str) -> Value {
    json!({
        "version": 1, "passed": false, "widths": [1280, 390], "addresses": 14, "leftOut": 3,
        "wrongAddresses": [{"path": "/old.html", "wanted": "301 to /new.html", "found": "404"}],
        "pages": [{
            "url": "https://old.example/", "passed": true, "reasons": [],
            "elements": [
                {"width": 1280, "visible": 9, "alike": 9, "share": 1.0, "differing": {}, "pixels": {"sameSize": true, "ssim": 0.98, "different": 0.0}},
                {"width": 390, "visible": 9, "alike": 9, "share": 1.0, "differing": {}},
            ],
            "original": {"requests": 1, "bytes": 1, "ownBytes": 1}, "copy": {"requests": 1, "bytes": 1, "ownBytes": 1},
            "pictures": [{"width": 390, "original": after, "copy": after}, {"width": 1280, "original": before, "copy": after}],
        }, {
            "url": "https://old.example/about.html", "passed": false,
            "reasons": [{"code": "elements", "width": 390, "note": "97.10 % of its elements look the same"}],
            "elements": [{"width": 390, "visible": 9, "alike": 8, "share": 0.971, "differing": {"color": 1}}],
            "original": {"requests": 1, "bytes": 1, "ownBytes": 1}, "copy": {"requests": 1, "bytes": 1, "ownBytes": 1},
        }, {
            "url": "https://old.example/gone.html", "passed": false, "elements": [],
            "reasons": [{"code": "unmeasured", "note": "the page crashed"}],
            "original": {"requests": 0, "bytes": 0, "ownBytes": 0}, "copy": {"requests": 0, "bytes": 0, "ownBytes": 0},
        }],
    })
}

#[tokio::test]
async fn before_and_after_are_told_with_scores_and_shown_by_their_hash() {
    let server = Server::start().await;
    let (before, after) = ("aa".repeat(32), "bb".repeat(32));
    let (id, bodies) = server.checked(Some(comparison(&before, &after))).await;
    server.keep(&format!("{bodies}/{before}"), BEFORE);
    server.keep(&format!("{bodies}/{after}"), AFTER);
    let secret = "cc".repeat(32);
    server.keep(&format!("{bodies}/{secret}"), b"some other body");

    let result = server.json(&format!("/api/migration/{id}/result")).await;
    let pages = result["compared"]["pages"].as_array().expect("pages");
    assert_eq!(
        (&pages[0]["score"], &pages[0]["ssim"], &pages[0]["passed"]),
        (&json!(1.0), &json!(0.98), &json!(true))
    );
    assert_eq!((&pages[1]["score"], &pages[1]["ssim"]), (&json!(0.971), &Value::Null));
    assert_eq!((&pages[2]["score"], &pages[2]["pictures"]), (&Value::Null, &json!([])));
    let picture = &pages[0]["pictures"][0];
    assert_eq!((&picture["width"], &picture["score"]), (&json!(1280), &json!(1.0)));
    assert_eq!(
        result["changed"],
        json!({"pages": 12, "assets": 30, "routes": 12, "layouts": 1, "sharedParts": 3, "redirects": 2, "files": 58})
    );
    assert_eq!((&result["findings"][0], &result["allNotes"]), (&json!("Look at /about."), &json!(201)));
    assert_eq!((result["notes"].as_array().map(Vec::len), &result["artifact"]), (Some(200), &Value::Null));

    for (side, bytes) in [("before", BEFORE), ("after", AFTER)] {
        let answer = server.get(picture[side].as_str().expect("an address")).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"image/png".parse().expect("a header"))
        );
        assert!(answer.headers()["cache-control"].to_str().expect("text").starts_with("private"));
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.bytes().await.expect("a body"), bytes);
    }
    let at = |hash: &str| format!("/api/migration/{id}/result/pictures/{hash}");
    // A body of the tenant's that is no picture of this result, and what could lead out of the folder.
    for hash in [secret.as_str(), "..%2F..%2Fx", "x"] {
        refused(server.get(&at(hash)).await, 404, "picture_not_found").await;
    }
    let mut stranger = server;
    stranger.key = key_of(&stranger.database, "second@example.com").await;
    refused(stranger.get(&at(&before)).await, 404, "migration_not_found").await;
    refused(stranger.get(&format!("/api/migration/{id}/result")).await, 404, "migration_not_found").await;
}

#[tokio::test]
async fn the_page_shows_both_sides_scores_and_what_needs_a_person_in_both_languages() {
    let server = Server::start().await;
    let (before, after) = ("aa".repeat(32), "bb".repeat(32));
    let (id, _) = server.checked(Some(comparison(&before, &after))).await;
    let browser = Browser::signed_in(&server).await;
    let page = browser.read(&format!("/migrations/{id}/result")).await;
    let picture = format!(
        r#"<img src="/api/migration/{id}/result/pictures/{before}" alt="Before: https://old.example/""#
    );
    for told in [
        "1 of 3 pages are as they were. 3 more were not shown",
        "100.0 % · as it was",
        "97.1 % · differs",
        "not measured",
        "97.10 % of its elements look the same",
        &picture,
        "301 to /new.html",
        "Look at /about.",
        "A &lt;b&gt; was left out.",
        "1 more are in the project's report.",
        r#"type="range""#,
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains(" style="), "{page}");
    let page = browser.read(&format!("/ar/migrations/{id}/result")).await;
    assert!(page.contains("1 من 3 صفحة كما كانت.") && page.contains(r#"dir="rtl""#), "{page}");
}

#[tokio::test]
async fn where_nothing_was_measured_or_checked_the_page_says_so() {
    let server = Server::start().await;
    let (id, _) = server.checked(None).await;
    assert_eq!(server.json(&format!("/api/migration/{id}/result")).await["compared"], Value::Null);
    let browser = Browser::signed_in(&server).await;
    let page = browser.read(&format!("/migrations/{id}/result")).await;
    assert!(page.contains("Nothing was measured") && !page.contains("type=\"range\""), "{page}");
    let early = server.started("/early").await;
    let told =
        refused(server.get(&format!("/api/migration/{early}/result")).await, 409, "not_completed").await;
    assert_eq!(told["migrationStatus"], "queued");
    let page = browser.get(&format!("/migrations/{early}/result")).await;
    assert_eq!(page.status(), 409);
    assert!(page.text().await.expect("a page").contains("There is no result yet"));
}

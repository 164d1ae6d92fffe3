//! The plan, as its owner sees, changes and approves it, and as a change of it is refused.

use crate::{
    browser::{Browser, location},
    server::{Server, key_of, refused},
};
use domain::phase::Phase;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use site_read::ContentHash;
use std::time::Duration;
use store::{ClaimRequest, Store};

const HOME: &str = "https://a.example/";

/// A plan of two pages with a part that both have.
fn plan() -> Value {
    let route = |path: &str, served: &str, component: &str| {
        json!({
            "url": format!("https://a.example{path}"), "path": path, "served": served,
            "file": format!("app{}/page.tsx", served.trim_end_matches('/')), "component": component,
            "group": "site", "shared": ["SiteFooter"], "scripted": false,
        })
    };
    json!({
        "version": site_write::plan::VERSION, "origin": "https://a.example", "trailing_slash": "open",
        "routes": [route("/", "/", "HomePage"), route("/(x)", "/p-0123", "XPage")],
        "groups": [{
            "name": "site", "layout": "app/layout.tsx", "key": "", "pages": 2, "styles": [], "before": [], "after": [],
        }],
        "shared": [{"name": "SiteFooter", "file": "components/SiteFooter.tsx", "hash": "f", "pages": 2}],
        "assets": [], "redirects": [],
        "rewrites": [{
            "from": "/(x)", "matcher": {"source": "/\\(x\\)"}, "to": "/p-0123", "by": "configuration",
        }],
        "forms": [], "findings": [],
    })
}

impl Server {
    /// A migration whose plan is made; it waits with it, or works on. Answers its id and the plan's tag.
    async fn planned(&self, path: &str, review: bool) -> (String, String) {
        let mut wish = self.wish(path);
        wish["reviewPlan"] = review.into();
        let answer = self.start_request(&wish).send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
        let answer: Value = answer.json().await.expect("JSON");
        let id = answer["migrationId"].as_str().expect("an id").to_owned();

        let plan: site_write::Plan = serde_json::from_value(plan()).expect("a plan");
        let text = serde_json::to_vec(&plan).expect("a plan");
        let (key, hash) = (format!("plans/{id}.json"), ContentHash::of(&text).to_string());
        let file = self.objects.path().join(&key);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        std::fs::write(file, text).expect("it can be written");

        let worker = Store::connect(&self.database.worker()).await.expect("the worker may connect");
        let request = ClaimRequest {
            queue: domain::job::MIGRATION_QUEUE,
            worker: domain::WorkerId(uuid::Uuid::now_v7()),
            slots: 1,
            ttl: Duration::from_secs(300),
            begin: None,
        };
        let claimed = worker.claim(&request).await.expect("a claim").pop().expect("a job");
        assert_eq!(claimed.payload["reviewPlan"], review);
        let lease = claimed.lease;
        let _held = worker.begin_job(&lease, &[]).await.expect("begun");
        for (phase, result) in
            [(Phase::Analyze, json!({})), (Phase::Plan, json!({"plan": key, "hash": hash, "routes": 2}))]
        {
            let _held = worker.begin_phase(&lease, phase, &[]).await.expect("begun");
            let _held = worker.complete_phase(&lease, phase, &result, &[]).await.expect("complete");
        }
        if review {
            let _held = worker.park_job(&lease, &[]).await.expect("parked");
        }
        (id, format!("\"{hash}\""))
    }

    fn change(&self, id: &str, tag: &str, body: &Value) -> RequestBuilder {
        let path = format!("/api/migration/{id}/plan");
        self.request(Method::PATCH, &path).bearer_auth(&self.key).header("if-match", tag).json(body)
    }

    async fn changed(&self, id: &str, tag: &str, body: &Value) -> Response {
        self.change(id, tag, body).send().await.expect("an answer")
    }

    async fn status(&self, id: &str) -> Value {
        self.get(&format!("/api/migration/{id}")).await.json().await.expect("JSON")
    }
}

fn tag(answer: &Response) -> String {
    answer.headers()["etag"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_plan_is_shown_changed_and_approved_by_its_tag() {
    let server = Server::start().await;
    let (id, first) = server.planned("/", true).await;
    assert_eq!(server.status(&id).await["status"], "questionnaire");
    let path = format!("/api/migration/{id}/plan");
    let shown = server.get(&path).await;
    assert_eq!((shown.status().as_u16(), tag(&shown)), (200, first.clone()));
    assert_eq!(shown.headers()["plan-version"], "1");
    assert_eq!(shown.json::<Value>().await.expect("JSON")["routes"][0]["component"], "HomePage");
    let known = server.request(Method::GET, &path).bearer_auth(&server.key).header("if-none-match", &first);
    assert_eq!(known.send().await.expect("an answer").status(), 304);

    let edits = json!({
        "components": {HOME: "FrontDoor"}, "parts": {"SiteFooter": "Colophon"},
        "served": {"https://a.example/(x)": "/x"},
    });
    let answer = server.changed(&id, &first, &edits).await;
    let second = tag(&answer);
    let told: Value = answer.json().await.expect("JSON");
    assert_eq!((&told["status"], &told["planVersion"]), (&json!("questionnaire"), &json!(2)), "{told}");
    assert_eq!(format!("\"{}\"", told["planHash"].as_str().expect("text")), second);
    let shown = server.get(&path).await;
    assert_eq!(
        (tag(&shown), &shown.headers()["plan-version"]),
        (second.clone(), &"2".parse().expect("text"))
    );
    let shown: Value = shown.json().await.expect("JSON");
    assert_eq!(shown["routes"][0]["component"], "FrontDoor");
    assert_eq!(shown["routes"][0]["shared"], json!(["Colophon"]));
    assert_eq!(shown["routes"][1]["file"], "app/x/page.tsx");

    // The same again changes nothing, and is no version.
    let again = server.changed(&id, &second, &json!({"components": {HOME: "FrontDoor"}})).await;
    assert_eq!(again.json::<Value>().await.expect("JSON")["planVersion"], 2);

    let approved = server.changed(&id, &second, &json!({"approve": true})).await;
    assert_eq!(approved.status(), 200);
    assert_eq!(approved.json::<Value>().await.expect("JSON")["status"], "processing");
    let events: Value = server.get(&format!("/api/migration/{id}/events")).await.json().await.expect("JSON");
    let notes: Vec<&Value> =
        events["events"].as_array().expect("a list").iter().map(|event| &event["detail"]["status"]).collect();
    assert_eq!(notes, ["queued", "plan_edited", "processing"]);
    let told = refused(server.changed(&id, &second, &edits).await, 409, "plan_in_use").await;
    assert_eq!(told["migrationStatus"], "processing");
}

#[tokio::test]
async fn a_change_that_is_sent_again_gets_its_stored_answer() {
    let server = Server::start().await;
    let (id, first) = server.planned("/", true).await;
    let body = json!({"parts": {"SiteFooter": "Colophon"}, "approve": true});
    let send = async |tag: &str, body: &Value| {
        let request = server.change(&id, tag, body).header("idempotency-key", "\"once\"");
        request.send().await.expect("an answer")
    };
    let told: Value = send(&first, &body).await.json().await.expect("JSON");
    assert_eq!(told["status"], "processing");
    let again = send(&first, &body).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.json::<Value>().await.expect("JSON"), told);
    refused(send("\"another\"", &body).await, 422, "idempotency_key_reused").await;
    assert_eq!((server.count("plan_edits").await, server.count("jobs").await), (1, 2));
}

#[tokio::test]
async fn what_would_not_build_or_was_not_seen_is_refused_with_what_to_do() {
    let server = Server::start().await;
    let (id, first) = server.planned("/", true).await;
    for (wrong, told) in [
        (json!({"components": {HOME: "front door"}}), "capital"),
        (json!({"components": {"https://a.example/no": "NoPage"}}), "no page"),
        (json!({"parts": {"SiteFooter": "HomePage"}}), "choose another"),
        (json!({"served": {HOME: "/home"}}), "cannot be chosen"),
        // Nothing of a change is made if a part of it cannot be, not even the approval.
        (json!({"parts": {"No": "Part"}, "approve": true}), "no shared part"),
    ] {
        let document = refused(server.changed(&id, &first, &wrong).await, 422, "invalid_plan_edit").await;
        assert!(document["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{document}");
    }
    refused(server.changed(&id, &first, &json!({})).await, 400, "invalid_body").await;
    refused(server.changed(&id, &first, &json!({"origin": "x"})).await, 400, "invalid_body").await;
    let other =
        refused(server.changed(&id, "\"other\"", &json!({"approve": true})).await, 412, "plan_changed");
    assert_eq!(format!("\"{}\"", other.await["planHash"].as_str().expect("a hash")), first);
    let path = format!("/api/migration/{id}/plan");
    let bare = server.request(Method::PATCH, &path).bearer_auth(&server.key).json(&json!({"approve": true}));
    refused(bare.send().await.expect("an answer"), 428, "if_match_missing").await;
    assert_eq!((server.count("plan_edits").await, server.count("jobs").await), (0, 1));
    assert_eq!(server.status(&id).await["status"], "questionnaire");
    let post = server.request(Method::POST, &path).bearer_auth(&server.key).send().await.expect("an answer");
    assert_eq!(post.headers()["allow"], "GET, HEAD, PATCH");
    refused(post, 405, "method_not_allowed").await;
}

#[tokio::test]
async fn who_works_by_a_plan_is_not_disturbed_and_who_has_none_is_told_so() {
    let mut server = Server::start().await;
    let (working, tag) = server.planned("/working", false).await;
    let approve = json!({"approve": true});
    refused(server.changed(&working, &tag, &approve).await, 409, "plan_in_use").await;
    let queued = server.started("/queued").await;
    let told = refused(server.changed(&queued, "*", &approve).await, 409, "not_planned").await;
    assert_eq!(told["migrationStatus"], "queued");
    refused(server.get(&format!("/api/migration/{queued}/plan")).await, 409, "not_planned").await;
    server.key = key_of(&server.database, "second@example.com").await;
    refused(server.get(&format!("/api/migration/{working}/plan")).await, 404, "migration_not_found").await;
    refused(server.changed(&working, &tag, &approve).await, 404, "migration_not_found").await;
}

#[tokio::test]
async fn the_plan_of_another_release_is_approved_but_not_edited() {
    let server = Server::start().await;
    let (id, tag) = server.planned("/", true).await;
    let file = server.objects.path().join(format!("plans/{id}.json"));
    let mut old = plan();
    old["version"] = 1.into();
    std::fs::write(file, old.to_string()).expect("it can be written");
    let edit = json!({"parts": {"SiteFooter": "Colophon"}});
    let told = refused(server.changed(&id, &tag, &edit).await, 422, "invalid_plan_edit").await;
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("another release")), "{told}");
    assert_eq!(server.changed(&id, &tag, &json!({"approve": true})).await.status(), 200);
}

#[tokio::test]
async fn a_page_shows_the_plan_that_waits_and_takes_the_word_for_the_one_that_was_shown() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let token = browser.token().await;
    let begun = [
        ("token", token.as_str()),
        ("url", &format!("{}ticked", server.site.url())),
        ("brief", "Keep it."),
        ("review", "1"),
    ];
    let begun = location(&browser.form("/start", &begun).await).to_owned();
    let reviewed = "SELECT review_plan FROM migrations";
    let sql = server.database.sql().await;
    assert!(sql.query_one(reviewed, &[]).await.expect("a row").get::<_, bool>(0), "the box was ticked");
    assert!(
        browser
            .read(&begun)
            .await
            .contains(r#"id="asked" tabindex="-1" aria-labelledby="asked-title" hidden"#)
    );
    // Nobody is to take this one in place of the next.
    assert_eq!(browser.form(&format!("{begun}/cancel"), &[("token", &token)]).await.status(), 303);

    let (id, first) = server.planned("/", true).await;
    let (at, hash) = (format!("/migrations/{id}"), first.trim_matches('"'));
    let page = browser.read(&at).await;
    for told in ["The plan is ready", "<dt>Pages written</dt><dd>2</dd>", hash, "Approve the plan"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(browser.read(&format!("/ar{at}")).await.contains("أوافق على الخطة"));
    let approve = format!("{at}/approve");
    let forged = browser.form(&approve, &[("token", "x"), ("plan", hash)]).await;
    assert_eq!(forged.status(), 403);
    let edit = json!({"parts": {"SiteFooter": "Colophon"}});
    let second = tag(&server.changed(&id, &first, &edit).await);
    let stale = browser.form(&approve, &[("token", &token), ("plan", hash)]).await;
    assert_eq!(stale.status(), 412);
    assert!(stale.text().await.expect("a page").contains("The plan was changed after this page was made."));
    let word = [("token", token.as_str()), ("plan", second.trim_matches('"'))];
    let answer = browser.form(&approve, &word).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, at.as_str()));
    let page = browser.read(&at).await;
    assert!(page.contains(r#"data-state="processing""#) && !page.contains("Approve the plan"), "{page}");
    assert_eq!(browser.form(&approve, &word).await.status(), 409, "nothing waits any more");
}

//! A move that ended, on its page: what to do about a failure, another run with its reason, and why there is none.

use crate::{
    browser::{Browser, location},
    server::Server,
};

#[tokio::test]
async fn a_failure_says_what_to_do_and_is_run_again_with_its_reason() {
    let server = Server::start().await;
    let (id, _) = server.dead("/").await;
    let browser = Browser::signed_in(&server).await;
    let (at, token) = (format!("/migrations/{id}"), browser.token().await);
    let page = browser.read(&at).await;
    for told in [
        "The site is away.",
        "Check that the website opens in a browser, then run it again.",
        r#"<option value="network" selected>The website can be reached again</option>"#,
        "At most 3 times for each reason, with 60 seconds in between.",
        r#"id="cancel" hidden"#,
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let again = format!("{at}/retry");
    let answer = browser.form(&again, &[("token", &token), ("reason", "network")]).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, at.as_str()));
    let page = browser.read(&at).await;
    assert!(page.contains(r#"data-state="queued" data-run="2""#), "{page}");
    let sql = server.database.sql().await;
    let asked = sql.query_one("SELECT reason, reuse_seeds FROM retries", &[]).await.expect("one wish");
    assert_eq!((asked.get::<_, &str>(0), asked.get::<_, bool>(1)), ("network", true));
}

#[tokio::test]
async fn what_stands_in_the_way_of_another_run_is_told_at_the_form_with_its_numbers() {
    let server = Server::start().await;
    let (id, _) = server.dead("/").await;
    let browser = Browser::signed_in(&server).await;
    let token = browser.token().await;
    let ask = async |prefix: &str, reason: &str, id: &str| {
        let path = format!("{prefix}/migrations/{id}/retry");
        let answer = browser.form(&path, &[("token", &token), ("reason", reason), ("anew", "1")]).await;
        (answer.status().as_u16(), answer.text().await.expect("a page"))
    };
    assert_eq!(ask("", "internal", &id).await.0, 303);
    let (status, page) = ask("", "internal", &id).await;
    assert_eq!(status, 409);
    assert!(page.contains("it is still under way"), "{page}");
    let sql = server.database.sql().await;
    let over = "UPDATE jobs SET state = 'CANCELLED', finished_at = clock_timestamp() WHERE state = 'PENDING';
        UPDATE migrations SET state = 'failed', finished_at = clock_timestamp(), error = '{\"reason\": \"internal\"}'";
    sql.batch_execute(over).await.expect("the owner may");
    let (status, page) = ask("/ar", "internal", &id).await;
    assert_eq!(status, 429);
    assert!(page.contains("هذا مبكر") && !page.contains("{retryAfterSeconds}"), "{page}");
    assert!(
        page.contains(&format!(r#"href="/migrations/{id}""#)),
        "the other language is one step away: {page}"
    );
    let used = "UPDATE retries SET created_at = created_at - interval '1 h';
        INSERT INTO retries SELECT migration_id, run + n, tenant_id, user_id, reason, previous_state, previous_phase,
            previous_error, previous_project_id, from_phase, reuse_seeds, new_brief, increased_budget, seed, prompt_hash,
            plan_version, created_at FROM retries, generate_series(1, 2) AS n";
    sql.batch_execute(used).await.expect("the owner may");
    let (status, page) = ask("", "internal", &id).await;
    assert_eq!(status, 409);
    assert!(page.contains("It was run again 3 times for this reason, which is the limit."), "{page}");
    let (status, page) = ask("", "because", &id).await;
    assert_eq!(status, 400, "{page}");
}

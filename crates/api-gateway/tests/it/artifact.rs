//! The project's download.

use crate::server::Server;
use reqwest::Method;

#[tokio::test]
async fn a_finished_project_is_streamed_and_known_by_its_hash() {
    let server = Server::start().await;
    let id = server.started("/").await;
    let bytes = b"PK-not-really-a-zip".repeat(10_000);
    let key = format!("tenants/t/migrations/{id}/run-1/artifact.zip");
    let file = server.objects.path().join(&key);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    std::fs::write(&file, &bytes).expect("it can be written");
    let sql = server.database.sql().await;
    sql.batch_execute("UPDATE migrations SET state = 'processing'").await.expect("an update");
    let done = "UPDATE migrations SET state = 'completed', progress = 100, project_id = gen_random_uuid(),
                finished_at = now() WHERE id::text = $1";
    sql.execute(done, &[&id]).await.expect("an update");
    let phase =
        "INSERT INTO phases (migration_id, run, phase, tenant_id, state, starts, epoch, completed_at, result)
                 SELECT id, run, 'DEPLOY', tenant_id, 'completed', 1, 1, now(),
                        jsonb_build_object('artifact', $2::text, 'sha256', repeat('ab', 32))
                 FROM migrations WHERE id::text = $1";
    sql.execute(phase, &[&id, &key]).await.expect("an insert");

    let path = format!("/api/migration/{id}/artifact");
    let answer = server.get(&path).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert_eq!(answer.headers()["content-length"], bytes.len().to_string().as_str());
    assert!(answer.headers()["content-disposition"].to_str().expect("text").contains(&id));
    let tag = answer.headers()["etag"].clone();
    assert_eq!(answer.bytes().await.expect("a body").as_ref(), bytes);
    let again =
        server.request(Method::GET, &path).bearer_auth(&server.key).header("if-none-match", tag).send().await;
    assert_eq!(again.expect("an answer").status(), 304);
}

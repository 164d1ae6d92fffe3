//! Keys against a real Postgres, looked up with the roles of the services.

use auth::{Error, Role, authenticate, generate};
use domain::{ApiKeyId, Kind};
use store::{Member, NewApiKey, Store};
use testkit::postgres::Database;
use time::{Duration, OffsetDateTime};

async fn store(options: &store::Options) -> Store {
    Store::connect(options).await.expect("the test database answers")
}

async fn keep(owner: &Store, member: Member, expires_at: Option<OffsetDateTime>) -> (String, ApiKeyId) {
    let key = generate();
    let row = NewApiKey {
        tenant: member.tenant,
        user: member.user,
        name: "test".into(),
        prefix: key.prefix,
        hash: key.hash,
        expires_at,
    };
    let id = owner.create_api_key(&row).await.expect("a key");
    (format!("Bearer {}", key.plaintext.expose()), id)
}

#[tokio::test]
async fn a_key_names_its_caller_to_both_services_and_to_nobody_after_its_revocation() {
    let db = Database::create().await;
    let owner = store(&db.owner()).await;
    let member = owner.create_personal_tenant("one@example.com").await.expect("a tenant");
    let (header, id) = keep(&owner, member, None).await;
    for options in [db.gateway(), db.broadcaster()] {
        let caller = authenticate(&store(&options).await, Some(&header)).await.expect("known");
        assert_eq!((caller.tenant, caller.user, caller.key), (member.tenant, member.user, id));
        assert_eq!((caller.role, caller.expires_at), (Role::Owner, None));
    }
    let gateway = store(&db.gateway()).await;
    let lower = header.replace("Bearer", "bearer");
    assert!(authenticate(&gateway, Some(&lower)).await.is_ok(), "the scheme's case does not matter");
    assert!(owner.revoke_api_key(id).await.expect("revoked"));
    assert!(matches!(authenticate(&gateway, Some(&header)).await, Err(Error::Unknown)));
}

#[tokio::test]
async fn all_wrong_keys_get_the_same_answer() {
    let db = Database::create().await;
    let owner = store(&db.owner()).await;
    let member = owner.create_personal_tenant("one@example.com").await.expect("a tenant");
    let (good, _) = keep(&owner, member, None).await;
    let (expired, _) = keep(&owner, member, Some(OffsetDateTime::now_utc() - Duration::seconds(1))).await;
    let gateway = store(&db.gateway()).await;
    let mut told = Vec::new();
    let stranger = format!("Bearer {}", generate().plaintext.expose());
    let other_secret = format!("{}{}", &good[..good.len() - 43], &stranger[stranger.len() - 43..]);
    for header in [stranger, other_secret, expired] {
        let error = authenticate(&gateway, Some(&header)).await.expect_err("not valid");
        assert_eq!(error.kind(), Kind::Unauthenticated);
        assert!(matches!(error, Error::Unknown), "{error:?}");
        told.push(error.to_string());
    }
    told.dedup();
    assert_eq!(told.len(), 1, "the answer does not tell which part was wrong");
    assert!(matches!(authenticate(&gateway, None).await, Err(Error::Missing)));
    for malformed in ["", "Bearer", "Bearer ", "Basic abc", "Bearer rsk_short_key", &good[7..]] {
        assert!(
            matches!(authenticate(&gateway, Some(malformed)).await, Err(Error::Malformed)),
            "{malformed}"
        );
    }
}

#[tokio::test]
async fn a_key_that_will_expire_says_when() {
    let db = Database::create().await;
    let owner = store(&db.owner()).await;
    let member = owner.create_personal_tenant("one@example.com").await.expect("a tenant");
    let at = OffsetDateTime::now_utc().replace_nanosecond(0).expect("a time") + Duration::hours(1);
    let (header, _) = keep(&owner, member, Some(at)).await;
    let caller = authenticate(&store(&db.gateway()).await, Some(&header)).await.expect("known");
    assert_eq!(caller.expires_at, Some(at));
}

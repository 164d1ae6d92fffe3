//! Keys against a real Postgres, looked up with the roles of the services.

use auth::{Error, Origins, Role, Sent, authenticate, generate, identify, sign_in, sign_out};
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

/// A request of a page of ours that carries this token.
fn by_cookie(cookie: &str) -> Sent<'_> {
    let origin = Some("http://localhost:8080");
    Sent { cookie: Some(cookie), host: Some("localhost:8080"), origin, ..Sent::default() }
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_session_that_ends_with_a_sign_out_or_with_the_key() {
    let db = Database::create().await;
    let owner = store(&db.owner()).await;
    let member = owner.create_personal_tenant("one@example.com").await.expect("a tenant");
    let (header, id) = keep(&owner, member, None).await;
    let key = header.strip_prefix("Bearer ").expect("just made");
    let (gateway, broadcaster) = (store(&db.gateway()).await, store(&db.broadcaster()).await);
    let origins = Origins::default();
    let hour = std::time::Duration::from_secs(3600);
    let [one, two] = [sign_in(&gateway, key, hour).await, sign_in(&gateway, key, hour).await];
    let [one, two] = [one, two].map(|token| format!("resettle_session={}", token.expect("a token").expose()));
    let (one, two) = (by_cookie(&one), by_cookie(&two));

    let caller = identify(&broadcaster, &origins, &one).await.expect("signed in");
    assert_eq!((caller.tenant, caller.user, caller.key), (member.tenant, member.user, id));
    assert!(caller.expires_at.is_some(), "a session has an end");
    let token = caller.session.as_ref().expect("by its session").form_token.clone();
    assert!(caller.may_change(&origins, &one, Some(&token)).is_ok());
    for wrong in [None, Some(""), Some(&token[1..])] {
        assert!(matches!(caller.may_change(&origins, &one, wrong), Err(Error::FormToken)), "{wrong:?}");
    }
    let other = identify(&gateway, &origins, &two).await.expect("signed in");
    let theirs = other.session.as_ref().expect("by its session").form_token.clone();
    assert!(caller.may_change(&origins, &one, Some(&theirs)).is_err(), "each session has a token of its own");
    let unnamed = Sent { origin: None, ..one };
    assert!(matches!(caller.may_change(&origins, &unnamed, Some(&token)), Err(Error::Origin(_))));

    sign_out(&gateway, &caller).await.expect("signed out");
    assert!(matches!(identify(&gateway, &origins, &one).await, Err(Error::SignedOut)));
    assert!(identify(&gateway, &origins, &two).await.is_ok(), "another browser stays");
    let session = caller.session.expect("as above").id;
    let open = other.session.expect("as above").id;
    let ended = broadcaster.ended_credentials(&[id], &[session, open]).await.expect("an answer");
    assert_eq!(ended, [session.0]);
    assert!(owner.revoke_api_key(id).await.expect("revoked"));
    assert!(matches!(identify(&gateway, &origins, &two).await, Err(Error::SignedOut)));
    let ended = broadcaster.ended_credentials(&[id], &[open]).await.expect("an answer");
    assert_eq!(ended.len(), 2, "the key, and the session with it");
}

#[tokio::test]
async fn no_session_opens_without_a_good_key_and_none_outlives_its_key() {
    let db = Database::create().await;
    let owner = store(&db.owner()).await;
    let member = owner.create_personal_tenant("one@example.com").await.expect("a tenant");
    let gateway = store(&db.gateway()).await;
    let hour = std::time::Duration::from_secs(3600);
    let stranger = generate();
    let refused = sign_in(&gateway, stranger.plaintext.expose(), hour).await;
    assert!(matches!(refused, Err(Error::Unknown)), "{refused:?}");
    assert!(matches!(sign_in(&gateway, "", hour).await, Err(Error::Malformed)));

    let at = OffsetDateTime::now_utc().replace_nanosecond(0).expect("a time") + Duration::minutes(5);
    let (header, _) = keep(&owner, member, Some(at)).await;
    let token = sign_in(&gateway, header.trim_start_matches("Bearer "), hour).await.expect("a token");
    let cookie = format!("resettle_session={}", token.expose());
    let caller = identify(&gateway, &Origins::default(), &by_cookie(&cookie)).await.expect("signed in");
    assert_eq!(caller.expires_at, Some(at));
}

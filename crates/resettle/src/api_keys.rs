//! Who may do what: the key of a data folder, made at its first start, `resettle key create`, and operators.

use crate::{
    cli::{KeyCommand, OperatorCommand, OwnerArguments},
    data_folder::DataFolder,
    exit::{Outcome, unavailable},
    terminal::{note, say},
};
use anyhow::Context;
use service_kit::Secret;
use std::fs;
use store::{NewApiKey, Store};

/// Whose key a data folder's is. Not an address that could ever be somebody's.
const LOCAL_USER: &str = "owner@localhost";

/// The folder's key: the one that was made before if it still opens this database, otherwise a new one. Whoever has the
/// folder is the operator of what runs in it.
pub(crate) async fn of_folder(
    folder: &DataFolder,
    owner: &store::Options,
    gateway: &Store,
) -> Result<Secret, anyhow::Error> {
    let file = folder.api_key_file();
    let store = Store::connect(owner).await.map_err(unavailable)?;
    let member = store.create_personal_tenant(LOCAL_USER).await.context("the user could not be made")?;
    store.grant_operator(member.user).await.context("the operator could not be named")?;
    if let Ok(text) = fs::read_to_string(&file) {
        let key = Secret::new(text.trim());
        match auth::authenticate(gateway, Some(&format!("Bearer {}", key.expose()))).await {
            Ok(_) => return Ok(key),
            Err(error) if error.kind() == domain::Kind::Unavailable => return Err(unavailable(error)),
            Err(_) => {
                tracing::warn!(file = %file.display(), "this API key is of another database: making a new one")
            }
        }
    }
    let key = create(&store, LOCAL_USER, "this machine").await?;
    folder.write_secret(&file, key.expose())?;
    Ok(key)
}

/// `resettle operator …`.
pub(crate) async fn operators(command: OperatorCommand) -> Result<Outcome, anyhow::Error> {
    let (OperatorCommand::Grant { email, owner } | OperatorCommand::Revoke { email, owner }) = &command;
    let store = opened(owner).await?;
    let person = store.create_personal_tenant(email).await.context("the user could not be made")?.user;
    let told = match &command {
        OperatorCommand::Grant { .. } if store.grant_operator(person).await? => "is an operator now",
        OperatorCommand::Grant { .. } => "was an operator before",
        OperatorCommand::Revoke { .. } if store.revoke_operator(person).await? => "is no operator any more",
        OperatorCommand::Revoke { .. } => "was no operator",
    };
    note(format_args!("{email} {told}"));
    Ok(Outcome::Done)
}

/// The database as its owner, on a schema that this program knows.
async fn opened(owner: &OwnerArguments) -> Result<Store, anyhow::Error> {
    let store = Store::connect(&owner.options()).await.map_err(unavailable)?;
    store.check_schema().await.map_err(unavailable)?;
    Ok(store)
}

/// `resettle key …`.
pub(crate) async fn command(command: KeyCommand) -> Result<Outcome, anyhow::Error> {
    let KeyCommand::Create { email, name, owner } = command;
    let store = opened(&owner).await?;
    let key = create(&store, &email, &name).await?;
    note(format_args!("an API key of {email}; it is not shown again:"));
    say(key.expose());
    Ok(Outcome::Done)
}

async fn create(owner: &Store, email: &str, name: &str) -> Result<Secret, anyhow::Error> {
    let member = owner.create_personal_tenant(email).await.context("the user could not be made")?;
    let made = auth::generate();
    let key = NewApiKey {
        tenant: member.tenant,
        user: member.user,
        name: name.to_owned(),
        prefix: made.prefix,
        hash: made.hash,
        expires_at: None,
    };
    owner.create_api_key(&key).await.context("the API key could not be stored")?;
    Ok(Secret::new(made.plaintext.expose()))
}

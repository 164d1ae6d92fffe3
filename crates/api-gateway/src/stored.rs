//! Documents and artefacts that workers stored, as routes hand them out: streamed, and known by their tag.

use crate::{Problem, gateway::Parts};
use actix_web::{
    HttpRequest,
    http::header::{EntityTag, Header, IfNoneMatch},
};
use domain::Kind;
use object_store::{GetResult, ObjectStoreExt, path::Path as Key};

/// An object that the record names.
pub(crate) async fn open(parts: &Parts, key: &str) -> Result<GetResult, Problem> {
    let found = parts.objects.get(&Key::from(key)).await;
    found.map_err(|error| {
        // What the record promises has to be there: waiting does not bring it back.
        let lost = matches!(error, object_store::Error::NotFound { .. });
        Problem::from_source(if lost { Kind::Internal } else { Kind::Unavailable }, &error)
    })
}

/// Does the client have it already?
pub(crate) fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|one| one.weak_eq(tag)),
        _ => false,
    }
}

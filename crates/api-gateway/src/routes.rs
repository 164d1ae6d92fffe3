//! The routes, one file each. Mounted here; nothing else is served under `/api` but the document and its viewer.

pub(crate) mod artifact;
pub(crate) mod cancel;
pub(crate) mod events;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod start;

use crate::{Code, Problem};
use actix_web::{
    HttpRequest,
    web::{self, ServiceConfig},
};

pub(crate) fn mount(config: &mut ServiceConfig) {
    let refuse = || web::to(wrong_method);
    config
        .service(web::resource("/api/migration").get(list::list).default_service(refuse()))
        .service(web::resource("/api/migration/start").post(start::start).default_service(refuse()))
        .service(web::resource("/api/migration/{id}").get(read::read).default_service(refuse()))
        .service(web::resource("/api/migration/{id}/events").get(events::events).default_service(refuse()))
        .service(web::resource("/api/migration/{id}/cancel").post(cancel::cancel).default_service(refuse()))
        .service(
            web::resource("/api/migration/{id}/artifact").get(artifact::artifact).default_service(refuse()),
        );
}

async fn wrong_method(request: HttpRequest) -> Result<actix_web::HttpResponse, Problem> {
    Err(Problem::new(
        Code::MethodNotAllowed,
        format!("{} is not served here; see /api/docs.", request.method()),
    ))
}

/// Every address that nobody took.
pub(crate) async fn nothing_here(request: HttpRequest) -> Result<actix_web::HttpResponse, Problem> {
    Err(Problem::new(Code::RouteNotFound, format!("Nothing is served at {}; see /api/docs.", request.path())))
}

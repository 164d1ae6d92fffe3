//! The streams, which the broadcaster serves: the document is of the whole API, whoever answers.

use super::{add_refusals, refusal};
use crate::Code;
use serde_json::{Value, json};

const SERVED_BY: &str = "Served by the broadcaster: at the same origin in the all-in-one and behind an ingress, otherwise at the \
    broadcaster's own address. A gateway that is asked by itself answers 404 and says so.";

/// Each stream's path, and what can be done there.
pub(super) fn all() -> [(&'static str, Value); 2] {
    [("/api/migration/{id}/stream", migration()), ("/api/events/stream", feed())]
}

fn migration() -> Value {
    let mut responses = json!({
        "200": events(
            "Server-sent events: `hello` first, then each event of the history under its type (`phase_update`, \
             `metric`, `log`, `error`, `done`) with its envelope (`MigrationEvent`) as data and a cursor as id, comments \
             as heartbeats, and `bye` when the connection ends before the history does"
        ),
        "204": {"description": "The cursor is the end of a history that is over: do not come back"},
        "429": refusal("- `too_many_streams`: Too many streams are open"),
    });
    add_refusals(&mut responses, &[Code::InvalidId, Code::MigrationNotFound, Code::RouteNotFound]);
    let id =
        json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}});
    let anew = "The history is told from its beginning without one.";
    operation("stream", "Follows a migration live", responses, &[id], anew)
}

fn feed() -> Value {
    let mut responses = json!({
        "200": events(
            "Server-sent events, as of one migration. Within a migration they are in order; between migrations there \
             is no order. `cursor` comes behind what was sent together. After coming back, events that came already \
             may come again: `migrationId` and `seq` tell"
        ),
        "429": refusal("- `too_many_streams`: Too many streams are open"),
    });
    add_refusals(&mut responses, &[Code::InvalidQuery, Code::MigrationNotFound, Code::RouteNotFound]);
    let chosen = json!({
        "name": "migrations", "in": "query", "required": false, "schema": {"type": "string"},
        "description": "At most 100 ids with commas between; all of the organisation's, also new ones, if absent",
    });
    let anew = "Without one, or with one that cannot be used, it begins now, and `hello` says so.";
    operation(
        "feed",
        "Follows all of an organisation's migrations over one connection",
        responses,
        &[chosen],
        anew,
    )
}

fn events(description: &str) -> Value {
    json!({"description": description, "content": {"text/event-stream": {"schema": {"type": "string"}}}})
}

fn operation(id: &str, summary: &str, responses: Value, own: &[Value], anew: &str) -> Value {
    let text = json!({"type": "string"});
    let name = json!({"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"});
    let cursor = format!("Where to go on: the `id` of the last frame. {anew}");
    let mut parameters = own.to_vec();
    parameters.extend([
        json!({"name": "Last-Event-ID", "in": "header", "required": false, "schema": text, "description": cursor}),
        json!({"name": "cursor", "in": "query", "required": false, "schema": text,
            "description": "The same, for clients that cannot set headers; `lastEventId` is taken, too"}),
        json!({"name": "X-Client-Name", "in": "header", "required": false, "schema": name, "description":
            "What the client calls itself, the same on each connection: operators see one that reconnects again and \
             again. `client` in the query says the same"}),
    ]);
    json!({"get": {
        "tags": ["migrations"], "operationId": id, "summary": summary, "description": SERVED_BY,
        "parameters": parameters, "responses": responses,
    }})
}

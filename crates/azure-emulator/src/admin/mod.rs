//! The admin listener: an API for scripts under `/admin`, and a page for people. Not part of any Azure.
//! Everything that can be seen and changed from outside stands here; the facts and their changes are `world`'s.

mod change;
mod faults;
mod guard;
mod journal;
mod page;
mod refusal;
mod state;
mod token;

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use self::refusal::Refusal;
use crate::azure::Azure;
use crate::exchange::{Answer, Call};
use crate::fault::Faults;
use crate::journal::Journal;
use crate::server::{Cut, Sent, Site};

/// The admin listener.
pub(crate) struct Admin {
    azure: Arc<Azure>,
    journal: Arc<Journal>,
    faults: Arc<Faults>,
}

/// What there is, for whoever asked for something else.
const ROUTES: &str = "GET / (the page), GET and POST /admin/changes, GET /admin/state, GET /admin/ingestion, GET and DELETE \
    /admin/journal, GET, POST and DELETE /admin/faults, DELETE /admin/faults/{id}, POST /admin/token";

impl Site for Admin {
    async fn answer(&self, call: Call) -> Result<Sent, Cut> {
        let answer = match guard::check(&call) {
            Ok(()) => self.route(&call).await,
            Err(refusal) => Err(refusal),
        };
        let answer = answer.unwrap_or_else(|refusal| refusal.answer());
        // Nothing of another site may read, frame or embed what is answered here.
        let answer = answer
            .with("cross-origin-resource-policy", "same-origin")
            .with("x-content-type-options", "nosniff")
            .with("cache-control", "no-store");
        Ok(answer.into())
    }
}

impl Admin {
    pub(crate) fn new(azure: Arc<Azure>, journal: Arc<Journal>, faults: Arc<Faults>) -> Admin {
        Admin {
            azure,
            journal,
            faults,
        }
    }

    async fn route(&self, call: &Call) -> Result<Answer, Refusal> {
        let ok = |body: &Value| Ok(Answer::json(StatusCode::OK, body));
        let value = |list: Value| ok(&json!({ "value": list }));
        let done = || Ok(Answer::empty(StatusCode::NO_CONTENT));
        match (&call.method, call.path().as_slice()) {
            (&Method::GET, ["admin", "changes"]) => ok(&change::catalogue()),
            (&Method::POST, ["admin", "changes"]) => {
                let body: Value = refusal::body(&call.body, "GET /admin/changes lists the changes")?;
                ok(&json!({ "applied": change::apply(&self.azure, &body)? }))
            }
            (&Method::GET, ["admin", "state"]) => ok(&state::of(&self.azure)),
            (&Method::GET, ["admin", "ingestion"]) => value(self.ingestion(call)?),
            (&Method::GET, ["admin", "journal"]) => journal::answer(&self.journal, call).await,
            (&Method::DELETE, ["admin", "journal"]) => {
                self.journal.clear();
                done()
            }
            (&Method::GET, ["admin", "faults"]) => value(json!(faults::list(&self.faults))),
            (&Method::POST, ["admin", "faults"]) => faults::put(&self.faults, &call.body),
            (&Method::DELETE, ["admin", "faults"]) => {
                self.faults.clear();
                done()
            }
            (&Method::DELETE, ["admin", "faults", id]) => faults::remove(&self.faults, id),
            (&Method::POST, ["admin", "token"]) => token::mint(&self.azure, &call.body),
            (&Method::GET, []) => page::file("").ok_or_else(|| not_found(call)),
            (&Method::GET, [name]) => page::file(name).ok_or_else(|| not_found(call)),
            _ => Err(not_found(call)),
        }
    }

    /// Ingestion of one data connection (`?id=`), or of all.
    fn ingestion(&self, call: &Call) -> Result<Value, Refusal> {
        let world = self.azure.world();
        let ids = match call.query("id") {
            Some(id) => vec![id.to_owned()],
            None => world.data_connection_ids(),
        };
        let of = |id: &String| {
            let state = world.ingestion(id)?;
            Some(json!({ "id": id, "flows": state.flows, "reasons": state.reasons }))
        };
        let states: Vec<Value> = ids.iter().filter_map(of).collect();
        if states.is_empty() && call.query("id").is_some() {
            let fix = "GET /admin/ingestion lists all";
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "there is no such data connection",
                fix,
            ));
        }
        Ok(Value::Array(states))
    }
}

fn not_found(call: &Call) -> Refusal {
    let error = format!("no {} {}", call.method, call.path_and_query);
    Refusal::new(StatusCode::NOT_FOUND, error, format!("there are: {ROUTES}"))
}

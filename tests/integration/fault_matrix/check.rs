//! Cells of what is answered at once: nothing is recorded or sent while the trouble lasts, and nothing of it is remembered.

use azure_emulator::{Effect, Fault, how_to};
use serde_json::{Value, json};

use super::bench::{Bench, Wrong, demand};
use super::calls::Call;
use super::outcome::Outcome;
use super::troubles::Trouble;
use crate::support::{Answer, Portal, claims_challenge, continue_operation};

impl Bench<'_> {
    /// A create that meets the trouble before it is recorded.
    pub(super) async fn checked_create(&self) -> Result<(), Wrong> {
        let left = self.left().await;
        self.app.emulator.inject(self.lasting());
        let answer = self.create_at_new_replica_if_needed().await;
        let met = self.was_met();
        self.app.emulator.clear_faults();
        self.judge(&answer)?;
        met?;
        if self.outcome != Outcome::Unharmed {
            self.writes_are(0, 0)?;
            let refused = i64::from(!matches!(self.outcome, Outcome::Outage(_)));
            let now = self.left().await;
            demand(now == [left[0], left[1], left[2] + refused], || {
                format!("connections, operations, refusals went from {left:?} to {now:?}")
            })?;
            let again = self.create_at_new_replica_if_needed().await;
            demand(
                (again.status, &again.body["state"]) == (201, &json!("active")),
                || format!("afterwards: {} {}", again.status, again.body),
            )?;
        }
        self.writes_are(1, 0)?;
        self.is_at_arm(true)
    }

    /// A removal that meets the trouble before it is recorded.
    pub(super) async fn checked_removal(&self) -> Result<(), Wrong> {
        let id = self.made(&self.app.how_to_portal()).await?;
        self.app.emulator.journal().clear();
        let portal = self.app.how_to_portal();
        self.app.emulator.inject(self.lasting());
        let answer = portal.remove(&id).await;
        let met = self.was_met();
        self.app.emulator.clear_faults();
        self.judge(&answer)?;
        met?;
        self.writes_are(0, 0)?;
        let stands = portal.connection(&id).await;
        demand(stands.body["state"] == "active", || {
            format!("it is no longer as it was: {}", stands.body)
        })?;
        let again = self.app.how_to_portal().remove(&id).await;
        demand(
            (again.status, &again.body["state"]) == (200, &json!("removed")),
            || format!("afterwards: {} {}", again.status, again.body),
        )?;
        self.writes_are(0, 1)?;
        self.is_at_arm(false)
    }

    /// Somebody goes on with a create that ARM demanded more proof for, and meets the trouble before that is recorded.
    pub(super) async fn checked_continuation(&self) -> Result<(), Wrong> {
        self.inject(Call::Put, claims_challenge());
        let portal = self.app.how_to_portal();
        let created = portal.create_waiting(&self.request(), 0).await;
        let operation = created.text("/lastOperation/id");
        let path = format!("/v1/operations/{operation}");
        let waits = |body: &Value| body["status"] == "awaitingCaller";
        self.until(&portal, &path, waits).await?;
        self.app.emulator.journal().clear();
        self.app.emulator.inject(self.lasting());
        let answer = continue_operation(&self.app.satisfying_portal(), operation, None, 20).await;
        let met = self.was_met();
        self.app.emulator.clear_faults();
        if self.outcome == Outcome::Taken {
            // A name that is shown is no reason not to go on: the operation's next step reads again, and decides.
            met?;
            let code = &answer.body["error"]["code"];
            demand((answer.status, code) == (200, &json!("nameTaken")), || {
                format!("{} {}", answer.status, answer.body)
            })?;
            self.writes_are(0, 0)?;
            return self.is_at_arm(false);
        }
        self.judge(&answer)?;
        met?;
        self.writes_are(0, 0)?;
        let shown = portal.get(&path).await;
        demand(waits(&shown.body), || {
            format!("it waits no longer: {}", shown.body)
        })?;
        let again = continue_operation(&self.app.satisfying_portal(), operation, None, 20).await;
        demand(
            (again.status, &again.body["status"]) == (200, &json!("succeeded")),
            || format!("afterwards: {} {}", again.status, again.body),
        )?;
        self.writes_are(1, 0)?;
        self.is_at_arm(true)
    }

    /// Somebody who is not named in the record looks, and only ARM can tell whether they may.
    pub(super) async fn look(&self) -> Result<(), Wrong> {
        let id = self.made(&self.app.how_to_portal()).await?;
        self.app.emulator.journal().clear();
        let path = match self.call {
            Call::LookList => format!("/v1/connections?database={}", how_to::DATABASE),
            Call::LookNamespace => format!("/v1/connections?source={}", how_to::NAMESPACE),
            _ => format!("/v1/connections/{id}"),
        };
        self.app.emulator.inject(self.lasting());
        if self.call != Call::LookHub {
            // From the source's side nothing is seen either.
            let hub = Fault::arm(
                "/eventhubs/hub1",
                Effect::json(403, json!({ "error": { "code": "AuthorizationFailed" } })),
            );
            self.app.emulator.inject(hub.always());
        }
        let answer = self.onlooker().get(&path).await;
        let met = self.was_met();
        self.app.emulator.clear_faults();
        if self.outcome == Outcome::Unharmed {
            self.is_shown(&answer, &id)?;
        } else {
            self.judge(&answer)?;
        }
        met?;
        self.is_shown(&self.onlooker().get(&path).await, &id)?;
        self.writes_are(0, 0)
    }

    /// A reader of the cluster, or of the event hub, with a new token.
    fn onlooker(&self) -> Portal {
        match self.call {
            Call::LookHub => {
                let token = self.app.token("acc8@domain2.com", how_to::DOMAIN2);
                self.app.portal().with_token(&token)
            }
            _ => self.app.signed_in("acc6@domain1.com"),
        }
    }

    fn is_shown(&self, answer: &Answer, id: &str) -> Result<(), Wrong> {
        let shown = match self.call {
            Call::LookList | Call::LookNamespace => answer.body["value"]
                .as_array()
                .is_some_and(|list| list.iter().any(|connection| connection["id"] == id)),
            _ => answer.body["id"] == id,
        };
        demand(answer.status == 200 && shown, || {
            format!("it is not shown: {} {}", answer.status, answer.body)
        })
    }

    /// The trouble for as long as the request lasts.
    fn lasting(&self) -> Fault {
        let there = || json!({ "location": "West Europe", "kind": "EventHub", "properties": {} });
        let lagging = || match self.call {
            // Shown still, though it is gone.
            Call::Absence | Call::ContinueAbsence => Effect::json(200, there()),
            // Not shown yet, though it is there.
            _ => Effect::json(
                404,
                json!({ "error": { "code": "ResourceNotFound", "message": "Not yet." } }),
            ),
        };
        let fault = self.fault();
        fault
            .unwrap_or_else(|| self.call.fault(self.name, lagging()))
            .always()
    }

    /// Keys are asked for once in a service's life, so that each question for them needs a service of its own.
    async fn create_at_new_replica_if_needed(&self) -> Answer {
        let portal = self.app.how_to_portal();
        if self.call != Call::Keys {
            return portal.create(&self.request()).await;
        }
        let replica = self.app.replica().await;
        let answer = portal.at(replica.address()).create(&self.request()).await;
        replica.stop().await;
        answer
    }

    /// How many connections, operations and refusals are recorded.
    async fn left(&self) -> Vec<i64> {
        let counts =
            "select array[(select count(*) from connections), (select count(*) from operations), count(*)]
            from ledger_events where kind = 'create.refused'";
        self.app.scalar(counts).await
    }

    /// The answer is the one that the outcome's name stands for.
    fn judge(&self, answer: &Answer) -> Result<(), Wrong> {
        let (status, code) = match self.outcome {
            Outcome::Outage(_) => (503, "upstreamUnavailable"),
            Outcome::Unusable => (502, "upstreamRefused"),
            Outcome::Refused => (403, "azureRefused"),
            Outcome::NotAllowed => (403, "tenantNotAllowed"),
            Outcome::Taken => (409, "nameTaken"),
            Outcome::NotSeen if matches!(self.call, Call::LookList | Call::LookNamespace) => {
                return demand(
                    (answer.status, &answer.body) == (200, &json!({ "value": [] })),
                    || format!("{} {}", answer.status, answer.body),
                );
            }
            Outcome::NotSeen => (404, "notFound"),
            _ => {
                return demand(
                    (answer.status, &answer.body["state"]) == (201, &json!("active")),
                    || format!("{} {}", answer.status, answer.body),
                );
            }
        };
        let told = |what: &str| format!("{what}: {} {:?} {}", answer.status, answer.headers, answer.body);
        demand(
            (answer.status, &answer.body["code"]) == (status, &Value::from(code)),
            || told("answer"),
        )?;
        demand(
            answer.header("content-type") == Some("application/problem+json"),
            || told("no problem"),
        )?;
        demand(answer.header("www-authenticate").is_none(), || {
            told("a challenge")
        })?;
        let waits = match self.outcome {
            Outcome::Outage(seconds) => Some(seconds),
            _ => None,
        };
        demand(answer.header("retry-after") == waits, || told("retry-after"))?;
        demand(answer.body["retryable"] == waits.is_some(), || told("retryable"))?;
        // Neither the other host nor a word of a proxy's page is passed on.
        let body = answer.body.to_string();
        demand(!body.contains("127.0.0.1") && !body.contains("proxy"), || {
            told("too much")
        })?;
        demand(
            self.trouble != Trouble::WrongTenant || !body.contains("eyJ"),
            || told("a token"),
        )
    }
}

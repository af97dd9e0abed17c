//! The service's own token: for reads that settle what nobody is here to ask about, where the target's tenant granted them, and
//! never for a write.

mod deferred;
mod lacking;
mod settling;

use azure_emulator::{Entry, Fault, TokenKind, how_to};
use serde_json::Value;
use tenant_bridge::config::Config;

use crate::support::{Answer, App, Portal, hurried, request};

/// Where the service was granted the role Reader, and is configured to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granted {
    Nowhere,
    AtTheTarget,
    AtBoth,
}

impl Granted {
    const fn tenants(self) -> &'static [&'static str] {
        match self {
            Self::Nowhere => &[],
            Self::AtTheTarget => &[how_to::DOMAIN1],
            Self::AtBoth => &[how_to::DOMAIN1, how_to::DOMAIN2],
        }
    }

    fn configure(self, config: &mut Config) {
        hurried(config);
        let tenants = self.tenants().iter();
        config.tenants.service_reads = tenants.map(|tenant| tenant.parse().expect("a GUID")).collect();
    }

    /// A hurried service in this configuration.
    async fn app(self) -> App {
        let app = App::with(|config| self.configure(config)).await;
        if self != Self::Nowhere {
            grant(&app, "Reader", how_to::CLUSTER);
        }
        if self == Self::AtBoth {
            grant(&app, "Reader", how_to::NAMESPACE);
        }
        app.operations_take(std::time::Duration::from_millis(60));
        app
    }
}

/// Returns the service's own principal a role.
fn grant(app: &App, role: &str, scope: &str) {
    app.emulator
        .edit(|world| world.assign_role(how_to::TENANT_BRIDGE, role, scope))
        .expect("a role");
}

/// The requests for a token of the service's own.
fn asked_for(app: &App) -> usize {
    let entries = app.emulator.journal().entries();
    let own = |entry: &&Entry| {
        let body = entry.request_body.as_ref().map(Value::to_string);
        body.is_some_and(|body| body.contains("client_credentials"))
    };
    entries.iter().filter(own).count()
}

/// The calls that ARM got with the service's own token.
fn by_itself(app: &App) -> Vec<Entry> {
    let entries = app.emulator.journal().entries();
    let own = |entry: &Entry| {
        let token = entry.primary.as_ref();
        token.is_some_and(|token| token.kind == TokenKind::App)
    };
    entries.into_iter().filter(own).collect()
}

/// A create that is under way at ARM when this returns, and goes on there until it is released.
async fn begin(app: &App) -> Answer {
    app.hold_operations();
    let created = app.how_to_portal().create_waiting(&request("telemetry"), 0).await;
    assert_eq!(created.status, 202, "{}", created.body);
    app.wait_for_calls("PUT", "telemetry", 1).await;
    created
}

/// Waits until the connection's newest operation waits for a caller.
async fn waits_for_a_caller(portal: &Portal, created: &Answer) -> Value {
    let path = format!("/v1/connections/{}", created.text("/id"));
    let connection = portal
        .wait_for(&path, |body| body["lastOperation"]["status"] == "awaitingCaller")
        .await;
    connection.body["lastOperation"].clone()
}

/// The next DELETE of a data connection meets this.
fn delete(effect: azure_emulator::Effect) -> Fault {
    Fault::arm("/dataConnections/", effect).method("DELETE")
}

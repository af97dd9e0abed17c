//! How much of the ledger a caller sees: the role `Auditor`, and what is left out of an event.

use super::{ViewerRole, role_of_tenant};
use crate::authz::Caller;
use crate::db::connections::ConnectionRole;
use crate::domain::{ConnectionRecord, Event, TenantId};

/// The app role with which a tenant lets a user read the ledger of its connections.
const ROLE_AUDITOR: &str = "Auditor";

/// The member of an event's details that stands for free text of the target's side.
const JUSTIFICATION_HASH: &str = "justificationHash";

/// The tenant whose part of the ledger the caller may read by a role.
pub(crate) fn audited_tenant(caller: &Caller) -> Option<TenantId> {
    let has_role = caller.actor_token().has_role(ROLE_AUDITOR);
    has_role.then(|| caller.actor().tenant)
}

/// From which side an auditor of a tenant sees the events of a connection that touches it.
pub(crate) fn role_of_auditor(caller: &Caller, record: &ConnectionRecord) -> Option<ViewerRole> {
    audited_tenant(caller).and_then(|tenant| role_of_tenant(tenant, record))
}

/// From which side the caller sees an event of a connection, by what they are to the connection or as an auditor.
pub(crate) fn role_in_feed(
    caller: &Caller,
    part: Option<ConnectionRole>,
    event: &Event<String>,
) -> ViewerRole {
    let of_tenant = || {
        let (target, source) = (event.target_tenant?, event.source_tenant?);
        ViewerRole::of_side(caller.actor().tenant, target, source)
    };
    match part {
        Some(ConnectionRole::Actor) => ViewerRole::Actor,
        Some(ConnectionRole::Participant) | None => of_tenant().unwrap_or(ViewerRole::Source),
    }
}

impl ViewerRole {
    /// The role of people of a tenant to whom it gives the right to see what touches it.
    pub(super) fn of_side(tenant: TenantId, target: TenantId, source: TenantId) -> Option<Self> {
        if tenant == target {
            Some(Self::Target)
        } else {
            (tenant == source).then_some(Self::Source)
        }
    }

    /// Redacts an event for this role, as [`ViewerRole::redact`] does the record.
    pub(crate) fn redact_event(self, caller: &Caller, event: &mut Event<String>) {
        let is_told = match (event.target_tenant, event.source_tenant) {
            (Some(target), Some(source)) => self.is_told(caller, target, source),
            _ => self == Self::Actor,
        };
        if let Some(details) = event.details.as_object_mut().filter(|_| !is_told) {
            details.remove(JUSTIFICATION_HASH);
        }
    }
}

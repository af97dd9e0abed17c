//! Role definitions and assignments.
//! Actions are Microsoft's (Microsoft Learn: "Azure built-in roles"); only the roles that this subject needs are here.

use super::ResourceId;

/// A built-in role.
#[derive(Clone, Debug)]
pub struct RoleDefinition {
    /// GUID, the same in every tenant.
    pub id: &'static str,
    /// Name for people; seeds and tests use it.
    pub name: &'static str,
    /// Control-plane actions.
    pub actions: &'static [&'static str],
    /// What is taken off the actions.
    pub not_actions: &'static [&'static str],
    /// Data-plane actions.
    pub data_actions: &'static [&'static str],
    /// What is taken off the data actions.
    pub not_data_actions: &'static [&'static str],
}

/// A role given to a principal at a scope.
#[derive(Clone, Debug)]
pub struct RoleAssignment {
    /// GUID.
    pub id: String,
    /// Object id in the tenant of the scope's subscription.
    pub principal_oid: String,
    /// The role's GUID.
    pub role_id: &'static str,
    /// Where it holds, and below.
    pub scope: ResourceId,
}

impl RoleDefinition {
    /// Whether the role allows a control-plane action: one of its actions fits and none of its own notActions does.
    pub fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| action_fits(pattern, action))
            && !self
                .not_actions
                .iter()
                .any(|pattern| action_fits(pattern, action))
    }
}

/// Whether an action pattern covers an action. `*` stands for any text, slashes included; case is ignored.
pub(crate) fn action_fits(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    match pattern.split_once('*') {
        None => pattern == action,
        Some((head, rest)) => action
            .strip_prefix(head)
            .is_some_and(|action| fits_after_star(rest, action)),
    }
}

fn fits_after_star(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => text.ends_with(pattern),
        Some((part, rest)) => text
            .split_once(part)
            .is_some_and(|(_, text)| fits_after_star(rest, text)),
    }
}

const WRITERS_NOT: &[&str] = &[
    "Microsoft.Authorization/*/Delete",
    "Microsoft.Authorization/*/Write",
    "Microsoft.Authorization/elevateAccess/Action",
    "Microsoft.Blueprint/blueprintAssignments/write",
    "Microsoft.Blueprint/blueprintAssignments/delete",
    "Microsoft.Compute/galleries/share/action",
    "Microsoft.Purview/consents/write",
    "Microsoft.Purview/consents/delete",
    "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
    "Microsoft.Subscription/cancel/action",
    "Microsoft.Subscription/enable/action",
];

const fn role(
    id: &'static str,
    name: &'static str,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data_actions: &'static [&'static str],
) -> RoleDefinition {
    RoleDefinition {
        id,
        name,
        actions,
        not_actions,
        data_actions,
        not_data_actions: &[],
    }
}

/// The built-in roles known here.
pub(crate) const BUILT_IN: &[RoleDefinition] = &[
    role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", &["*"], &[], &[]),
    role(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        &["*"],
        WRITERS_NOT,
        &[],
    ),
    role(
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        &["*/read"],
        &[],
        &[],
    ),
    role(
        "f526a384-b230-433a-b45c-95f59c4a2dec",
        "Azure Event Hubs Data Owner",
        &["Microsoft.EventHub/*"],
        &[],
        &["Microsoft.EventHub/*"],
    ),
    role(
        "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
        "Azure Event Hubs Data Receiver",
        &["Microsoft.EventHub/*/eventhubs/consumergroups/read"],
        &[],
        &["Microsoft.EventHub/*/receive/action"],
    ),
    role(
        "2b629674-e913-4c01-ae53-ef4638d8f975",
        "Azure Event Hubs Data Sender",
        &["Microsoft.EventHub/*/eventhubs/read"],
        &[],
        &["Microsoft.EventHub/*/send/action"],
    ),
    role(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        &[],
        &[],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn by_name(name: &str) -> &'static RoleDefinition {
        BUILT_IN.iter().find(|role| role.name == name).unwrap()
    }

    #[test]
    fn a_star_spans_segments_and_case_is_ignored() {
        assert!(action_fits("*", "Microsoft.Kusto/clusters/read"));
        assert!(action_fits(
            "*/read",
            "Microsoft.EventHub/namespaces/eventhubs/READ"
        ));
        assert!(action_fits(
            "Microsoft.EventHub/*",
            "microsoft.eventhub/namespaces/authorizationRules/listkeys/action"
        ));
        assert!(action_fits("A/*/read", "a/read/b/read"));
        assert!(!action_fits("*/read", "Microsoft.EventHub/namespaces/write"));
        assert!(!action_fits(
            "Microsoft.EventHub/*/eventhubs/read",
            "Microsoft.EventHub/namespaces/read"
        ));
        assert!(!action_fits(
            "Microsoft.Kusto/clusters/read",
            "Microsoft.Kusto/clusters/readers"
        ));
    }

    #[test]
    fn a_receiver_reads_consumer_groups_but_lists_no_keys() {
        let receiver = by_name("Azure Event Hubs Data Receiver");
        assert!(receiver.allows("Microsoft.EventHub/namespaces/eventhubs/consumergroups/read"));
        assert!(!receiver.allows("Microsoft.EventHub/namespaces/authorizationRules/listkeys/action"));
        assert!(
            by_name("Azure Event Hubs Data Owner")
                .allows("Microsoft.EventHub/namespaces/authorizationRules/listkeys/action")
        );
    }

    #[test]
    fn a_contributor_gives_no_roles_away() {
        let contributor = by_name("Contributor");
        assert!(contributor.allows("Microsoft.Kusto/clusters/databases/dataConnections/write"));
        assert!(!contributor.allows("Microsoft.Authorization/roleAssignments/write"));
    }
}

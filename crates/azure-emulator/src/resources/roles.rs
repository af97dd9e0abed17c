//! Role definitions and assignments: what they are, and which actions a definition allows.

use chrono::{DateTime, Utc};

use super::{ResourceId, built_in};

/// A role: built-in, or made by a tenant.
#[derive(Clone, Debug, Default)]
pub struct RoleDefinition {
    /// GUID. A built-in role has the same in every tenant.
    pub id: String,
    /// Name for people; seeds and tests use it.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Control-plane actions.
    pub actions: Vec<String>,
    /// What is taken off the actions.
    pub not_actions: Vec<String>,
    /// Data-plane actions.
    pub data_actions: Vec<String>,
    /// What is taken off the data actions.
    pub not_data_actions: Vec<String>,
    /// Where the role may be given, and below. A built-in role names no scope and may be given everywhere.
    pub assignable_scopes: Vec<ResourceId>,
}

/// A role given to a principal at a scope.
#[derive(Clone, Debug)]
pub struct RoleAssignment {
    /// GUID.
    pub id: String,
    /// Object id of a user, group or service principal in the tenant of the scope's subscription.
    pub principal_oid: String,
    /// What the giver said that the principal is, such as `ServicePrincipal`.
    pub principal_type: Option<String>,
    /// The role's GUID.
    pub role_id: String,
    /// Where it holds, and below.
    pub scope: ResourceId,
    /// Why, in the giver's words.
    pub description: Option<String>,
    /// When it was given, and the giver's object id; nothing for what was there from the start.
    pub created: Option<(DateTime<Utc>, String)>,
}

impl RoleAssignment {
    /// A new assignment with a GUID of its own.
    pub(crate) fn new(principal_oid: String, role_id: String, scope: ResourceId) -> RoleAssignment {
        RoleAssignment {
            id: uuid::Uuid::new_v4().to_string(),
            principal_oid,
            principal_type: None,
            role_id,
            scope,
            description: None,
            created: None,
        }
    }
}

impl RoleDefinition {
    /// Whether the role allows a control-plane action: one of its actions fits and none of its own notActions does.
    pub fn allows(&self, action: &str) -> bool {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| action_fits(pattern, action));
        fits(&self.actions) && !fits(&self.not_actions)
    }

    /// Whether a tenant made the role.
    pub fn is_custom(&self) -> bool {
        !self.assignable_scopes.is_empty()
    }

    /// Whether the role may be given at the scope.
    pub fn is_assignable_at(&self, scope: &ResourceId) -> bool {
        !self.is_custom() || self.assignable_scopes.iter().any(|known| scope.is_within(known))
    }
}

/// The built-in roles.
pub(crate) fn built_in_roles() -> Vec<RoleDefinition> {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let roles = built_in::ALL.iter().map(|role| RoleDefinition {
        id: role.id.to_owned(),
        name: role.name.to_owned(),
        description: role.description.to_owned(),
        actions: owned(role.actions),
        not_actions: owned(role.not_actions),
        data_actions: owned(role.data_actions),
        ..RoleDefinition::default()
    });
    roles.collect()
}

/// Whether an action pattern covers an action. `*` stands for any text, slashes included; case is ignored.
pub(crate) fn action_fits(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.as_bytes(), action.as_bytes());
    let mut parts = pattern.split(|&byte| byte == b'*');
    let head = parts.next().unwrap_or_default();
    let Some(mut rest) = strip_start(action, head) else {
        return false;
    };
    let Some(tail) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match position(rest, part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    let start = rest.len().checked_sub(tail.len());
    start
        .and_then(|start| rest.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(tail))
}

fn strip_start<'a>(text: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len())
        .position(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_name(name: &str) -> RoleDefinition {
        let mut roles = built_in_roles().into_iter();
        roles.find(|role| role.name == name).unwrap()
    }

    #[test]
    fn a_star_spans_segments_and_case_is_ignored() {
        for (pattern, action, fits) in [
            ("*", "Microsoft.Kusto/clusters/read", true),
            ("*/read", "Microsoft.EventHub/namespaces/eventhubs/READ", true),
            (
                "Microsoft.EventHub/*",
                "microsoft.eventhub/namespaces/authorizationRules/listkeys/action",
                true,
            ),
            ("A/*/read", "a/read/b/read", true),
            ("a/*/b/*/c", "A/1/B/2/3/C", true),
            ("a/*/b/*/c", "a/1/2/c", false),
            ("a**c", "abc", true),
            ("*/read", "Microsoft.EventHub/namespaces/write", false),
            ("*/read", "read", false),
            ("a*a", "a", false),
            (
                "Microsoft.EventHub/*/eventhubs/read",
                "Microsoft.EventHub/namespaces/read",
                false,
            ),
            (
                "Microsoft.Kusto/clusters/read",
                "Microsoft.Kusto/clusters/readers",
                false,
            ),
            (
                "Microsoft.Kusto/clusters/read",
                "Microsoft.Kusto/clusters/rea",
                false,
            ),
        ] {
            assert_eq!(action_fits(pattern, action), fits, "{pattern} {action}");
        }
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

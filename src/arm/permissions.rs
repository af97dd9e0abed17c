//! What the caller may do at a resource, as ARM itself evaluates it: more faithful than looking for a role's name,
//! since several roles hold the action that counts.

use serde_json::Value;
use url::Url;

use super::answer::Answer;
use super::error::{ArmError, ArmErrorKind};
use super::report::CallReport;
use crate::arm::trusted_url::PinnedUrlError;
use crate::arm::{Arm, trusted_url};
use crate::domain::{ResourceId, json_fields};
use crate::upstream::BearerToken;

/// `Microsoft.Authorization/permissions` (Microsoft Learn, "Permissions - List For Resource").
const API_VERSION: &str = "2022-04-01";
/// The most pages that are followed: a caller has a handful of role assignments, not thousands.
const MOST_PAGES: usize = 20;

/// The caller's effective permissions at one scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    entries: Vec<Entry>,
}

/// What one role assignment grants: its actions without its own exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    actions: Vec<String>,
    not_actions: Vec<String>,
}

impl Permissions {
    /// Whether an entry grants this control-plane action, such as
    /// `Microsoft.EventHub/namespaces/authorizationRules/listKeys/action`, and does not itself take it away.
    ///
    /// An exception of one role takes nothing from another, wildcards span segments, and case does not count
    /// (Microsoft Learn, "Understand Azure role definitions").
    #[must_use]
    pub fn allows(&self, action: &str) -> bool {
        let matches = |pattern: &String| is_match(pattern, action);
        self.entries
            .iter()
            .any(|entry| entry.actions.iter().any(matches) && !entry.not_actions.iter().any(matches))
    }

    fn add_page(&mut self, page: &Value) -> bool {
        let Some(entries) = json_fields::member(page, "value").and_then(Value::as_array) else {
            return false;
        };
        self.entries.extend(entries.iter().map(|entry| Entry {
            actions: json_fields::texts(entry, "actions"),
            not_actions: json_fields::texts(entry, "notActions"),
        }));
        true
    }
}

impl Arm {
    /// What the token's user may do at this resource. All pages are read; a list that does not end is an error, because a
    /// part of it would say "no" where the truth is "yes".
    ///
    /// # Errors
    /// As every call; `ForeignHost` when a next page is elsewhere, `Unreadable` for more than 20 pages.
    pub async fn permissions(
        &self,
        token: &BearerToken,
        scope: &ResourceId,
    ) -> Result<Permissions, ArmError> {
        self.permissions_at(token, scope.as_written()).await
    }

    /// The same at a scope of any kind, such as a subscription: a path below ARM's root.
    ///
    /// # Errors
    /// As [`Arm::permissions`].
    pub async fn permissions_at(&self, token: &BearerToken, scope: &str) -> Result<Permissions, ArmError> {
        let name = "GET permissions";
        let below = ["providers", "Microsoft.Authorization", "permissions"];
        let mut url = self.url_of(scope.split('/').skip(1).chain(below), API_VERSION);
        let mut permissions = Permissions::default();
        for page in 1..=MOST_PAGES {
            let understand = |answer: Answer| self.page_of(answer);
            let (read, next, report) = self.read(name, url, Some(token), understand).await?;
            permissions.entries.extend(read.entries);
            match next {
                None => return Ok(permissions),
                Some(next) if page < MOST_PAGES => url = next,
                Some(_) => {
                    return Err(ArmError {
                        call: name,
                        kind: ArmErrorKind::Unreadable,
                        report,
                    });
                }
            }
        }
        Ok(permissions)
    }

    /// One page of permissions, and where the next one is.
    fn page_of(&self, answer: Answer) -> Result<(Permissions, Option<Url>, CallReport), ArmError> {
        let (name, endpoint) = (answer.name, &self.0.settings.endpoint);
        let (body, report) = answer.success(endpoint)?.json()?;
        let mut permissions = Permissions::default();
        let kind = if permissions.add_page(&body) {
            match json_fields::text(&body, "nextLink").map(|next| trusted_url::parse(next, endpoint)) {
                None => return Ok((permissions, None, report)),
                Some(Ok((_, next))) => return Ok((permissions, Some(next), report)),
                Some(Err(PinnedUrlError::ForeignHost)) => ArmErrorKind::ForeignHost,
                Some(Err(_)) => ArmErrorKind::Unreadable,
            }
        } else {
            ArmErrorKind::Unreadable
        };
        Err(ArmError {
            call: name,
            kind,
            report,
        })
    }
}

/// Whether an action matches a pattern, in which `*` stands for any text, separators included.
///
/// The greedy match with one step back is linear in practice and needs no recursion: patterns come from role
/// definitions that anyone may write.
fn is_match(pattern: &str, action: &str) -> bool {
    let lower = |text: &str| {
        text.chars()
            .map(|character| character.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    let (pattern, action) = (lower(pattern), lower(action));
    let (mut at, mut from) = (0, 0);
    let mut last_star = None;
    while let Some(character) = action.get(from) {
        match pattern.get(at) {
            Some('*') => {
                last_star = Some((at, from));
                at += 1;
            }
            Some(wanted) if wanted == character => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star, start)) = last_star else {
                    return false;
                };
                last_star = Some((star, start + 1));
                at = star + 1;
                from = start + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|character| *character == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arm::testing::{ScriptedArm, TARGET, data_connection_id, reply, token};

    const LIST_KEYS: &str = "Microsoft.EventHub/namespaces/authorizationRules/listKeys/action";

    fn permissions(page: &Value) -> Permissions {
        let mut permissions = Permissions::default();
        assert!(permissions.add_page(page));
        permissions
    }

    #[test]
    fn wildcards_span_segments_and_case_does_not_count() {
        for pattern in [
            "*",
            "microsoft.eventhub/*",
            "Microsoft.EventHub/*/action",
            "*/LISTKEYS/*",
            "Microsoft.EventHub/namespaces/authorizationrules/listkeys/action",
            "**",
        ] {
            assert!(is_match(pattern, LIST_KEYS), "{pattern}");
        }
        for pattern in [
            "",
            "*/read",
            "Microsoft.EventHub",
            "Microsoft.Event",
            "Microsoft.EventHub/*/read",
            "Microsoft.Storage/*",
        ] {
            assert!(!is_match(pattern, LIST_KEYS), "{pattern}");
        }
    }

    #[test]
    fn an_exception_takes_from_its_own_entry_only() {
        let limited = json!({"actions": ["*"], "notActions": ["Microsoft.EventHub/*/listKeys/action"]});
        let own = json!({"Actions": ["Microsoft.EventHub/*"], "notActions": null});
        assert!(!permissions(&json!({"value": [limited]})).allows(LIST_KEYS));
        assert!(permissions(&json!({"value": [limited, own]})).allows(LIST_KEYS));
        assert!(!permissions(&json!({"Value": []})).allows(LIST_KEYS));
    }

    #[test]
    fn a_reader_and_a_data_receiver_may_not_list_keys_and_a_data_owner_may() {
        let reader = json!({"actions": ["*/read"], "notActions": []});
        let receiver =
            json!({"actions": ["Microsoft.EventHub/*/eventhubs/consumergroups/read"], "notActions": []});
        let owner = json!({"actions": ["Microsoft.EventHub/*"], "notActions": []});
        assert!(!permissions(&json!({"value": [reader, receiver]})).allows(LIST_KEYS));
        assert!(permissions(&json!({"value": [owner]})).allows(LIST_KEYS));
    }

    #[test]
    fn a_page_without_a_list_is_not_taken_for_an_empty_one() {
        assert!(!Permissions::default().add_page(&json!({})));
        assert!(!Permissions::default().add_page(&json!([])));
    }

    fn page(next: &str) -> crate::arm::testing::Reply {
        let body = json!({"value": [{"actions": ["*/read"]}], "nextLink": next});
        reply(200, &[], &body.to_string())
    }

    async fn read(server: &ScriptedArm) -> Result<Permissions, ArmError> {
        let scope = data_connection_id();
        server
            .arm()
            .permissions(&token(TARGET, "t"), scope.database().resource())
            .await
    }

    #[tokio::test]
    async fn every_page_is_read() {
        let server = ScriptedArm::start_with(|endpoint| {
            let last = json!({"value": [{"actions": [LIST_KEYS]}], "nextLink": null});
            vec![
                page(&format!("{endpoint}more?page=2")),
                reply(200, &[], &last.to_string()),
            ]
        });
        let permissions = read(&server).await.expect("permissions");
        assert!(permissions.allows(LIST_KEYS) && permissions.allows("Microsoft.Kusto/clusters/read"));
        let requests = server.requests();
        assert!(requests[0].contains(
            "/databases/My%20Db/providers/Microsoft.Authorization/permissions?api-version=2022-04-01 "
        ));
        assert!(requests[1].starts_with("GET /more?page=2 "), "{}", requests[1]);
    }

    #[tokio::test]
    async fn a_next_page_elsewhere_is_not_asked_for_and_a_list_without_end_is_given_up() {
        let server = ScriptedArm::start(vec![page("https://example.org/more"), reply(200, &[], "{}")]);
        assert_eq!(
            read(&server).await.expect_err("elsewhere").kind,
            ArmErrorKind::ForeignHost
        );
        assert_eq!(server.requests().len(), 1);
        let endless = ScriptedArm::start_with(|endpoint| {
            let again = format!("{endpoint}again");
            (0..=MOST_PAGES).map(|_| page(&again)).collect()
        });
        assert_eq!(
            read(&endless).await.expect_err("endless").kind,
            ArmErrorKind::Unreadable
        );
        assert_eq!(endless.requests().len(), MOST_PAGES);
    }

    proptest! {
        #[test]
        fn what_a_star_replaces_always_matches(before in "[a-z/]{0,8}", middle in "[a-zA-Z/.]{0,12}", after in "[a-z/]{0,8}") {
            let pattern = format!("{before}*{after}");
            let action = format!("{before}{middle}{after}");
            prop_assert!(is_match(&pattern, &action));
        }

        #[test]
        fn without_a_star_only_the_same_text_matches(a in "[a-c]{0,4}", b in "[a-c]{0,4}") {
            prop_assert_eq!(is_match(&a, &b), a == b);
        }
    }
}

//! Shared access keys of Event Hubs namespaces: what a key-based data connection lives on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{ChangeError, Namespace, ResourceId, Resources};
use crate::directory::UnknownName;

/// The rule that every namespace is born with.
pub const ROOT_RULE: &str = "RootManageSharedAccessKey";

/// Which of a rule's two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyKind {
    /// The one that Kusto fetches.
    Primary,
    /// The other one.
    Secondary,
}

/// A shared access policy of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRule {
    /// Name as created.
    pub name: String,
    /// `Listen`, `Manage`, `Send`.
    pub rights: Vec<String>,
    /// How often each key was made anew.
    pub(crate) generations: (u32, u32),
    /// Keys that a caller brought along instead.
    pub(crate) brought: (Option<String>, Option<String>),
}

/// The key that a data connection holds: a copy that nobody renews by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldKey {
    pub(crate) rule: String,
    pub(crate) key: String,
}

/// The keys that a data connection holds: of its event hub's namespace, and of its storage account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeldKeys {
    pub(crate) hub: Option<HeldKey>,
    pub(crate) account: Option<String>,
}

impl AuthorizationRule {
    /// A rule with fresh keys.
    pub(crate) fn new(name: &str, rights: &[&str]) -> AuthorizationRule {
        AuthorizationRule {
            name: name.to_owned(),
            rights: rights.iter().map(|&right| right.to_owned()).collect(),
            generations: (0, 0),
            brought: (None, None),
        }
    }

    /// One of its keys: 32 bytes in Base64, as Event Hubs' keys are. Worked out from the names, so that making one
    /// costs nothing at the start; nobody can use it anywhere.
    pub fn key(&self, namespace: &ResourceId, which: KeyKind) -> String {
        let (word, generation, brought) = match which {
            KeyKind::Primary => ("primary", self.generations.0, &self.brought.0),
            KeyKind::Secondary => ("secondary", self.generations.1, &self.brought.1),
        };
        brought.clone().unwrap_or_else(|| {
            let seed = format!("{} {} {word} {generation}", namespace.key(), self.name);
            STANDARD.encode(Sha256::digest(seed))
        })
    }

    /// Makes one of the keys anew, or takes the one that was brought along.
    pub(crate) fn regenerate(&mut self, which: KeyKind, brought: Option<String>) {
        let (generation, place) = match which {
            KeyKind::Primary => (&mut self.generations.0, &mut self.brought.0),
            KeyKind::Secondary => (&mut self.generations.1, &mut self.brought.1),
        };
        *generation += 1;
        *place = brought;
    }
}

impl Namespace {
    /// A rule by name, case ignored.
    pub fn authorization_rule(&self, name: &str) -> Option<&AuthorizationRule> {
        self.authorization_rules
            .iter()
            .find(|rule| rule.name.eq_ignore_ascii_case(name))
    }

    /// The key that Kusto copies when it connects: the primary one of the first rule that may listen. Which rule Kusto
    /// really takes is not documented.
    pub(crate) fn key_for_kusto(&self) -> Option<HeldKey> {
        let may_listen =
            |rule: &&AuthorizationRule| rule.rights.iter().any(|r| r == "Listen" || r == "Manage");
        let rule = self.authorization_rules.iter().find(may_listen)?;
        Some(HeldKey {
            rule: rule.name.clone(),
            key: rule.key(&self.id, KeyKind::Primary),
        })
    }

    /// Whether the key still opens the namespace: any of the rule's two current keys does.
    pub(crate) fn accepts(&self, held: &HeldKey) -> bool {
        self.authorization_rule(&held.rule).is_some_and(|rule| {
            [KeyKind::Primary, KeyKind::Secondary]
                .iter()
                .any(|&which| rule.key(&self.id, which) == held.key)
        })
    }
}

impl Resources {
    /// Makes a key of a namespace's rule anew.
    pub fn rotate_key(&mut self, namespace: &str, rule: &str, which: KeyKind) -> Result<(), ChangeError> {
        let rules = &mut self.namespace_mut(namespace)?.authorization_rules;
        rules
            .iter_mut()
            .find(|known| known.name.eq_ignore_ascii_case(rule))
            .ok_or_else(|| UnknownName::new("authorization rule", rule))?
            .regenerate(which, None);
        Ok(())
    }

    /// Lets a namespace accept keys, or Entra tokens only.
    pub fn set_local_auth(&mut self, namespace: &str, enabled: bool) -> Result<(), ChangeError> {
        self.namespace_mut(namespace)?.local_auth_disabled = !enabled;
        Ok(())
    }

    pub(crate) fn namespace_mut(&mut self, id: &str) -> Result<&mut Namespace, ChangeError> {
        let id = ResourceId::parse(id)?;
        let unknown = || UnknownName::new("namespace", id.as_str());
        Ok(self
            .namespaces
            .iter_mut()
            .find(|n| n.id == id)
            .ok_or_else(unknown)?)
    }
}

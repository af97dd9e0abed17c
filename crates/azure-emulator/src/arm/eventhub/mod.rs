//! Microsoft.EventHub: namespaces, event hubs, consumer groups for reading; keys of namespaces, and whether keys are
//! taken at all, for changing. `read` shows, `keys` lists and renews keys, `change` sends a call to what it changes.
//! Namespaces, event hubs and policies are not made or removed here, and no events are.

mod change;
mod keys;
mod read;

use super::access;

pub(super) use change::{act, write};
pub(super) use read::{list, namespace_body, resource};

//! Microsoft Entra: user tokens are validated here, exchanged for ARM tokens (on-behalf-of) and cached, and Entra's errors get
//! their meaning here. Knows nothing of Postgres, of this service's own HTTP API, or of what ARM does with a token.
//! Every URL is built from the configured authority; nothing that Entra or a token says chooses a host.

mod answer;
mod cache;
mod claims;
mod classify;
mod error;
mod exchange;
mod exchange_guard;
mod fetch_budget;
mod key_document;
mod keys;
mod refusal;
mod service_token;
mod settings;
#[cfg(test)]
mod testing;
mod token_endpoint;
mod user_token;
mod validation;

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::upstream::{Guards, Service};

pub use error::{ExchangeError, ExchangeErrorKind, ExchangeFailure};
pub use refusal::{TokenError, TokenRefusal};
pub use settings::Settings;
pub use user_token::UserToken;

/// One registration of this service at one Entra cloud: validates the tokens that callers send and exchanges them. Cheap to
/// clone; clones share keys and cached tokens.
#[derive(Clone)]
pub struct Entra {
    inner: Arc<Inner>,
}

/// What the clones share.
struct Inner {
    settings: Settings,
    client: reqwest::Client,
    clock: Clock,
    keys: keys::Keys,
    tokens: cache::Tokens,
    service_tokens: service_token::ServiceTokens,
    /// Work that must not die with the request that started it.
    tasks: TaskTracker,
    /// Each tenant's token endpoint.
    guards: Guards,
    repeats: exchange_guard::Repeats,
}

impl Entra {
    /// Sets up validation and exchange. Nothing is fetched before the first token arrives.
    #[must_use]
    pub fn new(settings: Settings, client: reqwest::Client, clock: Clock) -> Self {
        let tasks = TaskTracker::new();
        let keys = keys::Keys::new(&settings, &client, &clock, tasks.clone());
        Self {
            inner: Arc::new(Inner {
                guards: Guards::new(Service::Entra, settings.limits.clone()),
                repeats: exchange_guard::Repeats::new(settings.identical_exchanges),
                settings,
                client,
                clock,
                keys,
                tokens: cache::Tokens::new(),
                service_tokens: service_token::ServiceTokens::new(),
                tasks,
            }),
        }
    }

    /// What it was set up with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Waits until running exchanges and key fetches have ended; each is bounded by the client's time-outs. For shutdown,
    /// after the last request.
    pub async fn finish(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

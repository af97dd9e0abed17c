//! What operations are driven with.

use crate::arm::Arm;
use crate::clock::Clock;
use crate::db::Db;
use crate::ledger::recorder::Recorder;
use crate::operations::Settings;
use crate::operations::replica::Replica;
use crate::operations::signals::Signals;
use crate::tokens::exchange::TokenExchange;
use crate::tokens::service_identity::ServiceIdentity;
use crate::tokens::store::TokenStore;
use std::sync::Arc;

/// The tokens that operations are driven with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OperationTokens {
    /// Exchanges those that callers brought.
    pub(crate) exchange: TokenExchange,
    /// Keeps them while the operation runs.
    pub(crate) store: Arc<TokenStore>,
    /// The service's own, to read with.
    pub(crate) own: ServiceIdentity,
}

/// Drives operations to their end. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Driver {
    pub(crate) db: Db,
    pub(crate) arm: Arm,
    pub(crate) clock: Clock,
    pub(crate) settings: Arc<Settings>,
    pub(crate) tokens: OperationTokens,
    pub(crate) recorder: Recorder,
    pub(crate) replica: Replica,
    pub(crate) signals: Signals,
}

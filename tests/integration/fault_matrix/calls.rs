//! The calls that the service makes: each once for each thing that it is made for.

use azure_emulator::{Effect, Entry, Fault, Host, TokenKind, how_to};

macro_rules! calls {
    ($($(#[$doc:meta])+ $variant:ident,)+) => {
        /// A call of the service's, and what for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Call { $($(#[$doc])+ $variant,)+ }

        impl Call {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

calls! {
    /// The signing keys of a token's tenant.
    Keys,
    /// Whose the cluster's subscription is, asked without a token.
    TargetTenant,
    /// Whose the event hub's subscription is.
    SourceTenant,
    /// The exchange of the user's token at the cluster's tenant.
    TargetExchange,
    /// The exchange at the event hub's tenant.
    SourceExchange,
    /// Before a create: the cluster and its region.
    Cluster,
    /// Before a create: the database.
    Database,
    /// Before a create: that there is no data connection of the name.
    Absence,
    /// Before a create: what the user may do at the database.
    TargetPermissions,
    /// Before a create: what the user may do at the namespace.
    SourcePermissions,
    /// Before a create: the event hub.
    EventHub,
    /// Before a create: the consumer group.
    ConsumerGroup,
    /// The create itself.
    Put,
    /// How the create's operation stands.
    PutPoll,
    /// The data connection, once its create is called done.
    PutReadBack,
    /// The data connection, after a create of unknown outcome.
    PutSettling,
    /// That there is still none, before a create that ARM put off is sent again.
    SecondAbsence,
    /// Before a removal: the exchange at the cluster's tenant.
    RemovalExchange,
    /// Before a removal: what the user may do at the database.
    RemovalPermissions,
    /// Directly before a removal is sent: the data connection.
    RemovalRead,
    /// Before somebody goes on with a create that waits: the exchange at the cluster's tenant. What else is asked before a create is
    /// asked again then, and what is met is told by the same code.
    ContinueExchange,
    /// Before somebody goes on with it: the exchange at the event hub's tenant.
    ContinueSourceExchange,
    /// Before somebody goes on with it: that there is no data connection of the name.
    ContinueAbsence,
    /// Before somebody goes on with it: what the user may do at the database.
    ContinuePermissions,
    /// The removal itself.
    Delete,
    /// How the removal's operation stands.
    DeletePoll,
    /// The data connection, once its removal is called done.
    DeleteReadBack,
    /// The database, without which the data connection's absence proves no removal.
    DatabaseAfter,
    /// The data connection, after a removal of unknown outcome.
    DeleteSettling,
    /// The service's own token, where it settles what nobody is here to ask about.
    OwnToken,
    /// The data connection, read with that token after a create of unknown outcome.
    OwnReading,
    /// The exchange for somebody who only looks.
    LookExchange,
    /// Whether somebody may read the data connection.
    LookConnection,
    /// Whether somebody may read the event hub.
    LookHub,
    /// Whether somebody may read all data connections of a database.
    LookList,
    /// Whether a caller may read all event hubs of a namespace.
    LookNamespace,
}

impl Call {
    pub(super) fn is_exchange(self) -> bool {
        matches!(
            self,
            Self::TargetExchange
                | Self::SourceExchange
                | Self::RemovalExchange
                | Self::ContinueExchange
                | Self::ContinueSourceExchange
                | Self::LookExchange
                | Self::OwnToken
        )
    }

    /// Whether it is made with the service's own token, or to get it.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::OwnToken | Self::OwnReading)
    }

    /// Whether somebody waits for an answer that hangs on this call.
    pub(super) fn is_answered_at_once(self) -> bool {
        match self {
            Self::Keys
            | Self::TargetTenant
            | Self::SourceTenant
            | Self::TargetExchange
            | Self::SourceExchange
            | Self::Cluster
            | Self::Database
            | Self::Absence
            | Self::TargetPermissions
            | Self::SourcePermissions
            | Self::EventHub
            | Self::ConsumerGroup
            | Self::RemovalExchange
            | Self::RemovalPermissions
            | Self::ContinueExchange
            | Self::ContinueSourceExchange
            | Self::ContinueAbsence
            | Self::ContinuePermissions
            | Self::LookExchange
            | Self::LookConnection
            | Self::LookHub
            | Self::LookList
            | Self::LookNamespace => true,
            Self::Put
            | Self::PutPoll
            | Self::PutReadBack
            | Self::PutSettling
            | Self::SecondAbsence
            | Self::RemovalRead
            | Self::Delete
            | Self::DeletePoll
            | Self::DeleteReadBack
            | Self::DatabaseAfter
            | Self::DeleteSettling
            | Self::OwnToken
            | Self::OwnReading => false,
        }
    }

    pub(super) fn is_discovery(self) -> bool {
        matches!(self, Self::TargetTenant | Self::SourceTenant)
    }

    pub(super) fn is_permissions(self) -> bool {
        matches!(
            self,
            Self::TargetPermissions
                | Self::SourcePermissions
                | Self::RemovalPermissions
                | Self::ContinuePermissions
        )
    }

    /// Whether it bears out what ARM called done; a read beside a question for the operation is another one.
    pub(super) fn is_read_back(self) -> bool {
        matches!(self, Self::PutReadBack | Self::DeleteReadBack)
    }

    pub(super) fn is_poll(self) -> bool {
        matches!(self, Self::PutPoll | Self::DeletePoll)
    }

    /// Where it goes, for a data connection of this name: the host, the method and a part of the path.
    pub(super) fn place(self, name: &str) -> (Host, &'static str, String) {
        let arm = |method, path: String| (Host::Arm, method, path);
        let permissions = "/providers/Microsoft.Authorization/permissions";
        let token = |tenant| (Host::Entra, "POST", format!("/{tenant}/oauth2/v2.0/token"));
        match self {
            Self::Keys => (
                Host::Entra,
                "GET",
                format!("/{}/discovery/v2.0/keys", how_to::DOMAIN2),
            ),
            Self::TargetTenant => arm("GET", format!("/subscriptions/{}?", how_to::SUBSCRIPTION1)),
            Self::SourceTenant => arm("GET", format!("/subscriptions/{}?", how_to::SUBSCRIPTION2)),
            Self::SourceExchange | Self::ContinueSourceExchange => token(how_to::DOMAIN2),
            Self::TargetExchange
            | Self::RemovalExchange
            | Self::ContinueExchange
            | Self::LookExchange
            | Self::OwnToken => token(how_to::DOMAIN1),
            Self::Cluster => arm("GET", "/clusters/adx1?".to_owned()),
            Self::Database | Self::DatabaseAfter => arm("GET", "/databases/telemetry?".to_owned()),
            Self::TargetPermissions | Self::RemovalPermissions | Self::ContinuePermissions => {
                arm("GET", format!("/databases/telemetry{permissions}"))
            }
            Self::SourcePermissions | Self::LookNamespace => {
                arm("GET", format!("/namespaces/ns-domain2{permissions}"))
            }
            Self::EventHub | Self::LookHub => arm("GET", "/eventhubs/hub1?".to_owned()),
            Self::ConsumerGroup => arm("GET", "/consumergroups/".to_owned()),
            Self::Put => arm("PUT", format!("/dataConnections/{name}?")),
            Self::Delete => arm("DELETE", format!("/dataConnections/{name}?")),
            Self::PutPoll | Self::DeletePoll => arm("GET", "/operationResults/".to_owned()),
            Self::LookList => arm("GET", "/dataConnections?".to_owned()),
            Self::Absence
            | Self::ContinueAbsence
            | Self::PutReadBack
            | Self::PutSettling
            | Self::SecondAbsence
            | Self::RemovalRead
            | Self::DeleteReadBack
            | Self::DeleteSettling
            | Self::OwnReading
            | Self::LookConnection => arm("GET", format!("/dataConnections/{name}?")),
        }
    }

    /// The fault of this call.
    pub(super) fn fault(self, name: &str, effect: Effect) -> Fault {
        let (host, method, path) = self.place(name);
        let fault = match host {
            Host::Entra => Fault::entra(&path, effect),
            Host::Arm => Fault::arm(&path, effect),
        };
        fault.method(method)
    }

    /// Whether the emulator's journal shows it here.
    pub(super) fn is(self, entry: &Entry, name: &str) -> bool {
        let (host, method, path) = self.place(name);
        let by_itself = match host {
            Host::Entra => entry
                .request_body
                .as_ref()
                .is_some_and(|form| form["grant_type"] == "client_credentials"),
            Host::Arm => {
                let token = entry.primary.as_ref();
                token.is_some_and(|token| token.kind == TokenKind::App)
            }
        };
        let here = entry.path_and_query.to_ascii_lowercase();
        entry.host == host
            && entry.method == method
            && here.contains(&path.to_ascii_lowercase())
            && by_itself == self.is_own()
    }
}

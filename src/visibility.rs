//! Who sees a connection, and how much of it: whom its record names, whom a tenant has given a role, and whom ARM lets read the
//! data connection or the source. Only the actor's own token counts; those in the auxiliary header never widen anything.

mod check;
mod events;

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use uuid::Uuid;

use crate::arm::{Arm, from_arm};
use crate::authz::tenants::Tenants;
use crate::authz::{Caller, Side};
use crate::db::connections::{ConnectionRole, ConnectionWithRole};
use crate::domain::{
    ConnectionRecord, DataConnectionId, DatabaseId, Error, Person, ResourceId, ResourceRead, SourceScope,
    State, TenantId,
};
use crate::entra::{Entra, ExchangeError, UserToken};
use crate::sources;
use crate::tokens::exchange::TokenExchange;
use crate::upstream::ArmToken;

use check::{CheckUnavailable, is_no, is_outage, is_shut_out, no_or_unavailable};
pub(crate) use events::{audited_tenant, role_in_feed, role_of_auditor};

/// The app role with which a tenant lets a user see all connections that touch it.
const ROLE_READ_ALL: &str = "Connections.Read.All";
/// The app role with which the service's home tenant, and no other, gives a user access to unsettled connections.
const ROLE_OPERATOR: &str = "Operator";
/// Over which time Entra counts identical exchanges.
const EXCHANGES_COUNTED_FOR: Duration = Duration::from_secs(300);
/// The most cached answers; the least used are dropped first.
const MAX_ENTRIES: u64 = 100_000;

/// The role in which a caller sees a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewerRole {
    /// As its actor.
    Actor,
    /// From the cluster.
    Target,
    /// From the event stream.
    Source,
    /// As an operator of the service, for as long as it is unsettled.
    Operator,
}

/// Something that ARM lets a person read or not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AccessCheck<'a> {
    /// One data connection, even if it is gone: ARM checks the right before the existence (Microsoft Learn, "Troubleshoot Azure
    /// RBAC": a scope that doesn't exist returns `AuthorizationFailed` too).
    DataConnection(&'a DataConnectionId),
    /// Every data connection of a database.
    DataConnections(&'a DatabaseId),
    /// A resource of a source, also when it is gone.
    Resource(&'a ResourceRead),
    /// All sources in a scope: the permission for these actions there.
    Actions(&'a SourceScope, &'static [&'static str]),
}

/// Cached answers of ARM and Entra. Only yes and no are cached, never an outage.
#[derive(Clone)]
pub(crate) struct VisibilityCache {
    /// ARM's, by person and app, so that no answer applies to another person.
    answers: Cache<AccessQuestion, bool>,
    /// Entra's refusals, by user token and tenant: a token from a better sign-in is another one.
    refusals: Cache<([u8; 32], TenantId), ExchangeError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AccessQuestion {
    person: Person,
    app: Uuid,
    tenant: TenantId,
    subject: AccessSubject,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum AccessSubject {
    /// Whether they may read the resource.
    Resource(String),
    /// Whether they may read what the resource holds.
    Inside(String),
}

struct Life(Settings);

impl Expiry<AccessQuestion, bool> for Life {
    fn expire_after_create(&self, _: &AccessQuestion, granted: &bool, _: Instant) -> Option<Duration> {
        Some(if *granted {
            self.0.granted_for
        } else {
            self.0.denied_for
        })
    }
}

impl VisibilityCache {
    /// `identical_exchanges` is how many identical exchanges Entra accepts in five minutes: its refusals are cached long enough that
    /// repeated reads get the last answer, and not an outage.
    pub(crate) fn new(settings: Settings, identical_exchanges: u32) -> Self {
        Self {
            refusals: Cache::builder()
                .max_capacity(MAX_ENTRIES)
                .time_to_live(EXCHANGES_COUNTED_FOR / identical_exchanges.max(1) + Duration::from_secs(1))
                .build(),
            answers: Cache::builder()
                .max_capacity(MAX_ENTRIES)
                .expire_after(Life(settings))
                .build(),
        }
    }
}

impl ViewerRole {
    /// Redacts the record for this role: people of the source's tenant do not see the justification, and who created it is for the
    /// people whom the record names, and for colleagues.
    pub(crate) fn redact(self, caller: &Caller, found: ConnectionWithRole) -> ConnectionRecord {
        let ConnectionWithRole { mut record, part } = found;
        if part.is_none() {
            let tenant = caller.actor().tenant;
            record.creator = record.creator.filter(|creator| creator.person.tenant == tenant);
        }
        if !self.is_told(caller, record.target_tenant, record.source_tenant) {
            record.justification = None;
            // What has the name now may belong to anyone of the target's side.
            if let Some(found) = &mut record.found {
                found.resource = None;
            }
        }
        record
    }

    /// Whether this role sees what is for the target's side.
    fn is_told(self, caller: &Caller, target: TenantId, source: TenantId) -> bool {
        let tenant = caller.actor().tenant;
        match self {
            Self::Actor => true,
            Self::Target => tenant != source || tenant == target,
            Self::Source | Self::Operator => false,
        }
    }
}

impl AccessCheck<'_> {
    fn subject(self) -> AccessSubject {
        let canonical = |id: &ResourceId| id.canonical().to_owned();
        match self {
            Self::DataConnection(id) => AccessSubject::Resource(canonical(id.resource())),
            Self::Resource(read) => AccessSubject::Resource(canonical(&read.id)),
            Self::DataConnections(id) => AccessSubject::Inside(canonical(id.resource())),
            Self::Actions(scope, _) => AccessSubject::Inside(scope.canonical()),
        }
    }
}

/// From where the record itself or a role lets the caller see it.
pub(crate) fn role_by_record(caller: &Caller, found: &ConnectionWithRole) -> Option<ViewerRole> {
    let tenant = caller.actor().tenant;
    match found.part {
        Some(ConnectionRole::Actor) => Some(ViewerRole::Actor),
        Some(ConnectionRole::Participant) => {
            Some(role_of_tenant(tenant, &found.record).unwrap_or(ViewerRole::Source))
        }
        None if sees_all_of_own_tenant(caller) => role_of_tenant(tenant, &found.record),
        None => None,
    }
}

/// Whether the caller's tenant has given them the role to see all that touches it.
pub(crate) fn sees_all_of_own_tenant(caller: &Caller) -> bool {
    caller.actor_token().has_role(ROLE_READ_ALL)
}

fn role_of_tenant(tenant: TenantId, record: &ConnectionRecord) -> Option<ViewerRole> {
    ViewerRole::of_side(tenant, record.target_tenant, record.source_tenant)
}

/// How long ARM's word is cached on what a person may read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a permission is cached.
    pub granted_for: Duration,
    /// How long a denial is cached.
    pub denied_for: Duration,
}

/// Decides what a caller may see. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Visibility {
    arm: Arm,
    entra: Entra,
    exchange: TokenExchange,
    tenants: Tenants,
    cache: VisibilityCache,
}

impl Visibility {
    /// Checks access at this ARM, with tokens of this exchange, and caches the answers.
    pub(crate) fn new(
        arm: Arm,
        entra: Entra,
        exchange: TokenExchange,
        tenants: Tenants,
        settings: Settings,
    ) -> Self {
        let identical_exchanges = entra.settings().identical_exchanges;
        Self {
            arm,
            entra,
            exchange,
            tenants,
            cache: VisibilityCache::new(settings, identical_exchanges),
        }
    }

    /// Whether the caller is an operator of this service: by a role of its home tenant, since in others that tenant decides who has
    /// which role.
    pub(crate) fn is_operator(&self, caller: &Caller) -> bool {
        self.tenants.home() == Some(caller.actor().tenant) && caller.actor_token().has_role(ROLE_OPERATOR)
    }

    /// From where the caller sees a connection; from nowhere if they don't.
    ///
    /// # Errors
    /// When neither side grants access and one of them cannot answer. The error names no tenant, and users of unrelated tenants are not
    /// challenged: they must not learn that the connection exists.
    pub(crate) async fn viewer_role(
        &self,
        caller: &Caller,
        found: &ConnectionWithRole,
    ) -> Result<Option<ViewerRole>, Error> {
        if let Some(side) = role_by_record(caller, found) {
            return Ok(Some(side));
        }
        if self.is_operator(caller) && found.record.state() == State::Unsettled {
            return Ok(Some(ViewerRole::Operator));
        }
        match self.role_by_arm(caller, &found.record).await {
            Err(Error::Refused(_)) if role_of_tenant(caller.actor().tenant, &found.record).is_none() => {
                Ok(None)
            }
            Err(Error::Unavailable(mut unavailable)) => {
                "whether you may see this cannot be determined now".clone_into(&mut unavailable.detail);
                Err(Error::Unavailable(unavailable))
            }
            told => told,
        }
    }

    async fn role_by_arm(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
    ) -> Result<Option<ViewerRole>, Error> {
        let target = AccessCheck::DataConnection(&record.arm_id);
        let seen = self
            .may_read(caller, record.target_tenant, Side::Target, target)
            .await;
        if matches!(seen, Ok(true)) {
            return Ok(Some(ViewerRole::Target));
        }
        for resource in sources::needed_resources(&record.source) {
            let source = AccessCheck::Resource(&resource.read);
            if self
                .may_read(caller, record.source_tenant, Side::Source, source)
                .await?
            {
                return Ok(Some(ViewerRole::Source));
            }
        }
        seen.map(|_| None)
    }

    /// Whether ARM lets the actor read a resource, asked with the actor's own token and cached.
    ///
    /// # Errors
    /// When Entra or ARM cannot answer, or require the user to sign in with more proof first.
    pub(crate) async fn may_read(
        &self,
        caller: &Caller,
        tenant: TenantId,
        direction: Side,
        what: AccessCheck<'_>,
    ) -> Result<bool, Error> {
        // No token is sent to a tenant that is not allowed, whatever the record says.
        if !self.tenants.allows(tenant, direction) {
            return Ok(false);
        }
        let question = AccessQuestion {
            person: caller.actor(),
            app: caller.app(),
            tenant,
            subject: what.subject(),
        };
        // Boxed: few requests ask ARM, and the others need not carry this future.
        let asked = Box::pin(async {
            let looked = self.read_connection(caller.actor_token(), tenant, what).await;
            match looked {
                // The token was cached, and ARM no longer accepts it.
                Err(CheckUnavailable::Arm(answer))
                    if answer.0.status() == Some(401)
                        && is_no(&answer.0)
                        && self.entra.forget(caller.actor_token(), tenant).await =>
                {
                    no_or_unavailable(self.read_connection(caller.actor_token(), tenant, what).await)
                }
                looked => no_or_unavailable(looked),
            }
        });
        let answer = self.cache.answers.try_get_with(question, asked).await;
        answer.map_err(|error| match Arc::unwrap_or_clone(error) {
            CheckUnavailable::Exchange(error) => {
                self.exchange.to_error(&caller.without_participants(), &[error])
            }
            CheckUnavailable::Arm(answer) => from_arm(&answer.0, Some(&answer.1)),
        })
    }

    /// The ARM token of a tenant for a viewer, who may read often: an exchange that Entra just refused is not repeated, because Entra
    /// blocks a client after fifteen identical exchanges in five minutes (AADSTS50196).
    async fn viewer_token(&self, token: &UserToken, tenant: TenantId) -> Result<ArmToken, ExchangeError> {
        let refusals = &self.cache.refusals;
        let key = (token.digest(), tenant);
        if let Some(refused) = refusals.get(&key).await {
            return Err(refused);
        }
        let exchanged = self.entra.exchange(token, tenant).await;
        if let Err(error) = &exchanged
            && !is_outage(error)
        {
            refusals.insert(key, error.clone()).await;
        }
        exchanged
    }

    /// Whether Entra and ARM let a user read; a denial by ARM is an error here.
    async fn read_connection(
        &self,
        token: &UserToken,
        tenant: TenantId,
        what: AccessCheck<'_>,
    ) -> Result<bool, CheckUnavailable> {
        let token = match self.viewer_token(token, tenant).await {
            Ok(token) => token,
            Err(error) if is_shut_out(&error) => return Ok(false),
            Err(error) => return Err(CheckUnavailable::Exchange(error)),
        };
        let answer = match what {
            AccessCheck::DataConnection(id) => self.arm.data_connection(&token, id).await.map(drop),
            AccessCheck::DataConnections(id) => self.arm.list_data_connections(&token, id).await,
            AccessCheck::Resource(read) => self.arm.resource_exists(&token, read).await.map(drop),
            AccessCheck::Actions(scope, actions) => {
                let permissions = self.arm.permissions_at(&token, &scope.canonical()).await;
                match permissions {
                    Ok(permissions) => {
                        return Ok(actions.iter().all(|action| permissions.allows(action)));
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match answer {
            Ok(()) => Ok(true),
            Err(error) => Err(CheckUnavailable::Arm(Box::new((error, token)))),
        }
    }
}

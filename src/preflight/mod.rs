//! The checks before a change: independent reads in parallel, everything that they found in one report, nothing changed. `sources`
//! describes what a kind of source needs; this module asks ARM for it.

mod answers;
mod report;
mod source;
mod target;

use futures_util::future::{OptionFuture, try_join_all};

use answers::{PermissionCheck, permission};
pub(crate) use report::{Cleared, Report};
use report::{Finding, refusal};
use target::{DELETE_CONNECTION, WRITE_CONNECTION, role_on};

use crate::arm::{Arm, from_arm};
use crate::authz::Caller;
use crate::authz::tenants::{TenantPair, Tenants, is_of_another_tenant};
use crate::clock::Clock;
use crate::domain::{Code, ConnectionRecord, DataConnectionId, DatabaseId, Error, NewConnection, Target};
use crate::sources;
use crate::tokens::exchange::TokenExchange;
use crate::upstream::ArmToken;

/// The reads before a change. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Preflight {
    arm: Arm,
    clock: Clock,
    pub(crate) tenants: Tenants,
    pub(crate) exchange: TokenExchange,
}

impl Preflight {
    /// Reads at this ARM, with tokens of this exchange.
    pub(crate) fn new(arm: Arm, clock: Clock, tenants: Tenants, exchange: TokenExchange) -> Self {
        Self {
            arm,
            clock,
            tenants,
            exchange,
        }
    }

    /// Everything that is checked before a create: the tenants of the subscriptions, tokens of those tenants, and the reads with them.
    /// Cached tenants or tokens that prove outdated are requested once more.
    ///
    /// # Errors
    /// What keeps the checks from being made.
    pub(crate) async fn create(&self, caller: &Caller, request: &NewConnection) -> Result<Report, Error> {
        let checked = self.authorize_and_check(caller, request).await;
        match &checked {
            Err(error) if is_of_another_tenant(error) => self.tenants.forget(request).await,
            Err(error) if self.exchange.forget_refused(caller, error).await => {}
            Err(Error::Refused(refusal)) if self.tenants.have_moved(request, refusal.code).await => {
                self.tenants.forget(request).await;
            }
            Ok(report)
                if report.lacks_access() && self.tenants.have_moved(request, Code::AccessMissing).await =>
            {
                self.tenants.forget(request).await;
            }
            _ => return checked,
        }
        self.authorize_and_check(caller, request).await
    }

    /// Everything that is asked before a create: whose the subscriptions are, for tokens of those tenants, and what ARM lets
    /// them see.
    async fn authorize_and_check(&self, caller: &Caller, request: &NewConnection) -> Result<Report, Error> {
        let tenants = self.tenants.of_request(request).await?;
        let needed = tenants.distinct();
        caller.refuse_unneeded(&needed)?;
        let (tokens, error) = self.exchange.each(caller, &needed).await;
        let no_token = match error {
            None => None,
            Some(Error::Refused(refusal)) if refusal.code == Code::AccessMissing => Some(refusal),
            Some(error) => return Err(error),
        };
        let of = |tenant| tokens.iter().find(|token| token.tenant() == tenant);
        let (target, source) = (of(tenants.target), of(tenants.source));
        if no_token.is_none() && (target.is_none() || source.is_none()) {
            return Err(Error::Internal("an exchange for no tenant".to_owned()));
        }
        let report = self.check_create(request, tenants, target, source).await?;
        Ok(Report { no_token, ..report })
    }

    /// All checks at ARM before a create, as far as there are tokens for them.
    pub(crate) async fn check_create(
        &self,
        request: &NewConnection,
        tenants: TenantPair,
        target: Option<&ArmToken>,
        source: Option<&ArmToken>,
    ) -> Result<Report, Error> {
        let resources = sources::needed_resources(&request.source);
        // Boxed: side by side, the calls of both would lie in the request's own future.
        let of_target = target.map(|token| Box::pin(self.check_target(request, token)));
        let of_source = source.map(|token| {
            let checks = resources
                .iter()
                .map(|resource| self.check_resource(resource, token));
            Box::pin(try_join_all(checks))
        });
        let (of_target, of_source) =
            tokio::join!(OptionFuture::from(of_target), OptionFuture::from(of_source));
        let (mut findings, target) = of_target.transpose()?.unwrap_or_default();
        findings.extend(of_source.transpose()?.into_iter().flatten().flatten());
        Ok(Report {
            tenants,
            findings,
            no_token: None,
            target,
        })
    }

    /// Whether the caller may make data connections there.
    pub(crate) async fn preflight_write(
        &self,
        database: &DatabaseId,
        target: &ArmToken,
    ) -> Result<(), Error> {
        self.preflight_right(database, target, WRITE_CONNECTION).await
    }

    /// Whether ARM takes the token to read a data connection with. What ARM cannot answer now the operation finds out later, and what
    /// it would be in may be gone.
    pub(crate) async fn preflight_read(&self, id: &DataConnectionId, target: &ArmToken) -> Result<(), Error> {
        match self.arm.data_connection(target, id).await {
            Err(error) if matches!(error.status(), Some(401 | 403)) => Err(from_arm(&error, Some(target))),
            _ => Ok(()),
        }
    }

    /// Checks that the caller may remove a connection, with the caller's own token.
    pub(crate) async fn permit_removal(
        &self,
        caller: &Caller,
        record: &ConnectionRecord,
    ) -> Result<ArmToken, Error> {
        let permit = async || {
            let target = self.exchange.one(caller, record.target_tenant).await?;
            self.preflight_remove(&record.target.database, &target).await?;
            Ok(target)
        };
        match permit().await {
            Err(error) if self.exchange.forget_refused(caller, &error).await => permit().await,
            told => told,
        }
    }

    /// Checks that the caller may delete before anything is recorded, so that a refusal changes nothing.
    pub(crate) async fn preflight_remove(
        &self,
        database: &DatabaseId,
        target: &ArmToken,
    ) -> Result<(), Error> {
        self.preflight_right(database, target, DELETE_CONNECTION).await
    }

    async fn preflight_right(
        &self,
        database: &DatabaseId,
        target: &ArmToken,
        action: &'static str,
    ) -> Result<(), Error> {
        let permissions = self.arm.permissions(target, database.resource()).await;
        // A missing database is no reason to refuse: the operation finds out and reports it.
        if permission(permissions, action, target)? != PermissionCheck::Lacking {
            return Ok(());
        }
        let role = role_on(&database.cluster(), action);
        let finding = Finding::lacks(&role, false, target.tenant(), Target::DATABASE_POINTER);
        refusal(&[finding]).map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}

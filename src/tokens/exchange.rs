//! Exchanges the caller's tokens for ARM tokens, all tenants in parallel; everything that is missing is reported in one response.

use futures_util::future::join_all;

use crate::authz::Caller;
use crate::domain::{
    Awaiting, Code, Error, Missing, MissingKind, Refusal, TenantId, Unavailable, Upstream, UpstreamService,
};
use crate::entra::{Entra, ExchangeError, ExchangeErrorKind, UserToken};
use crate::upstream::{AUXILIARY_HEADER, ArmToken};

/// Exchanges callers' tokens for ARM tokens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct TokenExchange {
    entra: Entra,
}

impl TokenExchange {
    /// An exchange at this Entra.
    pub(crate) fn new(entra: Entra) -> Self {
        Self { entra }
    }

    /// A token with what ARM's claims challenge demands, for one of the caller's.
    ///
    /// # Errors
    /// As Entra answers.
    pub(crate) async fn answer_challenge(
        &self,
        token: &UserToken,
        tenant: TenantId,
        claims: &str,
    ) -> Result<ArmToken, ExchangeError> {
        self.entra.answer_challenge(token, tenant, claims).await
    }

    /// One ARM token for each tenant, in the order of the tenants.
    pub(crate) async fn all(&self, caller: &Caller, tenants: &[TenantId]) -> Result<Vec<ArmToken>, Error> {
        self.answering(caller, tenants, None).await
    }

    /// The same, where a tenant may have required claims: its new token is requested with them.
    pub(crate) async fn answering(
        &self,
        caller: &Caller,
        tenants: &[TenantId],
        demanded: Option<&Awaiting>,
    ) -> Result<Vec<ArmToken>, Error> {
        match self.each_answering(caller, tenants, demanded).await {
            (tokens, None) => Ok(tokens),
            (_, Some(error)) => Err(error),
        }
    }

    /// The ARM tokens that can be had, and the one answer for those that can't.
    pub(crate) async fn each(&self, caller: &Caller, tenants: &[TenantId]) -> (Vec<ArmToken>, Option<Error>) {
        self.each_answering(caller, tenants, None).await
    }

    async fn each_answering(
        &self,
        caller: &Caller,
        tenants: &[TenantId],
        demanded: Option<&Awaiting>,
    ) -> (Vec<ArmToken>, Option<Error>) {
        let exchanges = tenants.iter().map(|tenant| async move {
            let token = caller.token_for(*tenant);
            let asked = demanded.filter(|demanded| demanded.tenant == *tenant);
            match asked.and_then(|demanded| demanded.claims.as_deref()) {
                Some(claims) => self.entra.answer_challenge(token, *tenant, claims).await,
                None => self.entra.exchange(token, *tenant).await,
            }
        });
        let mut tokens = Vec::with_capacity(tenants.len());
        let mut errors = Vec::new();
        for result in join_all(exchanges).await {
            match result {
                Ok(token) => tokens.push(token),
                Err(error) => errors.push(error),
            }
        }
        let error = (!errors.is_empty()).then(|| self.to_error(caller, &errors));
        (tokens, error)
    }

    /// The ARM token of one tenant.
    pub(crate) async fn one(&self, caller: &Caller, tenant: TenantId) -> Result<ArmToken, Error> {
        let exchanged = self.entra.exchange(caller.token_for(tenant), tenant).await;
        exchanged.map_err(|error| self.to_error(caller, &[error]))
    }

    /// Whether a refusal came of a remembered ARM token that ARM took no longer: it is forgotten, and the same may be asked again
    /// with a new one.
    pub(crate) async fn forget_refused(&self, caller: &Caller, error: &Error) -> bool {
        let Error::Refused(refusal) = error else {
            return false;
        };
        match refusal.refused_token {
            Some(tenant) => self.entra.forget(caller.token_for(tenant), tenant).await,
            None => false,
        }
    }

    /// One answer for all that went wrong: an outage first, since the rest may look different after it; then what this
    /// service's operator must fix; then what the user must do before anything else; then everything that is missing.
    pub(crate) fn to_error(&self, caller: &Caller, errors: &[ExchangeError]) -> Error {
        if let Some(error) = errors.iter().find_map(unavailable) {
            return error;
        }
        let first = |wanted: fn(&ExchangeErrorKind) -> bool| errors.iter().find(|error| wanted(&error.kind));
        let refuse = |code: Code, detail: String, error: &ExchangeError| {
            let upstream = Some(upstream(error));
            Refusal {
                upstream,
                ..Refusal::new(code, detail)
            }
        };
        if let Some(error) = first(ExchangeErrorKind::is_the_operators) {
            let detail = format!(
                "Entra did not let this service exchange a token at tenant {}; its operator has to find out why",
                error.tenant
            );
            return refuse(Code::UpstreamRefused, detail, error).into();
        }
        if let Some(refusal) = errors.iter().find_map(|error| self.challenge(caller, error)) {
            return refusal.into();
        }
        if let Some(error) = first(|kind| {
            matches!(
                kind,
                ExchangeErrorKind::Reauthenticate | ExchangeErrorKind::Challenge { claims: None }
            )
        }) {
            let detail = format!(
                "tenant {} no longer accepts the user's token; sign in again",
                error.tenant
            );
            return refuse(Code::InvalidToken, detail, error).into();
        }
        let missing: Vec<Missing> = errors.iter().map(|error| self.missing(caller, error)).collect();
        let tenants: Vec<String> = missing.iter().map(|missing| missing.tenant.to_string()).collect();
        let detail = format!(
            "the caller's tokens don't open {}; see `missing`",
            tenants.join(" and ")
        );
        let upstream = errors.first().map(upstream);
        let wanted = errors.iter().find_map(demanded).map(Box::new);
        Refusal {
            missing,
            upstream,
            wanted,
            ..Refusal::new(Code::AccessMissing, detail)
        }
        .into()
    }

    /// The claims challenge of a tenant, for an app whose challenged token declares that it handles them.
    fn challenge(&self, caller: &Caller, error: &ExchangeError) -> Option<Refusal> {
        let ExchangeErrorKind::Challenge { claims: Some(claims) } = &error.kind else {
            return None;
        };
        let tenant = error.tenant;
        let settings = self.entra.settings();
        let uri = settings.authorization_uri(caller.token_for(tenant), tenant)?;
        let detail = format!("tenant {tenant} wants the user to sign in again with more proof");
        Some(Refusal {
            upstream: Some(upstream(error)),
            ..Refusal::challenge(tenant, Some(&uri), claims, detail)
        })
    }

    /// How an administrator reaches the page for the consent.
    fn where_to_consent(&self) -> String {
        let settings = self.entra.settings();
        match settings.consent_page {
            Some(_) => ": `url` leads there".to_owned(),
            None => format!(
                "; no link to that can be given until this service's operator sets server.public_url and registers <public_url>/consent as a redirect URI (Web) of the application {}",
                settings.client_id
            ),
        }
    }

    fn missing(&self, caller: &Caller, error: &ExchangeError) -> Missing {
        let tenant = error.tenant;
        if matches!(error.kind, ExchangeErrorKind::Challenge { .. }) {
            return Missing::proof(tenant);
        }
        let guest = caller.token_for(tenant).tenant() != tenant;
        let (kind, fix) = match error.kind {
            ExchangeErrorKind::ApplicationMissing if error.is_disabled() => (
                MissingKind::Consent,
                format!(
                    "this service's application {} is disabled in tenant {tenant}; an administrator there has to enable it among its enterprise applications",
                    self.entra.settings().client_id
                ),
            ),
            ExchangeErrorKind::Consent => (
                MissingKind::Consent,
                format!(
                    "an administrator of tenant {tenant} has to consent to this service's use of Azure Resource Manager{}",
                    self.where_to_consent()
                ),
            ),
            ExchangeErrorKind::ApplicationMissing => (
                MissingKind::Consent,
                format!(
                    "this service has no service principal in tenant {tenant}; an administrator there has to add it by consenting to its use of Azure Resource Manager{}",
                    self.where_to_consent()
                ),
            ),
            ExchangeErrorKind::NotAMember if guest => (
                MissingKind::Token,
                format!(
                    "the user is no guest of tenant {tenant}; send a token of an account there in {AUXILIARY_HEADER}, or have the user invited"
                ),
            ),
            ExchangeErrorKind::NotAMember => (
                MissingKind::Membership,
                format!("the user of the token is not in tenant {tenant}"),
            ),
            _ => (
                MissingKind::Permission,
                format!("a policy of tenant {tenant} blocks the user; its administrators can find out which"),
            ),
        };
        Missing {
            tenant,
            kind,
            fix,
            url: error.consent_url(&self.entra),
        }
    }
}

/// The token that a tenant's challenge demands.
fn demanded(error: &ExchangeError) -> Option<Awaiting> {
    match &error.kind {
        ExchangeErrorKind::Challenge {
            claims: claims @ Some(_),
        } => Some(Awaiting {
            tenant: error.tenant,
            claims: claims.clone(),
        }),
        _ => None,
    }
}

fn upstream(error: &ExchangeError) -> Upstream {
    Upstream {
        service: UpstreamService::Entra.as_str().to_owned(),
        status: None,
        code: error
            .code
            .map(|code| format!("AADSTS{code}"))
            .or_else(|| error.error.as_deref().map(str::to_owned)),
        request_id: error
            .trace_id
            .as_deref()
            .or(error.correlation_id.as_deref())
            .map(str::to_owned),
    }
}

fn unavailable(error: &ExchangeError) -> Option<Error> {
    let retry_after = match &error.kind {
        ExchangeErrorKind::Throttled { retry_after } | ExchangeErrorKind::Unavailable { retry_after } => {
            *retry_after
        }
        _ => return None,
    };
    let detail = format!("Entra can't exchange a token at tenant {} now", error.tenant);
    Some(
        Unavailable {
            detail,
            upstream: upstream(error),
            retry_after,
        }
        .into(),
    )
}

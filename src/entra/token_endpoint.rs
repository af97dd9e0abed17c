//! One request to a tenant's token endpoint, whatever for: within what that tenant's side may be asked, and never so often that
//! Entra takes it for a loop.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::error::{ExchangeError, ExchangeErrorKind};
use super::{Inner, answer};
use crate::domain::TenantId;
use crate::entra::exchange_guard::Identity;
use crate::failpoints::{Moment, failpoint};
use crate::telemetry;
use crate::upstream;
use crate::upstream::{AdmittedCall, Body, BodyError, Guard};

/// Status, headers and body of an answer.
pub(super) type Answered = (StatusCode, HeaderMap, Body);

impl Inner {
    /// Asks a tenant's token endpoint. Any status is an answer.
    ///
    /// # Errors
    /// `Unavailable` when there was none, it is far too long, or it was not asked.
    pub(super) async fn ask_for_token(
        &self,
        guard: &Arc<Guard>,
        identity: Identity,
        form: &[(&str, &str)],
    ) -> Result<Answered, ExchangeError> {
        let tenant = identity.tenant;
        let out_of_reach = || unavailable(tenant, None);
        let admitted = self.admit(guard, identity).await?;
        failpoint("entra", "POST token", Moment::Before)
            .await
            .map_err(|_| out_of_reach())?;
        let given = self.guards.read_timeout();
        let sent = self
            .client
            // The tenant by its GUID: at /common a guest would get a token of the home tenant instead.
            .post(self.settings.endpoint(tenant, &["oauth2", "v2.0", "token"]))
            .headers(telemetry::trace_headers())
            .header("client-request-id", self.clock.new_id().to_string())
            .header("return-client-request-id", "true")
            // Asks Entra to report throttling as 429 with a time, as Microsoft's own libraries do.
            .header("x-ms-lib-capability", "retry-after, h429")
            .form(form)
            .timeout(given)
            .send();
        let answer = match whole(sent).await {
            Ok(answer) => answer,
            Err(BodyError::TooLarge) => {
                admitted.record_success();
                return Err(answer::unreadable(tenant, "far too long", None));
            }
            Err(BodyError::Broken) => {
                if !self.guards.deadline_was_short(given) {
                    admitted.record_failure();
                }
                return Err(out_of_reach());
            }
        };
        if answer.0.is_server_error() {
            admitted.record_failure();
        } else {
            admitted.record_success();
        }
        failpoint("entra", "POST token", Moment::After)
            .await
            .map_err(|_| out_of_reach())?;
        Ok(answer)
    }

    /// The leave to ask Entra now.
    async fn admit(&self, guard: &Arc<Guard>, identity: Identity) -> Result<AdmittedCall, ExchangeError> {
        let tenant = identity.tenant;
        let entered = guard.enter().await;
        let admitted = entered.map_err(|rejected| unavailable(tenant, Some(rejected.retry_after)))?;
        let counted = self.repeats.count(identity, self.clock.now()).await;
        counted.map_err(|left| {
            tracing::warn!(
                entra.tenant = %tenant,
                "entra.exchange: not repeated, because Entra would treat it as a loop"
            );
            unavailable(tenant, Some(left))
        })?;
        Ok(admitted)
    }
}

fn unavailable(tenant: TenantId, retry_after: Option<Duration>) -> ExchangeError {
    ExchangeError::bare(tenant, ExchangeErrorKind::Unavailable { retry_after })
}

/// The answer with its body read.
async fn whole(
    sent: impl Future<Output = reqwest::Result<reqwest::Response>>,
) -> Result<Answered, BodyError> {
    let response = sent.await.map_err(|_| BodyError::Broken)?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok((status, headers, upstream::read_body(response).await?))
}

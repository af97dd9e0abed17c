//! The calls that read, make and remove a data connection.

use http::{Method, StatusCode};
use serde_json::Value;

use super::DataConnection;
use crate::arm::answer::Answer;
use crate::arm::error::{ArmError, ArmErrorKind};
use crate::arm::operation::OperationUrl;
use crate::arm::report::Call;
use crate::arm::trusted_url::PinnedUrlError;
use crate::arm::{Arm, CallReport, CallTrace};
use crate::domain::{DataConnectionId, DatabaseId, json_fields};
use crate::upstream::{ArmToken, BearerToken};

/// The tokens of one write (Microsoft Learn, "Authenticate requests across tenants").
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The token of the tenant whose subscription the data connection lives in: the write is made in its user's name.
    pub primary: ArmToken,
    /// The tokens of other tenants that own linked resources, at most three. The header is left out when there are none.
    pub auxiliary: Vec<ArmToken>,
}

/// A create or update that ARM took on.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// 201 for a new one, 200 or 202 for one that was there (recorded ARM traffic).
    pub status: u16,
    /// Where to poll it. Without one, only a read of the data connection shows the outcome.
    pub operation: Option<OperationUrl>,
    /// The echo's provisioning state.
    pub provisioning_state: Option<String>,
    /// The call's ids and its time.
    pub call: CallReport,
}

/// What ARM made of a removal.
#[derive(Debug, Clone)]
pub enum Deleted {
    /// Running (202, or any success that names an operation).
    Accepted {
        /// Where to poll it.
        operation: Option<OperationUrl>,
        /// The call's ids and its time.
        call: CallReport,
    },
    /// Nothing of this name was there (204, or 404 `ResourceNotFound`). Proves little while the database can't be read.
    NothingThere {
        /// The call's ids and its time.
        call: CallReport,
    },
    /// Removed (200).
    Done {
        /// The call's ids and its time.
        call: CallReport,
    },
}

impl Arm {
    /// The data connection, or `None` when ARM says `ResourceNotFound`. Reads after a create may lag.
    ///
    /// # Errors
    /// As every call; also `Refused` for a 404 that is about the database, the cluster, the resource group or the
    /// subscription, where ARM says so: it does not show that the data connection is gone.
    pub async fn data_connection(
        &self,
        token: &BearerToken,
        id: &DataConnectionId,
    ) -> Result<Option<DataConnection>, ArmError> {
        let name = "GET data connection";
        let url = self.url(id.resource(), &[], self.kusto_api_version());
        self.read(name, url, Some(token), |answer| {
            let answer = match answer.success(&self.0.settings.endpoint) {
                Ok(answer) => answer,
                Err(error) if error.says_absent() => return Ok(None),
                Err(error) => return Err(error),
            };
            let (raw, report) = answer.json()?;
            let is_of_another = json_fields::text(&raw, "id").is_some_and(|named| {
                let named = named.trim_end_matches('/');
                !named.eq_ignore_ascii_case(id.resource().canonical())
            });
            if !raw.is_object() || is_of_another {
                return Err(ArmError {
                    call: name,
                    kind: ArmErrorKind::Unreadable,
                    report,
                });
            }
            Ok(Some(DataConnection { raw }))
        })
        .await
    }

    /// Requests the list of a database's data connections: a caller who gets it may read each of them. Only the first page is
    /// requested, and its content is ignored.
    ///
    /// # Errors
    /// As every call; `Refused` when the token's user may not.
    pub async fn list_data_connections(
        &self,
        token: &BearerToken,
        database: &DatabaseId,
    ) -> Result<(), ArmError> {
        let name = "GET data connections";
        let url = self.url(
            database.resource(),
            &["dataConnections"],
            self.kusto_api_version(),
        );
        self.read(name, url, Some(token), |answer| {
            // What can't be read shows nothing.
            answer.success(&self.0.settings.endpoint)?.json().map(drop)
        })
        .await
    }

    /// Creates the data connection, or replaces the one that is there: ARM replaces whole.
    ///
    /// # Errors
    /// As every call; [`ArmError::outcome_unknown`] says whether it may have been done all the same.
    pub async fn put_data_connection(
        &self,
        credentials: &Credentials,
        id: &DataConnectionId,
        body: &Value,
        trace: &CallTrace,
    ) -> Result<Accepted, ArmError> {
        let answer = self
            .write(
                "PUT data connection",
                Method::PUT,
                credentials,
                id,
                Some(body),
                *trace,
            )
            .await?;
        self.accepted(answer)
    }

    /// What an answer to a create says.
    pub(super) fn accepted(&self, answer: Answer) -> Result<Accepted, ArmError> {
        let answer = answer.success(&self.0.settings.endpoint)?;
        let (answer, operation) = self.operation_of(answer)?;
        let echo = answer.json_if_any();
        Ok(Accepted {
            status: answer.status.as_u16(),
            operation,
            provisioning_state: echo
                .as_ref()
                .and_then(json_fields::provisioning_state)
                .map(str::to_owned),
            call: answer.report,
        })
    }

    /// Removes the data connection. The target tenant's token alone is enough; an auxiliary one is attached only when ARM
    /// asked for it.
    ///
    /// # Errors
    /// As every call; [`ArmError::outcome_unknown`] says whether it may have been done all the same.
    pub async fn delete_data_connection(
        &self,
        credentials: &Credentials,
        id: &DataConnectionId,
        trace: &CallTrace,
    ) -> Result<Deleted, ArmError> {
        let answer = self
            .write(
                "DELETE data connection",
                Method::DELETE,
                credentials,
                id,
                None,
                *trace,
            )
            .await?;
        self.deleted(answer)
    }

    /// What an answer to a removal says.
    pub(super) fn deleted(&self, answer: Answer) -> Result<Deleted, ArmError> {
        let answer = match answer.success(&self.0.settings.endpoint) {
            Ok(answer) => answer,
            Err(error) if error.says_absent() => return Ok(Deleted::NothingThere { call: error.report }),
            Err(error) => return Err(error),
        };
        let (answer, operation) = self.operation_of(answer)?;
        let call = answer.report;
        Ok(match (answer.status, operation) {
            (_, operation @ Some(_)) => Deleted::Accepted { operation, call },
            (StatusCode::OK, None) => Deleted::Done { call },
            (StatusCode::NO_CONTENT, None) => Deleted::NothingThere { call },
            (_, None) => Deleted::Accepted {
                operation: None,
                call,
            },
        })
    }

    async fn write(
        &self,
        name: &'static str,
        method: Method,
        credentials: &Credentials,
        id: &DataConnectionId,
        body: Option<&Value>,
        trace: CallTrace,
    ) -> Result<Answer, ArmError> {
        let url = self.url(id.resource(), &[], self.kusto_api_version());
        let token: &BearerToken = &credentials.primary;
        let auxiliary = credentials.auxiliary.as_slice();
        self.send(Call {
            name,
            method,
            url,
            token: Some(token),
            auxiliary,
            body,
            trace,
        })
        .await
    }

    fn operation_of(&self, answer: Answer) -> Result<(Answer, Option<OperationUrl>), ArmError> {
        match answer.operation(&self.0.settings.endpoint) {
            Ok(operation) => Ok((answer, operation)),
            Err(PinnedUrlError::ForeignHost) => Err(answer.error(ArmErrorKind::ForeignHost)),
            Err(PinnedUrlError::TooLong | PinnedUrlError::Malformed) => {
                Err(answer.error(ArmErrorKind::Unreadable))
            }
        }
    }
}

//! What apps prove themselves with, coming and going.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Draft, Subject, Wrong};

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Credentials {
    AddSecret {
        app: String,
        value: String,
        expires: Option<DateTime<Utc>>,
    },
    RemoveSecret {
        app: String,
        value: String,
    },
    RemoveCertificate {
        app: String,
        thumbprint: String,
    },
    RemoveFederatedCredential {
        app: String,
        issuer: String,
        subject: String,
    },
}

impl Subject for Credentials {
    fn apply(self, draft: &mut Draft) -> Result<(), Wrong> {
        let world = &mut draft.world;
        match self {
            Credentials::AddSecret { value, .. } if value.is_empty() => {
                return Err(Wrong::Member("value", "a secret is not empty", "any text"));
            }
            Credentials::AddSecret { app, value, expires } => world.add_secret(&app, &value, expires)?,
            Credentials::RemoveSecret { app, value } => world.remove_secret(&app, &value)?,
            Credentials::RemoveCertificate { app, thumbprint } => {
                world.remove_certificate(&app, &thumbprint)?;
            }
            Credentials::RemoveFederatedCredential { app, issuer, subject } => {
                world.remove_federated_credential(&app, &issuer, &subject)?;
            }
        }
        Ok(())
    }
}

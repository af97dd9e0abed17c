//! `[arm]`: Azure Resource Manager; the defaults are the public cloud's.

use std::time::Duration;

use url::Url;

use super::Reader;

/// See [`ArmSection::tenant_cache`].
const TENANT_CACHE: Duration = Duration::from_secs(3600);

/// Azure Resource Manager.
#[derive(Debug, Clone)]
pub struct ArmSection {
    /// ARM's host: the only one that ARM tokens are sent to.
    pub endpoint: Url,
    /// What ARM tokens are asked for.
    pub scope: String,
    /// What `aud` an ARM token may have.
    pub audiences: Vec<String>,
    /// The api-version of calls to Microsoft.Kusto.
    pub kusto_api_version: String,
    /// How long the tenant of a subscription is cached.
    pub tenant_cache: Duration,
}

impl ArmSection {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let endpoint = reader.required_url("arm.endpoint", "https://management.azure.com/");
        let audience = reader.optional("arm.audience", "https://management.azure.com".to_owned())?;
        reader.plain_url("arm.audience", &audience, &["https"])?;
        let audience = audience.trim_end_matches('/');
        let version = reader.optional("arm.kusto_api_version", "2024-04-13".to_owned());
        if let Some(version) = &version
            && !is_api_version(version)
        {
            reader.report(
                "arm.kusto_api_version",
                "must be an api-version such as 2024-04-13",
            );
        }
        Some(Self {
            endpoint: endpoint?,
            scope: format!("{audience}/.default"),
            // Entra writes the audience as it was asked for; ARM takes it with and without the slash.
            audiences: vec![audience.to_owned(), format!("{audience}/")],
            kusto_api_version: version?,
            tenant_cache: TENANT_CACHE,
        })
    }
}

fn is_api_version(text: &str) -> bool {
    let (date, suffix) = text.split_at_checked(10).unwrap_or(("", ""));
    date.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    }) && !date.is_empty()
        && (suffix.is_empty() || suffix == "-preview" || suffix == "-privatepreview")
}

//! What one token must be for ARM to take it: signature, audience, time, issuer, holder.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::azure::Azure;
use crate::directory::Directory;
use crate::entra::Jwt;
use crate::exchange::Call;
use crate::world::World;

/// Who calls, as one token tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) tenant_id: String,
    pub(crate) oid: String,
    /// The app that holds the token.
    pub(crate) app: String,
    /// How messages call the principal: UPN, or the app's id.
    pub(crate) name: String,
    /// Whom roles may have been given to: the object id, and the groups it is in.
    pub(crate) principals: Vec<String>,
    /// Authentication contexts that the sign-in satisfied (`acrs`).
    pub(super) contexts: Vec<String>,
    /// The client understands claims challenges (`xms_cc` has `cp1`).
    pub(super) takes_challenges: bool,
    /// A person, not an app.
    pub(super) is_user: bool,
}

/// Why a token is refused. The primary's refusal and an auxiliary's read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Invalid,
    Audience(String),
    Expired {
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    },
    /// No `oid`: an app without a service principal in the tenant.
    NoPrincipal,
    /// The user's sessions were revoked after the token was issued, at this moment.
    Revoked {
        at: DateTime<Utc>,
        tenant_id: String,
        takes_challenges: bool,
    },
}

/// ARM's audiences, compared to the letter; the emulator's own address is another.
pub(super) const AUDIENCES: [&str; 4] = [
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
];
/// How far `nbf` may lie ahead: Microsoft's token libraries allow five minutes. For `exp` ARM was seen to allow none.
const SKEW_SECONDS: i64 = 300;

/// Verifies one token for ARM, of whichever tenant.
pub(super) fn verify(azure: &Azure, world: &World, token: &str) -> Result<Caller, Fault> {
    let jwt = Jwt::parse(token)
        .filter(|jwt| jwt.is_signed_by(&azure.keys))
        .ok_or(Fault::Invalid)?;
    let audience = jwt.text("aud").unwrap_or_default();
    let own = azure.arm_url.as_str();
    if !AUDIENCES.contains(&audience) && audience != own && audience != azure.arm_origin() {
        return Err(Fault::Audience(audience.to_owned()));
    }
    let now = azure.clock.now();
    let expires = jwt
        .seconds("exp")
        .and_then(|at| DateTime::from_timestamp(at, 0))
        .ok_or(Fault::Invalid)?;
    if expires <= now {
        return Err(Fault::Expired { at: expires, now });
    }
    if jwt
        .seconds("nbf")
        .is_some_and(|nbf| nbf > now.timestamp() + SKEW_SECONDS)
    {
        return Err(Fault::Invalid);
    }
    let tenant = world
        .directory
        .tenant(jwt.text("tid").unwrap_or_default())
        .filter(|t| jwt.text("iss") == Some(t.v1_issuer().as_str()));
    let tenant = tenant.ok_or(Fault::Invalid)?;
    let oid = jwt.text("oid").filter(|oid| !oid.is_empty());
    let caller = caller(&world.directory, &jwt, &tenant.id, oid.ok_or(Fault::NoPrincipal)?);
    match revoked_at(&world.directory, &caller, &jwt) {
        Some(at) => Err(Fault::Revoked {
            at,
            tenant_id: caller.tenant_id,
            takes_challenges: caller.takes_challenges,
        }),
        None => Ok(caller),
    }
}

fn caller(directory: &Directory, jwt: &Jwt, tenant_id: &str, oid: &str) -> Caller {
    let app = jwt.text("appid").unwrap_or_default().to_owned();
    let name = jwt
        .text("upn")
        .or(jwt.text("unique_name"))
        .unwrap_or(&app)
        .to_owned();
    Caller {
        tenant_id: tenant_id.to_owned(),
        oid: oid.to_owned(),
        name,
        app,
        principals: directory.principals_of(tenant_id, oid),
        contexts: texts(jwt, "acrs").map(str::to_owned).collect(),
        takes_challenges: texts(jwt, "xms_cc").any(|word| word.eq_ignore_ascii_case("cp1")),
        is_user: jwt.text("idtyp") != Some("app"),
    }
}

/// When the user's sessions were revoked, if the token is older than that. One that doesn't tell its age is.
fn revoked_at(directory: &Directory, caller: &Caller, jwt: &Jwt) -> Option<DateTime<Utc>> {
    let issued = jwt.issued().unwrap_or(DateTime::<Utc>::MIN_UTC);
    directory.issued_before_revocation(&caller.tenant_id, &caller.oid, issued)
}

/// A claim that is a list of texts, or one text.
fn texts<'a>(jwt: &'a Jwt, claim: &str) -> impl Iterator<Item = &'a str> {
    let value = jwt.claims.get(claim);
    let several = value.and_then(Value::as_array).into_iter().flatten();
    let one = value.filter(|value| value.is_string());
    several.chain(one).filter_map(Value::as_str)
}

/// The token of a `Bearer` header value; the scheme's case is ignored (RFC 9110 section 11.1).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let value = value.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Every value of a header that may stand several times.
pub(super) fn header_values<'a>(call: &'a Call, name: &'static str) -> impl Iterator<Item = &'a str> {
    let values = call.headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok())
}

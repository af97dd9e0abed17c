//! What can go wrong with a call: each once, as the emulator plays it.

use azure_emulator::{Effect, Entry, FaultAnswer, FaultBody, how_to};
use serde_json::json;

use super::calls::Call;

macro_rules! troubles {
    ($($(#[$doc:meta])+ $variant:ident,)+) => {
        /// What goes wrong with a call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Trouble { $($(#[$doc])+ $variant,)+ }

        impl Trouble {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

troubles! {
    /// No answer; the call had no effect.
    TimeOutBefore,
    /// The call had its effect, but no answer came.
    TimeOutAfter,
    /// The line is cut; the call had no effect.
    ResetBefore,
    /// The call had its effect, then the line was cut.
    ResetAfter,
    /// 429 that says when to come back.
    ThrottledWithTime,
    /// 429 that doesn't.
    Throttled,
    /// 500; the call had no effect.
    Error500,
    /// 500, though the call had its effect.
    Error500After,
    /// 503; the call had no effect.
    Error503,
    /// 503, though the call had its effect.
    Error503After,
    /// The body breaks off with the line, short of its announced length.
    CutBody,
    /// The body is whole by its length, and half of a JSON document.
    BrokenJson,
    /// A page of HTML in place of the body.
    WrongType,
    /// 202 without any URL of an operation.
    NoOperationUrl,
    /// The URL to go on with (an operation's, a next page's) is on another host.
    ForeignUrl,
    /// A redirect to another host.
    ForeignRedirect,
    /// The token that is answered, or was sent, is of the wrong tenant.
    WrongTenant,
    /// A success that nobody documented; the call had no effect.
    Status299,
    /// The same after the effect.
    Status299After,
    /// A redirect without a place to go; the call had no effect.
    Status308,
    /// The same after the effect.
    Status308After,
    /// A refusal that nobody documented, with no word of Azure's in it; the call had no effect.
    Status418,
    /// The same after the effect.
    Status418After,
    /// A status beyond HTTP's classes; the call had no effect.
    Status700,
    /// The same after the effect.
    Status700After,
    /// Reads show for a while what was there before.
    ReadLag,
    /// 503 without end, past the operation's deadline.
    EndlessOutage,
}

/// How long a throttled call is asked to wait, in seconds, where the service passes it on to anyone who waits for an answer; and
/// where it waits itself.
pub(super) const TOLD: &str = "7";
const WAITED: &str = "1";

impl Trouble {
    /// What the emulator does to the call; nothing for what is no fault of one call.
    pub(super) fn effect(
        self,
        call: Call,
        elsewhere: &str,
        token: impl FnOnce() -> String,
    ) -> Option<Effect> {
        let broken = FaultBody::Typed {
            content_type: "application/json".to_owned(),
            text: "{\"value\":[{\"id\":\"/subscriptions/5000".to_owned(),
        };
        let page = FaultBody::Typed {
            content_type: "text/html".to_owned(),
            text: "<html><title>A proxy</title></html>".to_owned(),
        };
        Some(match self {
            Self::TimeOutBefore => Effect::SilenceBeforeEffect,
            Self::TimeOutAfter => Effect::SilenceAfterEffect,
            Self::ResetBefore => Effect::ResetBeforeEffect,
            Self::ResetAfter => Effect::ResetAfterEffect,
            Self::ThrottledWithTime => {
                let wait = if call.is_answered_at_once() { TOLD } else { WAITED };
                Effect::status(429, &[("retry-after", wait)])
            }
            Self::Throttled => Effect::status(429, &[]),
            Self::Error500 => Effect::status(500, &[]),
            Self::Error500After => after(500, &[]),
            Self::Error503 | Self::EndlessOutage => Effect::status(503, &[]),
            Self::Error503After => after(503, &[]),
            Self::CutBody => Effect::Truncated { keep: 5 },
            Self::BrokenJson => Effect::Body(broken),
            Self::WrongType => Effect::Body(page),
            Self::NoOperationUrl => after(202, &[]),
            Self::ForeignUrl => foreign_url(call, elsewhere),
            Self::ForeignRedirect => Effect::status(307, &[("location", elsewhere)]),
            Self::WrongTenant => wrong_tenant(call, token),
            Self::Status299 => Effect::status(299, &[]),
            Self::Status299After => after(299, &[]),
            Self::Status308 => Effect::status(308, &[]),
            Self::Status308After => after(308, &[]),
            Self::Status418 => Effect::status(418, &[]),
            Self::Status418After => after(418, &[]),
            Self::Status700 => Effect::status(700, &[]),
            Self::Status700After => after(700, &[]),
            Self::ReadLag => return None,
        })
    }

    /// Whether the service has to wait until its own patience with the call is over.
    pub(super) fn is_time_out(self) -> bool {
        matches!(self, Self::TimeOutBefore | Self::TimeOutAfter)
    }

    /// Whether a call in the emulator's journal met this trouble.
    pub(super) fn shows_in(self, entry: &Entry) -> bool {
        let has = |name: &str, part: &str| {
            let header = entry.response_headers.get(name);
            header.is_some_and(|value| value.contains(part))
        };
        match self {
            Self::TimeOutBefore | Self::ResetBefore => entry.status == 0 && !entry.delivered,
            Self::TimeOutAfter | Self::ResetAfter | Self::CutBody => entry.status != 0 && !entry.delivered,
            Self::ThrottledWithTime | Self::Throttled => entry.status == 429,
            Self::Error500 | Self::Error500After => entry.status == 500,
            Self::Error503 | Self::Error503After | Self::EndlessOutage => entry.status == 503,
            Self::BrokenJson => entry.response_body.is_none() && has("content-type", "application/json"),
            Self::WrongType => has("content-type", "text/html"),
            Self::NoOperationUrl => entry.status == 202 && !has("azure-asyncoperation", "/"),
            Self::ForeignUrl => {
                has("azure-asyncoperation", "127.0.0.1")
                    || has("location", "127.0.0.1")
                    || entry
                        .response_body
                        .as_ref()
                        .is_some_and(|body| body["nextLink"].is_string())
            }
            Self::ForeignRedirect => entry.status == 307,
            Self::WrongTenant => {
                entry.status == 401
                    || entry
                        .response_body
                        .as_ref()
                        .is_some_and(|body| body["access_token"].is_string())
            }
            Self::Status299 | Self::Status299After => entry.status == 299,
            Self::Status308 | Self::Status308After => entry.status == 308,
            Self::Status418 | Self::Status418After => entry.status == 418,
            Self::Status700 | Self::Status700After => entry.status == 700,
            // Told by the order of the calls.
            Self::ReadLag => false,
        }
    }
}

/// The call has its effect, and this is what comes back.
fn after(status: u16, headers: &[(&str, &str)]) -> Effect {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Effect::AnswerAfterEffect(FaultAnswer {
        status,
        headers,
        body: FaultBody::Empty,
    })
}

fn foreign_url(call: Call, elsewhere: &str) -> Effect {
    if call.is_permissions() {
        Effect::json(200, json!({ "value": [], "nextLink": elsewhere }))
    } else if call.is_poll() {
        after(202, &[("location", elsewhere)])
    } else {
        Effect::ForeignUrls(elsewhere.to_owned())
    }
}

/// Entra answers with a token of another tenant; ARM's challenge names one; ARM refuses the token as another's.
fn wrong_tenant(call: Call, token: impl FnOnce() -> String) -> Effect {
    if call.is_exchange() {
        let body = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token() });
        return Effect::json(200, body);
    }
    if call.is_discovery() {
        let challenge = format!(
            "Bearer authorization_uri=\"https://login.windows.net/{}\", error=\"invalid_token\"",
            how_to::DOMAIN3
        );
        return Effect::status(401, &[("www-authenticate", &challenge)]);
    }
    let message = "The access token is from the wrong issuer. It must match one of the tenants associated with this subscription.";
    let body = json!({ "error": { "code": "InvalidAuthenticationTokenTenant", "message": message } });
    Effect::json(401, body)
}

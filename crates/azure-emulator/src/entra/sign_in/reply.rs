//! The way back to the app: a redirect, or a form that the browser posts.

use http::StatusCode;
use url::Url;
use uuid::Uuid;

use crate::azure::Azure;
use crate::entra::error::{EntraError, correlation};
use crate::entra::page::{self, escape, hidden};
use crate::exchange::{Answer, Call};

/// `response_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::entra) enum Mode {
    Query,
    Fragment,
    FormPost,
}

impl Mode {
    /// By its name; a code comes in the query unless something else is asked for.
    pub(in crate::entra) fn named(name: Option<&str>) -> Option<Mode> {
        match name {
            None | Some("query") => Some(Mode::Query),
            Some("fragment") => Some(Mode::Fragment),
            Some("form_post") => Some(Mode::FormPost),
            Some(_) => None,
        }
    }
}

/// Where an answer goes.
#[derive(Debug)]
pub(in crate::entra) struct Reply {
    pub(in crate::entra) redirect_uri: String,
    pub(in crate::entra) mode: Mode,
    pub(in crate::entra) state: Option<String>,
}

impl Reply {
    /// Sends the parameters, and the request's `state` with them.
    pub(in crate::entra) fn send(&self, mut parameters: Vec<(&str, String)>) -> Answer {
        if let Some(state) = &self.state {
            parameters.push(("state", state.clone()));
        }
        if self.mode == Mode::FormPost {
            return self.post(&parameters);
        }
        let Ok(mut url) = Url::parse(&self.redirect_uri) else {
            return Answer::empty(StatusCode::BAD_REQUEST);
        };
        if self.mode == Mode::Query {
            url.query_pairs_mut().extend_pairs(&parameters);
        } else {
            let text = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&parameters)
                .finish();
            url.set_fragment(Some(&text));
        }
        Answer::empty(StatusCode::FOUND).with("location", url.as_str())
    }

    /// Tells the app that nothing came of it.
    pub(in crate::entra) fn refuse(&self, azure: &Azure, call: &Call, error: &EntraError) -> Answer {
        self.refuse_with(azure, call, error, Vec::new())
    }

    /// The same with more parameters.
    pub(in crate::entra) fn refuse_with(
        &self,
        azure: &Azure,
        call: &Call,
        error: &EntraError,
        more: Vec<(&str, String)>,
    ) -> Answer {
        let (trace, correlation) = (Uuid::new_v4(), correlation(call));
        let mut parameters = vec![
            ("error", error.error.to_owned()),
            (
                "error_description",
                error.description(&trace, &correlation, azure.clock.now()),
            ),
            (
                "error_uri",
                format!("{}error?code={}", azure.entra_url, error.code),
            ),
        ];
        if let Some(claims) = &error.claims {
            parameters.push(("claims", claims.clone()));
        }
        parameters.extend(more);
        self.send(parameters).with("x-ms-request-id", &trace.to_string())
    }

    /// A page whose form goes to the app: by itself where scripts run, else by a button.
    fn post(&self, parameters: &[(&str, String)]) -> Answer {
        let fields = parameters.iter().map(|(name, value)| (*name, value.as_str()));
        let body = format!(
            "<form method=\"post\" action=\"{}\">\n{}<button>Continue</button></form>\n\
             <script>document.forms[0].submit()</script>",
            escape(&self.redirect_uri),
            hidden(fields)
        );
        page::page(StatusCode::OK, "Working…", &body)
    }
}

/// The registered redirect URI that fits. They are compared letter by letter, but the port of an address of this
/// machine is free, as native clients need it (RFC 8252 section 7.3; Microsoft Learn: "Redirect URI (reply URL)
/// restrictions and limitations").
pub(in crate::entra) fn is_registered(registered: &[String], sent: &str) -> bool {
    let portless = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        let local = url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
        (local && url.set_port(None).is_ok()).then_some(url)
    };
    registered.iter().any(|known| {
        known == sent || portless(known).is_some_and(|known| portless(sent).is_some_and(|sent| known == sent))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_have_a_free_port() {
        let known = [
            "http://localhost".to_owned(),
            "https://portal.example/back".to_owned(),
        ];
        for good in [
            "http://localhost",
            "http://localhost/",
            "http://localhost:4711",
            "https://portal.example/back",
        ] {
            assert!(is_registered(&known, good), "{good}");
        }
        for bad in [
            "http://localhost/other",
            "https://localhost",
            "http://127.0.0.1",
            "https://portal.example:8443/back",
            "https://portal.example/back/",
            "https://Portal.example/back",
        ] {
            assert!(!is_registered(&known, bad), "{bad}");
        }
    }

    #[test]
    fn parameters_join_what_the_redirect_uri_has() {
        let mut reply = Reply {
            redirect_uri: "https://portal.example/back?x=1".to_owned(),
            mode: Mode::Query,
            state: Some("a b".to_owned()),
        };
        let location = |reply: &Reply| {
            let answer = reply.send(vec![("code", "1&2".to_owned())]);
            answer.headers["location"].to_str().unwrap().to_owned()
        };
        assert_eq!(
            location(&reply),
            "https://portal.example/back?x=1&code=1%262&state=a+b"
        );
        reply.mode = Mode::Fragment;
        assert_eq!(
            location(&reply),
            "https://portal.example/back?x=1#code=1%262&state=a+b"
        );
    }
}

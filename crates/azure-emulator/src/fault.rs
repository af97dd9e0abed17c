//! Faults that tests put in front of a host: chosen answers, delays, cut lines.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderName, StatusCode};
use serde_json::Value;

use crate::exchange::{Answer, Call};
use crate::journal::Host;

/// A fault and the calls it meets. The first that fits a call is used, and used up by one.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which host.
    pub host: Host,
    /// HTTP method; any when left out.
    pub method: Option<String>,
    /// A part of the path and query, compared without case; empty fits all.
    pub path_contains: String,
    /// How many calls pass before it begins.
    pub skip: u32,
    /// How many calls it meets; without end when left out.
    pub times: Option<u32>,
    /// What happens.
    pub effect: Effect,
}

/// What happens to a call that meets a fault.
#[derive(Clone, Debug)]
pub enum Effect {
    /// The call has no effect and gets this answer.
    Answer(FaultAnswer),
    /// The call has its effect, but this is what comes back.
    AnswerAfterEffect(FaultAnswer),
    /// The call waits, then goes on as usual.
    Delay(Duration),
    /// The line is cut; the call had no effect.
    ResetBeforeEffect,
    /// The call has its effect, then the line is cut.
    ResetAfterEffect,
}

/// A made-up answer.
#[derive(Clone, Debug, Default)]
pub struct FaultAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: FaultBody,
}

/// The body of a made-up answer.
#[derive(Clone, Debug, Default)]
pub enum FaultBody {
    /// None.
    #[default]
    Empty,
    /// JSON with its content type.
    Json(Value),
    /// Plain text, as throttled login hosts send it.
    Text(String),
}

impl Fault {
    /// A fault of one call of the login host whose path contains the text.
    pub fn entra(path_contains: &str, effect: Effect) -> Fault {
        Fault::new(Host::Entra, path_contains, effect)
    }

    /// A fault of one call of ARM whose path contains the text.
    pub fn arm(path_contains: &str, effect: Effect) -> Fault {
        Fault::new(Host::Arm, path_contains, effect)
    }

    fn new(host: Host, path_contains: &str, effect: Effect) -> Fault {
        Fault {
            host,
            method: None,
            path_contains: path_contains.to_owned(),
            skip: 0,
            times: Some(1),
            effect,
        }
    }

    /// Only calls with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Fault {
        self.method = Some(method.to_owned());
        self
    }

    /// This many calls instead of one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Fault {
        self.times = Some(times);
        self
    }

    /// Every call until the faults are cleared.
    #[must_use]
    pub fn always(mut self) -> Fault {
        self.times = None;
        self
    }

    /// Lets this many fitting calls pass first.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Fault {
        self.skip = skip;
        self
    }

    fn fits(&self, host: Host, call: &Call) -> bool {
        let path = call.path_and_query.to_ascii_lowercase();
        self.host == host
            && self
                .method
                .as_ref()
                .is_none_or(|method| call.method.as_str().eq_ignore_ascii_case(method))
            && path.contains(&self.path_contains.to_ascii_lowercase())
    }
}

impl Effect {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: Value) -> Effect {
        Effect::Answer(FaultAnswer {
            status,
            headers: Vec::new(),
            body: FaultBody::Json(body),
        })
    }

    /// An answer without a body but with headers.
    pub fn status(status: u16, headers: &[(&str, &str)]) -> Effect {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Effect::Answer(FaultAnswer {
            status,
            headers,
            body: FaultBody::Empty,
        })
    }
}

impl FaultAnswer {
    pub(crate) fn answer(&self) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = match &self.body {
            FaultBody::Empty => Answer::empty(status),
            FaultBody::Json(body) => Answer::json(status, body),
            FaultBody::Text(text) => {
                let answer = Answer {
                    body: text.clone().into_bytes(),
                    ..Answer::empty(status)
                };
                answer.with("content-type", "text/plain; charset=utf-8")
            }
        };
        for (name, value) in &self.headers {
            if let Ok(name) = HeaderName::try_from(name.as_str()) {
                answer.set(name, value);
            }
        }
        answer
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// What meets this call, if anything.
    pub(crate) fn meet(&self, host: Host, call: &Call) -> Option<Effect> {
        let mut faults = self.lock();
        let mut met = None;
        for fault in faults.iter_mut().filter(|fault| fault.fits(host, call)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times != Some(0) {
                fault.times = fault.times.map(|times| times - 1);
                met = Some(fault.effect.clone());
                break;
            }
        }
        faults.retain(|fault| fault.times != Some(0));
        met
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_meets_then_is_used_up() {
        let faults = Faults::default();
        faults.add(
            Fault::arm("/DataConnections/", Effect::ResetBeforeEffect)
                .method("put")
                .after(1)
                .times(2),
        );
        let call = Call::new(
            http::Method::PUT,
            "/x/dataConnections/y",
            http::HeaderMap::new(),
            Vec::new(),
        );
        let met: Vec<bool> = (0..4).map(|_| faults.meet(Host::Arm, &call).is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
        assert!(faults.meet(Host::Entra, &call).is_none());
    }
}

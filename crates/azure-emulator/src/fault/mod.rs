//! Faults that tests put in front of a host: chosen answers, delays, cut lines, answers that are spoilt on their way.
//! Here is what a fault is and which call it meets; `alter` spoils answers, `latency` draws delays.

mod alter;
mod latency;
mod meet;

use std::time::Duration;

use serde_json::Value;

use crate::journal::Host;

pub(crate) use alter::FRAMING;
pub use latency::Latency;
pub(crate) use meet::{Faults, Installed};

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
    /// Which share of the fitting calls it meets, from 0 to 1. Those it spares are not counted.
    pub probability: f64,
    /// How long a call that it meets waits first.
    pub latency: Option<Latency>,
    /// Decides all that is left to chance.
    pub seed: u64,
    /// What happens.
    pub effect: Effect,
}

/// What happens to a call that meets a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The call has no effect and gets this answer.
    Answer(FaultAnswer),
    /// The call has its effect, but this is what comes back.
    AnswerAfterEffect(FaultAnswer),
    /// The call waits, then goes on as usual; it is carried out even if whoever called has hung up by then.
    Delay(Duration),
    /// The call goes on as usual: for faults that are only slow.
    Pass,
    /// The call waits until so many calls have met the fault, then all of them go on as usual: those that are made one
    /// after the other never do. The fault meets exactly so many, whatever `times` says.
    Gather {
        /// How many calls come together.
        calls: u32,
    },
    /// The line is cut; the call had no effect.
    ResetBeforeEffect,
    /// The call has its effect, then the line is cut.
    ResetAfterEffect,
    /// Nothing is answered and the line stays open, until whoever called gives up; the call had no effect.
    SilenceBeforeEffect,
    /// The call has its effect, then nothing is answered and the line stays open.
    SilenceAfterEffect,
    /// The answer announces its whole body, but the line is cut after this many bytes of it.
    Truncated {
        /// How many bytes arrive.
        keep: usize,
    },
    /// The answer keeps its status and headers and gets this body.
    Body(FaultBody),
    /// Headers of the answer are set or removed.
    Headers {
        /// Name and value.
        set: Vec<(String, String)>,
        /// Names.
        removed: Vec<String>,
    },
    /// `Location` and `Azure-AsyncOperation` point to this origin (`https://host:port`).
    ForeignUrls(String),
    /// The body arrives in pieces.
    Drip {
        /// Bytes a piece.
        bytes: usize,
        /// The time between two.
        pause: Duration,
    },
}

/// A made-up answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: FaultBody,
}

/// The body of a made-up answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FaultBody {
    /// None.
    #[default]
    Empty,
    /// JSON with its content type.
    Json(Value),
    /// Plain text, as throttled login hosts send it.
    Text(String),
    /// Any text under any content type, such as a proxy's HTML.
    Typed {
        /// The `Content-Type`.
        content_type: String,
        /// The body.
        text: String,
    },
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

    pub(crate) fn new(host: Host, path_contains: &str, effect: Effect) -> Fault {
        Fault {
            host,
            method: None,
            path_contains: path_contains.to_owned(),
            skip: 0,
            times: Some(1),
            probability: 1.0,
            latency: None,
            seed: 0,
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

    /// Keeps each call waiting before its effect.
    #[must_use]
    pub fn delayed(mut self, latency: Latency) -> Fault {
        self.latency = Some(latency);
        self
    }

    /// Meets only this share of the fitting calls, from 0 to 1.
    #[must_use]
    pub fn sometimes(mut self, probability: f64) -> Fault {
        self.probability = probability;
        self
    }

    /// Another course of what is left to chance.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Fault {
        self.seed = seed;
        self
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

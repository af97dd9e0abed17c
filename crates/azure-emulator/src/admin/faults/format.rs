//! A fault as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{FIX, Refusal};
use crate::fault::{Effect, FRAMING, Fault, FaultAnswer, FaultBody, Latency};
use crate::journal::Host;

/// The longest that a call is kept waiting.
const LONGEST_MS: f64 = 3_600_000.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Request {
    host: Host,
    #[serde(default)]
    path: String,
    method: Option<String>,
    #[serde(default)]
    skip: u32,
    times: Option<u32>,
    #[serde(default)]
    always: bool,
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
    latency: Option<LatencyRequest>,
    effect: Option<EffectRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
enum LatencyRequest {
    #[serde(rename = "fixedMs")]
    Fixed(f64),
    #[serde(rename = "uniformMs")]
    Uniform { least: f64, most: f64 },
    #[serde(rename = "normalMs")]
    Normal { mean: f64, deviation: f64 },
    /// By percent, as text: JSON has no other keys.
    #[serde(rename = "percentilesMs")]
    Percentiles(BTreeMap<String, f64>),
}

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
enum EffectRequest {
    Gather {
        calls: u32,
    },
    ResetBefore,
    ResetAfter,
    SilenceBefore,
    SilenceAfter,
    Answer(AnswerRequest),
    AnswerAfter(AnswerRequest),
    Truncate {
        keep_bytes: usize,
    },
    Body(BodyRequest),
    Headers {
        #[serde(default)]
        set: BTreeMap<String, String>,
        #[serde(default)]
        remove: Vec<String>,
    },
    ForeignUrls {
        origin: String,
    },
    Drip {
        chunk_bytes: usize,
        pause_ms: f64,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnswerRequest {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BodyRequest {
    body: Option<Value>,
    content_type: Option<String>,
}

impl Request {
    /// The fault that is asked for.
    pub(super) fn fault(self) -> Result<Fault, Refusal> {
        let (effect, latency) = match (self.effect, self.latency) {
            (None, None) => return Err(Refusal::bad("", "a fault has an effect, a latency or both", FIX)),
            (effect, latency) => (
                effect.map_or(Ok(Effect::Pass), EffectRequest::effect)?,
                latency.map(LatencyRequest::latency).transpose()?,
            ),
        };
        let times = match (self.always, self.times) {
            (true, None) => None,
            (true, Some(_)) => return Err(Refusal::bad("times", "either times or always", "")),
            (false, Some(0)) => return Err(Refusal::bad("times", "a fault meets at least one call", "")),
            (false, times) => Some(times.unwrap_or(1)),
        };
        let probability = self.probability.unwrap_or(1.0);
        if !(probability > 0.0 && probability <= 1.0) {
            return Err(Refusal::bad("probability", "more than 0 and at most 1", ""));
        }
        if let Some(method) = &self.method
            && http::Method::from_bytes(method.to_ascii_uppercase().as_bytes()).is_err()
        {
            return Err(Refusal::bad(
                "method",
                format!("\"{method}\" is no HTTP method"),
                "",
            ));
        }
        let fault = Fault::new(self.host, &self.path, effect);
        Ok(Fault {
            method: self.method,
            skip: self.skip,
            times,
            probability,
            latency,
            seed: self.seed,
            ..fault
        })
    }
}

impl LatencyRequest {
    fn latency(self) -> Result<Latency, Refusal> {
        let time = |name: &str, ms: f64| milliseconds(&format!("latency.{name}"), ms);
        match self {
            LatencyRequest::Fixed(ms) => Ok(Latency::Fixed(time("fixedMs", ms)?)),
            LatencyRequest::Uniform { least, most } if least > most => {
                Err(Refusal::bad("latency.uniformMs", "least is more than most", ""))
            }
            LatencyRequest::Uniform { least, most } => Ok(Latency::Uniform {
                least: time("uniformMs.least", least)?,
                most: time("uniformMs.most", most)?,
            }),
            LatencyRequest::Normal { mean, deviation } => Ok(Latency::Normal {
                mean: time("normalMs.mean", mean)?,
                deviation: time("normalMs.deviation", deviation)?,
            }),
            LatencyRequest::Percentiles(points) => percentiles(&points),
        }
    }
}

fn percentiles(points: &BTreeMap<String, f64>) -> Result<Latency, Refusal> {
    let mut read = Vec::new();
    for (percent, &ms) in points {
        let path = format!("latency.percentilesMs.{percent}");
        let number = percent
            .parse()
            .ok()
            .filter(|number: &f64| (0.0..=100.0).contains(number));
        let Some(number) = number else {
            return Err(Refusal::bad(
                &path,
                "no number from 0 to 100",
                "{\"50\": 20, \"99\": 900}",
            ));
        };
        read.push((number, milliseconds(&path, ms)?));
    }
    read.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    if read.is_empty() || !read.is_sorted_by_key(|(_, time)| *time) {
        let fix = "{\"50\": 20, \"99\": 900}";
        return Err(Refusal::bad(
            "latency.percentilesMs",
            "times rise with the percentage",
            fix,
        ));
    }
    Ok(Latency::Percentiles(read))
}

impl EffectRequest {
    fn effect(self) -> Result<Effect, Refusal> {
        Ok(match self {
            EffectRequest::Gather { calls: 0 } => {
                return Err(Refusal::bad("effect.gather.calls", "at least 1", ""));
            }
            EffectRequest::Gather { calls } => Effect::Gather { calls },
            EffectRequest::ResetBefore => Effect::ResetBeforeEffect,
            EffectRequest::ResetAfter => Effect::ResetAfterEffect,
            EffectRequest::SilenceBefore => Effect::SilenceBeforeEffect,
            EffectRequest::SilenceAfter => Effect::SilenceAfterEffect,
            EffectRequest::Answer(answer) => Effect::Answer(answer.answer("effect.answer")?),
            EffectRequest::AnswerAfter(answer) => {
                Effect::AnswerAfterEffect(answer.answer("effect.answerAfter")?)
            }
            EffectRequest::Truncate { keep_bytes } => Effect::Truncated { keep: keep_bytes },
            EffectRequest::Body(BodyRequest { body, content_type }) => {
                Effect::Body(read_body(body, content_type))
            }
            EffectRequest::Headers { set, remove } => Effect::Headers {
                set: checked("effect.headers.set", set)?,
                removed: remove.iter().map(|name| name.to_ascii_lowercase()).collect(),
            },
            EffectRequest::ForeignUrls { origin } => {
                if !url::Url::parse(&origin).is_ok_and(|url| url.has_host()) {
                    let path = "effect.foreignUrls.origin";
                    return Err(Refusal::bad(path, "no origin", "https://elsewhere.example"));
                }
                Effect::ForeignUrls(origin)
            }
            EffectRequest::Drip { chunk_bytes: 0, .. } => {
                return Err(Refusal::bad("effect.drip.chunkBytes", "at least 1", ""));
            }
            EffectRequest::Drip {
                chunk_bytes,
                pause_ms,
            } => Effect::Drip {
                bytes: chunk_bytes,
                pause: milliseconds("effect.drip.pauseMs", pause_ms)?,
            },
        })
    }
}

impl AnswerRequest {
    fn answer(self, path: &str) -> Result<FaultAnswer, Refusal> {
        if !(200..=599).contains(&self.status) {
            return Err(Refusal::bad(&format!("{path}.status"), "from 200 to 599", ""));
        }
        Ok(FaultAnswer {
            status: self.status,
            headers: checked(&format!("{path}.headers"), self.headers)?,
            body: read_body(self.body, self.content_type),
        })
    }
}

/// Text is sent as it is, everything else as JSON.
fn read_body(body: Option<Value>, content_type: Option<String>) -> FaultBody {
    match (body, content_type) {
        (None, _) => FaultBody::Empty,
        (Some(Value::String(text)), None) => FaultBody::Text(text),
        (Some(value), None) => FaultBody::Json(value),
        (Some(Value::String(text)), Some(content_type)) => FaultBody::Typed { content_type, text },
        (Some(value), Some(content_type)) => {
            let text = value.to_string();
            FaultBody::Typed { content_type, text }
        }
    }
}

/// Headers that HTTP can carry and that are not the transport's own.
fn checked(path: &str, headers: BTreeMap<String, String>) -> Result<Vec<(String, String)>, Refusal> {
    for (name, value) in &headers {
        if FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
            let error = "this header is the transport's: it says how long the body is";
            let fix = "{\"truncate\": {\"keepBytes\": 10}} is a body that ends too early";
            return Err(Refusal::bad(&format!("{path}.{name}"), error, fix));
        }
        let sound = http::HeaderName::try_from(name).is_ok() && http::HeaderValue::from_str(value).is_ok();
        if !sound {
            return Err(Refusal::bad(
                &format!("{path}.{name}"),
                "HTTP can't carry this header",
                "",
            ));
        }
    }
    Ok(headers.into_iter().collect())
}

fn milliseconds(path: &str, ms: f64) -> Result<Duration, Refusal> {
    let sound = (0.0..=LONGEST_MS).contains(&ms);
    let time = Duration::try_from_secs_f64(ms / 1000.0).ok().filter(|_| sound);
    time.ok_or_else(|| Refusal::bad(path, "milliseconds, from 0 to an hour", ""))
}

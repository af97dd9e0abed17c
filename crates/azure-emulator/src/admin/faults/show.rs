//! A fault in force, as it is listed: in the words in which it could be put there.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::exchange::set;
use crate::fault::{Effect, Fault, FaultAnswer, FaultBody, Installed, Latency};

pub(super) fn installed(installed: &Installed) -> Value {
    let mut shown = fault(&installed.fault);
    set(&mut shown, "id", json!(installed.id));
    set(&mut shown, "met", json!(installed.met));
    shown
}

fn fault(fault: &Fault) -> Value {
    let mut shown = json!({
        "host": fault.host,
        "path": fault.path_contains,
        "skip": fault.skip,
        "probability": fault.probability,
        "seed": fault.seed,
    });
    match fault.times {
        Some(times) => set(&mut shown, "times", json!(times)),
        None => set(&mut shown, "always", json!(true)),
    }
    if let Some(method) = &fault.method {
        set(&mut shown, "method", json!(method));
    }
    let waits = match (&fault.latency, &fault.effect) {
        (Some(known), _) => Some(latency(known)),
        (None, Effect::Delay(by)) => Some(json!({ "fixedMs": ms(*by) })),
        (None, _) => None,
    };
    if let Some(waits) = waits {
        set(&mut shown, "latency", waits);
    }
    if let Some(effect) = effect(&fault.effect) {
        set(&mut shown, "effect", effect);
    }
    shown
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn latency(latency: &Latency) -> Value {
    match latency {
        Latency::Fixed(time) => json!({ "fixedMs": ms(*time) }),
        Latency::Uniform { least, most } => {
            json!({ "uniformMs": { "least": ms(*least), "most": ms(*most) } })
        }
        Latency::Normal { mean, deviation } => {
            json!({ "normalMs": { "mean": ms(*mean), "deviation": ms(*deviation) } })
        }
        Latency::Percentiles(points) => {
            let points = points
                .iter()
                .map(|(percent, time)| (percent.to_string(), json!(ms(*time))));
            json!({ "percentilesMs": points.collect::<Map<String, Value>>() })
        }
    }
}

fn effect(effect: &Effect) -> Option<Value> {
    Some(match effect {
        Effect::Pass | Effect::Delay(_) => return None,
        Effect::Gather { calls } => json!({ "gather": { "calls": calls } }),
        Effect::ResetBeforeEffect => json!("resetBefore"),
        Effect::ResetAfterEffect => json!("resetAfter"),
        Effect::SilenceBeforeEffect => json!("silenceBefore"),
        Effect::SilenceAfterEffect => json!("silenceAfter"),
        Effect::Answer(given) => json!({ "answer": answer(given) }),
        Effect::AnswerAfterEffect(given) => json!({ "answerAfter": answer(given) }),
        Effect::Truncated { keep } => json!({ "truncate": { "keepBytes": keep } }),
        Effect::Body(given) => {
            let mut shown = json!({});
            body(&mut shown, given);
            json!({ "body": shown })
        }
        Effect::Headers { set, removed } => json!({ "headers": { "set": headers(set), "remove": removed } }),
        Effect::ForeignUrls(origin) => json!({ "foreignUrls": { "origin": origin } }),
        Effect::Drip { bytes, pause } => json!({ "drip": { "chunkBytes": bytes, "pauseMs": ms(*pause) } }),
    })
}

fn answer(answer: &FaultAnswer) -> Value {
    let mut shown = json!({ "status": answer.status, "headers": headers(&answer.headers) });
    body(&mut shown, &answer.body);
    shown
}

fn headers(headers: &[(String, String)]) -> Map<String, Value> {
    headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect()
}

fn body(shown: &mut Value, body: &FaultBody) {
    match body {
        FaultBody::Empty => {}
        FaultBody::Json(value) => set(shown, "body", value.clone()),
        FaultBody::Text(text) => set(shown, "body", json!(text)),
        FaultBody::Typed { content_type, text } => {
            set(shown, "body", json!(text));
            set(shown, "contentType", json!(content_type));
        }
    }
}

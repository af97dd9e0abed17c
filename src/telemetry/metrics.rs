//! Metrics, in the text format of Prometheus, on a listener of their own. Labels never hold a person, tenant or id.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::TelemetryError;

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds in seconds, from an answer out of memory to the longest call.
const SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The classes of errors of Postgres.
pub const DATABASE_ERRORS: [&str; 11] = [
    "connection",
    "timeout",
    "tooManyConnections",
    "outOfResources",
    "shutdown",
    "readOnly",
    "deadlock",
    "missingRight",
    "conflict",
    "defect",
    "other",
];

/// Installs the recorder and describes what is measured.
pub(super) fn install() -> Result<(), TelemetryError> {
    let wrong = |error: &dyn std::fmt::Display| TelemetryError::Metrics(error.to_string());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(|error| wrong(&error))?
        .install_recorder()
        .map_err(|error| wrong(&error))?;
    HANDLE.get_or_init(|| handle);
    describe_counter!(
        "http_requests_total",
        "Requests answered, by route, method, status and the problem's code."
    );
    describe_histogram!(
        "http_request_duration_seconds",
        Unit::Seconds,
        "Time to the answer, by route."
    );
    describe_refusals();
    describe_counter!(
        "entra_exchanges_total",
        "Token exchanges asked of Entra, by outcome."
    );
    describe_histogram!(
        "entra_exchange_duration_seconds",
        Unit::Seconds,
        "Time of a token exchange."
    );
    describe_counter!(
        "arm_calls_total",
        "Calls to ARM, by call and status (0: no answer)."
    );
    describe_histogram!(
        "arm_call_duration_seconds",
        Unit::Seconds,
        "Time of a call to ARM, by call."
    );
    describe_upstream();
    describe_database();
    describe_operations();
    describe_jobs();
    describe_gauge!(
        "database_connections",
        "Connections to Postgres that this replica holds, by use."
    );
    Ok(())
}

/// What keeps callers from taking more than their part.
fn describe_refusals() {
    describe_counter!(
        "http_requests_shed_total",
        "Requests that were rejected because the service processed too many."
    );
    counter!("http_requests_shed_total").increment(0);
    describe_counter!(
        "http_requests_limited_total",
        "Requests that were refused because their caller sent too many, by limit."
    );
    describe_counter!(
        "ledger_refusals_left_out_total",
        "Refusals that were counted in the ledger, not written one by one."
    );
    counter!("ledger_refusals_left_out_total").increment(0);
    for limit in ["person", "queue"] {
        counter!("http_requests_limited_total", "limit" => limit).increment(0);
    }
}

fn describe_jobs() {
    describe_counter!(
        "jobs_runs_total",
        "Runs of periodic jobs on this replica, by job and outcome."
    );
    describe_gauge!(
        "jobs_last_success_age_seconds",
        Unit::Seconds,
        "Time since a periodic job last succeeded, on any replica."
    );
}

/// What is rare is there from the start, as zero, so that an alarm can be set on its growth.
fn describe_upstream() {
    describe_counter!(
        "upstream_rejected_total",
        "Calls that were not made, by service and reason."
    );
    describe_counter!(
        "upstream_retried_total",
        "Calls that were made once more, by service."
    );
    describe_counter!(
        "upstream_circuits_total",
        "Circuit breakers that opened or closed, by service and state."
    );
    describe_gauge!(
        "upstream_circuits_open",
        "Circuit breakers of this replica that let nothing through now, by service."
    );
    for service in ["arm", "entra", "keys"] {
        gauge!("upstream_circuits_open", "service" => service).set(0);
        counter!("upstream_retried_total", "service" => service).increment(0);
        for reason in ["broken", "busy", "rate"] {
            counter!("upstream_rejected_total", "service" => service, "reason" => reason).increment(0);
        }
        for state in ["open", "closed"] {
            counter!("upstream_circuits_total", "service" => service, "state" => state).increment(0);
        }
    }
}

/// A create of unknown outcome was carried out after its record had been closed.
pub fn late_effect() {
    counter!("creates_late_total").increment(1);
}

fn describe_operations() {
    describe_counter!(
        "operations_ended_total",
        "Operations that ended, by kind and outcome."
    );
    describe_counter!(
        "creates_late_total",
        "Creates of unknown outcome that were carried out after their record had been closed."
    );
    counter!("creates_late_total").increment(0);
    describe_counter!(
        "operations_leases_lost_total",
        "Operations that this replica could not keep its lease on."
    );
    counter!("operations_leases_lost_total").increment(0);
    describe_counter!(
        "operations_taken_over_total",
        "Operations that this replica took over from another one."
    );
    counter!("operations_taken_over_total").increment(0);
    describe_counter!(
        "writes_refused_total",
        "Changes that ended because Azure held, or had taken, something else than the record says, by the problem's code."
    );
    for code in ["drifted", "contested"] {
        counter!("writes_refused_total", "code" => code).increment(0);
    }
    describe_gauge!(
        "operations_oldest_age_seconds",
        Unit::Seconds,
        "Age of the oldest operation of this state, in the whole database."
    );
    describe_gauge!(
        "operations_open",
        "Operations that have not ended, by phase, in the whole database."
    );
    describe_gauge!(
        "operations_awaiting_caller",
        "Operations that wait for a caller's token."
    );
    describe_gauge!(
        "connections_unsettled",
        "Connections whose last change no read has confirmed or ruled out yet, in the whole database."
    );
}

fn describe_database() {
    describe_counter!("database_errors_total", "What went wrong at Postgres, by class.");
    for class in DATABASE_ERRORS {
        counter!("database_errors_total", "class" => class).increment(0);
    }
    describe_counter!(
        "database_commits_unconfirmed_total",
        "Commits whose answer did not come, so that they may have been made or not."
    );
    counter!("database_commits_unconfirmed_total").increment(0);
}

/// The routes of the metrics' listener.
pub fn router() -> Router {
    Router::new().route(
        "/metrics",
        get(async || {
            let text = HANDLE.get().map(PrometheusHandle::render).unwrap_or_default();
            ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
        }),
    )
}

/// Keeps the recorder from growing: histograms are folded. To be called every few seconds.
pub fn upkeep() {
    if let Some(handle) = HANDLE.get() {
        handle.run_upkeep();
    }
}

/// The methods that are counted separately (RFC 9110, section 9). A client may send any word as a method, and each would be a series of
/// its own.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// A request was answered; `code` is the problem's, if the answer is one.
pub fn request_answered(route: &str, method: &str, status: u16, code: Option<&str>, took: Duration) {
    let known = METHODS.into_iter().find(|known| *known == method);
    let labels = [
        ("route", route.to_owned()),
        ("method", known.unwrap_or("other").to_owned()),
        ("status", status.to_string()),
        ("code", code.unwrap_or("none").to_owned()),
    ];
    counter!("http_requests_total", &labels).increment(1);
    histogram!("http_request_duration_seconds", "route" => route.to_owned()).record(took);
}

/// A request was rejected, because no place was free.
pub fn request_shed() {
    counter!("http_requests_shed_total").increment(1);
}

/// A request was refused for a limit that each caller has.
pub fn request_limited(limit: &'static str) {
    counter!("http_requests_limited_total", "limit" => limit).increment(1);
}

/// A refusal was left out of the ledger, for its person had as many as are written.
pub fn refusal_left_out() {
    counter!("ledger_refusals_left_out_total").increment(1);
}

/// A token exchange ended.
pub fn exchange_ended(outcome: &'static str, took: Duration) {
    counter!("entra_exchanges_total", "outcome" => outcome).increment(1);
    histogram!("entra_exchange_duration_seconds").record(took);
}

/// A call to ARM ended; `status` 0 where there was no answer.
pub fn arm_called(call: &'static str, status: u16, took: Duration) {
    counter!("arm_calls_total", "call" => call, "status" => status.to_string()).increment(1);
    histogram!("arm_call_duration_seconds", "call" => call).record(took);
}

/// A call was not made, by this service's own decision.
pub fn call_rejected(service: &'static str, reason: &'static str) {
    counter!("upstream_rejected_total", "service" => service, "reason" => reason).increment(1);
}

/// A call that changes nothing is made once more.
pub fn call_retried(service: &'static str) {
    counter!("upstream_retried_total", "service" => service).increment(1);
}

/// A tenant's circuit breaker opened.
pub fn circuit_opened(service: &'static str) {
    counter!("upstream_circuits_total", "service" => service, "state" => "open").increment(1);
    gauge!("upstream_circuits_open", "service" => service).increment(1);
}

/// A tenant's circuit breaker closed.
pub fn circuit_closed(service: &'static str) {
    counter!("upstream_circuits_total", "service" => service, "state" => "closed").increment(1);
    circuit_forgotten(service);
}

/// A circuit breaker that was open is known no longer.
pub fn circuit_forgotten(service: &'static str) {
    gauge!("upstream_circuits_open", "service" => service).decrement(1);
}

/// A periodic job is in the registry of this replica.
pub fn job_registered(job: &'static str) {
    for outcome in ["succeeded", "failed"] {
        counter!("jobs_runs_total", "job" => job, "outcome" => outcome).increment(0);
    }
}

/// A run of a periodic job ended.
pub fn job_ran(job: &'static str, succeeded: bool) {
    let outcome = if succeeded { "succeeded" } else { "failed" };
    counter!("jobs_runs_total", "job" => job, "outcome" => outcome).increment(1);
}

/// How long ago a periodic job last succeeded, on whichever replica.
pub fn job_last_success(job: &'static str, age: Duration) {
    gauge!("jobs_last_success_age_seconds", "job" => job).set(age.as_secs_f64());
}

/// Something went wrong at Postgres.
pub fn database_failed(class: &'static str) {
    counter!("database_errors_total", "class" => class).increment(1);
}

/// The answer to a commit did not come.
pub fn commit_unconfirmed() {
    counter!("database_commits_unconfirmed_total").increment(1);
}

/// This replica lost the lease on an operation that it was working on.
pub fn lease_lost() {
    counter!("operations_leases_lost_total").increment(1);
}

/// This replica took an operation over that another one had.
pub fn operation_taken_over() {
    counter!("operations_taken_over_total").increment(1);
}

/// A change ended with this code because Azure held, or had taken, something else than the record says.
pub fn write_refused(code: &'static str) {
    counter!("writes_refused_total", "code" => code).increment(1);
}

/// How old the oldest operation is that is `open`, `awaitingCaller` or `unsettled`; nothing if there is none.
pub fn oldest_operation(state: &'static str, age: Option<Duration>) {
    let age = age.unwrap_or_default().as_secs_f64();
    gauge!("operations_oldest_age_seconds", "state" => state).set(age);
}

/// An operation ended.
pub fn operation_ended(kind: &'static str, outcome: &'static str) {
    counter!("operations_ended_total", "kind" => kind, "outcome" => outcome).increment(1);
}

/// How many operations are open in a phase.
#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
pub fn operations_open(phase: &'static str, count: u64) {
    gauge!("operations_open", "phase" => phase).set(count as f64);
}

/// How many operations wait for a token.
#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
pub fn operations_awaiting(count: u64) {
    gauge!("operations_awaiting_caller").set(count as f64);
}

/// How many connections are unsettled.
#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
pub fn connections_unsettled(count: u64) {
    gauge!("connections_unsettled").set(count as f64);
}

/// How many connections to Postgres this replica holds.
pub fn database_connections(in_use: u32, idle: u32) {
    gauge!("database_connections", "use" => "busy").set(in_use);
    gauge!("database_connections", "use" => "idle").set(idle);
}

#[cfg(test)]
mod tests;

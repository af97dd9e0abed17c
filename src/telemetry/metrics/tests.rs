use super::*;
use crate::db::DbError;

/// What is measured by this, as Prometheus reads it.
fn measured(work: impl FnOnce()) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, work);
    recorder.handle().render()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no {line} in:\n{text}");
}

#[test]
fn errors_of_the_database_are_counted_by_class_and_commits_without_an_answer() {
    let text = measured(|| {
        let _ = DbError::from(sqlx::Error::RowNotFound);
        let _ = DbError::timed_out();
        let _ = DbError::unconfirmed();
    });
    has(&text, "database_errors_total{class=\"defect\"} 1");
    has(&text, "database_errors_total{class=\"timeout\"} 1");
    has(&text, "database_commits_unconfirmed_total 1");
}

#[test]
fn circuits_that_are_open_now_are_told_and_those_that_are_forgotten_are_not() {
    let text = measured(|| {
        for _ in 0..3 {
            circuit_opened("arm");
        }
        circuit_closed("arm");
        circuit_forgotten("arm");
    });
    has(&text, "upstream_circuits_open{service=\"arm\"} 1");
    has(&text, "upstream_circuits_total{service=\"arm\",state=\"open\"} 3");
    has(
        &text,
        "upstream_circuits_total{service=\"arm\",state=\"closed\"} 1",
    );
}

#[test]
fn the_oldest_operation_is_of_no_age_when_there_is_none() {
    let text = measured(|| {
        oldest_operation("open", Some(Duration::from_millis(2500)));
        oldest_operation("unsettled", None);
        write_refused("drifted");
    });
    has(&text, "operations_oldest_age_seconds{state=\"open\"} 2.5");
    has(&text, "operations_oldest_age_seconds{state=\"unsettled\"} 0");
    has(&text, "writes_refused_total{code=\"drifted\"} 1");
}

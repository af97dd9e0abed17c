//! Conditional changes (RFC 9110, section 13): one whose condition does not hold, or can't be evaluated, is not made.

use http::Method;

use crate::support::{Answer, App, Portal, request};

const DATE: &str = "Sat, 29 Oct 1994 19:43:31 GMT";

async fn remove(portal: &Portal, id: &str, (name, value): (&str, &str)) -> Answer {
    let call = portal.call(Method::DELETE, &format!("/v1/connections/{id}"));
    portal
        .send(call.header(name, value).header("prefer", "wait=20"))
        .await
}

async fn create(portal: &Portal, name: &str, (header, value): (&str, &str)) -> Answer {
    let call = portal.call(Method::POST, "/v1/connections");
    let call = call.header(header, value).header("prefer", "wait=20");
    portal.send(call.json(&request(name))).await
}

#[tokio::test]
async fn a_removal_is_not_made_under_a_condition_that_does_not_hold() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let (id, tag) = (created.text("/id"), created.header("etag").expect("a tag"));
    let weak = format!("\"other\", W/{tag}");
    for (condition, status, code) in [
        (("if-unmodified-since", DATE), 412, "preconditionFailed"),
        (("if-unmodified-since", "long ago"), 412, "preconditionFailed"),
        (("if-none-match", "*"), 412, "preconditionFailed"),
        (("if-none-match", tag), 412, "preconditionFailed"),
        (("if-none-match", &weak), 412, "preconditionFailed"),
        (("if-none-match", "no quotation marks"), 400, "invalidRequest"),
        (("if-none-match", ""), 400, "invalidRequest"),
    ] {
        let answer = remove(&portal, id, condition).await;
        answer.is_problem(status, code);
    }
    assert_eq!(app.writes().len(), 1, "nothing but the create");
    assert_eq!(portal.connection(id).await.header("etag"), Some(tag));
    // What is not visible is not told of, condition or not.
    let stranger = app.signed_in("acc4@domain1.com");
    for value in ["*", "\"other\""] {
        remove(&stranger, id, ("if-none-match", value))
            .await
            .is_problem(404, "notFound");
    }
    let removed = remove(&portal, id, ("if-none-match", "\"other\"")).await;
    assert_eq!((removed.status, removed.text("/state")), (200, "removed"));
    app.finish().await;
}

#[tokio::test]
async fn a_condition_that_is_none_of_a_change_counts_for_nothing() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let path = format!("/v1/connections/{}", created.text("/id"));
    let call = portal.call(Method::DELETE, &path);
    let call = call
        .header("if-modified-since", DATE)
        .header("if-range", DATE)
        .header("range", "bytes=0-1")
        .header("prefer", "wait=20");
    let removed = portal.send(call).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    // On a read, neither does a date: nothing here has one.
    for name in ["if-modified-since", "if-unmodified-since", "if-range"] {
        let call = portal.call(Method::GET, &path).header(name, DATE);
        let call = call.header("range", "bytes=0-1");
        assert_eq!(portal.send(call).await.status, 200, "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_create_is_not_made_under_a_condition_that_does_not_hold_for_the_list() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    for (condition, status, code) in [
        (("if-unmodified-since", DATE), 412, "preconditionFailed"),
        (("if-none-match", "*"), 412, "preconditionFailed"),
        (("if-none-match", "nothing"), 400, "invalidRequest"),
    ] {
        create(&portal, "telemetry", condition)
            .await
            .is_problem(status, code);
    }
    app.assert_untouched(3).await;
    let created = create(&portal, "telemetry", ("if-none-match", "\"other\"")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app.finish().await;
}

#[tokio::test]
async fn an_operation_does_not_go_on_under_a_date() {
    let app = App::start().await;
    let portal = app.how_to_portal();
    let created = portal.create(&request("telemetry")).await;
    let path = format!("/v1/operations/{}/continue", created.text("/lastOperation/id"));
    let with = async |name: &str, value: &str| {
        portal
            .send(portal.call(Method::POST, &path).header(name, value))
            .await
    };
    with("if-unmodified-since", DATE)
        .await
        .is_problem(412, "preconditionFailed");
    with("if-none-match", "nothing")
        .await
        .is_problem(400, "invalidRequest");
    assert_eq!(with("if-none-match", "*").await.status, 200);
    app.finish().await;
}

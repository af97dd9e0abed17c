//! Entra takes fifteen identical requests in five minutes for a loop (AADSTS50196). It never has a reason to.

use azure_emulator::how_to;

use crate::support::{App, request};

#[tokio::test]
async fn forty_polls_with_an_exchange_that_fails_never_look_like_a_loop() {
    let app = App::with(|config| config.entra.identical_exchanges = 12).await;
    app.emulator
        .edit(|world| world.revoke_consent("tenant-bridge", "domain2.com"))
        .expect("a consent");
    // One token for all of them, as a portal's script has it.
    let portal = app.how_to_portal();
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(portal.create(&request("telemetry")).await);
    }
    for refused in &answers[..12] {
        refused.is_problem(403, "accessMissing");
    }
    for rejected in &answers[12..] {
        rejected.is_problem(503, "upstreamUnavailable");
        let after: u64 = rejected
            .header("retry-after")
            .expect("a time")
            .parse()
            .expect("seconds");
        assert!((200..=300).contains(&after), "{after}");
    }
    assert_eq!(app.exchanges_at(how_to::DOMAIN2), 12);
    let entries = app.emulator.journal().entries();
    let loops = entries.iter().filter_map(|entry| entry.response_body.as_ref());
    assert_eq!(loops.filter(|body| body.to_string().contains("50196")).count(), 0);
    // Another sign-in is another matter.
    app.how_to_portal()
        .create(&request("telemetry"))
        .await
        .is_problem(403, "accessMissing");
    app.finish().await;
}

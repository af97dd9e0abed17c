//! Cells of the service's own reads: the replica that accepted the create is gone with the caller's tokens.

use azure_emulator::Effect;

use super::bench::{Bench, Wrong, demand};
use super::calls::Call;
use super::change::Ended;
use super::troubles::Trouble;
use crate::support::Answer;

impl Bench<'_> {
    /// A create that is under way at ARM, and goes on there. The service is to be stopped next.
    pub(super) async fn begin_own(&self) -> Result<Answer, Wrong> {
        let portal = self.app.how_to_portal();
        self.app.hold_operations();
        if self.call == Call::OwnReading {
            self.inject(Call::Put, Effect::ResetAfterEffect);
        }
        let created = portal.create_waiting(&self.request(), 0).await;
        demand(created.status == 202, || {
            format!("not taken: {} {}", created.status, created.body)
        })?;
        let path = format!("/v1/connections/{}/events", created.text("/id"));
        let known = match self.call {
            Call::OwnReading => "outcome.unknown",
            _ => "create.accepted",
        };
        self.until(&portal, &path, |body| body.to_string().contains(known))
            .await?;
        Ok(created)
    }

    /// What a new service makes of it, once it has met the trouble and ARM has finished.
    pub(super) async fn end_own(&self, created: &Answer) -> Result<(), Wrong> {
        let portal = self.app.how_to_portal();
        let (id, operation) = (created.text("/id"), created.text("/lastOperation/id"));
        self.meets_trouble().await?;
        if self.trouble == Trouble::EndlessOutage {
            self.outlast(&portal, id).await?;
        }
        self.app.release_operations();
        self.app.all_have_ended().await;
        let operation = portal.get(&format!("/v1/operations/{operation}")).await;
        self.judge_create(&Ended::of(&portal, id, operation).await)
    }
}

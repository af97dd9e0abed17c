//! Removals of a former connection of the same name that may still take effect.

use sqlx::PgConnection;

use crate::db::connections;
use crate::domain::{Code, DataConnectionId, Error, Refusal};
use crate::usecases::create::Create;

impl Create {
    /// Rejects a create while a removal without a response may still take effect: it would delete the new data connection. Called in the
    /// transaction that records the new connection, so that none is missed.
    ///
    /// # Errors
    /// [`Code::ChangeInProgress`] while there is such a removal.
    pub(crate) async fn refuse_while_a_removal_may_land(
        &self,
        db: &mut PgConnection,
        arm_id: &DataConnectionId,
    ) -> Result<(), Error> {
        let life = self.driver.settings.max_request_lifetime;
        let age = connections::unanswered_removal(db, arm_id, life).await?;
        let Some(left) = age.and_then(|age| life.checked_sub(age)) else {
            return Ok(());
        };
        let detail = format!(
            "Azure has not responded to the removal of the former connection of this name, which may still take effect for {} s; try again then",
            left.as_secs() + 1
        );
        let refusal = Refusal {
            retry_after: Some(left),
            ..Refusal::new(Code::ChangeInProgress, detail)
        };
        Err(refusal.into())
    }
}

//! What a former connection of the same name may still do to a new one.

use sqlx::PgConnection;

use crate::db::connections;
use crate::domain::Code;
use crate::domain::DataConnectionId;
use crate::domain::Error;
use crate::domain::Refusal;
use crate::usecases::create::Create;

impl Create {
    /// A removal that got no answer may still be carried out, and would then remove what has its name by now: until its request
    /// is dead, nothing new is made there. In the transaction that records the new connection, so that none slips in between.
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
            "a removal of the former connection of this name got no answer from Azure and may still be carried out for {} s; ask again then",
            left.as_secs() + 1
        );
        let refusal = Refusal {
            retry_after: Some(left),
            ..Refusal::new(Code::ChangeInProgress, detail)
        };
        Err(refusal.into())
    }
}

//! What stands in front of both hosts: the journal and the faults.

use std::sync::Arc;
use std::time::Instant;

use crate::azure::Azure;
use crate::exchange::{Answer, Call};
use crate::fault::{Effect, Faults};
use crate::journal::{Entry, Host, Journal};
use crate::server::{Cut, Site};

/// One host with its journal and faults in front.
pub(crate) struct Front {
    pub(crate) host: Host,
    pub(crate) azure: Arc<Azure>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) faults: Arc<Faults>,
}

impl Front {
    fn effect(&self, call: &Call) -> Answer {
        match self.host {
            Host::Entra => crate::entra::answer(&self.azure, call),
            Host::Arm => crate::arm::answer(&self.azure, call),
        }
    }
}

impl Site for Front {
    async fn answer(&self, call: Call) -> Result<Answer, Cut> {
        let (arrived, started) = (self.journal.arrive(), Instant::now());
        let entry = Entry::arrived(arrived, self.azure.clock.now(), self.host, &call);
        let (answer, delivered) = match self.faults.meet(self.host, &call) {
            None => (Some(self.effect(&call)), true),
            Some(Effect::Delay(by)) => {
                tokio::time::sleep(by).await;
                (Some(self.effect(&call)), true)
            }
            Some(Effect::Answer(answer)) => (Some(answer.answer()), true),
            Some(Effect::AnswerAfterEffect(answer)) => {
                let _ = self.effect(&call);
                (Some(answer.answer()), true)
            }
            Some(Effect::ResetBeforeEffect) => (None, false),
            Some(Effect::ResetAfterEffect) => (Some(self.effect(&call)), false),
        };
        self.journal
            .push(entry.answered(answer.as_ref(), delivered, started.elapsed()));
        match answer {
            Some(answer) if delivered => Ok(answer),
            _ => Err(Cut),
        }
    }
}

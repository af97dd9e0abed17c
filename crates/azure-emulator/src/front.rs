//! What stands in front of both hosts: the journal and the faults.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::azure::Azure;
use crate::exchange::{Answer, Call};
use crate::fault::Faults;
use crate::journal::{Entry, Host, Journal};
use crate::server::{self, Cut, Pace, Sent, Site};

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
    async fn answer(&self, call: Call) -> Result<Sent, Cut> {
        let (arrived, started) = (self.journal.arrive(), Instant::now());
        let entry = Entry::arrived(arrived, self.azure.clock.now(), self.host, &call);
        let met = self.faults.meet(self.host, &call);
        let (answer, pace) = match &met {
            None => (Some(self.effect(&call)), Some(Pace::Whole)),
            Some(met) => {
                tokio::time::sleep(met.wait).await;
                met.play(|| self.effect(&call))
            }
        };
        let delivered = pace.is_some_and(Pace::is_whole_in_the_end);
        self.journal
            .push(entry.answered(answer.as_ref(), delivered, started.elapsed()));
        if met.is_some_and(|met| met.is_silent()) {
            // Dropped when whoever called hangs up, or the emulator stops.
            std::future::pending::<()>().await;
        }
        match (answer, pace) {
            (Some(answer), Some(pace)) => Ok(Sent { answer, pace }),
            _ => Err(Cut),
        }
    }

    fn answer_too_large(&self, call: Call) -> Answer {
        let arrived = self.journal.arrive();
        let entry = Entry::arrived(arrived, self.azure.clock.now(), self.host, &call);
        let answer = server::too_large();
        self.journal
            .push(entry.answered(Some(&answer), true, Duration::ZERO));
        answer
    }
}

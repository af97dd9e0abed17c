//! What stands in front of both hosts: the journal and the faults.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::azure::Azure;
use crate::exchange::{Answer, Call};
use crate::fault::Faults;
use crate::journal::{Entry, Host, Journal};
use crate::server::{self, Cut, Pace, Sent, Site};

/// One host with its journal and faults in front. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) host: Host,
    pub(crate) azure: Arc<Azure>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Front {
    /// What the host answers, with the emulator's time.
    fn effect(&self, call: &Call) -> Answer {
        let answer = match self.host {
            Host::Entra => crate::entra::answer(&self.azure, call),
            Host::Arm => crate::arm::answer(&self.azure, call),
        };
        self.dated(answer)
    }

    /// With `Date`, which goes by the emulator's clock like everything that is signed or counted (RFC 9110, 5.6.7).
    fn dated(&self, answer: Answer) -> Answer {
        // A fault may have said another.
        if answer.headers.contains_key("date") {
            return answer;
        }
        let now = self.azure.clock.now();
        answer.with("date", &now.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }
}

impl Site for Front {
    async fn answer(&self, call: Call) -> Result<Sent, Cut> {
        let (arrived, started) = (self.journal.arrive(), Instant::now());
        let entry = Entry::arrived(arrived, self.azure.clock.now(), self.host, &call);
        let Some(met) = self.faults.meet(self.host, &call) else {
            let answer = self.effect(&call);
            self.journal
                .push(entry.answered(Some(&answer), true, started.elapsed()));
            let pace = Pace::Whole;
            return Ok(Sent { answer, pace });
        };
        let is_silent = met.is_silent();
        let (tell, told) = oneshot::channel();
        let front = self.clone();
        // As at Azure, what has arrived is carried out, whether or not whoever called still waits for the answer.
        let work = async move {
            met.wait().await;
            let (answer, pace) = met.play(|| front.effect(&call));
            let answer = answer.map(|answer| front.dated(answer));
            let delivered = pace.is_some_and(Pace::is_whole_in_the_end) && !tell.is_closed();
            front
                .journal
                .push(entry.answered(answer.as_ref(), delivered, started.elapsed()));
            // Nobody there is as good as told.
            drop(tell.send((answer, pace)));
        };
        self.tasks
            .spawn(self.stop.clone().run_until_cancelled_owned(work));
        let told = told.await;
        if is_silent {
            // Dropped when whoever called hangs up, or the emulator stops.
            std::future::pending::<()>().await;
        }
        match told {
            Ok((Some(answer), Some(pace))) => Ok(Sent { answer, pace }),
            _ => Err(Cut),
        }
    }

    fn answer_too_large(&self, call: Call) -> Answer {
        let arrived = self.journal.arrive();
        let entry = Entry::arrived(arrived, self.azure.clock.now(), self.host, &call);
        let answer = self.dated(server::too_large());
        self.journal
            .push(entry.answered(Some(&answer), true, Duration::ZERO));
        answer
    }
}

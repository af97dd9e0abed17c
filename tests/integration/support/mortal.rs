//! A replica that can be killed: it has a runtime of its own, and with that everything it does ends between two instructions.

use std::net::SocketAddr;

use tenant_bridge::app::Running;
use tenant_bridge::clock::Clock;
use tenant_bridge::config::Config;
use tokio::runtime::{Builder, Runtime};

use super::started;

/// The replica.
pub(crate) struct Mortal {
    runtime: Option<Runtime>,
    address: SocketAddr,
    service: Option<Running>,
}

impl Mortal {
    pub(super) async fn start(config: Config, clock: Clock) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let started = runtime.spawn(async move { started(&config, &clock).await });
        let service = started.await.expect("a replica starts");
        Self {
            runtime: Some(runtime),
            address: service.address(),
            service: Some(service),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it in order, and then, as the end of its process does, whatever it still does.
    pub(crate) async fn stop(mut self) {
        if let (Some(runtime), Some(service)) = (&self.runtime, self.service.take()) {
            runtime.spawn(service.stop()).await.expect("an end in order");
        }
        self.end();
    }

    /// Ends it as a power cut would: nothing is handed over, nobody is told.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.end();
    }
}

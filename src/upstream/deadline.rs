//! The deadline of the current request: set where a request comes in, read where a call is sent.
//!
//! It goes along with the task and not through every signature in between, as a trace's span does. A task of its own that must
//! keep it takes it along with [`until`].

use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    static END: Option<Instant>;
}

/// Runs work with this deadline; `None` for work in the background.
pub async fn until<T>(end: Option<Instant>, work: impl Future<Output = T>) -> T {
    END.scope(end, work).await
}

/// The current deadline; `None` for work in the background.
#[must_use]
pub fn end() -> Option<Instant> {
    END.try_with(|end| *end).ok().flatten()
}

/// The time until the deadline; `None` for work in the background.
#[must_use]
pub fn left() -> Option<Duration> {
    end().map(|end| end.saturating_duration_since(Instant::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_left_is_known_inside_only() {
        assert_eq!(left(), None);
        let end = Instant::now() + Duration::from_secs(100);
        until(Some(end), async {
            assert!(left().is_some_and(|left| left <= Duration::from_secs(100)));
            assert_eq!(until(None, async { left() }).await, None);
            let past = until(Some(Instant::now()), async { left() }).await;
            assert_eq!(past, Some(Duration::ZERO));
        })
        .await;
        assert_eq!(left(), None);
    }
}

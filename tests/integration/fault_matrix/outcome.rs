//! The states in which a cell may end, each with a name.

/// How a call that met a trouble ends, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 503 `upstreamUnavailable` with these seconds as `Retry-After`; nothing is recorded, sent or remembered.
    Outage(&'static str),
    /// 502 `upstreamRefused`: Entra gave a token of another tenant. Nothing is recorded but the refusal, nothing sent.
    Unusable,
    /// 403 `azureRefused`: Azure itself refused the token. Nothing is recorded but the refusal, nothing sent.
    Refused,
    /// 403 `tenantNotAllowed`: no token leaves for the tenant that Azure named.
    NotAllowed,
    /// 409 `nameTaken`, or an operation that ends so: nothing is sent.
    Taken,
    /// 404, or nothing in the list: Azure said no.
    NotSeen,
    /// As if nothing had happened.
    Unharmed,
    /// The connection is active after so many PUTs; the outcome was never in doubt.
    Active(usize),
    /// The outcome was unknown, and reads told that the connection is there, after a single PUT.
    ActiveAfterDoubt,
    /// The outcome was unknown, and reads past the request's life told that nothing came of it, after a single PUT.
    FailedAfterDoubt,
    /// Azure refused the create and a read found nothing, after a single PUT.
    FailedRefused,
    /// The create was put off and could not be sent again in the time that creates may wait: a single PUT, surely without effect.
    GivenUp,
    /// Unsettled past the deadline as long as the trouble lasts, then active, after a single PUT.
    UnsettledThenActive,
    /// The connection is removed after so many DELETEs; the outcome was never in doubt.
    Removed(usize),
    /// The outcome was unknown, and reads told; after so many DELETEs.
    RemovedAfterDoubt(usize),
    /// Azure refused the removal, and a read found the connection: it is active as before, after a single DELETE.
    Stands,
    /// Unsettled past the deadline as long as the trouble lasts, then removed.
    UnsettledThenRemoved,
    /// Sent again and again, past the deadline and as long as the trouble lasts, then removed.
    RemovedAtLast,
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// What the trouble leads to.
    Leads(Outcome),
    /// The trouble has no meaning for the call, and why.
    Meaningless(&'static str),
}

//! What the running program says of itself to the operator's other systems, and nothing in it that they are not to know.

mod counts;
mod metrics;
mod traces;

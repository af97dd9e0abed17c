//! A real Postgres is started in every test; nothing here is faked.

mod given;
mod leftovers;
mod private;
mod roles;
mod support;

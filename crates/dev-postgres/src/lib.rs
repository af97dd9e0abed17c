//! A private Postgres server.

//! The whole service over its real router, a real Postgres and the emulated Azure. One binary, so that one link serves all.

mod support;

mod main_job;

//! The whole service.

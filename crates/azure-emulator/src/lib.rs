//! An Azure to test against.

//! migration-worker

//! The wire types of `/proto`, generated, and the border between them and `domain`.
//!
//! Holds no logic: what comes in passes a `TryFrom`, what goes out a `From`. Wire types should not travel
//! beyond the module that serves or calls the rpc. Start at [`status::LiveStatus`].

pub mod control;
pub mod status;
pub mod stream;

/// The descriptors of every file in `/proto`, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

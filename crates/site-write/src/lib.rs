//! site-write

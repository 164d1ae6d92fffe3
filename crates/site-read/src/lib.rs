//! site-read

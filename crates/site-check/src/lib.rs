//! site-check

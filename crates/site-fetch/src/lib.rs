//! site-fetch

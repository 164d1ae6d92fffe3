//! realtime-broadcaster

//! placeholder
/// placeholder
pub struct Cluster;

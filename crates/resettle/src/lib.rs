//! resettle

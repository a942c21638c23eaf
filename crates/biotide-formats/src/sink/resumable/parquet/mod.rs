//! Parquet: columns are encoded at the same time, row groups are appended in order.

mod file;
mod footer;
mod group;
mod sink;

pub(super) use sink::ParquetSink;

//! biotide

//! biotide-formats

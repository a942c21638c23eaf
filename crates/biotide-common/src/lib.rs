//! biotide-common

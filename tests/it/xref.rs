//! Cross-references against a slow reference that was written from the rules, and under every way to compute them.

mod graphs;
mod questions;
mod reference;
mod ways;

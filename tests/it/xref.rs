//! Cross-references against a slow reference that was written from the rules, and under every way to compute them.

mod cliques;
mod graphs;
mod questions;
mod reference;
mod rejects;
mod sizes;
mod ways;
mod words;

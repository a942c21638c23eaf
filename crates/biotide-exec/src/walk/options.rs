//! How far to walk, and where to.

use biotide_common::BiotideError;
use datafusion_common::Result;

use crate::mapping::predicate::Chains;

/// The most edges of a path.
pub(crate) const MOST_HOPS: usize = 8;

/// How far to walk, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkOptions {
    /// The most edges of a path: 1 to 8.
    pub max_hops: usize,
    /// The most results of an identifier.
    pub limit: usize,
    /// Results below this are left out.
    pub min_confidence: f64,
    /// What each hop after the first multiplies the confidence with.
    pub hop_factor: f64,
    /// Prefixes that a result may have, in canonical form. None: any.
    pub targets: Vec<String>,
    /// What chains besides what the rules say.
    pub chains: Chains,
    /// Whether a path may come through a prefix twice.
    pub repeat_prefix: bool,
    /// Whether statements are edges without direction or meaning, and every path is a result.
    pub undirected: bool,
    /// The most edges that are looked at for one identifier.
    pub max_paths: usize,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            max_hops: 2,
            limit: 100,
            min_confidence: 0.0,
            hop_factor: 1.0,
            targets: Vec::new(),
            chains: Chains::default(),
            repeat_prefix: false,
            undirected: false,
            max_paths: 1_000_000,
        }
    }
}

impl WalkOptions {
    /// Whether they make sense.
    pub fn check(&self) -> Result<()> {
        let refused = |key: &str, value: String, problem: &str| {
            Err(BiotideError::Option {
                key: key.to_owned(),
                value,
                problem: problem.to_owned(),
            }
            .into())
        };
        if !(1..=MOST_HOPS).contains(&self.max_hops) {
            return refused(
                "max_hops",
                self.max_hops.to_string(),
                "is not a number from 1 to 8",
            );
        }
        if self.limit == 0 {
            return refused("limit", "0".to_owned(), "is not at least 1");
        }
        if self.max_paths == 0 {
            return refused("max_paths", "0".to_owned(), "is not at least 1");
        }
        let share = |x: f64| (0.0..=1.0).contains(&x);
        if !share(self.min_confidence) {
            return refused(
                "min_confidence",
                self.min_confidence.to_string(),
                "is not a number from 0 to 1",
            );
        }
        if !share(self.hop_factor) {
            return refused(
                "hop_factor",
                self.hop_factor.to_string(),
                "is not a number from 0 to 1",
            );
        }
        Ok(())
    }
}

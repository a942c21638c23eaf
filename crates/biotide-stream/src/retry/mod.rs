//! Trying again, and when not to.

mod breaker;
mod handler;
mod policy;

pub use breaker::{CircuitBreaker, CircuitBreakerOpen};
pub use handler::{Attempted, ErrorHandler};
pub use policy::RetryPolicy;

//! Numbers of the work, for Prometheus: `--metrics ADDRESS`.
//!
//! | module | what |
//! |---|---|
//! | `board` | where they stand |
//! | `exposition` | their names, and their text |
//! | `server` | answers who asks for them |
//! | `http` | as much of HTTP as that takes |

mod board;
mod exposition;
mod http;
mod server;

pub(crate) use self::board::{Board, Watched};
pub(crate) use self::server::Server;

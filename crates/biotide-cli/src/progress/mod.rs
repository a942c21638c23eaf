//! How far the work is: a bar on a terminal, a line now and then elsewhere, or events for programs.
//!
//! | module | what |
//! |---|---|
//! | `watch` | the thread that looks at a statement and shows what it sees |
//! | `counts`, `seen` | what it sees |
//! | `line` | a line for people |
//! | `event` | a line for programs |
//! | `onlooker` | looks at the steps of a pipeline |
//! | `units` | numbers for people |

mod counts;
mod event;
mod line;
mod onlooker;
mod seen;
mod units;
mod watch;

pub(crate) use self::counts::Counts;
pub(crate) use self::event::Event;
pub(crate) use self::onlooker::Onlooker;
pub(crate) use self::units::format_seconds;
pub(crate) use self::watch::{Progress, ShowProgress};

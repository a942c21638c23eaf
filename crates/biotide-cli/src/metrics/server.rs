//! Answers who asks for the numbers.

use std::io::{self, ErrorKind};
use std::net::TcpListener as StdListener;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::exposition::{self, CONTENT_TYPE};
use super::http::{Asked, asked, reply};
use crate::error::{Context, Failure};
use crate::settings::Settings;
use crate::stderr;

/// Connections at a time; further ones are closed.
const MOST: usize = 64;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of a request.
const LONGEST: usize = 8 * 1024;

/// Serves the numbers until it is dropped, on a thread of its own with a runtime of its own: those of the work may be
/// busy for as long as the work takes.
#[derive(Debug)]
pub(crate) struct Server {
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    /// Starts to listen at an address, and says so.
    pub(crate) fn listen(address: &str, settings: &Settings) -> Result<Self, Failure> {
        let listener = StdListener::bind(address).map_err(|error| refused(address, error))?;
        let what = || format!("serving metrics at {address}");
        listener.set_nonblocking(true).with_context(what)?;
        let url = format!(
            "http://{}/metrics",
            listener.local_addr().with_context(what)?
        );
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.with_context(what)?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener).with_context(what)?
        };
        let (stop, stopped) = oneshot::channel();
        let board = settings.board.clone();
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = serve(&listener, &board) => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("biotide-metrics".to_owned());
        let thread = thread.spawn(run).with_context(what)?;
        // (With port 0 nobody else knows.)
        stderr::listening(&url, settings.quiet);
        Ok(Self {
            running: Some((stop, thread)),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

fn refused(address: &str, error: io::Error) -> Failure {
    let kind = error.kind();
    let what =
        anyhow::Error::new(error).context(format!("--metrics {address}: cannot listen there"));
    match kind {
        ErrorKind::InvalidInput => Failure::Usage(what)
            .note("an address is a host and a port, such as 127.0.0.1:9184".to_owned()),
        ErrorKind::AddrInUse => Failure::Failed(what)
            .note("another process listens there: choose another port, or 0 for any".to_owned()),
        _ => Failure::Failed(what),
    }
}

async fn serve(listener: &TcpListener, board: &Board) {
    // What they hold is gone when this is dropped.
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if answers.len() < MOST => {
                    answers.spawn(timeout(PATIENCE, answer(stream, board.clone())));
                }
                Ok(_) => {}
                // Of files there are no more: later there may be.
                Err(_) => sleep(Duration::from_millis(100)).await,
            },
            Some(_) = answers.join_next() => {}
        }
    }
}

/// Reads a request and answers it. Who asks and does not wait for the answer is nobody's worry.
async fn answer(mut stream: TcpStream, board: Board) -> io::Result<()> {
    let mut request = vec![0; LONGEST];
    let mut length = 0;
    let asked = loop {
        match stream.read(&mut request[length..]).await? {
            0 => break Asked::Nonsense,
            n => length += n,
        }
        if let Some(asked) = asked(&request[..length]) {
            break asked;
        }
    };
    let reply = reply_to(asked, &board);
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await
}

fn reply_to(asked: Asked, board: &Board) -> String {
    let plain = |status| reply(status, "text/plain", status);
    match asked {
        Asked::Metrics { with_body } => match exposition::text(board) {
            Ok(text) => {
                let mut reply = reply("200 OK", CONTENT_TYPE, &text);
                if !with_body {
                    reply.truncate(reply.len() - text.len());
                }
                reply
            }
            Err(_) => plain("500 Internal Server Error"),
        },
        Asked::Elsewhere => plain("404 Not Found"),
        Asked::Otherwise => plain("405 Method Not Allowed"),
        Asked::Nonsense => plain("400 Bad Request"),
    }
}

//! As much of HTTP as it takes to be asked for one page: a request is read, answered, and the connection closed.

use httparse::{EMPTY_HEADER, Request, Status};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Metrics {
        with_body: bool,
    },
    /// What there is not.
    Elsewhere,
    /// To do something to the page.
    Otherwise,
    /// No request.
    Nonsense,
}

/// Reads a request; none where it is not complete.
pub(super) fn asked(bytes: &[u8]) -> Option<Asked> {
    let mut headers = [EMPTY_HEADER; 64];
    let mut request = Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Partial) => return None,
        Ok(Status::Complete(_)) => {}
        Err(_) => return Some(Asked::Nonsense),
    }
    let path = request.path.unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Some(match request.method {
        _ if path != "/metrics" => Asked::Elsewhere,
        Some("GET") => Asked::Metrics { with_body: true },
        Some("HEAD") => Asked::Metrics { with_body: false },
        _ => Asked::Otherwise,
    })
}

/// A reply.
pub(super) fn reply(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nAllow: GET, HEAD\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_page_is_there() {
        let get = |line: &str| asked(format!("{line}\r\nHost: a\r\n\r\n").as_bytes());
        let metrics = |with_body| Some(Asked::Metrics { with_body });
        assert_eq!(get("GET /metrics HTTP/1.1"), metrics(true));
        assert_eq!(get("GET /metrics?a=b HTTP/1.0"), metrics(true));
        assert_eq!(get("HEAD /metrics HTTP/1.1"), metrics(false));
        assert_eq!(get("POST /metrics HTTP/1.1"), Some(Asked::Otherwise));
        assert_eq!(get("GET / HTTP/1.1"), Some(Asked::Elsewhere));
        assert_eq!(get("GET /metrics/a HTTP/1.1"), Some(Asked::Elsewhere));
        assert_eq!(get("nothing"), Some(Asked::Nonsense));
        assert_eq!(asked(b"GET /metrics HTTP/1.1\r\nHost: a\r\n"), None);
    }
}

//! The shell, at a terminal that `script` makes.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::bin;

/// Types the lines with a pause after each, and answers what the screen showed, without colours.
fn typed(lines: &[(&str, u64)], history: &std::path::Path) -> String {
    let command = format!("{} --progress never", bin::path().display());
    let mut child = Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env("BIOTIDE_HISTORY", history)
        .env("PAGER", "cat")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of util-linux, makes a terminal");
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let screen = std::thread::spawn(move || {
        let mut screen = Vec::new();
        stdout.read_to_end(&mut screen).unwrap();
        String::from_utf8_lossy(&screen).into_owned()
    });
    std::thread::sleep(Duration::from_millis(500));
    for (line, pause) in lines {
        stdin.write_all(line.as_bytes()).unwrap();
        stdin.flush().unwrap();
        std::thread::sleep(Duration::from_millis(*pause));
    }
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
    drop(stdin);
    let screen = screen.join().unwrap();
    let mut plain = String::new();
    let mut chars = screen.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
            }
            '\r' => {}
            c => plain.push(c),
        }
    }
    plain
}

#[test]
fn statements_commands_and_a_cancelled_query() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("t.tsv");
    std::fs::write(&table, "gene\tnpx\nTP53\t1.5\nMYC\t2.5\nbroken\n").unwrap();
    let out = folder.path().join("out.csv");
    let script = folder.path().join("s.sql");
    std::fs::write(&script, "SELECT 'from a file' AS x; SELECT 2 AS y;\n").unwrap();
    let history = folder.path().join("state/history");
    let query = format!("max(npx) AS most FROM '{}';\r", table.display());
    let describe = format!("\\d {}\r", table.display());
    let to_file = format!("\\o {}\r", out.display());
    let run = format!("\\i {}\r", script.display());
    let screen = typed(
        &[
            ("SELECT 'over two lines' AS x,\r", 200),
            (&query, 800),
            (&describe, 400),
            ("SELEC 1;\r", 300),
            (
                "SELECT count(*) FROM generate_series(1, 1000000000000) a;\r",
                1500,
            ),
            ("\u{3}", 1000),
            ("SELECT 'still here' AS z;\r", 500),
            (&to_file, 200),
            ("SELECT 7 AS seven;\r", 500),
            ("\\o\r", 200),
            (&run, 500),
            ("\\nonsense\r", 200),
            ("half a statement\r", 200),
            ("\u{3}", 300),
            ("\\q\r", 300),
        ],
        &history,
    );
    for expected in [
        "over two lines │  2.5",
        "1 row in ",
        "1 of 3 records rejected (1 too_few_fields)",
        " npx    │ Float64",
        "error: sql parser error",
        "cancelled",
        " still here",
        "written to",
        " from a file",
        "there is no command \\nonsense",
    ] {
        assert!(screen.contains(expected), "{expected}\n---\n{screen}");
    }
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "seven\n7\n");
    let history = std::fs::read_to_string(&history).unwrap();
    assert!(
        history.contains("still here") && !history.contains("half a"),
        "{history}"
    );
}

/// Without a terminal it runs what it is given, as a script.
#[test]
fn a_pipe_is_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.sql");
    std::fs::write(&script, "SELECT 1 AS a;\nSELECT 2 AS b;\n").unwrap();
    let mut command = bin::command::<&str>([]);
    let output = command.stdin(std::fs::File::open(script).unwrap()).output();
    let run = bin::Run::from(output.unwrap()).exits(0);
    assert_eq!(run.stdout, "a\n1\n\nb\n2\n");
}

//! The shell, at a terminal that `script` makes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::bin;

/// A new prompt. (Every key draws the line again, but not on a new one.)
const PROMPT: &str = "\nbiotide> ";

/// How long the busiest machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A shell at a terminal. What is typed next waits for what the screen shows, never for a time.
struct Terminal {
    child: Child,
    /// Where the shell's exit code is written: that of `script` itself is sometimes another, as it takes
    /// a child whose terminal is closed for one that has ended.
    code: PathBuf,
    keys: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
    /// How much of the screen, without colours, was waited for.
    seen: usize,
}

impl Terminal {
    fn open(folder: &Path) -> Self {
        let code = folder.join("code");
        // An interrupt is the shell's alone.
        let command = format!(
            "trap : INT; '{}' --progress never; echo $? > '{}'",
            bin::path().display(),
            code.display()
        );
        let mut child = Command::new("script")
            .args(["-q", "-c", &command, "/dev/null"])
            .env("BIOTIDE_HISTORY", folder.join("state/history"))
            .env("PAGER", "cat")
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script, of util-linux, makes a terminal");
        let keys = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&screen);
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut piece) {
                shown.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        let mut terminal = Self {
            child,
            code,
            keys,
            screen,
            reader,
            seen: 0,
        };
        terminal.wait_for(PROMPT);
        terminal
    }

    /// What is typed after a line's end and before the next prompt may be lost, as at any terminal.
    fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types a line, and waits until `answer` stands on the screen and then the prompt.
    fn line(&mut self, line: &str, answer: &str) {
        self.keys(line);
        self.keys("\r");
        self.wait_for(answer);
        self.wait_for(PROMPT);
    }

    /// What the screen shows, without colours.
    fn text(&self) -> String {
        plain(&String::from_utf8_lossy(&self.screen.lock().unwrap()))
    }

    /// Whether `text` comes, in the time, behind what was waited for before.
    fn shows(&mut self, text: &str, within: Duration) -> bool {
        let begin = Instant::now();
        loop {
            let all = self.text();
            if let Some(at) = all.get(self.seen..).and_then(|new| new.find(text)) {
                self.seen += at + text.len();
                return true;
            }
            if begin.elapsed() > within {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn wait_for(&mut self, text: &str) {
        assert!(
            self.shows(text, PATIENCE),
            "no {text:?} after byte {} of\n{}",
            self.seen,
            self.text()
        );
    }

    /// Leaves, and answers what the screen showed.
    fn leave(mut self) -> String {
        self.keys("\\q\r");
        let (text, code) = self.left();
        assert_eq!(code, "0", "{text}");
        text
    }

    /// Waits until the shell has ended; answers what the screen showed, and the exit code.
    fn left(mut self) -> (String, String) {
        self.child.wait().unwrap();
        self.reader.join().unwrap();
        let text = plain(&String::from_utf8_lossy(&self.screen.lock().unwrap()));
        let begin = Instant::now();
        loop {
            let code = std::fs::read_to_string(&self.code).unwrap_or_default();
            if code.ends_with('\n') || begin.elapsed() > PATIENCE {
                return (text, code.trim().to_owned());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A screen's text without what moves the cursor and colours it.
fn plain(screen: &str) -> String {
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

    let mut shell = Terminal::open(folder.path());
    shell.keys("SELECT 'over two lines' AS x,\r");
    let query = format!("max(npx) AS most FROM '{}';", table.display());
    shell.line(&query, "over two lines │  2.5");
    let describe = format!("\\d {}", table.display());
    shell.line(&describe, " npx    │ Float64");
    shell.line("SELEC 1;", "error: sql parser error");
    // Keys that come before the statement runs are the line editor's, which has nothing to cancel.
    shell.keys("SELECT count(*) FROM generate_series(1, 1000000000000) a;\r");
    let begin = Instant::now();
    while !shell.shows("cancelled", Duration::from_millis(500)) {
        assert!(begin.elapsed() < PATIENCE, "{}", shell.text());
        shell.keys("\u{3}");
    }
    shell.wait_for(PROMPT);
    shell.line("SELECT 'still here' AS z;", " still here\n");
    shell.line(
        &format!("\\o {}", out.display()),
        "the result of every query replaces",
    );
    shell.line("SELECT 7 AS seven;", "written to");
    shell.line("\\o", "results go to the screen");
    shell.line(&format!("\\i {}", script.display()), " from a file\n");
    shell.line("\\nonsense", "there is no command \\nonsense");
    shell.keys("half a statement\r");
    shell.wait_for("half a statement");
    shell.keys("\u{3}");
    shell.wait_for(PROMPT);
    let screen = shell.leave();

    for expected in ["1 row in ", "1 of 3 records rejected (1 too_few_fields)"] {
        assert!(screen.contains(expected), "{expected}\n---\n{screen}");
    }
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "seven\n7\n");
    let history = std::fs::read_to_string(folder.path().join("state/history")).unwrap();
    assert!(
        history.contains("still here") && !history.contains("half a"),
        "{history}"
    );
}

/// A signal that comes while nothing runs: an interrupt ends nothing, a termination ends the shell.
#[test]
fn signals_at_the_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Terminal::open(folder.path());
    let child_of = |pid: &str| {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        children.unwrap().trim().to_owned()
    };
    // `script` runs `sh`, which runs the shell.
    let pid = child_of(&child_of(&shell.child.id().to_string()));
    let send = |signal: &str| {
        let status = Command::new("kill").args([signal, pid.as_str()]).status();
        assert!(status.unwrap().success());
    };
    send("-INT");
    shell.line("SELECT 'still here' AS z;", " still here\n");
    send("-INT");
    send("-TERM");
    let (text, code) = shell.left();
    assert_eq!(code, (128 + 15).to_string(), "{text}");
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

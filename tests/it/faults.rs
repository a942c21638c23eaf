//! Servers that go down, disks that are full, states that cannot be read: nothing is lost, and it is said what to do.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::bin::{self, Run, command, number};
use crate::support::gen_data::Rng;
use crate::support::server::{Server, psql};
use crate::support::{self, text_rows};

/// What a run that can go on says.
const ADVICE: &str = "run it again with --resume";

/// A pipeline over a file, in a folder of its own.
struct Case {
    folder: TempDir,
}

impl Case {
    /// Over so many rows, each with a text of so many characters that nothing packs well.
    fn new(rows: usize, width: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = Rng::new(7);
        let pool = (rows * width).min(4 << 20);
        let pool: String = (0..=pool / 16)
            .map(|_| format!("{:016x}", rng.next()))
            .collect();
        let mut text = String::with_capacity(rows * (width + 10));
        text.push_str("id\tname\n");
        for i in 0..rows {
            let at = i * width % (pool.len() - width);
            text.push_str(&format!("{i}\tn{}\n", &pool[at..at + width]));
        }
        std::fs::write(folder.path().join("in.tsv"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the pipeline: the file, then these steps.
    fn pipeline(&self, steps: &str) {
        let input = self.path("in.tsv");
        let load = format!(
            "{{type: load, params: {{file_path: '{}'}}}}",
            input.display()
        );
        support::write(&self.path("p.yaml"), format!("steps:\n- {load}\n{steps}\n"));
    }

    /// One that ends in a sink.
    fn sink(&self, to: &str, mode: &str) {
        let params = format!("{{input: load, to: '{to}', mode: {mode}}}");
        self.pipeline(&format!("- {{name: out, type: sink, params: {params}}}"));
    }

    fn args(&self, more: &[&str]) -> Vec<String> {
        let pipeline = self.path("p.yaml").display().to_string();
        let args = [
            "run",
            &pipeline,
            "--checkpoint-rows",
            "5000",
            "--threads",
            "2",
            "--quiet",
        ];
        let all = args.iter().chain(more);
        all.map(|arg| (*arg).to_owned()).collect()
    }

    fn start(&self, more: &[&str]) -> Child {
        command(self.args(more)).spawn().unwrap()
    }

    fn run(&self, more: &[&str]) -> Run {
        bin::run(self.args(more))
    }

    fn state(&self) -> PathBuf {
        self.path(".p.yaml.biotide-run")
    }

    /// The rows of a file or table.
    async fn rows(&self, from: &str) -> Vec<Vec<String>> {
        let sql = format!("SELECT id, name FROM '{from}' ORDER BY id");
        let context = support::context();
        text_rows(&context.sql(&sql).await.unwrap().collect().await.unwrap())
    }

    /// Whether these are the rows of the input, each once.
    async fn has_all(&self, from: &str) {
        let (found, expected) = (
            self.rows(from).await,
            self.rows(&self.path("in.tsv").display().to_string()).await,
        );
        assert_eq!(found.len(), expected.len(), "{from}");
        assert!(found == expected, "{from}");
    }
}

/// Waits until something is so.
fn until(what: &str, so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A table whose server takes its time.
fn slow_table(url: &str, table: &str, seconds: f64) {
    let sql = format!(
        "DROP TABLE IF EXISTS {table};
         CREATE TABLE {table} (id bigint, name text);
         CREATE OR REPLACE FUNCTION {table}_slow() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.id % 1000 = 0 THEN PERFORM pg_sleep({seconds}); END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER slow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_slow();"
    );
    psql(url, &sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_down_costs_no_row() {
    let Some(server) = Server::start() else {
        return;
    };
    let case = Case::new(60_000, 40);
    let url = format!("{}/t", server.url);
    for mode in ["append", "replace"] {
        slow_table(&server.url, "t", 0.02);
        case.sink(&url, mode);
        let child = case.start(&[]);
        // (Of a replacement nothing is to be seen but its position.)
        let begun = "SELECT max(\"rows\") >= 10000 FROM biotide_positions";
        until("rows come", || {
            psql(&server.url, begun).as_deref() == Some("t")
        });
        server.crash();
        let failed = Run::from(child.wait_with_output().unwrap()).exits(1);
        let failed = failed
            .says(&url)
            .says("p.yaml")
            .says("step out")
            .says(ADVICE);
        assert!(!failed.stderr.contains("External error"), "{failed:#?}");

        let state = std::fs::read(case.state()).unwrap();
        let refused = case.run(&["--resume"]).exits(1);
        refused
            .says(&format!("connecting to {url}"))
            .says("refused")
            .says(ADVICE);
        assert_eq!(std::fs::read(case.state()).unwrap(), state);

        server.restart();
        case.run(&["--resume"]).exits(0);
        case.has_all(&url).await;
        let left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'biotide_stage%'";
        assert_eq!(server.sql(left), "0");
        assert_eq!(server.sql("SELECT count(*) FROM biotide_positions"), "0");

        // That it is done stays known while nobody can look at it.
        server.crash();
        case.run(&["--resume"]).exits(1).says("connecting to");
        server.restart();
        case.run(&["--resume"]).exits(0);
        case.has_all(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_to_be_done_survives_a_crash() {
    let Some(server) = Server::start() else {
        return;
    };
    // (A server that answers before it has written: what it loses is what came within this time.)
    server.sql("ALTER SYSTEM SET wal_writer_delay = '10s'");
    server.sql("SELECT pg_reload_conf()");
    let case = Case::new(2000, 40);
    let url = format!("{}/t", server.url);
    case.sink(&url, "append");
    case.run(&[]).exits(0);
    server.crash();
    server.restart();
    case.has_all(&url).await;
}

#[test]
fn a_sink_that_is_slower_than_its_source_holds_it_up() {
    let Ok(server) = std::env::var("BIOTIDE_TEST_POSTGRES") else {
        println!("no PostgreSQL: BIOTIDE_TEST_POSTGRES is not set");
        return;
    };
    let rows = 100_000;
    let case = Case::new(rows, 2000);
    let table = format!("slow_{}", std::process::id());
    slow_table(&server, &table, 0.03);
    case.sink(&format!("{server}/{table}"), "append");
    let more = ["--memory-limit", "100MB", "--report", "json"];
    let report = case.run(&more).exits(0).report();
    let drop = format!("DROP TABLE {table}; DROP FUNCTION {table}_slow");
    psql(&server, &drop).unwrap();
    assert_eq!(number(&report, "rows"), rows as u64);
    let peak = number(&report, "peak_rss");
    println!("200 MB to a slow table: {} MiB", peak >> 20);
    assert!(peak <= 100_000_000 + (80 << 20), "{peak}");
}

/// Where there is not enough space, until there is.
enum Space {
    /// No file may grow beyond so many kilobytes.
    Ulimit(u32),
    /// A file system that is full.
    Disk(PathBuf),
}

impl Space {
    /// None where this user cannot mount one.
    fn disk(at: PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mount = |options: &str| {
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", options, "tmpfs"])
                .arg(&at)
                .output()
        };
        match mount("size=1m") {
            Ok(output) if output.status.success() => Some(Self::Disk(at)),
            _ => {
                println!("no small disk: it cannot be mounted");
                None
            }
        }
    }

    fn folder(&self, case: &Case) -> PathBuf {
        match self {
            Self::Ulimit(_) => case.folder.path().to_owned(),
            Self::Disk(at) => at.clone(),
        }
    }

    fn run(&self, case: &Case) -> Run {
        match self {
            Self::Disk(_) => case.run(&[]),
            Self::Ulimit(kilobytes) => {
                let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
                let mut bash = Command::new("bash");
                bash.args(["-c", &script])
                    .arg(bin::path())
                    .args(case.args(&[]));
                bash.output().unwrap().into()
            }
        }
    }

    fn more(&self) {
        if let Self::Disk(at) = self {
            let mut mount = Command::new("mount");
            let mount = mount.args(["-o", "remount,size=64m"]).arg(at).status();
            assert!(mount.unwrap().success());
        }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        if let Self::Disk(at) = self {
            let _ = Command::new("umount").arg(at).status();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_no_row() {
    let case = Case::new(40_000, 96);
    let spaces = [Some(Space::Ulimit(1024)), Space::disk(case.path("disk"))];
    for space in spaces.iter().flatten() {
        for (name, table, found) in [
            ("o.csv", "", "too large|No space left"),
            ("o.csv.gz", "", "too large|No space left"),
            ("o.parquet", "", "too large|No space left"),
            ("o.db", "?table=t", "disk I/O error|disk is full"),
        ] {
            let path = space.folder(&case).join(name);
            let shown = path.display().to_string();
            let to = match table {
                "" => shown.clone(),
                table => format!("sqlite:{shown}{table}"),
            };
            case.sink(&to, "error");
            let failed = space.run(&case).exits(1).says(name).says(ADVICE);
            assert!(
                found.split('|').any(|text| failed.stderr.contains(text)),
                "{failed:#?}"
            );
            assert!(!failed.stderr.contains("External error"), "{failed:#?}");
            assert!(
                !path.exists() || !table.is_empty(),
                "{name} is not complete"
            );
            space.more();
            case.run(&["--resume"]).exits(0);
            case.has_all(&to).await;
            std::fs::remove_file(&path).unwrap();
            if let Space::Disk(at) = space {
                let mut mount = Command::new("mount");
                assert!(
                    mount
                        .args(["-o", "remount,size=1m"])
                        .arg(at)
                        .status()
                        .unwrap()
                        .success()
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_that_cannot_be_used_are_named() {
    let case = Case::new(100, 8);
    let to = case.path("o.csv").display().to_string();
    case.sink(&to, "replace");
    case.run(&[]).exits(0);
    let state = std::fs::read_to_string(case.state()).unwrap();
    let anew = "run without --resume to begin anew";
    for (text, problem) in [
        (
            state[..state.len() / 2].to_owned(),
            "it is no state of a run",
        ),
        (String::new(), "it is no state of a run"),
        ("[4]".to_owned(), "it is no state of a run"),
        (
            state.replacen("\"version\":4", "\"version\":3", 1),
            "another version of Biotide",
        ),
        // (Which may have another form.)
        (
            "{\"version\":5,\"runs\":[]}".to_owned(),
            "another version of Biotide",
        ),
    ] {
        std::fs::write(case.state(), text).unwrap();
        let refused = case.run(&["--resume"]).exits(1);
        refused
            .says(".p.yaml.biotide-run: ")
            .says(problem)
            .says(anew);
    }
    case.run(&[]).exits(0);
    std::fs::remove_file(case.state()).unwrap();
    std::fs::create_dir(case.state()).unwrap();
    for more in [&[][..], &["--resume"]] {
        case.run(more).exits(1).says(".p.yaml.biotide-run");
    }
    std::fs::remove_dir(case.state()).unwrap();
    case.run(&["--resume"]).exits(0);
    case.has_all(&to).await;
}

#[test]
fn a_folder_that_takes_no_state_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let case = Case::new(100, 8);
    let to = case.path("o.csv").display().to_string();
    case.sink(&to, "replace");
    let locked = case.path("locked");
    std::fs::create_dir(&locked).unwrap();
    let pipeline = locked.join("p.yaml");
    std::fs::rename(case.path("p.yaml"), &pipeline).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).unwrap();
    let mount = |options: &str| {
        let mut mount = Command::new("mount");
        let mount = mount
            .args(["-o", options])
            .args([&locked, &locked])
            .output();
        mount.is_ok_and(|output| output.status.success())
    };
    // (Root may write anywhere but to what is mounted so.)
    let mounted = mount("bind") && mount("remount,bind,ro");
    let run = bin::run(["run", &pipeline.display().to_string(), "--quiet"]);
    if mounted {
        Command::new("umount").arg(&locked).status().unwrap();
    }
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o755)).unwrap();
    if !mounted && run.code == Some(0) {
        println!("skipped: this user may write anywhere");
        return;
    }
    let refused = run.exits(1).says("locked/.p.yaml.biotide-run");
    let why = ["Permission denied", "Read-only file system"];
    assert!(
        why.iter().any(|why| refused.stderr.contains(why)),
        "{refused:#?}"
    );
    assert!(!Path::new(&to).exists());
}

#[test]
fn two_processes_do_not_run_one_pipeline() {
    let case = Case::new(100, 8);
    let to = case.path("o.csv").display().to_string();
    case.sink(&to, "replace");
    let lock = case.path(".p.yaml.biotide-run.lock");
    let file = std::fs::File::create(&lock).unwrap();
    file.lock().unwrap();
    for more in [&[][..], &["--resume"]] {
        case.run(more)
            .exits(1)
            .says("another process is at the same run");
    }
    assert!(!case.state().exists() && !Path::new(&to).exists());
    // What a killed process leaves is no lock.
    drop(file);
    case.run(&[]).exits(0);
    assert!(!lock.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_is_complete_is_not_written_again() {
    for first in [
        "{name: one, type: sink, params: {input: load, to: 'sqlite:DIR/o.db?table=t', mode: append, transaction: once}}",
        // (All rows must be seen first.)
        "{name: one, type: sink, params: {input: all, to: 'sqlite:DIR/o.db?table=t', mode: append}}",
        "{name: one, type: sink, params: {input: all, to: 'DIR/o.csv'}}",
    ] {
        let case = Case::new(1000, 8);
        let folder = case.folder.path().display().to_string();
        let steps =
            "- {name: all, type: sql, params: {query: 'SELECT DISTINCT id, name FROM load'}}
- FIRST
- {name: two, type: sink, params: {input: load, to: 'DIR/in.the.way/o.csv'}}";
        case.pipeline(&steps.replace("FIRST", first).replace("DIR", &folder));
        std::fs::write(case.path("in.the.way"), "").unwrap();
        case.run(&[]).exits(1).says("in.the.way");
        case.run(&["--resume"]).exits(1).says("in.the.way");
        std::fs::remove_file(case.path("in.the.way")).unwrap();
        case.run(&["--resume"]).exits(0);
        case.has_all(&case.path("in.the.way/o.csv").display().to_string())
            .await;
        let one = match first.contains("sqlite") {
            true => format!("sqlite:{folder}/o.db?table=t"),
            false => format!("{folder}/o.csv"),
        };
        case.has_all(&one).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_not_appended_again_where_their_position_is_lost() {
    let case = Case::new(1000, 8);
    let to = format!("sqlite:{}?table=t", case.path("o.db").display());
    case.sink(&to, "append");
    case.run(&[]).exits(0);
    // As it is when somebody has cleared the table of positions.
    let state = std::fs::read_to_string(case.state()).unwrap();
    let state = state.replacen("\"done\":true", "\"done\":false", 1);
    let state = state.replacen("\"finishing\":true", "\"finishing\":false", 1);
    std::fs::write(case.state(), state).unwrap();
    let refused = case.run(&["--resume"]).exits(1);
    refused.says(&to).says("position is gone");
    case.has_all(&to).await;
    // Where the table is gone, too, there is nothing to write twice.
    std::fs::remove_file(case.path("o.db")).unwrap();
    case.run(&["--resume"]).exits(0);
    case.has_all(&to).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_not_taken_for_the_one_that_takes_its_place() {
    for name in ["o.csv", "o.parquet"] {
        let case = Case::new(100, 8);
        let to = case.path(name).display().to_string();
        case.sink(&to, "replace");
        case.run(&[]).exits(0);
        // As it is when it is killed between giving the file its name and saying so.
        let state = std::fs::read_to_string(case.state()).unwrap();
        let state = state.replacen("\"done\":true", "\"done\":false", 1);
        std::fs::write(case.state(), &state).unwrap();
        case.run(&["--resume"]).exits(0);
        case.has_all(&to).await;
        // As it is when the rows were lost, and the file of before is there still.
        std::fs::write(case.state(), &state).unwrap();
        std::fs::write(&to, "id,name\n1,old\n").unwrap();
        case.run(&["--resume"]).exits(1).says(name);
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "id,name\n1,old\n");
    }
}

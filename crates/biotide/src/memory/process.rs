//! Memory of this process and this machine.

use std::fs::{self, File};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The most memory this process has held, in bytes (`VmHWM`); 0 where the system does not tell.
pub fn peak_rss() -> u64 {
    status_field("VmHWM:").unwrap_or(0)
}

/// The memory this process holds now, asked for anew where the last answer is older than a millisecond.
#[derive(Debug)]
pub(super) struct Rss {
    statm: Option<File>,
    begin: Instant,
    /// When it was asked for, in microseconds from the beginning.
    asked: AtomicU64,
    bytes: AtomicU64,
}

impl Rss {
    /// Asks no oftener than that, in microseconds.
    const FRESH: u64 = 1000;

    pub(super) fn new() -> Self {
        let statm = File::open("/proc/self/statm").ok();
        Self {
            bytes: AtomicU64::new(resident(statm.as_ref())),
            statm,
            begin: Instant::now(),
            asked: AtomicU64::new(0),
        }
    }

    /// Bytes; 0 where the system does not tell.
    pub(super) fn get(&self) -> u64 {
        let now = u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        let asked = self.asked.load(Ordering::Relaxed);
        let due = now >= asked + Self::FRESH
            && self
                .asked
                .compare_exchange(asked, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if due {
            let bytes = resident(self.statm.as_ref());
            self.bytes.store(bytes, Ordering::Relaxed);
        }
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Seconds that all threads of this process were at work; 0 where the system does not tell.
pub(crate) fn cpu_seconds() -> f64 {
    // (Fields after the name, which may have blanks; Linux counts hundredths on all machines.)
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut ticks = fields.split_whitespace().skip(11).take(2);
    let mut next = || ticks.next().and_then(|n| n.parse::<f64>().ok());
    (next().unwrap_or(0.0) + next().unwrap_or(0.0)) / 100.0
}

/// The memory this process holds now, in bytes; 0 where the system does not tell.
pub fn rss() -> u64 {
    resident(File::open("/proc/self/statm").ok().as_ref())
}

/// The second number of `statm`: pages. (They have 4 KiB on all machines but some of ARM's, where
/// the answer is too small and nothing depends on it but how early operators spill.)
fn resident(statm: Option<&File>) -> u64 {
    let mut text = [0; 128];
    let Some(length) = statm.and_then(|file| read_start(file, &mut text).ok()) else {
        return 0;
    };
    let text = String::from_utf8_lossy(&text[..length]);
    let pages: Option<u64> = text.split(' ').nth(1).and_then(|n| n.parse().ok());
    pages.unwrap_or(0) * 4096
}

#[cfg(unix)]
fn read_start(file: &File, bytes: &mut [u8]) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_start(_: &File, _: &mut [u8]) -> std::io::Result<usize> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn status_field(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kilobytes(status.lines().find_map(|line| line.strip_prefix(name))?)
}

fn kilobytes(text: &str) -> Option<u64> {
    let n: u64 = text.trim().trim_end_matches("kB").trim().parse().ok()?;
    n.checked_mul(1024)
}

/// The memory that this process may use: the machine's, or its cgroup's limit.
fn available() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let ram = kilobytes(
        info.lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?,
    )?;
    let limits = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let cgroup = limits
        .iter()
        .find_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    Some(cgroup.map_or(ram, |limit: u64| limit.min(ram)))
}

/// Half of what this process may use; 2 GiB where the system does not tell.
pub(crate) fn default_limit() -> usize {
    let half = available().map_or(2 << 30, |bytes| bytes / 2);
    usize::try_from(half).unwrap_or(usize::MAX)
}

//! Memory of this process and this machine.

use std::fs;

/// The most memory this process has held, in bytes (`VmHWM`); 0 where the system does not tell.
pub fn peak_rss() -> u64 {
    status_field("VmHWM:").unwrap_or(0)
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

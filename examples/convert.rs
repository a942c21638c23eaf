// Files to Parquet, in the order of the input, with options and live numbers:
// cargo run -p biotide-examples --example convert

use biotide::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data");
    let out = std::env::temp_dir().join(format!("biotide-example-{}.parquet", std::process::id()));
    let request = ConvertRequest {
        inputs: vec![format!("{data}/tissue/*.csv")],
        output: out.display().to_string(),
        force: true,
        ..ConvertRequest::default()
    };

    // The names of the options are those of the command line and of SQL.
    let biotide = BiotideContext::builder()
        .memory_limit(512_000_000)
        .option("on_error", "lenient")
        .option("strip_whitespace", "true")
        .build()?;

    // The monitor may be asked at any time, from any thread; here once at the end.
    let mut monitor = None;
    let report = biotide
        .convert(request, |live| monitor = Some(live))
        .await?;
    if let Some(monitor) = monitor {
        println!(
            "{} of {} bytes read",
            monitor.bytes_done(),
            monitor.bytes_total()
        );
    }
    println!(
        "{} rows, {} bytes of Parquet",
        report.rows, report.bytes_out
    );
    println!(
        "{} repaired, {} rejected",
        report.scan.repaired, report.rejected
    );
    std::fs::remove_file(out).ok();
    Ok(())
}

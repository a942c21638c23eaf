//! Names, and what stands in the way.

use super::*;
use crate::sink::resumable::part::working;

async fn refused(path: &Path, options: FileSinkOptions, resume: Option<&Durable>) -> String {
    let opened = open(path, schema(), options, resume).await;
    opened.err().unwrap().to_string()
}

#[tokio::test]
async fn a_file_is_replaced_only_if_asked_and_only_at_the_end() {
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        std::fs::write(&path, "old").unwrap();
        let error = refused(&path, options(format, gzip), None).await;
        assert!(
            error.contains("there already") && error.contains("out"),
            "{error}"
        );
        assert_eq!(names(dir.path()), ["out"]);

        let replacing = FileSinkOptions {
            replace: true,
            ..options(format, gzip)
        };
        let mut sink = open(&path, schema(), replacing.clone(), None)
            .await
            .unwrap();
        sink.write(&batch(0, 10)).await.unwrap();
        let durable = sink.commit().await.unwrap();
        sink.suspend().await.unwrap();
        let sink = open(&path, schema(), replacing, Some(&durable))
            .await
            .unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        sink.finish().await.unwrap();
        assert_eq!(
            content(&path, format, gzip),
            whole(&[batch(0, 10)], format, gzip).await
        );
        assert_eq!(names(dir.path()), ["out"]);
    }
}

#[tokio::test]
async fn a_file_that_comes_meanwhile_is_kept() {
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut sink = start(&path, format, gzip).await;
        sink.write(&batch(0, 10)).await.unwrap();
        let durable = sink.commit().await.unwrap();
        std::fs::write(&path, "other").unwrap();
        assert!(sink.finish().await.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "other");
        std::fs::remove_file(&path).unwrap();
        // The state is there still.
        resume(&path, format, gzip, &durable)
            .await
            .finish()
            .await
            .unwrap();
        assert_eq!(
            content(&path, format, gzip),
            whole(&[batch(0, 10)], format, gzip).await
        );
    }
}

#[tokio::test]
async fn nothing_is_left_by_an_abort_or_a_new_start() {
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut sink = start(&path, format, gzip).await;
        sink.write(&batch(0, 10)).await.unwrap();
        sink.commit().await.unwrap();
        sink.write(&batch(10, 10)).await.unwrap();
        sink.abort().await.unwrap();
        assert!(names(dir.path()).is_empty());

        // What a run of another format has left.
        let mut sink = start(&path, "parquet", false).await;
        sink.write(&batch(0, 100)).await.unwrap();
        sink.commit().await.unwrap();
        sink.suspend().await.unwrap();
        assert_eq!(names(dir.path()).len(), 2);
        let mut sink = start(&path, format, gzip).await;
        sink.write(&batch(0, 10)).await.unwrap();
        sink.finish().await.unwrap();
        assert_eq!(names(dir.path()), ["out"]);
        assert_eq!(
            content(&path, format, gzip),
            whole(&[batch(0, 10)], format, gzip).await
        );
    }
}

#[tokio::test]
async fn working_files_outlive_the_clearing_of_stale_ones() {
    let dir = tempfile::tempdir().unwrap();
    let sink = start(&dir.path().join("out"), "parquet", false).await;
    sink.suspend().await.unwrap();
    assert!(biotide_common::remove_stale(dir.path(), ".out.biotide-").is_empty());
    assert_eq!(
        names(dir.path()),
        [".out.biotide-footer", ".out.biotide-part"]
    );
}

#[tokio::test]
async fn what_was_changed_is_not_gone_on_with() {
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut sink = start(&path, format, gzip).await;
        sink.write(&batch(0, 100)).await.unwrap();
        let durable = sink.commit().await.unwrap();
        sink.suspend().await.unwrap();
        let kinds = if format == "parquet" {
            &["part", "footer"][..]
        } else {
            &["part"]
        };
        for kind in kinds {
            let part = working(&path, kind);
            let bytes = std::fs::read(&part).unwrap();
            let refused = async || refused(&path, options(format, gzip), Some(&durable)).await;

            std::fs::write(&part, &bytes[..bytes.len() - 1]).unwrap();
            let error = refused().await;
            assert!(
                error.contains("bytes of the") && error.contains(kind),
                "{error}"
            );

            let mut other = bytes.clone();
            *other.last_mut().unwrap() ^= 1;
            std::fs::write(&part, &other).unwrap();
            let error = refused().await;
            assert!(error.contains("was changed"), "{error}");

            std::fs::remove_file(&part).unwrap();
            let error = refused().await;
            assert!(
                error.contains("is missing") && error.contains(kind),
                "{error}"
            );
            std::fs::write(&part, &bytes).unwrap();
        }
        let error = match format {
            "csv" => refused(&path, options("tsv", gzip), Some(&durable)).await,
            _ => refused(&path, options("csv", gzip), Some(&durable)).await,
        };
        assert!(error.contains("another format"), "{error}");
        let fewer = Arc::new(schema().project(&[0, 1]).unwrap());
        let error = open(&path, fewer, options(format, gzip), Some(&durable))
            .await
            .err();
        assert!(error.unwrap().to_string().contains("other columns"));

        // Nothing of this has harmed it.
        resume(&path, format, gzip, &durable)
            .await
            .finish()
            .await
            .unwrap();
        let error = refused(&path, options(format, gzip), Some(&durable)).await;
        assert!(error.contains("complete"), "{error}");
    }
}

#[tokio::test]
async fn two_runs_do_not_write_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    for format in ["csv", "parquet"] {
        let mut sink = start(&path, format, false).await;
        let durable = sink.commit().await.unwrap();
        for resume in [None, Some(&durable)] {
            let error = refused(&path, options(format, false), resume).await;
            assert!(error.contains("another run"), "{error}");
        }
        sink.abort().await.unwrap();
    }
}

#[tokio::test]
async fn options_and_targets_that_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    for (options, problem) in [
        (options("sssom", false), "format: 'sssom'"),
        (options("xlsx", false), "format: 'xlsx'"),
        (options("parquet", true), "gzip"),
        (
            FileSinkOptions {
                compression: Some("zstd".into()),
                ..options("csv", false)
            },
            "for Parquet",
        ),
        (
            FileSinkOptions {
                compression: Some("zip".into()),
                ..options("parquet", false)
            },
            "none of zstd",
        ),
        (
            FileSinkOptions {
                compression: Some("zstd(99)".into()),
                ..options("parquet", false)
            },
            "level",
        ),
    ] {
        let error = refused(&path, options, None).await;
        assert!(error.contains(problem), "{error}");
    }
    assert!(
        refused(dir.path(), options("csv", false), None)
            .await
            .contains("folder")
    );
    assert!(names(dir.path()).is_empty());
}

#[tokio::test]
async fn after_an_error_only_the_durable_state_goes_on() {
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/folder/out");
        let mut sink = start(&path, format, gzip).await;
        sink.write(&batch(0, 10)).await.unwrap();
        let durable = sink.commit().await.unwrap();
        sink.write(&batch(10, 10)).await.unwrap();
        let wrong = batch(0, 1).project(&[1, 0, 2, 3, 4]).unwrap();
        let error = sink.write(&wrong).await.unwrap_err().to_string();
        assert!(error.contains("out"), "{error}");
        let error = sink.write(&batch(20, 10)).await.unwrap_err().to_string();
        assert!(error.contains("has failed"), "{error}");
        assert!(sink.commit().await.is_err());
        sink.suspend().await.unwrap();
        resume(&path, format, gzip, &durable)
            .await
            .finish()
            .await
            .unwrap();
        assert_eq!(
            content(&path, format, gzip),
            whole(&[batch(0, 10)], format, gzip).await
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_keeps_its_permissions_and_a_link_its_file() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("out"), dir.path().join("link"));
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o440)).unwrap();
        symlink("out", &link).unwrap();
        let replacing = FileSinkOptions {
            replace: true,
            ..options(format, gzip)
        };
        let mut sink = open(&link, schema(), replacing.clone(), None)
            .await
            .unwrap();
        sink.write(&batch(0, 10)).await.unwrap();
        let durable = sink.commit().await.unwrap();
        sink.suspend().await.unwrap();
        let part = working(&path, "part").metadata().unwrap();
        assert_eq!(part.permissions().mode() & 0o777, 0o640);
        assert!(!durable.is_complete(&link).unwrap());
        let sink = open(&link, schema(), replacing, Some(&durable))
            .await
            .unwrap();
        sink.finish().await.unwrap();
        assert!(link.is_symlink());
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o440);
        assert_eq!(
            content(&path, format, gzip),
            whole(&[batch(0, 10)], format, gzip).await
        );
        assert!(durable.is_complete(&link).unwrap());
    }
}

#[tokio::test]
async fn a_file_that_got_its_name_is_told_from_the_one_before() {
    for (format, gzip) in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut sink = start(&path, format, gzip).await;
        sink.write(&batch(0, 100)).await.unwrap();
        let durable = sink.commit().await.unwrap();
        sink.suspend().await.unwrap();
        let part = working(&path, "part");
        // The working file was lost, and what is there is another one.
        std::fs::rename(&part, dir.path().join("elsewhere")).unwrap();
        assert!(!durable.is_complete(&path).unwrap());
        std::fs::write(&path, "old ".repeat(10_000)).unwrap();
        assert!(!durable.is_complete(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(dir.path().join("elsewhere"), &part).unwrap();
        // It got its name, and then the run was killed before it had cleared away the log.
        let log = std::fs::read(working(&path, "footer")).ok();
        resume(&path, format, gzip, &durable)
            .await
            .finish()
            .await
            .unwrap();
        if let Some(log) = log {
            std::fs::write(working(&path, "footer"), log).unwrap();
        }
        assert!(durable.is_complete(&path).unwrap());
        assert_eq!(names(dir.path()), ["out"]);
        if format == "csv" && !gzip {
            std::fs::write(
                &path,
                [std::fs::read(&path).unwrap(), b"x".to_vec()].concat(),
            )
            .unwrap();
            assert!(!durable.is_complete(&path).unwrap());
        }
    }
}

//! Errors as a user reads them: the cause first.

use std::fmt;
use std::io::ErrorKind;

use biotide_common::BiotideError;
use biotide_common::nearest::list;
use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Keeps DataFusion's error whole; shows its cause without the wrapping.
#[derive(Debug)]
pub struct Error(DataFusionError);

impl Error {
    /// DataFusion's error.
    pub fn as_datafusion(&self) -> &DataFusionError {
        &self.0
    }

    /// DataFusion's error.
    pub fn into_datafusion(self) -> DataFusionError {
        self.0
    }

    /// Biotide's own error, if that is the cause.
    pub fn as_biotide(&self) -> Option<&BiotideError> {
        match root(&self.0) {
            DataFusionError::External(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

/// The error within layers that only pass it on.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        DataFusionError::ArrowError(inner, _) => match &**inner {
            ArrowError::ExternalError(inner) => inner.downcast_ref().map_or(error, root),
            _ => error,
        },
        DataFusionError::External(inner) => {
            let inner: &(dyn std::error::Error + 'static) = &**inner;
            inner.downcast_ref::<DataFusionError>().map_or(error, root)
        }
        _ => error,
    }
}

/// Whether the limit of what may be spilled was reached. The engine knows it by words alone.
fn is_full_spill(error: &DataFusionError) -> bool {
    error
        .strip_backtrace()
        .contains("used disk space during the spilling process")
}

fn is_full_disk(error: &DataFusionError) -> bool {
    let io = match error {
        DataFusionError::IoError(io) => Some(io),
        DataFusionError::ArrowError(arrow, _) => match &**arrow {
            ArrowError::IoError(_, io) => Some(io),
            _ => None,
        },
        _ => None,
    };
    io.is_some_and(|io| io.kind() == ErrorKind::StorageFull)
}

/// The place of an error, and the error there, if that is what is within.
fn placed(error: &DataFusionError) -> Option<(&str, &DataFusionError)> {
    let DataFusionError::External(error) = root(error) else {
        return None;
    };
    match error.downcast_ref() {
        Some(BiotideError::At { place, source }) => Some((place, source)),
        _ => None,
    }
}

/// What a function takes, if that is not what it was given. (The engine says so by an internal error, mostly within one of
/// the plan, which asks for a bug report. Nothing but its words tells it from a true one.)
fn not_taken(error: &DataFusionError) -> Option<String> {
    let (DataFusionError::Plan(text) | DataFusionError::Internal(text)) = error else {
        return None;
    };
    let own = text.strip_prefix("Internal error: ").unwrap_or(text);
    let (function, tried) = own
        .strip_prefix("Function '")?
        .split_once("' failed to match any signature, errors: ")?;
    let (mut given, mut takes) = (Vec::new(), Vec::new());
    for (wanted, was) in tried.split("' requires ").filter_map(wanted_and_given) {
        for (all, one) in [(&mut takes, wanted), (&mut given, was)] {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    if takes.is_empty() {
        // (It is given too many, or too few.)
        let told = text.find("No function matches")?;
        return Some(text[told..].to_owned());
    }
    let (given, takes) = (list(given), list(takes));
    Some(format!(
        "{function} does not take {given}; it takes {takes}: convert what it is given, by CAST or TRY_CAST"
    ))
}

/// `Decimal, but received String (DataType: Utf8).`: the type that is wanted, the type that is given.
fn wanted_and_given(told: &str) -> Option<(&str, &str)> {
    let (wanted, rest) = told.split_once(", but received ")?;
    let (_, rest) = rest.split_once(" (DataType: ")?;
    let (given, _) = rest.split_once(").")?;
    Some((wanted, given))
}

/// A condition that is none. (To the engine it is a predicate.)
fn no_condition(error: &DataFusionError) -> Option<String> {
    let DataFusionError::Plan(text) = error else {
        return None;
    };
    let (condition, data_type) = text
        .strip_prefix("Cannot create filter with non-boolean predicate '")?
        .rsplit_once("' returning ")?;
    Some(format!(
        "the condition {condition} is neither true nor false, but {data_type}"
    ))
}

/// A column of which a group may have several values. (The engine tells which have one, of its own and ours too.)
fn ungrouped(error: &DataFusionError) -> Option<String> {
    let DataFusionError::Plan(text) = error else {
        return None;
    };
    let (_, told) = text.split_once(": While expanding wildcard, column \"")?;
    let (column, _) = told.split_once("\" must appear in the GROUP BY clause")?;
    Some(format!(
        "the column {column} may have several values in a group: group by it too, or take one of them by an aggregate \
         such as min({column})"
    ))
}

/// What the engine says in words of its own, in those of a user.
fn in_plain_words(error: &DataFusionError) -> Option<String> {
    not_taken(error)
        .or_else(|| no_condition(error))
        .or_else(|| ungrouped(error))
}

fn show(error: &DataFusionError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some((place, error)) = placed(error) {
        write!(f, "{place}: ")?;
        return show(error, f);
    }
    if let Some(problem) = in_plain_words(root(error)) {
        return f.write_str(&problem);
    }
    match root(error) {
        DataFusionError::External(error) => write!(f, "{error}"),
        DataFusionError::ObjectStore(error) => match &**error {
            object @ datafusion::object_store::Error::NotFound { .. } => {
                write!(f, "there is no such file: {object}")
            }
            error => write!(f, "{error}"),
        },
        DataFusionError::Plan(text) | DataFusionError::Execution(text) => f.write_str(text),
        // Most of them are types that do not fit, not bugs of the engine.
        DataFusionError::Internal(text) => {
            let cause = text.split("\nThis issue was likely caused by a bug").next();
            f.write_str(cause.unwrap_or(text))
        }
        error if is_full_spill(error) => f.write_str(
            "what does not fit into memory is more than may be spilled: raise --temp-limit, or \
             --memory-limit to spill less",
        ),
        error if is_full_disk(error) => write!(
            f,
            "a disk is full: {}; what does not fit into memory is spilled to --temp-dir, which may be on \
             another disk",
            error.strip_backtrace()
        ),
        DataFusionError::ResourcesExhausted(text) => {
            write!(
                f,
                "the memory limit is too small for this statement: {text}"
            )
        }
        DataFusionError::SQL(error, _) => write!(f, "{error}"),
        error => f.write_str(&error.strip_backtrace()),
    }
}

/// What is behind the text that is shown: that of the root.
fn behind(error: &DataFusionError) -> Option<&(dyn std::error::Error + 'static)> {
    if let Some((_, error)) = placed(error) {
        return behind(error);
    }
    let root = root(error);
    let source = std::error::Error::source(root)?;
    match root {
        DataFusionError::External(_) => source.source(),
        _ => Some(source),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        behind(&self.0)
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        Self(error)
    }
}

impl From<BiotideError> for Error {
    fn from(error: BiotideError) -> Self {
        Self(error.into())
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::BiotideContext;

    #[tokio::test]
    async fn what_a_function_does_not_take_is_no_bug() {
        let context = BiotideContext::builder().build().unwrap();
        let context = context.session();
        for sql in [
            "SELECT sum(x) FROM (VALUES ('a')) AS t(x)",
            "SELECT 1 FROM (VALUES ('a')) AS t(x) HAVING sum(x) > 1",
        ] {
            let error = context.sql(sql).await.unwrap_err();
            let error = Error(error).to_string();
            assert!(
                error.starts_with("sum does not take Utf8; it takes Decimal, "),
                "{error}"
            );
            assert!(error.ends_with("by CAST or TRY_CAST"), "{error}");
        }
        let text = "Function 'f' failed to match any signature, errors: \
                    Error during planning: Function 'f' requires Int64, but received String (DataType: Utf8).,\
                    Error during planning: Function 'f' expects 2 arguments but received 1";
        let error = Error(DataFusionError::Internal(text.to_owned()));
        let expected =
            "f does not take Utf8; it takes Int64: convert what it is given, by CAST or TRY_CAST";
        assert_eq!(error.to_string(), expected);
    }

    #[tokio::test]
    async fn what_the_engine_calls_otherwise_is_told_in_plain_words() {
        let context = BiotideContext::builder().build().unwrap();
        let context = context.session();
        for (sql, expected) in [
            (
                "SELECT 1 FROM (VALUES (1, 2)) AS t(x, y) WHERE x + 1",
                "the condition t.x + Int64(1) is neither true nor false, but Int64",
            ),
            (
                "SELECT y FROM (VALUES (1, 2)) AS t(x, y) GROUP BY x",
                "the column t.y may have several values in a group: group by it too, or take one of them by an \
                 aggregate such as min(t.y)",
            ),
        ] {
            let error = context.sql(sql).await.unwrap_err();
            assert_eq!(Error(error).to_string(), expected);
        }
    }

    #[test]
    fn a_true_internal_error_stays_what_it_is() {
        let error = DataFusionError::Internal("Function 'f' has lost its rows".to_owned());
        assert_eq!(Error(error).to_string(), "Function 'f' has lost its rows");
    }
}

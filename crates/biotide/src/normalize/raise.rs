//! Ends a query at a value that the rules do not take.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use biotide_common::BiotideError;
use datafusion::common::{Result, ScalarValue, utils::take_function_args};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

/// The function's name, which nobody calls.
pub(crate) const NAME: &str = "raise_unless_valid";

/// A value that ends a query.
pub(super) struct Failure<'a> {
    /// Whether a row has one.
    pub(super) failed: Expr,
    /// The value.
    pub(super) written: Expr,
    /// Its column.
    pub(super) column: &'a str,
    /// What is asked of it, and where the rules say so.
    pub(super) asked: String,
    /// The file and the line of the row; NULL is not known.
    pub(super) origin: [Expr; 2],
}

impl Failure<'_> {
    /// A filter that all rows pass, until one fails: then the query ends, telling of that row. (A filter, as a column that
    /// nobody asks for would not be made.)
    pub(super) fn raised(self) -> Expr {
        static RAISE: LazyLock<Arc<ScalarUDF>> =
            LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(Raise::default())));
        let [file, line] = self.origin;
        let (column, asked) = (lit(self.column), lit(self.asked));
        RAISE.call(vec![self.failed, self.written, column, asked, file, line])
    }
}

#[derive(Debug)]
struct Raise {
    signature: Signature,
}

impl Default for Raise {
    fn default() -> Self {
        // (Volatile: what it is for is to fail, so it stays where it is.)
        Self {
            signature: Signature::any(6, Volatility::Volatile),
        }
    }
}

impl PartialEq for Raise {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Raise {}

impl Hash for Raise {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "raise".hash(state);
    }
}

impl ScalarUDFImpl for Raise {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [failed, written, column, asked, file, line] =
            take_function_args(self.name(), args.args)?;
        let failed = failed.into_array(rows)?;
        let failed = failed.as_boolean();
        let first = (0..failed.len()).find(|&row| failed.is_valid(row) && failed.value(row));
        let Some(row) = first else {
            return Ok(ColumnarValue::Scalar(ScalarValue::from(true)));
        };
        let text = |column: ColumnarValue| -> Result<Option<String>> {
            let column = column.into_array(rows)?;
            let nulls = column.logical_nulls();
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                return Ok(None);
            }
            let formatter = ArrayFormatter::try_new(&*column, &FormatOptions::default())?;
            Ok(Some(formatter.value(row).to_string()))
        };
        let column = text(column)?.unwrap_or_default();
        let asked = text(asked)?.unwrap_or_default();
        let value = match text(written)? {
            Some(written) => format!("the value '{written}' of {column}"),
            None => format!("{column} has no value"),
        };
        let line = text(line)?.map(|line| format!("line {line}"));
        let place = [text(file)?, line, Some(value)].into_iter().flatten();
        let place: Vec<String> = place.collect();
        let problem = format!(
            "{asked}; on_error: skip keeps the row, and a column named by problems: tells why"
        );
        Err(BiotideError::file(place.join(", "), problem).into())
    }
}

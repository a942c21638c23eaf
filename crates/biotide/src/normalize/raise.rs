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

/// A filter that all rows pass, unless `failed` is true of one: then the query ends, telling `written` of that row,
/// with its `place` in the rules. (A filter, as a column that nobody asks for would not be made.)
pub(super) fn unless(failed: Expr, written: Expr, file: &str, place: &str) -> Expr {
    static RAISE: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(Raise::default())));
    RAISE.call(vec![failed, written, lit(file), lit(place)])
}

#[derive(Debug)]
struct Raise {
    signature: Signature,
}

impl Default for Raise {
    fn default() -> Self {
        // (Volatile: what it is for is to fail, so it stays where it is.)
        Self {
            signature: Signature::any(4, Volatility::Volatile),
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
        let [failed, written, file, place] = take_function_args(self.name(), args.args)?;
        let failed = failed.into_array(rows)?;
        let failed = failed.as_boolean();
        let first = (0..failed.len()).find(|&row| failed.is_valid(row) && failed.value(row));
        let Some(row) = first else {
            return Ok(ColumnarValue::Scalar(ScalarValue::from(true)));
        };
        let text = |column: ColumnarValue| -> Result<String> {
            let column = column.into_array(rows)?;
            let options = FormatOptions::default().with_null("NULL");
            let formatter = ArrayFormatter::try_new(&*column, &options)?;
            Ok(formatter.value(row).to_string())
        };
        let (written, file, place) = (text(written)?, text(file)?, text(place)?);
        let problem = format!(
            "{place}, the value '{written}'; on_error: skip keeps the row, and a column named by problems: tells why"
        );
        Err(BiotideError::file(file, problem).into())
    }
}

//! Calls functions by their names.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::Field;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use biotide_common::options::BiotideOptions;
use biotide_functions::References;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let mut functions = biotide_functions::all(&Arc::new(References::default()));
    // (It takes records, not texts.)
    functions.retain(|function| function.name() != "sssom_hash");
    functions
});

pub(crate) fn functions() -> &'static [Arc<ScalarUDF>] {
    &FUNCTIONS
}

/// The options of a session in which these are set.
pub(crate) fn options(set: &[(&str, &str)]) -> Arc<ConfigOptions> {
    let mut own = BiotideOptions::default();
    for (key, value) in set {
        own.set_text(key, value).unwrap();
    }
    let mut options = ConfigOptions::default();
    options.extensions.insert(own);
    Arc::new(options)
}

/// The answer of a function over columns.
pub(crate) fn call_with(
    name: &str,
    args: &[ColumnarValue],
    rows: usize,
    options: &Arc<ConfigOptions>,
) -> ArrayRef {
    let function = functions()
        .iter()
        .find(|function| function.name() == name)
        .unwrap();
    let given: Vec<_> = args.iter().map(ColumnarValue::data_type).collect();
    let types = function.coerce_types(&given).unwrap();
    let args: Vec<ColumnarValue> = args
        .iter()
        .zip(&types)
        .map(|(arg, of)| arg.cast_to(of, None).unwrap())
        .collect();
    let arg_fields: Vec<_> = types
        .iter()
        .map(|of| Arc::new(Field::new("a", of.clone(), true)))
        .collect();
    let scalars = vec![None; args.len()];
    let fields = ReturnFieldArgs {
        arg_fields: &arg_fields,
        scalar_arguments: &scalars,
    };
    let return_field = function.return_field_from_args(fields).unwrap();
    let answer = function
        .invoke_with_args(ScalarFunctionArgs {
            args,
            arg_fields,
            number_rows: rows,
            return_field: Arc::clone(&return_field),
            config_options: Arc::clone(options),
        })
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let answer = answer.into_array(rows).unwrap();
    assert_eq!(
        (answer.len(), answer.data_type()),
        (rows, return_field.data_type()),
        "{name}"
    );
    answer
}

pub(crate) fn texts(texts: &[Option<&str>]) -> ColumnarValue {
    ColumnarValue::Array(Arc::new(texts.iter().copied().collect::<StringArray>()))
}

pub(crate) fn constant(text: &str) -> ColumnarValue {
    ColumnarValue::Scalar(text.into())
}

/// Rows as text; NULL is `∅`.
pub(crate) fn shown(column: &ArrayRef) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let formatter = ArrayFormatter::try_new(&**column, &options).unwrap();
    (0..column.len())
        .map(|row| formatter.value(row).to_string())
        .collect()
}

/// The answers of a function of texts that gives texts.
pub(crate) fn text_answers(
    name: &str,
    args: &[ColumnarValue],
    rows: usize,
    options: &Arc<ConfigOptions>,
) -> Vec<Option<String>> {
    let answer = call_with(name, args, rows, options);
    answer
        .as_string::<i32>()
        .iter()
        .map(|text| text.map(str::to_owned))
        .collect()
}

/// The answer of a function about one text; `field` of a struct.
pub(crate) fn one(name: &str, args: &[ColumnarValue], field: Option<&str>) -> Option<String> {
    let answer = call_with(name, args, 1, &options(&[]));
    let column = match field {
        Some(field) => Arc::clone(answer.as_struct().column_by_name(field).unwrap()),
        None => answer,
    };
    column.is_valid(0).then(|| shown(&column).remove(0))
}

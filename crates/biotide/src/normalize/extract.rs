//! A group of a regular expression. (That of DataFusion leaves out groups that take no part in the match.)

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, utils::take_function_args};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use regex::Regex;

/// The group of the first match; NULL if there is no match, or the group has no part in it.
pub(super) fn group_of(text: Expr, pattern: &Regex, group: usize) -> Expr {
    let extract = Extract {
        pattern: pattern.clone(),
        group,
        signature: Signature::any(1, Volatility::Immutable),
    };
    Arc::new(ScalarUDF::new_from_impl(extract)).call(vec![text])
}

#[derive(Debug)]
struct Extract {
    pattern: Regex,
    group: usize,
    signature: Signature,
}

impl PartialEq for Extract {
    fn eq(&self, other: &Self) -> bool {
        self.pattern.as_str() == other.pattern.as_str() && self.group == other.group
    }
}

impl Eq for Extract {}

impl Hash for Extract {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.pattern.as_str(), self.group).hash(state);
    }
}

impl ScalarUDFImpl for Extract {
    fn name(&self) -> &str {
        "extract_group"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [texts] = take_function_args(self.name(), args.args)?;
        let texts = cast(&texts.into_array(rows)?, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let found = |text: &str| {
            let groups = self.pattern.captures(text)?;
            groups
                .get(self.group)
                .map(|group| group.as_str().to_owned())
        };
        let groups: StringArray = texts.iter().map(|text| text.and_then(found)).collect();
        debug_assert!(groups.len() == texts.len());
        Ok(ColumnarValue::Array(Arc::new(groups)))
    }
}

//! `cas_valid`: whether a text is a CAS registry number.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::Result;

use super::cas;
use crate::function::{Call, Spec, text};

pub(super) const SPEC: Spec = Spec {
    name: "cas_valid",
    arguments: &[text("text", "A registry number.")],
    required: 1,
    subject: 0,
    returns: || DataType::Boolean,
    doc: "Whether a text is a CAS registry number with the right check digit. (Bioregistry looks at the shape \
          only: it takes 58-08-3.)",
    example: ("cas_valid('58-08-2')", "true"),
    compute,
};

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    call.test(cas::is_valid)
}

//! What is asked of a valid value.

use biotide_functions::References;
use biotide_functions::identifier::unknown_namespace;
use datafusion::arrow::datatypes::DataType;
use datafusion::execution::SessionState;
use datafusion::functions::expr_fn as f;
use datafusion::logical_expr::{Expr, cast, lit};

use super::bound::Bound;
use super::params::Params;
use super::pattern::{checked, whole};
use super::step::{text_of, unlike};

/// What is asked of a valid value.
#[derive(Debug, Clone, Default)]
pub(super) struct Valid {
    pattern: Option<String>,
    namespace: Option<String>,
    values: Option<Vec<String>>,
    range: (Option<Bound>, Option<Bound>),
    length: (Option<i64>, Option<i64>),
}

impl Valid {
    pub(super) fn new(params: &mut Params) -> Result<Self, String> {
        let mut pattern = params.pattern.take().map(checked).transpose()?;
        if let Some(places) = params.decimal_places.take() {
            if pattern.is_some() {
                return Err("validate takes a pattern or decimal_places".to_owned());
            }
            pattern = Some(match places {
                0 => "[+-]?[0-9]+".to_owned(),
                1..=30 => format!(r"[+-]?[0-9]+(\.[0-9]{{1,{places}}})?"),
                _ => return Err("decimal_places is 30 at most".to_owned()),
            });
        }
        let valid = Self {
            pattern,
            namespace: params.namespace.take(),
            values: params.values.take(),
            range: (bound(params.min.take())?, bound(params.max.take())?),
            length: (params.min_length.take(), params.max_length.take()),
        };
        let asks = valid.pattern.is_some() || valid.namespace.is_some() || valid.values.is_some();
        if !asks && valid.range == (None, None) && valid.length == (None, None) {
            return Err("validate needs params: pattern, namespace, values, min, max, min_length, max_length or \
                        decimal_places"
                .to_owned());
        }
        let (min, max) = valid.range;
        let is_empty = valid.values.as_ref().is_some_and(Vec::is_empty)
            || min.zip(max).is_some_and(|(min, max)| min.is_above(max))
            || valid
                .length
                .0
                .zip(valid.length.1)
                .is_some_and(|(min, max)| min > max)
            || valid.length.1.is_some_and(|max| max < 0);
        match is_empty {
            true => Err("validate asks for what no value is".to_owned()),
            false => Ok(valid),
        }
    }

    pub(super) fn holds(
        &self,
        value: &Expr,
        of: &DataType,
        state: &SessionState,
    ) -> Result<Expr, String> {
        let written = text_of(value.clone(), of)?;
        let mut asked = Vec::new();
        if let Some(pattern) = &self.pattern {
            asked.push(unlike(written.clone(), &whole(pattern)).is_not_true());
        }
        if let Some(namespace) = &self.namespace {
            let references = state.config().get_extension::<References>();
            let registry = references.map(|known| known.registry(state.config_options()));
            if let Some(Ok(registry)) = registry
                && let Some(near) = unknown_namespace(&registry, namespace)
            {
                return Err(format!("\"{namespace}\" is no namespace: {near}"));
            }
            let function = state.scalar_functions().get("id_is_valid");
            let function = function.ok_or("validate: this session has no function id_is_valid")?;
            asked.push(function.call(vec![
                lit(namespace.as_str()),
                written.clone(),
                lit("checksum"),
            ]));
        }
        if let Some(values) = &self.values {
            let values = values.iter().map(|text| lit(text.as_str())).collect();
            asked.push(written.clone().in_list(values, false));
        }
        let length = || cast(f::character_length(written.clone()), DataType::Int64);
        let (min, max) = self.range;
        if min.is_some() || max.is_some() {
            // (NaN is greater than all to the engine, and infinity no number.)
            asked.push(
                min.unwrap_or(Bound::LEAST)
                    .compared(&written, Expr::lt_eq)?,
            );
            asked.push(max.unwrap_or(Bound::MOST).compared(&written, Expr::gt_eq)?);
        }
        asked.extend(self.length.0.map(|min| length().gt_eq(lit(min))));
        asked.extend(self.length.1.map(|max| length().lt_eq(lit(max))));
        Ok(asked
            .into_iter()
            .reduce(Expr::and)
            .unwrap_or_else(|| lit(true)))
    }
}

fn bound(written: Option<String>) -> Result<Option<Bound>, String> {
    written.map(|text| Bound::parse(&text)).transpose()
}

//! `sssom_hash`: the standard hash of mappings.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use biotide_common::sssom::{self, Kind};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignature, Volatility,
};

use super::record::{self, Part, Set, Value};
use crate::identifier::curie;
use crate::references::References;

pub(super) const NAME: &str = "sssom_hash";

/// The function, not yet told which columns it is of.
pub(crate) fn udf(references: Arc<References>) -> ScalarUDF {
    ScalarUDF::new_from_impl(SssomHash::new(references))
}

#[derive(Debug)]
pub(super) struct SssomHash {
    references: Arc<References>,
    /// The names of its arguments, where planning has found them.
    names: Option<Vec<String>>,
    /// What is known of the set, where planning has found it.
    set: Option<Arc<Set>>,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl SssomHash {
    fn new(references: Arc<References>) -> Self {
        let types = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        Self {
            references,
            names: None,
            set: None,
            signature: Signature::one_of(types, Volatility::Stable),
            documentation: OnceLock::new(),
        }
    }

    /// Whether planning has still to say which columns it is of.
    pub(super) fn is_bound(&self) -> bool {
        self.set.is_some()
    }

    /// The same for columns of these names (none: one column of structs), of this set.
    pub(super) fn bound(&self, names: Option<Vec<String>>, set: Set) -> Self {
        Self {
            names,
            set: Some(Arc::new(set)),
            ..Self::new(Arc::clone(&self.references))
        }
    }
}

impl PartialEq for SssomHash {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
            && self.set == other.set
            && Arc::ptr_eq(&self.references, &other.references)
    }
}

impl Eq for SssomHash {}

impl Hash for SssomHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NAME.hash(state);
        self.names.hash(state);
    }
}

impl ScalarUDFImpl for SssomHash {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let mut columns = args
            .args
            .iter()
            .map(|arg| arg.to_array(rows))
            .collect::<Result<Vec<_>>>()?;
        let mut set = self.set.as_deref().cloned().unwrap_or_default();
        if let Some(names) = &self.names {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>();
            return self.hashes(&names, &columns, None, &set, rows, &args.config_options);
        }
        if columns.len() == 2
            && let Some(given) = columns.pop()
        {
            set = set_of(&given)?;
        }
        let Some(mappings) = columns.first().and_then(|column| column.as_struct_opt()) else {
            return exec_err!(
                "{NAME}: its argument is a mapping, a struct such as named_struct('subject_id', …, \
                 'predicate_id', …)"
            );
        };
        let names = mappings.column_names();
        let nulls = mappings.nulls().cloned();
        let options = &args.config_options;
        self.hashes(
            &names,
            mappings.columns(),
            nulls.as_ref(),
            &set,
            rows,
            options,
        )
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.documentation.get_or_init(|| {
            let section = DocSection {
                include: true,
                label: "Identifier functions",
                description: None,
            };
            let doc = "The standard hash of a mapping, by which any two programs know that it is the same: 16 \
                       hexadecimal digits (FNV-1a) of its slots, but for record_id and mapping_cardinality, with \
                       entities as IRIs, lists sorted and numbers with three decimals. Without an argument: of the \
                       slots among the columns that the query reads. Prefixes stand for what the set of the file \
                       declares; where there is none, for what the registry says. NULL where an entity has no IRI; an \
                       error where the files of a query do not mean the same by its prefix.";
            let example = "SELECT sssom_hash(named_struct('subject_id', 'FBbt:00001234', 'predicate_id', \
                           'skos:exactMatch', 'object_id', 'UBERON:0005678', 'mapping_justification', \
                           'semapv:ManualMappingCuration', 'creator_id', \
                           ['orcid:0000-0000-5678-1234', 'orcid:0000-0000-1234-5678']), '{\"curie_map\": {\"FBbt\": \
                           \"http://purl.obolibrary.org/obo/FBbt_\", \"UBERON\": \
                           \"http://purl.obolibrary.org/obo/UBERON_\", \"orcid\": \"https://orcid.org/\"}}') -- \
                           0A442FB005783031";
            Documentation::builder(section, doc, "sssom_hash([mapping[, set]])")
                .with_sql_example(example)
                .with_argument(
                    "mapping",
                    "A struct whose fields are slots of SSSOM; or, instead, some columns that are called as slots.",
                )
                .with_argument(
                    "set",
                    "What is known of the set, a constant: JSON with the keys curie_map (an object) and \
                     extension_definitions (a list of objects) of SSSOM.",
                )
                .build()
        }))
    }
}

/// What a constant says of a set.
fn set_of(given: &ArrayRef) -> Result<Set> {
    let texts = cast(given, &DataType::Utf8)?;
    let mut texts = texts.as_string::<i32>().iter().flatten();
    let Some(first) = texts.next() else {
        return Ok(Set::default());
    };
    if texts.any(|text| text != first) {
        return exec_err!("{NAME}: set must be a constant");
    }
    serde_json::from_str(first).map_err(|error| {
        exec_datafusion_err!(
            "{NAME}: set is no JSON such as {{\"curie_map\": {{\"HP\": \"http://purl.obolibrary.org/obo/HP_\"}}}}: {error}"
        )
    })
}

impl SssomHash {
    fn hashes(
        &self,
        names: &[&str],
        columns: &[ArrayRef],
        nulls: Option<&NullBuffer>,
        set: &Set,
        rows: usize,
        options: &ConfigOptions,
    ) -> Result<ColumnarValue> {
        let registry = match set.curie_map {
            Some(_) => None,
            None => Some(self.references.registry(options)?),
        };
        let lookup = |entity: &str| {
            let (prefix, id) = curie::parse(registry.as_deref()?, entity, ":", false)?;
            Some(format!("{}{id}", prefix.uri_prefix.as_deref()?))
        };
        let parts = record::parts(names.iter().copied(), set, &lookup);
        let parts = parts.map_err(|problem| exec_datafusion_err!("{NAME}: {problem}"))?;
        let read = |(column, part): (usize, Part)| {
            let column = columns
                .get(column)
                .ok_or_else(|| exec_datafusion_err!("{NAME}: there are more names than columns"))?;
            Ok((Slots::of(column, &part)?, part))
        };
        let parts = parts.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut hashes = StringBuilder::with_capacity(rows, 16 * rows);
        let mut text = String::new();
        for row in 0..rows {
            let values = parts.iter().map(|(slots, part)| (part, slots.value(row)));
            let null = nulls.is_some_and(|nulls| nulls.is_null(row));
            let written = match null {
                true => Ok(None),
                false => record::expression(values, set, &lookup, &mut text),
            };
            match written.map_err(|problem| exec_datafusion_err!("{NAME}: {problem}"))? {
                Some(()) => hashes.append_value(record::hash(&text)),
                None => hashes.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(hashes.finish())))
    }
}

/// The values of a column.
enum Slots {
    Texts(ArrayRef),
    Numbers(ArrayRef),
    /// Their values are text.
    Lists(ArrayRef),
    /// Lists as text: `a|b`.
    Written(ArrayRef),
}

impl Slots {
    fn of(column: &ArrayRef, part: &Part) -> Result<Self> {
        let (several, number) = match part {
            Part::Slot(slot) => (slot.several, matches!(slot.kind, Kind::Number(..))),
            Part::Extension { number, .. } => (false, *number),
        };
        let texts = || cast(column, &DataType::Utf8);
        Ok(match column.data_type() {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                Self::Lists(cast(column, &DataType::new_list(DataType::Utf8, true))?)
            }
            _ if several => Self::Written(texts()?),
            _ if number => Self::Numbers(cast(column, &DataType::Float64)?),
            _ => Self::Texts(texts()?),
        })
    }

    fn value(&self, row: usize) -> Value<'_> {
        let (Self::Texts(column)
        | Self::Numbers(column)
        | Self::Lists(column)
        | Self::Written(column)) = self;
        if column.is_null(row) {
            return Value::Null;
        }
        match self {
            Self::Texts(texts) => Value::Text(texts.as_string::<i32>().value(row)),
            Self::Numbers(numbers) => {
                Value::Number(numbers.as_primitive::<Float64Type>().value(row))
            }
            Self::Written(texts) => {
                let values = sssom::split(texts.as_string::<i32>().value(row));
                Value::Texts(values.map(|value| value.into_owned()).collect())
            }
            Self::Lists(lists) => {
                let values = lists.as_list::<i32>().value(row);
                let values = values.as_string::<i32>().iter().flatten();
                Value::Texts(values.map(str::to_owned).collect())
            }
        }
    }
}

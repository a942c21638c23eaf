//! From a [`Spec`] to a function of DataFusion.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use arrow::compute::take;
use arrow::datatypes::{DataType, Float64Type};
use biotide_common::options::IdentifierMode;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::identifier::on_invalid;
use crate::identifier::parser::Parsers;
use crate::identifier::registry::Registry;
use crate::identifier::tables::{Genes, Tables};
use crate::references::{self, References};
use crate::texts::Texts;

/// An argument.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Its name in the documentation.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A column of text.
    Text,
    /// True or false, a constant.
    Flag,
    /// A number.
    Number,
}

/// A text argument.
pub const fn text(name: &'static str, doc: &'static str) -> Argument {
    let kind = Kind::Text;
    Argument { name, doc, kind }
}

/// A flag.
pub const fn flag(name: &'static str, doc: &'static str) -> Argument {
    let kind = Kind::Flag;
    Argument { name, doc, kind }
}

/// A number.
pub const fn number(name: &'static str, doc: &'static str) -> Argument {
    let kind = Kind::Number;
    Argument { name, doc, kind }
}

/// A function: everything that is known of it.
#[derive(Debug)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: &'static [Argument],
    /// So many of them must be given.
    pub required: usize,
    /// The place of the argument that is the identifier.
    pub subject: usize,
    /// The type of its result.
    pub returns: fn() -> DataType,
    /// What it does, in a sentence or more.
    pub doc: &'static str,
    /// An expression, and what it is.
    pub example: (&'static str, &'static str),
    /// Computes a column.
    pub compute: fn(&Call<'_>) -> Result<ArrayRef>,
}

/// A call over columns of the same number of rows.
#[derive(Debug)]
pub struct Call<'a> {
    /// Those of one row stand for all rows.
    columns: &'a [ArrayRef],
    constant: &'a [bool],
    rows: usize,
    options: &'a ConfigOptions,
    references: &'a References,
    spec: &'static Spec,
}

impl Call<'_> {
    /// A text argument.
    pub fn text(&self, argument: usize) -> Result<Texts<'_>> {
        Texts::new(&*self.columns[argument], self.rows)
    }

    /// Whether each text of the first argument is what `test` asks; NULL of NULL.
    pub fn test(&self, test: impl Fn(&str) -> bool) -> Result<ArrayRef> {
        Ok(Arc::new(self.text(0)?.test(test)))
    }

    /// A text argument that may be left out.
    pub fn optional_text(&self, argument: usize) -> Result<Option<Texts<'_>>> {
        let column = self.columns.get(argument);
        column
            .map(|column| Texts::new(&**column, self.rows))
            .transpose()
    }

    /// Whether an argument is the same in all rows of the query, not by chance.
    pub fn is_constant(&self, argument: usize) -> bool {
        self.constant.get(argument).copied().unwrap_or(true)
    }

    /// A flag; the default if it is left out or NULL.
    pub fn flag(&self, argument: usize, default: bool) -> Result<bool> {
        let Some(column) = self.columns.get(argument) else {
            return Ok(default);
        };
        let flags: &BooleanArray = column.as_boolean();
        let mut given = flags.iter().flatten();
        let Some(first) = given.next() else {
            return Ok(default);
        };
        if given.any(|flag| flag != first) {
            let argument = self.spec.arguments[argument].name;
            return exec_err!("{}: {argument} must be a constant", self.spec.name);
        }
        Ok(first)
    }

    /// A confidence that may be left out.
    pub fn confidence(&self, argument: usize, default: f64) -> Result<Confidences<'_>> {
        let column = self.columns.get(argument);
        let numbers = column.map(|column| column.as_primitive::<Float64Type>());
        let all = numbers
            .into_iter()
            .flat_map(|numbers| numbers.iter().flatten());
        for number in all {
            if !(0.0..=1.0).contains(&number) {
                let name = self.spec.arguments[argument].name;
                return exec_err!(
                    "{}: {name} is {number}, not between 0 and 1",
                    self.spec.name
                );
            }
        }
        Ok(Confidences { numbers, default })
    }

    /// The registry of prefixes that the session uses.
    pub fn registry(&self) -> Result<Arc<Registry>> {
        self.references.registry(self.options)
    }

    /// The genes that the session knows.
    pub(crate) fn genes(&self) -> Result<Arc<Genes>> {
        self.references.genes(self.options)
    }

    /// The retired identifiers that the session knows.
    pub(crate) fn secondary(&self) -> Result<Arc<Tables>> {
        self.references.secondary(self.options)
    }

    /// The same, if there are other than the built-in ones.
    pub(crate) fn secondary_of_files(&self) -> Result<Option<Arc<Tables>>> {
        let named = references::own(self.options)
            .is_some_and(|options| options.identifiers_secondary.is_some());
        named.then(|| self.secondary()).transpose()
    }

    /// The parsers that the session has.
    pub fn parsers(&self) -> Result<Arc<Parsers>> {
        self.references.parsers(self.options)
    }

    /// Whether what is invalid fails the query.
    pub(crate) fn fails(&self) -> bool {
        on_invalid::fails(self.options)
    }

    /// Whether the functions answer as bioregistry's.
    pub fn as_bioregistry(&self) -> bool {
        references::own(self.options).and_then(|options| options.identifiers_mode)
            == Some(IdentifierMode::Bioregistry)
    }
}

/// A confidence of each row.
#[derive(Debug, Clone, Copy)]
pub struct Confidences<'a> {
    numbers: Option<&'a Float64Array>,
    default: f64,
}

impl Confidences<'_> {
    /// That of a row; the default of NULL.
    pub fn get(self, row: usize) -> f64 {
        match self.numbers {
            Some(numbers) => {
                let row = if numbers.len() == 1 { 0 } else { row };
                match numbers.is_valid(row) {
                    true => numbers.value(row),
                    false => self.default,
                }
            }
            None => self.default,
        }
    }
}

/// The function of a spec, with what it looks things up in.
pub fn udf(spec: &'static Spec, references: Arc<References>) -> ScalarUDF {
    let plain = Signature::user_defined(Volatility::Stable);
    let names = spec
        .arguments
        .iter()
        .map(|argument| argument.name)
        .collect();
    // (Only two arguments of one name would not do.)
    let named = plain.clone().with_parameter_names(names);
    ScalarUDF::new_from_impl(Function {
        spec,
        references,
        signature: named.unwrap_or(plain),
        documentation: OnceLock::new(),
    })
}

#[derive(Debug)]
struct Function {
    spec: &'static Spec,
    references: Arc<References>,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name && Arc::ptr_eq(&self.references, &other.references)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl Function {
    fn syntax(&self) -> String {
        let mut syntax = format!("{}(", self.spec.name);
        for (i, argument) in self.spec.arguments.iter().enumerate() {
            let optional = i >= self.spec.required;
            syntax.push_str(if optional { "[" } else { "" });
            syntax.push_str(if i > 0 { ", " } else { "" });
            syntax.push_str(argument.name);
            syntax.push_str(if optional { "]" } else { "" });
        }
        syntax + ")"
    }

    /// Over arrays of the same length, or of one row.
    fn compute(
        &self,
        columns: &[ArrayRef],
        constant: &[bool],
        rows: usize,
        options: &ConfigOptions,
    ) -> Result<ArrayRef> {
        let spec = self.spec;
        let computed = (spec.compute)(&Call {
            columns,
            constant,
            rows,
            options,
            references: &self.references,
            spec,
        })?;
        on_invalid::apply(spec, &columns[spec.subject], computed, options)
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok((self.spec.returns)())
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (least, most) = (self.spec.required, self.spec.arguments.len());
        if !(least..=most).contains(&given.len()) {
            return plan_err!(
                "there are {} arguments; write {}",
                given.len(),
                self.syntax()
            );
        }
        let arguments = self.spec.arguments.iter().zip(given);
        let types = arguments.map(|(argument, given)| match (argument.kind, given) {
            (Kind::Flag, DataType::Boolean | DataType::Null) => Ok(DataType::Boolean),
            (Kind::Number, given) if given.is_numeric() || given.is_null() => Ok(DataType::Float64),
            (Kind::Text, given) if is_text(given) => Ok(given.clone()),
            // Identifiers that are digits are often read as numbers.
            (Kind::Text, DataType::Null) => Ok(DataType::Utf8),
            (Kind::Text, given) if given.is_integer() => Ok(DataType::Utf8),
            (Kind::Text, given) if given.is_numeric() => Ok(DataType::Float64),
            (kind, given) => plan_err!(
                "{} is {given}, not {}; write {}",
                argument.name,
                match kind {
                    Kind::Flag => "true or false",
                    Kind::Text => "text",
                    Kind::Number => "a number",
                },
                self.syntax()
            ),
        });
        types.collect()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ScalarFunctionArgs {
            args,
            number_rows,
            config_options,
            ..
        } = args;
        let arrays = |args: &[ColumnarValue]| {
            args.iter()
                .zip(self.spec.arguments)
                .map(|(arg, argument)| {
                    let array = match arg {
                        ColumnarValue::Array(array) => plain(array)?,
                        ColumnarValue::Scalar(value) => plain(&value.to_array_of_size(1)?)?,
                    };
                    match (argument.kind, array.as_primitive_opt::<Float64Type>()) {
                        (Kind::Text, Some(numbers)) => Ok(digits(numbers)),
                        _ => Ok(array),
                    }
                })
                .collect::<Result<Vec<_>>>()
        };
        let constant: Vec<bool> = args
            .iter()
            .map(|arg| matches!(arg, ColumnarValue::Scalar(_)))
            .collect();
        let columns: Vec<usize> = (0..args.len())
            .filter(|&i| matches!(args[i], ColumnarValue::Array(_)))
            .collect();
        match columns.as_slice() {
            [] => {
                let one = self.compute(&arrays(&args)?, &constant, 1, &config_options)?;
                Ok(ScalarValue::try_from_array(&one, 0)?.into())
            }
            // Of a dictionary only the values are looked at.
            &[column]
                if let ColumnarValue::Array(array) = &args[column]
                    && let Some(dictionary) = array.as_any_dictionary_opt()
                    && dictionary.values().len() <= number_rows
                // (A value that is in no row must not fail the query.)
                && !on_invalid::fails(&config_options)
                // (Of NULL a struct says that it is.)
                && (dictionary.keys().null_count() == 0 || !(self.spec.returns)().is_nested()) =>
            {
                let mut args = args.clone();
                args[column] = ColumnarValue::Array(Arc::clone(dictionary.values()));
                let rows = dictionary.values().len();
                let values = self.compute(&arrays(&args)?, &constant, rows, &config_options)?;
                Ok(take(&values, dictionary.keys(), None)?.into())
            }
            _ => {
                let columns = arrays(&args)?;
                let answer = self.compute(&columns, &constant, number_rows, &config_options)?;
                Ok(answer.into())
            }
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.documentation.get_or_init(|| {
            let spec = self.spec;
            let section = DocSection {
                include: true,
                label: "Identifier functions",
                description: None,
            };
            let example = format!("SELECT {} -- {}", spec.example.0, spec.example.1);
            let mut documentation =
                Documentation::builder(section, spec.doc, self.syntax()).with_sql_example(example);
            for argument in spec.arguments {
                documentation = documentation.with_argument(argument.name, argument.doc);
            }
            documentation.build()
        }))
    }
}

fn is_text(given: &DataType) -> bool {
    match given {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Numbers as identifiers are written: 250.0 is 250.
fn digits(numbers: &Float64Array) -> ArrayRef {
    let text = |number: f64| match number.fract() == 0.0 && number.abs() < 1e15 {
        true => format!("{number:.0}"),
        false => number.to_string(),
    };
    let texts = numbers.iter().map(|number| number.map(text));
    Arc::new(texts.collect::<StringArray>())
}

/// The array without its dictionary.
fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    match array.as_any_dictionary_opt() {
        Some(dictionary) => Ok(take(dictionary.values(), dictionary.keys(), None)?),
        None => Ok(Arc::clone(array)),
    }
}

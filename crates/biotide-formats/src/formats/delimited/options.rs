//! From the options tree to the text reader's terms.

use biotide_common::BiotideError;
use biotide_common::options::{BiotideOptions, Delimiter, OptionValue};
use biotide_text::charset::Charset;
use biotide_text::delimited::{self as text, Dialect, Given, HeaderOptions, Sniffed};

/// What the options say of the dialect; the rest is looked for. `delimiter`: what the format stands for.
pub(super) fn given(options: &BiotideOptions, delimiter: u8) -> Given {
    Given {
        delimiter: options.delimiter.as_ref().map(of_text),
        usual: delimiter,
        quote: options.quote.map(|quote| quote.0),
        escape: options.escape.map(|escape| escape.0),
        comment: options.comment.as_ref().map(|comment| comment.0.clone()),
        header: match options.column_names {
            // Names that stand in for a header say that there is one only where it is said.
            Some(_) => Some(options.header.unwrap_or(true)),
            None => options.header,
        },
        header_rows: options.header_rows,
        skip_rows: options.skip_rows,
        charset: Charset::UTF_8,
    }
}

fn of_text(delimiter: &Delimiter) -> text::Delimiter {
    match delimiter {
        Delimiter::Bytes(bytes) => text::Delimiter::Bytes(bytes.clone()),
        Delimiter::Blanks => text::Delimiter::Blanks,
    }
}

/// A delimiter as the option has it.
pub(super) fn shown(delimiter: &text::Delimiter) -> String {
    match delimiter {
        text::Delimiter::Bytes(bytes) => Delimiter::Bytes(bytes.clone()),
        text::Delimiter::Blanks => Delimiter::Blanks,
    }
    .show()
}

/// How to read what stands before the records.
pub(super) fn header(
    options: &BiotideOptions,
    sniffed: &Sniffed,
    skip_rows: usize,
) -> HeaderOptions {
    HeaderOptions {
        header: sniffed.header,
        rows: sniffed.header_rows,
        skip_rows,
        column_names: options.column_names.as_ref().map(|names| names.0.clone()),
    }
}

/// Refuses options that do not go together.
pub(super) fn check(options: &BiotideOptions, delimiter: u8) -> Result<(), BiotideError> {
    let given = given(options, delimiter);
    let mut dialect = Dialect::delimited_by(&[delimiter]);
    dialect.delimiter = given.delimiter.unwrap_or(dialect.delimiter);
    dialect.quote = given.quote.unwrap_or(dialect.quote);
    dialect.escape = given.escape.unwrap_or(dialect.escape);
    dialect.comment = given.comment;
    dialect.validate().map_err(|error| BiotideError::Option {
        key: "delimiter, quote, escape, comment".to_owned(),
        value: shown(&dialect.delimiter),
        problem: format!("do not go together: {error}"),
    })
}

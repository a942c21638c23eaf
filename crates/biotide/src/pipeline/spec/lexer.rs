//! The words of a condition.

use std::fmt;

use super::number::Number;
use super::path::closing;

/// A word, and the character it begins at, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word<'a> {
    pub(super) at: usize,
    pub(super) token: Token<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Number(Number),
    /// What is between quotes; two quotes inside stand for one.
    Text(String),
    /// `and`, `in`, `true`, …
    Name(&'a str),
    /// `==`, `(`, …
    Symbol(&'static str),
    /// What is between `${` and `}`.
    Placeholder(&'a str),
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => value.fmt(f),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Name(name) => f.write_str(name),
            Self::Symbol(symbol) => write!(f, "'{symbol}'"),
            Self::Placeholder(body) => write!(f, "${{{body}}}"),
        }
    }
}

/// Longer ones first.
const SYMBOLS: [&str; 13] = [
    "==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",",
];

/// The words of a text, or the place and kind of what is none.
pub(super) fn words(text: &str) -> Result<Vec<Word<'_>>, (usize, String)> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text[..text.len() - rest.len()].chars().count() + 1;
        let (token, length) = match first {
            '\'' | '"' => quoted(rest, first)
                .ok_or_else(|| (at, format!("the quote {first} is not closed")))?,
            '$' if rest.starts_with("${") => {
                let end = closing(rest).ok_or_else(|| (at, String::from("${ is not closed")))?;
                (Token::Placeholder(&rest[2..end]), end + 1)
            }
            '0'..='9' | '-' | '+' | '.' => number(rest).map_err(|problem| (at, problem))?,
            c if c.is_alphabetic() || c == '_' => {
                let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
                let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                (Token::Name(&rest[..end]), end)
            }
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => (Token::Symbol(symbol), symbol.len()),
                None => return Err((at, format!("'{first}' means nothing here"))),
            },
        };
        words.push(Word { at, token });
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

fn quoted(text: &str, quote: char) -> Option<(Token<'_>, usize)> {
    let mut content = String::new();
    let mut rest = &text[1..];
    loop {
        let end = rest.find(quote)?;
        content.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        if !rest.starts_with(quote) {
            return Some((Token::Text(content), text.len() - rest.len()));
        }
        content.push(quote);
        rest = &rest[1..];
    }
}

fn number(text: &str) -> Result<(Token<'_>, usize), String> {
    let mut end = 0;
    for (i, c) in text.char_indices() {
        let is_sign_of_exponent = text[..i].ends_with(['e', 'E']);
        let is_sign = (c == '-' || c == '+') && (i == 0 || is_sign_of_exponent);
        if !(c.is_alphanumeric() || c == '.' || c == '_' || is_sign) {
            break;
        }
        end = i + c.len_utf8();
    }
    let word = &text[..end];
    let value = Number::parse(&word.replace('_', ""));
    match value.filter(|value| value.double.is_finite()) {
        Some(value) => Ok((Token::Number(value), end)),
        None => Err(format!("'{word}' is no number")),
    }
}

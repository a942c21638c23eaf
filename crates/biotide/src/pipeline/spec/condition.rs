//! Whether a step runs: `1 in ${parameters.stages} and '${parameters.mode}' != 'dry'`.
//!
//! ```text
//! or          and ('or' and)*
//! and         not ('and' not)*
//! not         'not' not | comparison
//! comparison  operand (('==' | '=' | '!=' | '<>' | '<' | '<=' | '>' | '>=' | 'in' | 'not' 'in') operand)?
//! operand     number | 'text' | true | false | null | ${…} | [operand, …] | (operand, …) | (or)
//! ```
//!
//! A placeholder is a value, not text: what it holds cannot become a part of the expression. Inside quotes it is put
//! into the text.

use biotide_common::BiotideError;

use super::lexer::{Token, Word, words};
use super::operand::Operand;
use super::path::closing;
use super::place::shortened;
use super::placeholders::Scope;
use super::tree::{Tree, Value};

/// The longest condition.
const MOST_BYTES: usize = 16 << 10;
/// How deep parentheses may be nested.
const MOST_DEPTH: usize = 64;

/// Whether the condition holds. Nothing after its key is no condition; an empty text is a wrong one.
pub(super) fn holds(condition: &Tree, scope: &Scope<'_>) -> Result<bool, BiotideError> {
    let text = condition.as_text().unwrap_or_default().trim();
    let is_text = condition
        .as_scalar()
        .is_some_and(|scalar| scalar.value == Value::Text);
    if condition.is_null() {
        return Ok(true);
    }
    // (All of a condition may be the value of a parameter.)
    if is_text && text.starts_with("${") && closing(text) == Some(text.len() - 1) {
        let resolved = scope.resolve(condition)?;
        if is_nothing(&resolved) {
            let shown = shortened(text, 200);
            let problem = format!("{shown} stands for nothing, which is neither true nor false");
            return Err(condition.place.error(problem));
        }
        if resolved.as_text().is_none_or(|filled| filled != text) {
            return judge(&resolved, scope);
        }
    }
    judge(condition, scope)
}

fn judge(condition: &Tree, scope: &Scope<'_>) -> Result<bool, BiotideError> {
    let place = &condition.place;
    let Some(scalar) = condition.as_scalar() else {
        return Err(place.error(format!("{} is no condition", condition.describe())));
    };
    if let Value::Boolean(value) = scalar.value {
        return Ok(value);
    }
    if is_nothing(condition) {
        return Err(place.error("the condition is empty, which is neither true nor false"));
    }
    let text = scalar.text.as_str();
    if text.len() > MOST_BYTES {
        return Err(place.error(format!("the condition is longer than {MOST_BYTES} bytes")));
    }
    let told = |(at, problem): (usize, String)| {
        let shown = shortened(text, 200);
        place.error(format!(
            "the condition `{shown}`, character {at}: {problem}"
        ))
    };
    let words = words(text).map_err(told)?;
    let mut parser = Parser {
        words: &words,
        next: 0,
        end: text.chars().count() + 1,
        depth: 0,
        place: condition,
        scope,
    };
    parser.condition().map_err(|stop| match stop {
        Stop::Problem(at, problem) => told((at, problem)),
        Stop::Reference(error) => error,
    })
}

fn is_nothing(tree: &Tree) -> bool {
    let is_blank = |text: &str| text.trim().is_empty();
    tree.is_null() || tree.as_text().is_some_and(is_blank)
}

/// Why there is no value.
enum Stop {
    Problem(usize, String),
    Reference(BiotideError),
}

struct Parser<'a> {
    words: &'a [Word<'a>],
    next: usize,
    /// The character after the last.
    end: usize,
    depth: usize,
    place: &'a Tree,
    scope: &'a Scope<'a>,
}

impl Parser<'_> {
    fn condition(&mut self) -> Result<bool, Stop> {
        let (at, value) = (self.at(), self.or()?);
        if let Some(word) = self.words.get(self.next) {
            let problem = format!("{} is not expected here", word.token);
            return Err(Stop::Problem(word.at, problem));
        }
        truth(at, &value)
    }

    fn at(&self) -> usize {
        self.words.get(self.next).map_or(self.end, |word| word.at)
    }

    fn takes(&mut self, symbol: &str) -> bool {
        let is_next = self
            .words
            .get(self.next)
            .is_some_and(|word| match word.token {
                Token::Symbol(known) => known == symbol,
                Token::Name(name) => name.eq_ignore_ascii_case(symbol),
                _ => false,
            });
        self.next += usize::from(is_next);
        is_next
    }

    fn or(&mut self) -> Result<Operand, Stop> {
        self.deeper()?;
        let (at, mut value) = (self.at(), self.and()?);
        while self.takes("or") {
            let (right_at, right) = (self.at(), self.and()?);
            value = Operand::Boolean(truth(at, &value)? | truth(right_at, &right)?);
        }
        self.depth -= 1;
        Ok(value)
    }

    fn and(&mut self) -> Result<Operand, Stop> {
        let (at, mut value) = (self.at(), self.not()?);
        while self.takes("and") {
            let (right_at, right) = (self.at(), self.not()?);
            value = Operand::Boolean(truth(at, &value)? & truth(right_at, &right)?);
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<Operand, Stop> {
        if self.takes("not") {
            self.deeper()?;
            let (at, value) = (self.at(), self.not()?);
            self.depth -= 1;
            return Ok(Operand::Boolean(!truth(at, &value)?));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Operand, Stop> {
        let left = self.operand()?;
        let at = self.at();
        if self.takes("in") {
            return self.list_of_in(at, &left).map(Operand::Boolean);
        }
        if self.takes("not") {
            if !self.takes("in") {
                let problem = String::from("'in' is expected after 'not' here");
                return Err(Stop::Problem(self.at(), problem));
            }
            let is_in = self.list_of_in(at, &left)?;
            return Ok(Operand::Boolean(!is_in));
        }
        for symbol in ["==", "=", "!=", "<>", "<", "<=", ">", ">="] {
            if self.takes(symbol) {
                let right = self.operand()?;
                return match left.compare(symbol, &right) {
                    Some(is) => Ok(Operand::Boolean(is)),
                    None => {
                        let problem = format!("{left} and {right} have no order");
                        Err(Stop::Problem(at, problem))
                    }
                };
            }
        }
        Ok(left)
    }

    fn list_of_in(&mut self, at: usize, left: &Operand) -> Result<bool, Stop> {
        // (`in (1)` is a list of one, not the number 1.)
        let right = match self.takes("(") {
            true => Operand::List(self.items(")", None)?),
            false => self.operand()?,
        };
        match (&right, left) {
            (Operand::List(items), _) => Ok(items.contains(left)),
            (Operand::Text(text), Operand::Text(part)) => Ok(text.contains(part.as_str())),
            _ => {
                let problem = format!("'in' needs a list such as [1, 2], not {right}");
                Err(Stop::Problem(at, problem))
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, Stop> {
        let at = self.at();
        let Some(word) = self.words.get(self.next) else {
            return Err(Stop::Problem(at, String::from("a value is expected here")));
        };
        self.next += 1;
        match &word.token {
            Token::Number(value) => Ok(Operand::Number(*value)),
            Token::Text(text) => {
                let text = self.scope.text(text, &self.place.place);
                text.map(Operand::Text).map_err(Stop::Reference)
            }
            Token::Placeholder(body) => {
                let found = self.scope.reference(body, &self.place.place);
                match found.map_err(Stop::Reference)? {
                    Some(value) => Ok(Operand::of(&value)),
                    None => {
                        let problem = format!("${{{body}}} is not set");
                        Err(Stop::Problem(at, problem))
                    }
                }
            }
            Token::Symbol("[") => self.items("]", None).map(Operand::List),
            Token::Symbol("(") => {
                let first = self.or()?;
                match self.takes(")") {
                    true => Ok(first),
                    false => self.items(")", Some(first)).map(Operand::List),
                }
            }
            Token::Name(name) => match name.to_ascii_lowercase().as_str() {
                "true" => Ok(Operand::Boolean(true)),
                "false" => Ok(Operand::Boolean(false)),
                "null" | "none" => Ok(Operand::Null),
                _ => {
                    let problem = format!("{name} means nothing here; a text has quotes: '{name}'");
                    Err(Stop::Problem(at, problem))
                }
            },
            Token::Symbol(_) => {
                let problem = format!("a value is expected here, not {}", word.token);
                Err(Stop::Problem(at, problem))
            }
        }
    }

    /// Values with commas between them, after the first if there is one already.
    fn items(&mut self, end: &str, first: Option<Operand>) -> Result<Vec<Operand>, Stop> {
        self.deeper()?;
        let needs_comma = first.is_some();
        let mut items: Vec<Operand> = first.into_iter().collect();
        let mut needs_comma = needs_comma;
        while !self.takes(end) {
            if needs_comma && !self.takes(",") {
                let problem = format!("',' or '{end}' is expected here");
                return Err(Stop::Problem(self.at(), problem));
            }
            if needs_comma && self.takes(end) {
                break;
            }
            items.push(self.operand()?);
            needs_comma = true;
        }
        self.depth -= 1;
        Ok(items)
    }

    fn deeper(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        match self.depth > MOST_DEPTH {
            true => {
                let problem = format!("is nested more than {MOST_DEPTH} deep");
                Err(Stop::Problem(self.at(), problem))
            }
            false => Ok(()),
        }
    }
}

fn truth(at: usize, value: &Operand) -> Result<bool, Stop> {
    match value {
        Operand::Boolean(value) => Ok(*value),
        _ => {
            let problem = format!("{value} is neither true nor false");
            Err(Stop::Problem(at, problem))
        }
    }
}

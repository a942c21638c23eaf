//! What the line editor asks: is the statement complete, how is it coloured, what may follow.

use std::borrow::Cow;
use std::cell::RefCell;

use biotide::prelude::BiotideContext;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Result};

use super::complete::{Names, Place, place};
use super::highlight::coloured;

/// The helper of the line editor.
pub(super) struct ShellHelper {
    names: RefCell<Names>,
    files: FilenameCompleter,
}

impl ShellHelper {
    pub(super) fn new(context: BiotideContext) -> Self {
        Self {
            names: RefCell::new(Names::new(context)),
            files: FilenameCompleter::new(),
        }
    }
}

impl Helper for ShellHelper {}

impl Hinter for ShellHelper {
    type Hint = String;
}

impl Completer for ShellHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let (start, place) = place(&line[..pos]);
        if place == Place::File {
            return self.files.complete(line, pos, ctx);
        }
        let written = &line[start..pos];
        let found = self
            .names
            .borrow_mut()
            .that_start_with(written, line, place);
        let pair = |name: String| Pair {
            display: name.clone(),
            replacement: name,
        };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Highlighter for ShellHelper {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        match line.starts_with('\\') {
            true => Cow::Borrowed(line),
            false => Cow::Owned(coloured(line)),
        }
    }

    fn highlight_char(&self, _line: &str, _pos: usize, _kind: CmdKind) -> bool {
        true
    }
}

impl Validator for ShellHelper {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let input = ctx.input().trim();
        let complete =
            input.is_empty() || input.starts_with('\\') || BiotideContext::is_ended(input);
        Ok(match complete {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

//! `CREATE MAPPING name FROM source, … [STORED AS 'file']` and `DROP MAPPING name`: DataFusion's parser has no such
//! statements, so they are looked for before it.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use biotide_common::BiotideError;
use biotide_exec::catalog::{Mapping, is_stored, store};
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{Ident, TableFactor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::loader::{PlanLoader, StoredLoader, plans};
use super::source::{SYNTAX, parts, path_of};
use crate::context::BiotideContext;
use crate::error::Result;

/// A statement about a mapping.
#[derive(Debug)]
pub(crate) enum MappingStatement {
    Create {
        name: String,
        replaces: bool,
        if_not_exists: bool,
        sources: Vec<TableFactor>,
        stored: Option<PathBuf>,
    },
    Drop {
        name: String,
        if_exists: bool,
    },
}

/// The statement, if it is about a mapping.
pub(crate) fn parse(sql: &str) -> Result<Option<MappingStatement>> {
    let syntax = |error: ParserError| DataFusionError::SQL(Box::new(error), None);
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else {
        return Ok(None);
    };
    let mut tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let word = |i: usize, tokens: &[Token]| match tokens.get(i) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        _ => String::new(),
    };
    let replaces = word(1, &tokens) == "OR" && word(2, &tokens) == "REPLACE";
    let at = if replaces { 3 } else { 1 };
    let verb = word(0, &tokens);
    if !matches!(verb.as_str(), "CREATE" | "DROP") || word(at, &tokens) != "MAPPING" {
        return Ok(None);
    }
    while matches!(tokens.last(), Some(Token::SemiColon | Token::EOF)) {
        tokens.pop();
    }
    // (STORED would be taken for an alias.)
    let mut stored = None;
    if let [
        ..,
        Token::Word(a),
        Token::Word(b),
        Token::SingleQuotedString(file),
    ] = tokens.as_slice()
        && a.value.eq_ignore_ascii_case("STORED")
        && b.value.eq_ignore_ascii_case("AS")
    {
        stored = Some(PathBuf::from(file));
        tokens.truncate(tokens.len() - 3);
    }
    let tokens = tokens.split_off(at + 1);
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).with_tokens(tokens);
    let statement = match verb.as_str() {
        "DROP" => MappingStatement::Drop {
            if_exists: parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]),
            name: named(&parser.parse_identifier().map_err(syntax)?)?,
        },
        _ => {
            let if_not_exists =
                parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
            let name = named(&parser.parse_identifier().map_err(syntax)?)?;
            parser.expect_keyword(Keyword::FROM).map_err(syntax)?;
            let sources = parser
                .parse_comma_separated(Parser::parse_table_factor)
                .map_err(syntax)?;
            MappingStatement::Create {
                name,
                replaces,
                if_not_exists,
                sources,
                stored,
            }
        }
    };
    match parser.peek_token().token {
        Token::EOF => Ok(Some(statement)),
        other => Err(BiotideError::Option {
            key: format!("{verb} MAPPING"),
            value: other.to_string(),
            problem: format!("is not expected here: CREATE MAPPING name FROM source, … [STORED AS 'file'], where {SYNTAX}"),
        }
        .into()),
    }
}

fn named(name: &Ident) -> Result<String, BiotideError> {
    match name.value.contains(['.', '/', '\\', '*']) || name.value.is_empty() {
        true => Err(BiotideError::Option {
            key: "mapping".to_owned(),
            value: name.value.clone(),
            problem: "is no name for a mapping: it would look like a file".to_owned(),
        }),
        false => Ok(name.value.clone()),
    }
}

/// The mapping of these sources.
async fn made(
    context: &BiotideContext,
    state: &SessionState,
    name: &str,
    sources: &[TableFactor],
) -> Result<Mapping> {
    if let Some(path) = stored_index(sources) {
        let loader = StoredLoader {
            path,
            made_from: Vec::new(),
        };
        return Ok(loader.mapping(name).await?);
    }
    let mut all = Vec::new();
    for source in sources {
        all.extend(plans(context, state, parts(source)?).await?);
    }
    let loader = PlanLoader::new(state.clone(), all, context.identifiers()?)?;
    Ok(loader.mapping(name))
}

/// The file of a source that is a stored index.
fn stored_index(sources: &[TableFactor]) -> Option<PathBuf> {
    let [
        TableFactor::Table {
            name, args: None, ..
        },
    ] = sources
    else {
        return None;
    };
    let path = path_of(name);
    let path = Path::new(&path);
    (path.is_file() && is_stored(path)).then(|| path.to_owned())
}

/// Stores a mapping, and answers the one that reads it.
async fn keep(mapping: Mapping, path: PathBuf) -> Result<Mapping> {
    if let Some(index) = mapping.loaded() {
        store(Arc::clone(index), mapping.iris().clone(), path.clone()).await?;
    }
    let loader: &dyn Any = &**mapping.loader();
    let made_from = loader.downcast_ref().map(|own: &PlanLoader| own.plans());
    let loader = StoredLoader {
        path,
        made_from: made_from.map(<[_]>::to_vec).unwrap_or_default(),
    };
    Ok(loader.mapping(mapping.name()).await?)
}

/// Runs a statement. Answers the name of the mapping, if there is one now.
pub(crate) async fn run(
    context: &BiotideContext,
    state: &SessionState,
    statement: MappingStatement,
) -> Result<Option<String>> {
    let mappings = context.mappings();
    match statement {
        MappingStatement::Drop { name, if_exists } => match mappings.remove(&name) || if_exists {
            true => Ok(None),
            false => Err(super::named::missing(context, &name).into()),
        },
        MappingStatement::Create {
            name,
            replaces,
            if_not_exists,
            sources,
            stored,
        } => {
            if let Some(known) = mappings.get(&name).filter(|_| !replaces) {
                return match if_not_exists {
                    true => Ok(Some(known.name().to_owned())),
                    false => Err(BiotideError::Option {
                        key: "CREATE MAPPING".to_owned(),
                        value: name,
                        problem: "is there already: CREATE OR REPLACE MAPPING makes it anew, DROP MAPPING removes it"
                            .to_owned(),
                    }
                    .into()),
                };
            }
            let mut mapping = made(context, state, &name, &sources).await?;
            let task = state.task_ctx();
            let rejected = mapping.index(&task).await?.counts().rejected;
            if rejected > 0 {
                log::warn!(
                    "{rejected} rows of {name} are no statements; see system.rejects, or --rejects FILE"
                );
            }
            if let Some(path) = stored {
                mapping = keep(mapping, path).await?;
                mapping.index(&task).await?;
            }
            mappings.insert(Arc::new(mapping));
            Ok(Some(name))
        }
    }
}

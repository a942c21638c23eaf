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
use super::source::{SYNTAX, is_path, parts, path_of};
use super::tables::Tables;
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
    let refused = |value: String, problem: String| {
        Err(BiotideError::Option {
            key: format!("{verb} MAPPING"),
            value,
            problem,
        }
        .into())
    };
    let next = parser.peek_token().token;
    match statement {
        MappingStatement::Create {
            replaces: true,
            if_not_exists: true,
            name,
            ..
        } => refused(
            name,
            "is to be replaced, and left as it is: take OR REPLACE or IF NOT EXISTS".to_owned(),
        ),
        statement if matches!(next, Token::EOF) => Ok(Some(statement)),
        MappingStatement::Drop { .. } => refused(
            next.to_string(),
            "is not expected here: DROP MAPPING [IF EXISTS] name".to_owned(),
        ),
        MappingStatement::Create { .. } => refused(
            next.to_string(),
            format!(
                "is not expected here: CREATE [OR REPLACE] MAPPING [IF NOT EXISTS] name FROM source, … [STORED AS 'file'], where {SYNTAX}"
            ),
        ),
    }
}

fn named(name: &Ident) -> Result<String, BiotideError> {
    match is_path(&name.value) || name.value.is_empty() {
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
    let known = context.mappings().all();
    let known = known.iter().map(|mapping| mapping.name().to_owned());
    let tables = Tables {
        state,
        mappings: known.collect(),
    };
    for source in sources {
        let parts = parts(source, &tables).await?;
        all.extend(plans(context, state, parts).await?);
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

/// Whether a mapping can be stored in a file: said before it is made, which can take long.
fn can_be_stored(path: &Path) -> Result<(), BiotideError> {
    let name = path.display().to_string();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if path.as_os_str().is_empty() {
        let problem = "STORED AS takes the path of a file";
        return Err(BiotideError::file("''", problem));
    }
    if path.is_dir() {
        let problem = "it is a folder; STORED AS takes the path of a file";
        return Err(BiotideError::file(name, problem));
    }
    if !folder.is_dir() {
        let problem = format!("there is no folder {}", folder.display());
        return Err(BiotideError::file(name, problem));
    }
    // (It could be what the mapping is made from.)
    let is_other = path.metadata().is_ok_and(|file| file.len() > 0) && !is_stored(path);
    match is_other {
        true => Err(BiotideError::file(
            name,
            "there is a file that is no stored mapping, which STORED AS does not replace",
        )),
        false => Ok(()),
    }
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
            if let Some(path) = &stored {
                can_be_stored(path)?;
            }
            let mut mapping = made(context, state, &name, &sources).await?;
            let task = state.task_ctx();
            let rejected = mapping.index(&task).await?.counts().rejected;
            if rejected > 0 {
                let rows = match rejected {
                    1 => "1 row of",
                    _ => &format!("{rejected} rows of"),
                };
                log::warn!(
                    "{rows} {name} made no statements; see system.rejects, or --rejects FILE"
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

//! `id_kind`: what an identifier may be.

use arrow::array::ArrayRef;
use datafusion_common::Result;
use hashbrown::HashMap;

use super::candidates::Asked;
use super::parser::Type;
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Lists, list_type};

pub(super) const SPEC: Spec = Spec {
    name: "id_kind",
    arguments: &[
        text(
            "value",
            "An identifier, without anything that says what it is.",
        ),
        text(
            "context",
            "What is known of it, such as the name of its column: what it names is taken for stated.",
        ),
    ],
    required: 1,
    subject: 0,
    returns: || list_type(&COLUMNS),
    doc: "What an identifier may be: guesses, the best first, each with its namespace, the identifier in its \
          canonical form and a confidence. That is how sure the parser is, weighed by how much the text alone \
          says; what the context names is not weighed. Patterns of the registry are not asked, as they say \
          little: `P12345` matches 210 of them.",
    example: (
        "id_kind('7157', 'entrez_gene_id')[1]['namespace']",
        "ncbigene",
    ),
    compute,
};

const COLUMNS: [Column; 5] = [
    ("namespace", Holds::Text),
    ("id", Holds::Text),
    ("confidence", Holds::Real),
    ("verdict", Holds::Text),
    ("note", Holds::Text),
];

/// The type that a context names: all of its words, or the most of them that name one.
fn named(asked: &Asked<'_>, context: &str) -> Result<Option<Type>> {
    // (Names of columns are short.)
    const WORDS: usize = 12;
    const MOST: usize = 4;
    let words: Vec<&str> = context
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .collect();
    // (Words of any column of identifiers name none.)
    const GENERAL: [&str; 8] = [
        "id",
        "ids",
        "identifier",
        "accession",
        "number",
        "code",
        "name",
        "key",
    ];
    let is_general = |word: &&str| {
        GENERAL
            .iter()
            .any(|general| word.eq_ignore_ascii_case(general))
    };
    let telling = words.iter().filter(|word| !is_general(word)).count();
    for length in (1..=words.len().min(MOST)).rev() {
        for window in words.windows(length) {
            let own = window.iter().filter(|word| !is_general(word)).count();
            // (A short word of several may be an English one: `mapped to`.)
            let is_short = window.iter().map(|word| word.len()).sum::<usize>() < 4;
            if own > 0
                && (!is_short || own == telling)
                && let Some(kind) = asked.find(&window.join(" "))?
            {
                return Ok(Some(kind));
            }
        }
    }
    Ok(None)
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, contexts) = (call.text(0)?, call.optional_text(1)?);
    let asked = Asked::new(call)?;
    let mut lists = Lists::new(&COLUMNS);
    let mut known: HashMap<&str, Option<Type>> = HashMap::new();
    for (row, value) in values.iter().enumerate() {
        let Some(value) = value else {
            lists.push_null();
            continue;
        };
        let context = contexts.and_then(|contexts| contexts.get(row));
        if let Some(context) = context
            && !known.contains_key(context)
        {
            known.insert(context, named(&asked, context)?);
        }
        let stated = context.and_then(|context| known.get(context)?.as_ref());
        let mut guesses = asked.candidates(value, None, 0.0)?;
        if let Some(kind) = stated {
            let sure = asked.candidates(value, Some(kind), 0.0)?;
            guesses.retain(|guess| sure.iter().all(|sure| sure.parser != guess.parser));
            guesses.splice(0..0, sure);
            guesses.sort_by(|a, b| b.parsed.confidence.total_cmp(&a.parsed.confidence));
        }
        // (A CURIE may be of a namespace that has a parser of its own.)
        let mut seen: Vec<String> = Vec::new();
        guesses.retain(|guess| {
            let is_new = !seen.contains(&guess.kind);
            seen.push(guess.kind.clone());
            is_new
        });
        lists.push(guesses.into_iter().map(|guess| {
            let parsed = guess.parsed;
            [
                guess.kind.into(),
                parsed.value.into(),
                parsed.confidence.into(),
                parsed.verdict.name().into(),
                parsed.note.map(|note| note.into_owned()).into(),
            ]
        }));
    }
    lists.finish()
}

//! `id_resolve`: retired identifiers brought forward.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::{Result, exec_err};

use super::tables::{Form, Genes, Secondary};
use super::verdict::Verdict;
use super::written::{is_nothing, trim};
use crate::function::{Call, Spec, text};
use crate::record::{Column, Holds, Records, Value, struct_type};

pub(super) const SPEC: Spec = Spec {
    name: "id_resolve",
    arguments: &[
        text(
            "id",
            "An identifier, with its prefix or without; the answer has it as the question.",
        ),
        text(
            "namespace",
            "hgnc, chebi or ncbigene (human), in any spelling, whose tables are built in; or one of those that \
             `identifiers.secondary` names.",
        ),
    ],
    required: 2,
    subject: 0,
    returns: || struct_type(&COLUMNS),
    doc: "What has become of an identifier: `ok` if it is current, `retired` with the one in its place, `ambiguous` \
          if there are several (it was split, or it is retired in one table and current in another), `withdrawn` if \
          there is none. Successors are followed as far as there are any. Of HGNC, what is neither approved nor \
          retired is `unmapped`; of the others, what is not retired is taken to be current. \
          (sec2pri follows one step: 32 identifiers of HGNC and 4,420 of NCBI Gene lead to retired ones.)",
    example: ("id_resolve('HGNC:1', 'hgnc')['verdict']", "withdrawn"),
    compute,
};

const COLUMNS: [Column; 6] = [
    ("id", Holds::Text),
    ("verdict", Holds::Text),
    ("candidates", Holds::Texts),
    ("hops", Holds::Number),
    ("note", Holds::Text),
    ("release", Holds::Text),
];

/// A namespace as it was written and is, its retired identifiers, and its approved ones if they are known.
type Tables<'a> = (&'a str, String, Option<Arc<Secondary>>, Option<Arc<Genes>>);

struct Resolved {
    id: Option<String>,
    verdict: Verdict,
    candidates: Vec<String>,
    hops: Option<i64>,
    note: Option<&'static str>,
}

impl Resolved {
    fn plain(id: Option<String>, verdict: Verdict, note: Option<&'static str>) -> Self {
        Self {
            id,
            verdict,
            candidates: Vec::new(),
            hops: None,
            note,
        }
    }
}

fn resolve(
    written: &str,
    table: &Secondary,
    genes: Option<&Genes>,
    is_own: impl Fn(&str) -> bool,
    is_local: impl Fn(&str) -> bool,
) -> Resolved {
    let text = trim(written);
    if is_nothing(text) {
        return Resolved::plain(None, Verdict::Null, None);
    }
    let with_prefix = || {
        let at = text.rfind([':', '_'])?;
        let (prefixes, local) = (&text[..at], &text[at + 1..]);
        // (`CHEBI:CHEBI:15377` has its prefix twice.)
        let last = prefixes.rfind([':', '_']).map_or(0, |before| before + 1);
        let all_own = is_own(prefixes) || prefixes.split([':', '_']).all(&is_own);
        let prefix = if is_own(prefixes) {
            &text[..=at]
        } else {
            &text[last..=at]
        };
        all_own.then(|| Some((prefix, table.form.code(local)?)))?
    };
    let bare = table.form.code(text).filter(|_| is_local(text));
    let bare = bare.map(|code| ("", code));
    let Some((prefix, code)) = bare.or_else(with_prefix) else {
        return Resolved::plain(
            None,
            Verdict::Invalid,
            Some("not an identifier of the namespace, with its prefix or without"),
        );
    };
    let shown = |code: u128| format!("{prefix}{}", table.form.show(code));
    let approved = genes.map(|genes| genes.is_approved(&format!("HGNC:{code}")));
    let Some(fate) = table.follow(code) else {
        return match approved {
            Some(false) => Resolved::plain(
                None,
                Verdict::Unmapped,
                Some("neither approved nor retired"),
            ),
            _ if shown(code) == written => Resolved::plain(Some(shown(code)), Verdict::Ok, None),
            _ => Resolved::plain(
                Some(shown(code)),
                Verdict::Repaired,
                Some("blanks or zeros removed, or the form of today"),
            ),
        };
    };
    let mut current = fate.current;
    if approved == Some(true) {
        current.insert(0, code);
    }
    let candidates: Vec<String> = current.iter().map(|&code| shown(code)).collect();
    let (id, verdict, note) = match candidates.as_slice() {
        [] if fate.circle => (
            None,
            Verdict::Ambiguous,
            "replaced by one another in a circle",
        ),
        [] => (None, Verdict::Withdrawn, "withdrawn without a successor"),
        [one] => (Some(one.clone()), Verdict::Retired, "replaced"),
        _ if approved == Some(true) => (None, Verdict::Ambiguous, "retired, and current"),
        _ => (None, Verdict::Ambiguous, "split into several"),
    };
    Resolved {
        id,
        verdict,
        candidates,
        hops: i64::try_from(fate.hops).ok(),
        note: Some(note),
    }
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let (registry, tables) = (call.registry()?, call.secondary()?);
    let (ids, namespaces) = (call.text(0)?, call.text(1)?);
    let mut records = Records::new(&COLUMNS);
    let mut last: Option<Tables<'_>> = None;
    for (id, name) in ids.iter().zip(namespaces.iter()) {
        let Some((id, name)) = id.zip(name) else {
            let verdict = Verdict::Null.name().into();
            records.push([
                Value::Null,
                verdict,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
            ]);
            continue;
        };
        if last.as_ref().is_none_or(|(same, ..)| *same != name) {
            let prefix = registry
                .find(trim(name))
                .map_or(name, |prefix| prefix.prefix.as_str());
            let table = tables.get(prefix).cloned();
            if table.is_none() && call.is_constant(1) {
                let known: Vec<&str> = tables.keys().map(String::as_str).collect();
                return exec_err!(
                    "there is no table of retired identifiers of \"{name}\": there are {}; \
                     SET biotide.identifiers.secondary = '{name}=path' reads another",
                    known.join(", ")
                );
            }
            let genes = (prefix == "hgnc").then(|| call.genes()).transpose()?;
            last = Some((name, prefix.to_owned(), table, genes));
        }
        let Some((_, namespace, Some(table), genes)) = &last else {
            let note = "no table of its namespace".into();
            let verdict = Verdict::Invalid.name().into();
            records.push([
                Value::Null,
                verdict,
                Value::Null,
                Value::Null,
                note,
                Value::Null,
            ]);
            continue;
        };
        let is_own = |prefix: &str| {
            let found = registry.find(trim(prefix));
            found.is_some_and(|found| found.prefix == *namespace)
        };
        let is_local = |id: &str| {
            let prefix = registry.find(namespace);
            table.form != Form::Text || prefix.is_none_or(|prefix| prefix.accepts(id, false))
        };
        let resolved = resolve(id, table, genes.as_deref(), is_own, is_local);
        records.push([
            resolved.id.into(),
            resolved.verdict.name().into(),
            Value::Texts(resolved.candidates),
            resolved.hops.into(),
            resolved.note.into(),
            table.release.as_str().into(),
        ]);
    }
    Ok(Arc::new(records.finish()?))
}

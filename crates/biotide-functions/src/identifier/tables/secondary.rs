//! Identifiers that were replaced or withdrawn.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use datafusion_common::{DataFusionError, Result};
use hashbrown::HashSet;

use super::code::Form;
use super::file::Table;
use super::unpack;

/// The retired identifiers of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Secondary {
    pub(in crate::identifier) release: String,
    pub(in crate::identifier) form: Form,
    /// The retired ones, in order.
    retired: Vec<u128>,
    /// Where the successors of each end.
    ends: Vec<u32>,
    /// What has taken their place: nothing, of those that were withdrawn.
    successors: Vec<u128>,
}

/// Tables by the prefix of their namespace.
pub(crate) type Tables = BTreeMap<String, Arc<Secondary>>;

static EMBEDDED: LazyLock<std::result::Result<Arc<Tables>, String>> = LazyLock::new(|| {
    let text = unpack(include_bytes!("../../../data/secondary.tsv.gz"))?;
    read_embedded(&text)
        .map(Arc::new)
        .ok_or_else(|| "a line of it cannot be read".to_owned())
});

/// The tables that are built in.
pub(in crate::identifier) fn embedded() -> Result<Arc<Tables>> {
    EMBEDDED.clone().map_err(|problem| {
        DataFusionError::Internal(format!("the embedded secondary identifiers: {problem}"))
    })
}

/// A head `#namespace, release`, then the difference to the identifier before, and the successors.
fn read_embedded(text: &str) -> Option<Tables> {
    let mut tables: Vec<(&str, Secondary)> = Vec::new();
    let mut number = 0u128;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix('#') {
            let (namespace, release) = head.split_once('\t')?;
            let release = release.to_owned();
            tables.push((
                namespace,
                Secondary {
                    release,
                    ..Secondary::default()
                },
            ));
            number = 0;
            continue;
        }
        let (difference, successors) = line.split_once('\t').unwrap_or((line, ""));
        number += difference.parse::<u128>().ok()?;
        let table = &mut tables.last_mut()?.1;
        table.retired.push(number);
        for one in successors.split(',').filter(|one| !one.is_empty()) {
            table.successors.push(one.parse().ok()?);
        }
        table.ends.push(table.successors.len() as u32);
    }
    let named = |(name, table): (&str, Secondary)| (name.to_owned(), Arc::new(table));
    Some(tables.into_iter().map(named).collect())
}

/// Where an identifier has come to.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::identifier) struct Fate {
    /// What is current in its place, in order: nothing if it was withdrawn.
    pub(in crate::identifier) current: Vec<u128>,
    /// The longest way there.
    pub(in crate::identifier) hops: usize,
    /// Whether that leads nowhere but back.
    pub(in crate::identifier) circle: bool,
}

/// What a table of secondary identifiers calls its columns.
const SECONDARY: [&str; 4] = ["secondaryID", "secondary_id", "secondary", "subject_id"];
const PRIMARY: [&str; 4] = ["primaryID", "primary_id", "primary", "object_id"];

/// Pairs of a retired identifier and what took its place, with their lines: of sec2pri's tables (columns
/// secondaryID and primaryID), or of UniProt's `sec_ac.txt`.
fn pairs(text: &str) -> std::result::Result<Vec<(usize, &str, &str)>, String> {
    let mut pairs = Vec::new();
    let table = Table::new(text)?;
    if let (Some(secondary), Some(primary)) = (table.column(&SECONDARY), table.column(&PRIMARY)) {
        for row in table.rows() {
            let row = row?;
            pairs.push((row.line, row.get(Some(secondary)), row.get(Some(primary))));
        }
        return Ok(pairs);
    }
    let mut lines = (1..).zip(text.lines());
    let is_head = |&(_, line): &(usize, &str)| line.starts_with("Secondary AC");
    if lines.find(is_head).is_none() {
        return Err(
            "line 1: it has no columns secondaryID and primaryID: identifiers.secondary takes sec2pri's tables, \
             UniProt's sec_ac.txt, or a table with these columns"
                .to_owned(),
        );
    }
    for (number, line) in
        lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('_'))
    {
        let mut words = line.split_ascii_whitespace();
        let (Some(secondary), Some(primary), None) = (words.next(), words.next(), words.next())
        else {
            return Err(format!(
                "line {number}: not a secondary accession and a primary one"
            ));
        };
        pairs.push((number, secondary, primary));
    }
    Ok(pairs)
}

/// The prefix of the identifiers of a table that does not say of which namespace it is.
pub(super) fn prefix_of(text: &str) -> Option<String> {
    let pairs = pairs(text).ok()?;
    let (_, first, _) = pairs.first()?;
    match first.rsplit_once(':') {
        Some((prefix, _)) => Some(prefix.to_owned()),
        None if Form::Hmdb.code(first).is_some() => Some("hmdb".to_owned()),
        None if text.contains("UniProt") => Some("uniprot".to_owned()),
        None => None,
    }
}

impl Secondary {
    /// The table of a namespace. An error is what is wrong, with the line.
    pub(super) fn read(
        namespace: &str,
        text: &str,
        release: String,
    ) -> std::result::Result<Self, String> {
        let form = Form::of(namespace);
        let local = |id: &str| {
            id.rsplit_once(':')
                .map_or(id, |(_, local)| local)
                .to_owned()
        };
        let mut found: Vec<(u128, Option<u128>)> = Vec::new();
        for (line, secondary, primary) in pairs(text)? {
            let code = |id: &str| {
                let problem = || format!("line {line}: \"{id}\" is no identifier of {namespace}");
                form.code(&local(id)).ok_or_else(problem)
            };
            let retired = code(secondary)?;
            let is_gone = primary.is_empty()
                || primary.contains("Withdrawn")
                || primary == "sssom:NoTermFound";
            let successor = match is_gone {
                true => None,
                false => Some(code(primary)?),
            };
            // (HMDB0000001 for HMDB00001 is the same one.)
            if successor != Some(retired) {
                found.push((retired, successor));
            }
        }
        found.sort_unstable();
        found.dedup();
        let mut table = Self {
            release,
            form,
            ..Self::default()
        };
        for (retired, successor) in found {
            if table.retired.last() != Some(&retired) {
                table.retired.push(retired);
                table.ends.push(table.successors.len() as u32);
            }
            table.successors.extend(successor);
            if let Some(end) = table.ends.last_mut() {
                *end = table.successors.len() as u32;
            }
        }
        match table.retired.is_empty() {
            true => Err("it has no retired identifiers".to_owned()),
            false => Ok(table),
        }
    }

    /// Bytes of memory.
    pub(super) fn size(&self) -> usize {
        (self.retired.capacity() + self.successors.capacity()) * size_of::<u128>()
            + self.ends.capacity() * size_of::<u32>()
    }

    fn successors(&self, id: u128) -> Option<&[u128]> {
        let place = self.retired.binary_search(&id).ok()?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.successors[start as usize..self.ends[place] as usize])
    }

    /// Follows an identifier to what is current; `None` if it is not retired. A circle ends where it started.
    pub(in crate::identifier) fn follow(&self, id: u128) -> Option<Fate> {
        let first = self.successors(id)?;
        let mut seen: HashSet<u128> = HashSet::from([id]);
        let mut current = Vec::new();
        let mut hops = 0;
        let mut withdrawn = first.is_empty();
        let mut frontier: Vec<u128> = first.to_vec();
        frontier.retain(|&id| seen.insert(id));
        while !frontier.is_empty() {
            hops += 1;
            let mut next = Vec::new();
            for id in frontier {
                match self.successors(id) {
                    None => current.push(id),
                    Some(successors) => {
                        withdrawn |= successors.is_empty();
                        next.extend(successors);
                    }
                }
            }
            next.retain(|&id| seen.insert(id));
            frontier = next;
        }
        current.sort_unstable();
        let circle = current.is_empty() && !withdrawn;
        Some(Fate {
            current,
            hops,
            circle,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retired_identifiers_are_followed_to_the_end() {
        let text = "#a\t1\n1\t2\n1\t3,4\n3\t6\n1\t5\n1\n";
        let tables = read_embedded(text).unwrap();
        let fate = |number| tables["a"].follow(number);
        let at = |current: &[u128], hops| {
            let current = current.to_vec();
            let circle = false;
            Some(Fate {
                current,
                hops,
                circle,
            })
        };
        assert_eq!(fate(1), at(&[3, 4], 2));
        assert_eq!(fate(3), None);
        // 5 and 6 are each other's.
        assert!(fate(5).is_some_and(|fate| fate.circle && fate.current.is_empty()));
        assert_eq!(fate(7), at(&[], 0));
    }

    #[test]
    fn the_tables_are_those_that_were_counted() {
        let tables = embedded().unwrap();
        assert_eq!(tables["ncbigene"].retired.len(), 166_208);
        assert_eq!(tables["chebi"].retired.len(), 16_738);
        let ncbi = &tables["ncbigene"];
        let withdrawn = ncbi
            .retired
            .iter()
            .filter(|&&id| ncbi.successors(id) == Some(&[]));
        assert_eq!(withdrawn.count(), 138_166);
        assert!(!tables.contains_key("hmdb"));
        let size: usize = tables.values().map(|table| table.size()).sum();
        assert!(size < 8 << 20, "{size}");
    }

    #[test]
    fn tables_of_files_are_read() {
        let hmdb = "primaryID\tsecondaryID\nHMDB0000001\tHMDB00001\nHMDB0000001\tHMDB04935\n";
        let table = Secondary::read("hmdb", hmdb, String::new()).unwrap();
        assert_eq!(prefix_of(hmdb).as_deref(), Some("hmdb"));
        assert_eq!(table.follow(1), None);
        assert_eq!(table.follow(4935).map(|fate| fate.current), Some(vec![1]));
        let uniprot = "UniProt - secondary\n\nSecondary AC  Primary AC\n____  ____\nP29358        P68250\n\
                       P29358        P68251\n";
        assert_eq!(prefix_of(uniprot).as_deref(), Some("uniprot"));
        let table = Secondary::read("uniprot", uniprot, String::new()).unwrap();
        let form = Form::of("uniprot");
        let fate = table.follow(form.code("P29358").unwrap()).unwrap();
        let shown: Vec<String> = fate.current.iter().map(|&id| form.show(id)).collect();
        assert_eq!(shown, ["P68250", "P68251"]);
        for (text, problem) in [
            ("a\tb\n1\t2\n", "line 1: it has no columns"),
            (
                "primaryID\tsecondaryID\nCHEBI:1\n",
                "line 2: it has 1 fields",
            ),
            (
                "primaryID\tsecondaryID\nCHEBI:1\tCHEBI:x\n",
                "line 2: \"CHEBI:x\" is no",
            ),
            ("primaryID\tsecondaryID\n", "it has no retired"),
            ("", "line 1: there is no header"),
        ] {
            let error = Secondary::read("chebi", text, String::new()).unwrap_err();
            assert!(error.starts_with(problem), "{error}");
        }
    }
}

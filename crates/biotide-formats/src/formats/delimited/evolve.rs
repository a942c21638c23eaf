//! One list of columns for files whose headers differ: columns are the same by name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The columns of files, those of the first before what others have more.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    exact: HashMap<String, usize>,
    /// By the name in small letters; `None` where several columns share it.
    folded: HashMap<String, Option<usize>>,
    /// For each file, which columns its own are.
    places: Vec<Vec<usize>>,
}

impl Columns {
    /// All names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// For each file, which columns its own are.
    pub(super) fn places(&self) -> &[Vec<usize>] {
        &self.places
    }

    /// Adds the columns of a file, which have names of their own; answers how many are new. A name is
    /// known as it is written, or in other letters where that is unique on both sides.
    pub(super) fn add(&mut self, names: &[String]) -> usize {
        let before = self.names.len();
        let mut own: HashMap<String, usize> = HashMap::new();
        for name in names {
            *own.entry(name.to_lowercase()).or_default() += 1;
        }
        let place = |name: &String| {
            if let Some(&column) = self.exact.get(name) {
                return Some(column);
            }
            let folded = name.to_lowercase();
            let column = self.folded.get(&folded).copied().flatten()?;
            (own[&folded] == 1).then_some(column)
        };
        let known: Vec<Option<usize>> = names.iter().map(place).collect();
        let places = names.iter().zip(known);
        let places = places.map(|(name, known)| known.unwrap_or_else(|| self.push(name)));
        let places = places.collect();
        self.places.push(places);
        self.names.len() - before
    }

    fn push(&mut self, name: &str) -> usize {
        let column = self.names.len();
        self.names.push(name.to_owned());
        self.exact.insert(name.to_owned(), column);
        match self.folded.entry(name.to_lowercase()) {
            Entry::Vacant(new) => drop(new.insert(Some(column))),
            Entry::Occupied(mut known) => drop(known.insert(None)),
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_name() {
        let mut columns = Columns::default();
        let names = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
        assert_eq!(columns.add(&names("id,Gene,npx")), 3);
        assert_eq!(columns.add(&names("NPX,id,batch")), 1);
        // Two columns that differ in their letters only stay two.
        assert_eq!(columns.add(&names("gene,GENE")), 2);
        assert_eq!(columns.add(&names("gENE,GENE")), 1);
        assert_eq!(columns.names(), names("id,Gene,npx,batch,gene,GENE,gENE"));
        assert_eq!(
            columns.places(),
            [vec![0, 1, 2], vec![2, 0, 3], vec![4, 5], vec![6, 5]]
        );
    }
}

//! IRIs where CURIEs should be: they become CURIEs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use biotide_common::sssom;

use super::columns::lists;
use crate::formats::reader::Make;

/// What prefixes stand for, in order, with the prefixes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Iris(Vec<(String, String)>);

impl Iris {
    /// Of the prefixes that a set declares, and those that are built in.
    pub(super) fn of(declared: &BTreeMap<String, String>) -> Self {
        let built_in = sssom::BUILT_IN.iter().map(|&(prefix, iri)| (iri, prefix));
        let built_in = built_in.filter(|(_, prefix)| !declared.contains_key(*prefix));
        let own = declared
            .iter()
            .map(|(prefix, iri)| (iri.as_str(), prefix.as_str()));
        let all = own.chain(built_in).filter(|(iri, _)| iri.contains("://"));
        let mut all: Vec<_> = all
            .map(|(iri, prefix)| (iri.to_owned(), prefix.to_owned()))
            .collect();
        all.sort();
        // (Of two prefixes for the same IRIs the first is taken.)
        all.dedup_by(|next, first| next.0 == first.0);
        Self(all)
    }

    /// The IRIs that prefixes stand for.
    pub(super) fn starts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(iri, _)| iri.as_str())
    }

    /// The CURIE of an IRI, by the prefix that stands for most of it; any other text as it is.
    fn contract<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.contains("://") {
            return Cow::Borrowed(text);
        }
        let text = sssom::without_brackets(text);
        let fits = |(iri, prefix): &(String, String)| {
            let local = text.strip_prefix(iri.as_str());
            let local = local.filter(|local| !local.is_empty())?;
            Some(format!("{prefix}:{local}"))
        };
        // (Of those that fit the longest is the last.)
        match self.0.iter().rev().find_map(fits) {
            Some(curie) => Cow::Owned(curie),
            None => Cow::Borrowed(text),
        }
    }
}

/// Makes IRIs CURIEs, of columns with one value and with several.
#[derive(Debug)]
pub(super) struct Contracted {
    pub(super) iris: Arc<Iris>,
    pub(super) several: bool,
    /// Words that stand for a CURIE.
    pub(super) words: &'static [(&'static str, &'static str)],
}

impl Contracted {
    fn curie<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.words.iter().find(|(word, _)| *word == text) {
            Some((_, curie)) => Cow::Borrowed(curie),
            None => self.iris.contract(text),
        }
    }
}

impl Make for Contracted {
    fn make(&self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let texts = cast(column, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let is_word = |text: &str| !text.is_empty() && !text.contains(':');
        let words = !self.words.is_empty() && texts.iter().flatten().any(is_word);
        let none = !words && memchr::memmem::find(texts.values(), b"://").is_none();
        match (none, self.several) {
            (true, false) => Ok(Arc::clone(column)),
            (true, true) => lists(column),
            (false, false) => {
                let curies = texts.iter().map(|text| text.map(|text| self.curie(text)));
                cast(&StringArray::from_iter(curies), column.data_type())
            }
            (false, true) => {
                let mut curies = ListBuilder::new(StringBuilder::new());
                for text in texts {
                    for item in text.into_iter().flat_map(sssom::split) {
                        curies.values().append_value(self.iris.contract(&item));
                    }
                    curies.append(text.is_some());
                }
                Ok(Arc::new(curies.finish()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iris() -> Iris {
        let map = [
            ("obo", "http://o/"),
            ("HP", "http://o/HP_"),
            ("UB", "http://o/UB_"),
            ("urn", "urn:x:"),
        ];
        let map = map.map(|(prefix, iri)| (prefix.to_owned(), iri.to_owned()));
        Iris::of(&BTreeMap::from(map))
    }

    #[test]
    fn the_prefix_that_stands_for_most_is_taken() {
        for (text, curie) in [
            ("http://o/HP_1", "HP:1"),
            ("http://o/HP_", "obo:HP_"),
            ("http://o/ZZ_1", "obo:ZZ_1"),
            ("http://o/", "http://o/"),
            ("http://p/1", "http://p/1"),
            ("HP:1", "HP:1"),
            ("urn:x:1", "urn:x:1"),
            (
                "http://www.w3.org/2004/02/skos/core#exactMatch",
                "skos:exactMatch",
            ),
        ] {
            assert_eq!(iris().contract(text), curie);
        }
    }

    #[test]
    fn columns_keep_their_type() {
        let maker = |several| Contracted {
            iris: Arc::new(iris()),
            several,
            words: &[],
        };
        for kind in [DataType::Utf8, DataType::Utf8View] {
            let texts = StringArray::from(vec![Some("http://o/HP_1"), None, Some("HP:2")]);
            let texts = cast(&texts, &kind).unwrap();
            let made = maker(false).make(&texts).unwrap();
            assert_eq!(*made.data_type(), kind);
            let made = cast(&made, &DataType::Utf8).unwrap();
            let made: Vec<_> = made.as_string::<i32>().iter().collect();
            assert_eq!(made, [Some("HP:1"), None, Some("HP:2")]);
        }
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("http://o/UB_1|HP:2"), None]));
        let made = maker(true).make(&texts).unwrap();
        let made = made.as_list::<i32>();
        let first = made.value(0);
        let first: Vec<_> = first.as_string::<i32>().iter().flatten().collect();
        assert_eq!((first, made.is_null(1)), (vec!["UB:1", "HP:2"], true));
    }
}

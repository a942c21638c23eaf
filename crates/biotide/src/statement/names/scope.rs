//! What a name can mean where it stands.

use std::collections::HashSet;

use datafusion::common::TableReference;

/// Names of columns; `None` where they are not known before planning.
pub(super) type Columns = Option<Vec<String>>;

/// One item of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// What its columns can be qualified with.
    pub(super) qualifier: Option<TableReference>,
    pub(super) columns: Columns,
}

/// A name that a query gives to its rows.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) name: String,
    /// Whether it stands for an aggregate, which GROUP BY cannot mean.
    pub(super) aggregate: bool,
}

/// Where the names a query gives can be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Visible {
    /// Not at all: in WHERE, and in the projection itself.
    #[default]
    Never,
    /// Before the columns of tables: in ORDER BY.
    First,
    /// After the columns of tables: in HAVING and QUALIFY.
    Last,
    /// As `Last`, without aggregates: in GROUP BY.
    Groups,
}

/// What the names of one query can mean.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
    /// What the query's own aliases are; `None` where that is not known.
    pub(super) outputs: Option<Vec<Output>>,
    pub(super) visible: Visible,
    /// The left spellings of columns that were joined to differently spelled ones: either will do.
    pub(super) merged: HashSet<String>,
}

/// The spellings of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    None,
    One(String),
    Many,
}

impl Match {
    pub(super) fn of<'c>(columns: impl Iterator<Item = &'c str>, name: &str) -> Self {
        let name = name.to_lowercase();
        let mut found: Option<&str> = None;
        for column in columns.filter(|column| column.to_lowercase() == name) {
            match found {
                Some(other) if other != column => return Self::Many,
                _ => found = Some(column),
            }
        }
        found.map_or(Self::None, |column| Self::One(column.to_owned()))
    }
}

impl Scope {
    /// Columns of the relations; `None` where one of them is not known.
    pub(super) fn columns(&self) -> Option<Vec<&str>> {
        columns(&self.relations)
    }

    /// The relations that a qualifier names.
    pub(super) fn qualified(&self, qualifier: &TableReference) -> Vec<&Relation> {
        let named = |relation: &&Relation| {
            let own = relation.qualifier.as_ref();
            own.is_some_and(|own| qualifier.resolved_eq(own))
        };
        self.relations.iter().filter(named).collect()
    }

    fn aliases(&self, in_aggregate: bool) -> Vec<&str> {
        // `ORDER BY max(npx)` of `max(NPX) AS npx` means the column: aggregates do not nest.
        if self.visible == Visible::Never || in_aggregate {
            return Vec::new();
        }
        self.outputs
            .iter()
            .flatten()
            .filter(|output| self.visible != Visible::Groups || !output.aggregate)
            .map(|output| &*output.name)
            .collect()
    }

    /// Whether a name matches as it is. What is not known does not match.
    pub(super) fn has(&self, exact: &str, in_aggregate: bool) -> bool {
        let own = self.relations.iter().flat_map(|relation| &relation.columns);
        own.flatten().any(|column| column == exact) || self.aliases(in_aggregate).contains(&exact)
    }

    /// What a name means in another case; `None` where what it can mean is not known.
    pub(super) fn spelling(&self, name: &str, in_aggregate: bool) -> Option<Match> {
        let aliases = self.aliases(in_aggregate);
        let alias = Match::of(aliases.into_iter(), name);
        let columns = self.columns();
        let column = columns.map(|columns| match Match::of(columns.iter().copied(), name) {
            Match::Many => {
                let left = columns
                    .into_iter()
                    .filter(|name| self.merged.contains(*name));
                match Match::of(left, name) {
                    Match::None => Match::Many,
                    one => one,
                }
            }
            found => found,
        });
        let unknown_aliases = self.visible != Visible::Never && self.outputs.is_none();
        match self.visible {
            Visible::First if unknown_aliases => None,
            Visible::First if alias != Match::None => Some(alias),
            _ => match column? {
                Match::None if unknown_aliases => None,
                Match::None => Some(alias),
                found => Some(found),
            },
        }
    }
}

/// Columns of some relations; `None` where one of them is not known.
pub(super) fn columns(relations: &[Relation]) -> Option<Vec<&str>> {
    let mut all = Vec::new();
    for relation in relations {
        all.extend(relation.columns.as_ref()?.iter().map(String::as_str));
    }
    Some(all)
}

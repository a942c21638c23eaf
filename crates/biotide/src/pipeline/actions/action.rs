//! What is known of an action: its name, and one line for each parameter.

/// What a step can do.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its name in lower case, with underscores. Files may write it in any case.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// A sentence or two.
    pub summary: &'static str,
    /// What it takes.
    pub params: &'static [Param],
    /// Whether it takes parameters that are not in the table too.
    pub is_open: bool,
}

impl Action {
    /// An action.
    pub const fn new(name: &'static str, summary: &'static str, params: &'static [Param]) -> Self {
        Self {
            name,
            aliases: &[],
            summary,
            params,
            is_open: false,
        }
    }

    /// With other names.
    #[must_use]
    pub const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Which takes whatever it is given, besides the parameters of its table.
    #[must_use]
    pub const fn open(self) -> Self {
        Self {
            is_open: true,
            ..self
        }
    }

    /// Its names, its own first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// A parameter by its name, or another of its names.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        find(self.params, name)
    }
}

/// A parameter of an action.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// Whether a step must have it.
    pub required: bool,
    /// What holds where a step does not say.
    pub default: Option<&'static str>,
    /// The least number of values of a list.
    pub at_least: usize,
    /// Of a list of maps: what each takes.
    pub items: &'static [Param],
    /// A sentence or two.
    pub doc: &'static str,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A text.
    Text,
    /// A path or URL.
    Path,
    /// One, or a list of them.
    Paths,
    /// An expression or query of SQL.
    Sql,
    /// The name of a column.
    Column,
    /// One, or a list of them.
    Columns,
    /// A whole number.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// A number.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// True or false.
    Boolean,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
    /// A text, or a list of them.
    Texts,
    /// Keys and values.
    Map,
    /// A list of anything, or of maps that [`Param::items`] tells of.
    List,
    /// Rules of `normalize`: a path, the name of built-in ones, or the rules themselves.
    Rules,
    /// What another step calls its output.
    Dataset,
    /// One, or a list of them.
    Datasets,
    /// What the step calls its output.
    OutputKey,
}

impl Param {
    /// A parameter.
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            kind,
            required: false,
            default: None,
            at_least: 0,
            items: &[],
            doc,
        }
    }

    /// With other names.
    #[must_use]
    pub const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Which a step must have.
    #[must_use]
    pub const fn needed(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// With what holds where a step does not say.
    #[must_use]
    pub const fn or(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// With the least number of values.
    #[must_use]
    pub const fn at_least(self, at_least: usize) -> Self {
        Self { at_least, ..self }
    }

    /// A list of maps of this table.
    #[must_use]
    pub const fn of(self, items: &'static [Self]) -> Self {
        Self { items, ..self }
    }

    /// Its names, its own first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// A parameter of a table.
pub(super) fn find(table: &'static [Param], name: &str) -> Option<&'static Param> {
    let is_it = |param: &&Param| param.names().any(|known| known == name);
    table.iter().find(is_it).or_else(|| {
        let is_it = |param: &&Param| param.names().any(|known| known.eq_ignore_ascii_case(name));
        table.iter().find(is_it)
    })
}

impl Kind {
    /// What it takes, in a few words.
    pub fn describe(self) -> String {
        let words = match self {
            Self::Text => "a text",
            Self::Path => "a path or URL",
            Self::Paths => "paths or URLs",
            Self::Sql => "SQL",
            Self::Column => "a column",
            Self::Columns => "columns",
            Self::Boolean => "true or false",
            Self::Texts => "texts",
            Self::Map => "a map",
            Self::List => "a list",
            Self::Rules => "a path, a name, or rules",
            Self::Dataset => "a dataset",
            Self::Datasets => "datasets",
            Self::OutputKey => "a name",
            Self::OneOf(values) => return values.join(", "),
            Self::Integer { min, max } => {
                return match (min, max) {
                    (i64::MIN, i64::MAX) => String::from("a whole number"),
                    (min, i64::MAX) => format!("a whole number, {min} or more"),
                    (min, max) => format!("a whole number, {min} to {max}"),
                };
            }
            Self::Number { min, max } => {
                return match (min.is_finite(), max.is_finite()) {
                    (true, true) => format!("a number, {min} to {max}"),
                    (true, false) => format!("a number, {min} or more"),
                    (false, true) => format!("a number, {max} or less"),
                    (false, false) => String::from("a number"),
                };
            }
        };
        words.to_owned()
    }
}

//! Words of SQL.

/// A name.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A list of texts.
pub(super) fn texts<'a>(list: impl IntoIterator<Item = &'a str>) -> String {
    let list: Vec<String> = list.into_iter().map(text).collect();
    format!("[{}]", list.join(", "))
}

/// Names, one after the other.
pub(super) fn names(list: &[String]) -> String {
    let list: Vec<String> = list.iter().map(|name| quoted(name)).collect();
    list.join(", ")
}

/// A name that none of these is, in any case: a column of ours beside those of a user.
pub(super) fn fresh<'a>(name: &str, taken: impl IntoIterator<Item = &'a String> + Clone) -> String {
    let mut name = name.to_owned();
    while taken
        .clone()
        .into_iter()
        .any(|known| known.eq_ignore_ascii_case(&name))
    {
        name.push('_');
    }
    name
}

/// The rows of a table, with a column of their numbers: their order, to sort by where they lose it.
pub(super) fn numbered(table: &str, number: &str) -> String {
    let number = quoted(number);
    format!("(SELECT *, row_number() OVER () AS {number} FROM {table})")
}

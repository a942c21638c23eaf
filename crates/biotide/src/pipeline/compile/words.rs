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

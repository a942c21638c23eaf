//! Words of SQL.

/// A character that no identifier has: what is between the parts while they are one text.
pub(super) const CUT: char = '\u{1f}';

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

/// What a column is called that a step adds: the first of these names that no column has. An error is what is wrong if
/// there is none. The name is taken then.
pub(super) fn added(columns: &mut Vec<String>, names: &[String]) -> Result<String, String> {
    let is_free = |name: &&String| !columns.contains(name);
    let Some(free) = names.iter().find(is_free).cloned() else {
        let taken: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        return Err(format!(
            "the input has {} already: leave it out by a step before, or call it otherwise",
            taken.join(" and ")
        ));
    };
    columns.push(free.clone());
    Ok(free)
}

/// A text of SQL without the blanks around it, of every kind: spreadsheets leave those that do not break.
pub(super) fn trimmed(sql: &str) -> String {
    format!(r"regexp_replace({sql}, '^\s+|\s+$', '', 'g')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_name_is_of_no_column() {
        let columns = ["part".to_owned(), "PART_".to_owned()];
        assert_eq!(fresh("part", &columns), "part__");
        assert_eq!(fresh("one", &columns), "one");
    }

    #[test]
    fn an_added_column_has_the_first_name_that_is_free() {
        let mut columns = vec!["target".to_owned()];
        let names = ["target".to_owned(), "id_target".to_owned()];
        assert_eq!(added(&mut columns, &names).unwrap(), "id_target");
        let problem = added(&mut columns, &names).unwrap_err();
        assert!(problem.starts_with("the input has 'target' and 'id_target' already"));
    }
}

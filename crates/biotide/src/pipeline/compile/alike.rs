//! Columns of different datasets that meet: one below the other, or compared.
//!
//! Types are found file by file, so that a column of identifiers may be numbers here and texts there. Nothing is
//! converted by which a value would become another one: SQL would make a date of a number, and 9007199254740992.0 of
//! 9007199254740993.

use datafusion::arrow::datatypes::DataType;

use super::cell::is_text;

/// Whether values of some types stand one below the other as they are. If not, they do as texts.
pub(super) fn are_alike<'a>(types: impl IntoIterator<Item = &'a DataType>) -> bool {
    let mut known = types.into_iter().filter(|one| !one.is_null());
    let Some(first) = known.next() else {
        return true;
    };
    known.all(|one| {
        one.equals_datatype(first)
            || is_text(one) && is_text(first)
            || one.is_integer() && first.is_integer()
    })
}

/// A value as text, in SQL. A number is as it was read; if it is whole, without a fraction, so that equal ones of columns
/// with fractions and without have one text.
pub(super) fn as_text(sql: &str, data_type: &DataType) -> String {
    match data_type.is_floating() {
        true => number(sql),
        false => format!("arrow_cast({sql}, 'Utf8')"),
    }
}

/// Values of columns, in SQL, that are equal where those of the columns are the same: the rule by which datasets are
/// joined and their overlap is counted.
///
/// Values of one kind are compared as they are, and numbers exactly. Numbers and texts are compared as texts; if there
/// are numbers with fractions, as numbers, since they are written in many ways. Others are compared as texts.
pub(super) fn compared(columns: &[(String, &DataType)]) -> Vec<String> {
    let types = || columns.iter().map(|(_, data_type)| *data_type);
    let all = |is: fn(&DataType) -> bool| types().all(|one| is(one) || one.is_null());
    let has_floats = types().any(DataType::is_floating);
    let as_they_are = are_alike(types())
        || all(is_day_or_time)
        || all(DataType::is_floating)
        || !has_floats && all(DataType::is_numeric);
    let by_number = has_floats && all(|one| one.is_numeric() || is_text(one));
    let value = |(sql, data_type): &(String, &DataType)| match (as_they_are, by_number) {
        (true, _) => sql.clone(),
        (_, true) if is_text(data_type) => format!(
            "coalesce(arrow_cast(try_cast({sql} AS BIGINT), 'Utf8'), {}, arrow_cast({sql}, 'Utf8'))",
            number(&format!("try_cast({sql} AS DOUBLE)"))
        ),
        (_, true) if data_type.is_decimal() => number(&format!("arrow_cast({sql}, 'Float64')")),
        _ => as_text(sql, data_type),
    };
    columns.iter().map(value).collect()
}

fn is_day_or_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
    )
}

/// A number that may have a fraction, as text.
fn number(sql: &str) -> String {
    format!(
        "coalesce(arrow_cast(CASE WHEN {sql} = trunc({sql}) THEN try_cast({sql} AS BIGINT) END, 'Utf8'), \
         arrow_cast({sql}, 'Utf8'))"
    )
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn values_stay_as_they_are_where_none_would_become_another() {
        use DataType::{Boolean, Date32, Float64, Int32, Int64, Null, Utf8, Utf8View};
        assert!(are_alike([&Int32, &Int64, &Null]));
        assert!(are_alike([&Utf8, &Utf8View]));
        assert!(!are_alike([&Int64, &Float64]));
        assert!(!are_alike([&Date32, &Int64]));
        assert!(!are_alike([&Boolean, &Utf8]));
    }

    #[test]
    fn what_is_compared_as_it_is_stays_so() {
        use DataType::{Date32, Float64, Int64, Utf8};
        let stays = |types: &[&DataType]| {
            let columns: Vec<_> = types.iter().map(|one| ("c".to_owned(), *one)).collect();
            compared(&columns).iter().all(|sql| sql == "c")
        };
        assert!(stays(&[&Int64, &Int64]));
        assert!(stays(&[
            &Date32,
            &DataType::Timestamp(TimeUnit::Second, None)
        ]));
        assert!(!stays(&[&Int64, &Float64]));
        assert!(!stays(&[&Float64, &Utf8]));
    }
}

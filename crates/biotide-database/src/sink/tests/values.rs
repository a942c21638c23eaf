//! Values that are easily made into others.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float64Array, Int32Array, Int64Array, TimestampMicrosecondArray,
};

use super::options;
use crate::WriteMode;
use crate::testing::{Database, ask, batch, query, run, write};

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

#[tokio::test]
async fn values_of_dictionaries_are_those_of_plain_columns() {
    let plain: Vec<(&str, ArrayRef)> = vec![
        (
            "d",
            array(
                Decimal128Array::from(vec![Some(1234), None])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        ("b", array(BooleanArray::from(vec![Some(true), None]))),
        (
            "t",
            array(
                TimestampMicrosecondArray::from(vec![Some(1_600_000_000_000_000), None])
                    .with_timezone("+02:00"),
            ),
        ),
        ("x", array(BinaryArray::from(vec![Some(&b"\0a"[..]), None]))),
    ];
    let packed = plain.iter().map(|(name, array)| {
        let keys = Int32Array::from(vec![Some(0), Some(1)]);
        let dictionary = DictionaryArray::try_new(keys, Arc::clone(array)).unwrap();
        (*name, self::array(dictionary))
    });
    let packed = batch(packed.collect());
    for database in Database::all() {
        let (one, other) = (database.table(), database.table());
        let options = options(WriteMode::Append);
        write(&one, &[batch(plain.clone())], &options)
            .await
            .unwrap();
        write(&other, std::slice::from_ref(&packed), &options)
            .await
            .unwrap();
        let sql = "SELECT * FROM t";
        let (one, other) = (query(&one, sql).await, query(&other, sql).await);
        assert_eq!(one.unwrap(), other.unwrap());
    }
}

#[tokio::test]
async fn no_time_becomes_an_infinity_and_no_key_a_null() {
    let database = Database::sqlite();
    let sqlite = database.table();
    let nan = batch(vec![("k", array(Float64Array::from(vec![1.0, f64::NAN])))]);
    let upsert = WriteMode::Upsert {
        key: vec!["k".to_owned()],
    };
    let error = write(&sqlite, &[nan], &options(upsert)).await.unwrap_err();
    assert!(
        error.to_string().starts_with("column k, row 2: "),
        "{error}"
    );
    let Some(postgres) = Database::postgres() else {
        return;
    };
    for far in [
        array(Date32Array::from(vec![0, i32::MIN])),
        array(Date32Array::from(vec![0, i32::MIN + 10_957])),
        array(TimestampMicrosecondArray::from(vec![0, i64::MIN])),
        array(TimestampMicrosecondArray::from(vec![0, i64::MIN]).with_timezone("UTC")),
    ] {
        let far = batch(vec![("t", far)]);
        let error = write(&postgres.table(), &[far], &options(WriteMode::Append)).await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("column t, row 2: a time too far"),
            "{error}"
        );
    }
}

/// SQLite makes what goes into a column of REAL a floating number, and keeps whole numbers in one of NUMERIC.
#[tokio::test]
async fn no_whole_number_loses_digits() {
    let database = Database::sqlite();
    let large = 9_007_199_254_740_993;
    let append = options(WriteMode::Append);
    for (declared, is_taken) in [
        ("REAL", false),
        ("double precision", false),
        ("FLOAT", false),
        ("NUMERIC", true),
        ("DECIMAL(20,0)", true),
        ("INTEGER", true),
    ] {
        let table = database.table();
        let name = table.table();
        run(&table, &format!("CREATE TABLE {name} (x {declared})")).await;
        let rows = [batch(vec![("x", array(Int64Array::from(vec![large])))])];
        match write(&table, &rows, &append).await {
            Err(error) => {
                assert!(!is_taken, "{declared}: {error}");
                let problem = "does not take Int64: CAST it";
                assert!(error.to_string().contains(problem), "{error}");
            }
            Ok(_) => {
                assert!(is_taken, "{declared}");
                let sql = format!("SELECT CAST(x AS TEXT) FROM {name}");
                assert_eq!(ask(&table, &sql).await, large.to_string());
            }
        }
        let few = [batch(vec![("x", array(Int32Array::from(vec![7])))])];
        write(&table, &few, &append).await.unwrap();
    }
}

//! Every type is read back as it was written.

use std::sync::Arc;

use arrow::array::types::{Int8Type, Int32Type};
use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array,
    Decimal64Array, Decimal128Array, Decimal256Array, DictionaryArray, DurationMillisecondArray,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, IntervalMonthDayNanoArray, IntervalYearMonthArray, LargeStringArray, ListArray,
    NullArray, StringArray, StringViewArray, StructArray, Time32SecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, IntervalMonthDayNano, i256};

use super::options;
use crate::WriteMode;
use crate::testing::{Database, ask, batch, lines, query, run, write};

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

/// Three rows of each type, the last of which is NULL.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    let wide = i256::from_string(&"9".repeat(60)).unwrap();
    let ints = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(-3)]),
        Some(vec![]),
        None,
    ]);
    let nested = {
        let fields = Fields::from(vec![
            Field::new("a", DataType::Int32, true),
            Field::new("b c", DataType::Utf8, true),
        ]);
        let (a, b) = (
            Int32Array::from(vec![Some(1), None, None]),
            StringArray::from(vec!["x\"y", "\\u0000", ""]),
        );
        let nulls = arrow::buffer::NullBuffer::from(vec![true, true, false]);
        StructArray::new(fields, vec![array(a), array(b)], Some(nulls))
    };
    let fixed = vec![Some([1_u8, 2]), Some([0, 255]), None];
    vec![
        (
            "bool",
            array(BooleanArray::from(vec![Some(true), Some(false), None])),
        ),
        (
            "i8",
            array(Int8Array::from(vec![Some(i8::MIN), Some(i8::MAX), None])),
        ),
        (
            "i16",
            array(Int16Array::from(vec![Some(i16::MIN), Some(i16::MAX), None])),
        ),
        (
            "i32",
            array(Int32Array::from(vec![Some(i32::MIN), Some(i32::MAX), None])),
        ),
        (
            "i64",
            array(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])),
        ),
        (
            "u8",
            array(UInt8Array::from(vec![Some(0), Some(u8::MAX), None])),
        ),
        (
            "u16",
            array(UInt16Array::from(vec![Some(0), Some(u16::MAX), None])),
        ),
        (
            "u32",
            array(UInt32Array::from(vec![Some(0), Some(u32::MAX), None])),
        ),
        (
            "u64",
            array(UInt64Array::from(vec![
                Some(0),
                Some(i64::MAX as u64),
                None,
            ])),
        ),
        (
            "f32",
            array(Float32Array::from(vec![
                Some(0.1),
                Some(f32::MIN_POSITIVE),
                None,
            ])),
        ),
        (
            "f64",
            array(Float64Array::from(vec![
                Some(-1e300),
                Some(f64::INFINITY),
                None,
            ])),
        ),
        (
            "d64",
            array(
                Decimal64Array::from(vec![Some(-15), Some(1), None])
                    .with_precision_and_scale(10, 3)
                    .unwrap(),
            ),
        ),
        (
            "d128",
            array(
                Decimal128Array::from(vec![Some(10_i128.pow(38) - 1), Some(-12_345_678_901), None])
                    .with_precision_and_scale(38, 10)
                    .unwrap(),
            ),
        ),
        (
            "d256",
            array(
                Decimal256Array::from(vec![Some(wide), Some(i256::from(-1)), None])
                    .with_precision_and_scale(60, 20)
                    .unwrap(),
            ),
        ),
        (
            "text",
            array(StringArray::from(vec![Some("a\tb\\'\" ü"), Some(""), None])),
        ),
        (
            "large",
            array(LargeStringArray::from(vec![Some("x"), Some("\n"), None])),
        ),
        (
            "view",
            array(StringViewArray::from(vec![
                Some("longer than twelve bytes"),
                Some("s"),
                None,
            ])),
        ),
        (
            "dict",
            array(
                vec![Some("p"), Some("q"), None]
                    .into_iter()
                    .collect::<DictionaryArray<Int8Type>>(),
            ),
        ),
        (
            "bin",
            array(BinaryArray::from(vec![
                Some(&b"\0\xff"[..]),
                Some(b""),
                None,
            ])),
        ),
        (
            "binview",
            array(BinaryViewArray::from(vec![
                Some(&b"\0\xff"[..]),
                Some(b""),
                None,
            ])),
        ),
        (
            "fixed",
            array(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(fixed.into_iter(), 2).unwrap(),
            ),
        ),
        (
            "date",
            array(Date32Array::from(vec![Some(-719_162), Some(20_000), None])),
        ),
        (
            "date64",
            array(Date64Array::from(vec![Some(86_400_000), Some(0), None])),
        ),
        (
            "time",
            array(Time64NanosecondArray::from(vec![
                Some(86_399_999_999_000),
                Some(0),
                None,
            ])),
        ),
        (
            "time32",
            array(Time32SecondArray::from(vec![Some(1), Some(86_399), None])),
        ),
        (
            "ts",
            array(TimestampMicrosecondArray::from(vec![
                Some(-1),
                Some(1_700_000_000_000_001),
                None,
            ])),
        ),
        (
            "ts_s",
            array(TimestampSecondArray::from(vec![
                Some(-1),
                Some(1_700_000_000),
                None,
            ])),
        ),
        (
            "ts_ns",
            array(
                TimestampNanosecondArray::from(vec![
                    Some(1000),
                    Some(1_700_000_000_000_001_000),
                    None,
                ])
                .with_timezone("+02:00"),
            ),
        ),
        ("list", array(ints)),
        ("struct", array(nested)),
        ("null", array(NullArray::new(3))),
    ]
}

/// What PostgreSQL has beyond SQLite.
fn intervals() -> Vec<(&'static str, ArrayRef)> {
    let full = IntervalMonthDayNano::new(14, -3, 5_000_000_000);
    let texts = {
        let values = array(StringViewArray::from(vec![
            Some("a"),
            None,
            Some("long enough for a buffer"),
        ]));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([2, 1, 0]);
        let field = Arc::new(Field::new_list_field(DataType::Utf8View, true));
        ListArray::new(field, offsets, values, None)
    };
    vec![
        (
            "nan",
            array(Float64Array::from(vec![Some(f64::NAN), Some(-0.0), None])),
        ),
        (
            "u64max",
            array(UInt64Array::from(vec![Some(u64::MAX), Some(1), None])),
        ),
        (
            "interval",
            array(IntervalMonthDayNanoArray::from(vec![
                Some(full),
                Some(IntervalMonthDayNano::ZERO),
                None,
            ])),
        ),
        (
            "years",
            array(IntervalYearMonthArray::from(vec![Some(13), Some(-1), None])),
        ),
        (
            "duration",
            array(DurationMillisecondArray::from(vec![
                Some(1500),
                Some(-1),
                None,
            ])),
        ),
        ("texts", array(texts)),
    ]
}

/// Whether what was read is what was written, in the type of reading.
fn same(name: &str, written: &ArrayRef, read: &ArrayRef) {
    if written.data_type().is_nested() && !read.data_type().is_nested() {
        // (JSON: see below.)
        return;
    }
    let expected = cast(written, read.data_type()).unwrap();
    assert_eq!(&expected, read, "{name}");
}

#[tokio::test]
async fn every_type_is_read_as_it_was_written() {
    for database in Database::all() {
        let mut columns = columns();
        if database.is_postgres() {
            columns.extend(intervals());
        }
        let written = batch(columns.clone());
        let target = database.table();
        write(
            &target,
            std::slice::from_ref(&written),
            &options(WriteMode::Append),
        )
        .await
        .unwrap();
        // A second time, into a table that is there, and as slices.
        let slices = [written.slice(0, 1), written.slice(1, 2)];
        write(&target, &slices, &options(WriteMode::Append))
            .await
            .unwrap();
        let read = query(&target, "SELECT * FROM t").await.unwrap();
        assert_eq!(read.num_rows(), 6);
        for (name, expected) in &columns {
            for start in [0, 3] {
                let read = read.column_by_name(name).unwrap().slice(start, 3);
                same(name, expected, &read);
            }
        }
        let json = query(&target, "SELECT \"struct\" FROM t").await.unwrap();
        let expected = match database.is_postgres() {
            true => [
                "{\"a\": 1, \"b c\": \"x\\\"y\"}",
                "{\"a\": null, \"b c\": \"\\\\u0000\"}",
                "",
            ],
            false => [
                "{\"a\":1,\"b c\":\"x\\\"y\"}",
                "{\"a\":null,\"b c\":\"\\\\u0000\"}",
                "",
            ],
        };
        assert_eq!(
            lines(&json)[..3],
            expected.map(|line| if line.is_empty() { "NULL" } else { line })
        );
        // The text of each value is that of the database itself, which did not learn it from us.
        let table = target.table();
        if database.is_postgres() {
            let sql = format!(
                "SELECT concat_ws('|', d128, d64, d256, i64, \"date\", \"time\", ts, ts_ns AT TIME ZONE 'UTC', list,
                        interval, duration, u64max, bin, nan, texts) FROM {table} LIMIT 1"
            );
            assert_eq!(
                ask(&target, &sql).await,
                "9999999999999999999999999999.9999999999|-0.015|\
                 9999999999999999999999999999999999999999.99999999999999999999|-9223372036854775808|\
                 0001-01-01|23:59:59.999999|1969-12-31 23:59:59.999999|1970-01-01 00:00:00.000001|{1,NULL,-3}|\
                 1 year 2 mons -3 days +00:00:05|00:00:01.5|18446744073709551615|\\x00ff|NaN|{a,NULL}"
            );
        } else {
            let sql = format!(
                "SELECT typeof(i64) || d128 || d64 || typeof(f64) || date || time || ts || ts_ns || list FROM {table}"
            );
            assert_eq!(
                ask(&target, &sql).await,
                "integer9999999999999999999999999999.9999999999-0.015real0001-01-0123:59:59.999999\
                 1969-12-31 23:59:59.9999991970-01-01 00:00:00.000001Z[1,null,-3]"
            );
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_names_column_and_row() {
    for database in Database::all() {
        let target = database.table();
        run(
            &target,
            &format!(
                "CREATE TABLE {} (n {})",
                target.table(),
                if database.is_postgres() {
                    "smallint"
                } else {
                    "INTEGER"
                }
            ),
        )
        .await;
        let column: ArrayRef = match database.is_postgres() {
            true => array(Int64Array::from(vec![1, 2, 40_000])),
            false => array(UInt64Array::from(vec![1, 2, u64::MAX])),
        };
        let error = write(
            &target,
            &[batch(vec![("n", column)])],
            &options(WriteMode::Append),
        )
        .await
        .unwrap_err();
        let shown = error.to_string();
        assert!(
            shown.starts_with("column n, row 3: ") && shown.contains("does not fit"),
            "{shown}"
        );
    }
    let database = Database::sqlite();
    let sqlite = database.table();
    let duration = array(DurationMillisecondArray::from(vec![1]));
    let error = write(
        &sqlite,
        &[batch(vec![("d", duration)])],
        &options(WriteMode::Append),
    )
    .await
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("column d: SQLite does not take Duration(ms) here; CAST it to BIGINT"),
        "{error}"
    );
    // Of a list, the row of the list.
    let Some(postgres) = Database::postgres() else {
        return;
    };
    let texts = array(StringArray::from(vec!["a", "b", "c", "d\0"]));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([2, 0, 2]);
    let list = ListArray::new(
        Arc::new(Field::new_list_field(DataType::Utf8, true)),
        offsets,
        texts,
        None,
    );
    let list = batch(vec![("l", array(list))]);
    for (batch, row) in [(list.clone(), 3), (list.slice(1, 2), 2)] {
        let error = write(&postgres.table(), &[batch], &options(WriteMode::Append))
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("column l, row {row}: text with a NUL")),
            "{error}"
        );
    }
    write(
        &postgres.table(),
        &[list.slice(0, 2)],
        &options(WriteMode::Append),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn columns_of_an_existing_table_may_be_wider() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let target = database.table();
    let sql = format!(
        "CREATE TYPE mood{0} AS ENUM ('good', 'bad'); CREATE DOMAIN small{0} AS int CHECK (VALUE < 100);
         CREATE TABLE {0} (a bigint, b numeric, c double precision, d varchar(9), e jsonb, f uuid, g mood{0},
                           h small{0}, i timestamp, j varchar[], k json)",
        target.table()
    );
    run(&target, &sql).await;
    let text = |text: &str| array(StringArray::from(vec![text]));
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    let list = {
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([2]);
        let values = array(StringArray::from(vec!["x", "y"]));
        ListArray::new(
            Arc::new(Field::new_list_field(DataType::Utf8, true)),
            offsets,
            values,
            None,
        )
    };
    let written = batch(vec![
        ("a", array(Int32Array::from(vec![1]))),
        ("b", array(Int64Array::from(vec![-20_000]))),
        ("c", array(Float32Array::from(vec![0.5]))),
        ("d", text("d")),
        ("e", text("{\"x\": 1}")),
        ("f", text(uuid)),
        ("g", text("bad")),
        ("h", array(Int64Array::from(vec![99]))),
        ("i", array(Date32Array::from(vec![1]))),
        ("j", array(list)),
        ("k", text("[1]")),
    ]);
    write(&target, &[written], &options(WriteMode::Append))
        .await
        .unwrap();
    let read = query(&target, "SELECT * FROM t WHERE g = 'bad' AND b = '-20000'")
        .await
        .unwrap();
    let expected =
        format!("1 -20000 0.5 d {{\"x\": 1}} {uuid} bad 99 1970-01-02T00:00:00 [x, y] [1]");
    assert_eq!(lines(&read), [expected]);
    let bad = batch(vec![("f", text("no uuid"))]);
    let error = write(&target, &[bad], &options(WriteMode::Append))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "column f, row 1: 'no uuid' is no UUID");
}

//! Typed columns against the standard library, under every policy for bad values.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use biotide_text::delimited::{
    Column, ColumnType, Decoder, Dialect, Layout, OnBadValue, OnError, TextArray,
};
use biotide_text::problem::{Action, Reason};

use crate::compare::same;
use crate::harness::{self, Counts, Outcome, Ranges, everything, ranges};
use crate::oracle::{self, Bad, Field};
use crate::rng::{Rng, for_seeds};
use crate::typed_values::value_of;

type Values = Vec<Option<String>>;

fn value(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Float64 => {
            let n = array.as_primitive::<Float64Type>().value(row);
            n.to_bits().to_string()
        }
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row).to_string(),
        DataType::Decimal128(..) => {
            let n = array.as_primitive::<Decimal128Type>().value(row);
            n.to_string()
        }
        DataType::Timestamp(..) => {
            let array = array.as_primitive::<TimestampMicrosecondType>();
            array.value(row).to_string()
        }
        _ => return harness::value(array, row),
    })
}

fn batch_values(batch: &RecordBatch) -> impl Iterator<Item = Values> + '_ {
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|c| value(c, row)).collect())
}

fn layout(rng: &mut Rng) -> Layout {
    let types = [
        ColumnType::Boolean,
        ColumnType::Int64,
        ColumnType::Int64,
        ColumnType::Float64,
        ColumnType::Float64,
        ColumnType::Decimal(5, 2),
        ColumnType::Decimal(38, 10),
        ColumnType::Decimal(3, 0),
        ColumnType::Date,
        ColumnType::Timestamp,
        ColumnType::TimestampTz,
        ColumnType::Text,
    ];
    let column = |i| {
        let mut column = Column::new(format!("c{i}"), types[rng.below(types.len())]);
        // Decimals are never inferred.
        column.inferred = rng.chance(1, 2) && !matches!(column.ty, ColumnType::Decimal(..));
        column
    };
    let columns = (0..3).map(column).collect();
    let mut layout = Layout::new(
        Dialect::delimited_by(rng.pick(&[&b"\t"[..], b";", b","])),
        columns,
    );
    layout.on_error = [OnError::Reject, OnError::Lenient][rng.below(2)];
    layout.on_bad_value = [
        OnBadValue::Null,
        OnBadValue::Null,
        OnBadValue::Reject,
        OnBadValue::Fail,
    ][rng.below(4)];
    if rng.chance(1, 3) {
        layout.decimal = b',';
        layout.thousands = [None, Some(b'.'), Some(b' ')][rng.below(3)];
    } else if rng.chance(1, 3) {
        layout.thousands = [Some(b','), Some(b'\'')][rng.below(2)];
    }
    if rng.chance(1, 3) {
        layout.null_values = vec!["-999".into(), "missing".into(), "true".into(), "0".into()];
    }
    if rng.chance(1, 4) {
        layout.skip_empty = Some(if rng.chance(1, 2) {
            vec![]
        } else {
            vec![rng.below(3)]
        });
    }
    layout.strip_whitespace = rng.chance(1, 3);
    layout.text = [TextArray::View, TextArray::Utf8][rng.below(2)];
    layout
}

/// A spelling that may well be a value of the type.
fn spelling(rng: &mut Rng, ty: ColumnType) -> String {
    let n = rng.next() >> rng.below(48);
    let sign = *rng.pick(&[&"", &"", &"", &"-", &"-", &"+"]);
    match (ty, rng.below(10)) {
        (_, 0) => rng
            .pick(&["NA", "n/a", "NaN", "NULL", ".", "-", "", "  ", "-999", "0"])
            .into(),
        (_, 1) => (0..rng.below(12))
            .map(|_| {
                *rng.pick(&[
                    &'0', &'1', &'9', &'.', &',', &'-', &'+', &'e', &'E', &' ', &':',
                ])
            })
            .collect(),
        (_, 2) => rng
            .pick(&[
                "9223372036854775807",
                "-9223372036854775808",
                "9223372036854775808",
                "007",
                "-0",
                "1e400",
                "1e-400",
                "-1e-320",
                "0e-400",
                "infinity",
                "-Inf",
                "+inf",
                "1e5",
                "1.e+3",
                ".5",
                "5.",
                "00.5",
                "+-5",
                "--5",
                "0x10",
                "1_000",
                "1,234",
                "12,34",
                "1.234,5",
                "1 234 567",
                "1'234",
                "00000000000000000000000000000012",
                "2024-02-29",
                "2023-02-29",
                "99999999999999999999999999999999999999999",
                "2.2250738585072011e-308",
                "179769313486231580793728971405303415079934132710037826936173778980444968292764750",
                "9007199254740993",
                "0.1",
                "123456789012345678",
                "1234567890.12345678901234567890",
            ])
            .into(),
        (ColumnType::Boolean, _) => rng
            .pick(&["true", "FALSE", "True", "T", "1", "falsee"])
            .into(),
        (ColumnType::Int64 | ColumnType::Text, _) => format!("{sign}{n}"),
        (ColumnType::Float64, 3) => format!("{sign}{n}e{}", rng.below(700) as i64 - 350),
        (ColumnType::Float64, 4) => format!("{:?}", f64::from_bits(rng.next() << 16 | n)),
        (ColumnType::Float64 | ColumnType::Decimal(..), _) => {
            format!("{sign}{}.{}", n % 1000, rng.next() % 1000)
        }
        (_, kind) => {
            let mut text = format!(
                "{:04}-{:02}-{:02}",
                rng.below(3000),
                rng.below(14),
                1 + rng.below(31)
            );
            if ty != ColumnType::Date || kind == 3 {
                text += rng.pick(&["T", " ", "t", ""]);
                text += &format!("{:02}:{:02}", rng.below(25), rng.below(61));
                if rng.chance(3, 4) {
                    text += &format!(":{:02}", rng.below(61));
                    text +=
                        rng.pick(&["", "", ".5", ",123456", ".1234567", ".12000000", ".", ".x"]);
                }
                if (ty == ColumnType::TimestampTz) != rng.chance(1, 8) {
                    let zones = [
                        "Z", "z", "+00:00", "-03:30", "+0530", "+14", "+24:00", "+1", "-1:30",
                    ];
                    text += rng.pick(&zones);
                }
            }
            text
        }
    }
}

fn text(rng: &mut Rng, layout: &Layout) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..rng.below(30) {
        let columns = [2, 4, 0, 3][rng.below(40).min(3)];
        for column in 0..columns {
            if column > 0 {
                out.push(layout.dialect.delimiter.bytes()[0]);
            }
            let ty = layout
                .columns
                .get(column)
                .map_or(ColumnType::Text, |c| c.ty);
            let mut value = spelling(rng, ty);
            if rng.chance(1, 8) {
                value = format!(
                    "{}{value}{}",
                    rng.pick(&["", " ", "\u{e9}"]),
                    rng.pick(&["", "  "])
                );
            }
            if value.contains(char::from(layout.dialect.delimiter.bytes()[0])) || rng.chance(1, 15)
            {
                value = format!("\"{value}\"");
            }
            out.extend_from_slice(value.as_bytes());
            if rng.chance(1, 60) {
                out.push(0xFF);
            }
        }
        out.push(b'\n');
    }
    out
}

/// Whether `skip_empty` passes over the row.
fn skipped(layout: &Layout, fields: &[Field]) -> bool {
    let empty = |column: usize| fields[column].value.trim_ascii().is_empty();
    match layout.skip_empty.as_deref() {
        None => false,
        Some([]) => (0..fields.len()).all(empty),
        Some(keys) => keys.iter().all(|&column| empty(column)),
    }
}

/// What should come of the text.
fn expected(layout: &Layout, text: &[u8]) -> (Vec<Values>, Vec<Bad>, Counts, Option<Bad>) {
    let fits = |column: usize, field: &Field| value_of(layout, column, field).is_ok();
    let reading = oracle::read_typed(layout, text, &fits);
    let mut counts = Counts {
        rejected: reading.rejected,
        blank: reading.blank,
        ..Counts::default()
    };
    let (mut rows, mut problems, mut first) = (Vec::new(), reading.bad, None);
    for row in &reading.rows {
        if skipped(layout, &row.fields) {
            counts.skipped += 1;
            continue;
        }
        let mut values = Values::new();
        let before = problems.len();
        for (column, field) in row.fields.iter().enumerate() {
            let value = value_of(layout, column, field);
            if let Err(reason) = value {
                problems.push(Bad {
                    offset: row.offset,
                    column: Some(column),
                    reason,
                    record: row.record,
                    line: row.line,
                    length: row.length,
                    action: match layout.on_bad_value {
                        OnBadValue::Reject => Action::Rejected,
                        _ => Action::Nulled,
                    },
                });
            }
            values.push(value.unwrap_or_default());
        }
        first = first.or(problems.get(before).copied());
        if problems.len() > before && layout.on_bad_value == OnBadValue::Reject {
            counts.rejected += 1;
            continue;
        }
        values.extend([Some(row.line.to_string()), Some(row.offset.to_string())]);
        rows.push(values);
    }
    problems.sort();
    counts.delivered = rows.len() as u64;
    (rows, problems, counts, first)
}

#[test]
fn typed_columns_agree_with_the_standard_library() {
    let mut good = 0;
    for_seeds(15_000, |seed| {
        let mut rng = Rng::new(seed);
        let layout = layout(&mut rng);
        let text = text(&mut rng, &layout);
        let (rows, problems, counts, first) = expected(&layout, &text);
        let longest = [50, 5000][rng.below(2)];
        let how = Ranges {
            projection: everything(&layout),
            batch_rows: [1, 13, 8192][rng.below(3)],
            next: &mut || (1 + rng.below(longest), rng.below(100)),
            filter: None,
        };
        let (found, batches): (Outcome, _) = ranges(&layout, &text, how);
        let context = || format!("text: b\"{}\"\n{layout:?}", text.escape_ascii());
        if layout.on_bad_value == OnBadValue::Fail {
            assert_eq!(found.stopped, first, "{}", context());
            if first.is_some() {
                return;
            }
        }
        same(&found.problems, &problems, &context);
        let found_rows: Vec<Values> = batches.iter().flat_map(batch_values).collect();
        same(&found_rows, &rows, &context);
        assert_eq!(found.counts, counts, "{}", context());
        good += rows.iter().flatten().flatten().count();
    });
    assert!(good > 100_000, "only {good} values");
}

#[test]
fn rejecting_bad_values_does_not_depend_on_the_projection() {
    for_seeds(3_000, |seed| {
        let mut rng = Rng::new(seed);
        let mut layout = layout(&mut rng);
        layout.on_bad_value = OnBadValue::Reject;
        let text = text(&mut rng, &layout);
        let (rows, problems, counts, _) = expected(&layout, &text);
        let projection: Vec<usize> = (0..rng.below(3)).map(|_| rng.below(5)).collect();
        let how = Ranges {
            projection: projection.clone(),
            batch_rows: 8192,
            next: &mut || (1 + rng.below(500), 10),
            filter: None,
        };
        let (found, batches) = ranges(&layout, &text, how);
        same(&found.problems, &problems, &|| format!("{layout:?}"));
        assert_eq!(found.counts, counts);
        let project = |row: &Values| projection.iter().map(|&i| row[i].clone()).collect();
        let wanted: Vec<Values> = rows.iter().map(project).collect();
        let rows: Vec<Values> = batches.iter().flat_map(batch_values).collect();
        assert_eq!(rows, wanted);
    });
}

#[test]
fn a_date_format_is_the_only_one() {
    let columns = vec![
        Column::new("date", ColumnType::Date),
        Column::new("time", ColumnType::Timestamp),
        Column::new("utc", ColumnType::TimestampTz),
    ];
    let mut layout = Layout::new(Dialect::csv(), columns);
    layout.date_format = Some("%d.%m.%Y".into());
    let text = b"29.02.2024,02.01.1970,\n 29.02.2024 ,1970-01-02,02.01.1970\n31.02.2024,NA,x\n";
    let mut decoder = Decoder::new(layout.clone(), None, 100).unwrap();
    assert_eq!(decoder.decode(text), text.len());
    decoder.finish();
    let batch = decoder.flush().unwrap().unwrap();
    let rows: Vec<Values> = batch_values(&batch).collect();
    let some = |s: &str| Some(s.to_owned());
    assert_eq!(rows[0], [some("19782"), some("86400000000"), None]);
    assert_eq!(rows[1], [some("19782"), None, None]);
    assert_eq!(rows[2], [None, None, None]);
    let problems: Vec<_> = decoder
        .take_problems()
        .iter()
        .map(|p| (p.record, p.column, p.reason))
        .collect();
    assert_eq!(
        problems,
        [
            (2, Some(1), Reason::BadValue),
            (2, Some(2), Reason::BadValue),
            (3, Some(0), Reason::BadValue),
            (3, Some(2), Reason::BadValue),
        ]
    );
    layout.date_format = Some("%Y%m%dT%H%M%z".into());
    let mut decoder = Decoder::new(layout, Some(vec![2]), 100).unwrap();
    decoder.decode(b",,19700101T0100+0100\n");
    decoder.finish();
    let batch = decoder.flush().unwrap().unwrap();
    assert_eq!(batch_values(&batch).next().unwrap(), [some("0")]);
}

//! Numbers that stand in a pipeline, as values of SQL that lose no digit.

use datafusion::arrow::datatypes::DataType;

pub(super) use super::super::spec::{Decimal, Number};
use super::cell::{fits, typed};
use super::words::text;

/// The most digits behind the point beside which whole numbers of 64 bits have room.
const MOST_SCALE: usize = 18;

impl Decimal {
    /// As a value of a type of numbers, if it is one.
    pub(super) fn of_type(self, data_type: &DataType) -> Option<String> {
        let room = match data_type {
            DataType::Decimal32(_, room)
            | DataType::Decimal64(_, room)
            | DataType::Decimal128(_, room)
            | DataType::Decimal256(_, room) => usize::try_from(*room).ok()?,
            _ => 0,
        };
        let number = self.to_string();
        (self.scale() <= room && fits(&number, data_type)).then(|| typed(&number, data_type))
    }

    /// The same, or a value of a type that the engine compares with those of this one exactly; nothing if there is none.
    pub(super) fn beside(self, data_type: &DataType) -> Option<String> {
        if let Some(own) = self.of_type(data_type) {
            return Some(own);
        }
        match *data_type {
            // (Beside one of 38 digits, 38 of another scale have no room in 128 bits.)
            DataType::Decimal32(_, room)
            | DataType::Decimal64(_, room)
            | DataType::Decimal128(_, room) => {
                let scale = usize::try_from(room).ok()?.max(self.scale());
                Some(self.written(&format!("Decimal256(76, {scale})")))
            }
            DataType::Decimal256(..) => None,
            _ => self.beside_whole(),
        }
    }

    /// As a value that the engine compares with whole numbers exactly.
    pub(super) fn beside_whole(self) -> Option<String> {
        let data_type = || format!("Decimal128({}, {})", Self::MOST_DIGITS, self.scale());
        (self.scale() <= MOST_SCALE).then(|| self.written(&data_type()))
    }

    fn written(self, data_type: &str) -> String {
        let number = text(&self.to_string());
        format!("arrow_cast({number}, {})", text(data_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly() {
        let typed = |text: &str| Decimal::parse(text)?.beside(&DataType::Int64);
        let int = |text: &str| Some(format!("arrow_cast('{text}', 'Int64')"));
        for text in [
            "9007199254740993",
            "9007199254740993.0",
            "9.007199254740993e15",
        ] {
            assert_eq!(typed(text), int("9007199254740993"));
        }
        assert_eq!(typed("-0"), int("0"));
        assert_eq!(typed("+1e3"), int("1000"));
        assert_eq!(
            typed("-0.5"),
            Some("arrow_cast('-0.5', 'Decimal128(38, 1)')".to_owned())
        );
        let beyond = "arrow_cast('9223372036854775808', 'Decimal128(38, 0)')";
        assert_eq!(typed("9223372036854775808"), Some(beyond.to_owned()));
        for none in ["", "x", "1e99", "inf", "1.2.3", "1e-19"] {
            assert_eq!(typed(none), None);
        }
    }

    #[test]
    fn a_number_beside_decimals_keeps_its_digits() {
        let decimal = DataType::Decimal128(10, 2);
        let typed = |text: &str| Decimal::parse(text)?.beside(&decimal);
        for (text, kind) in [
            ("1.5", "Decimal128(10, 2)"),
            ("1.125", "Decimal256(76, 3)"),
            ("12345678901", "Decimal256(76, 2)"),
            ("0.00000000000000000001", "Decimal256(76, 20)"),
        ] {
            assert_eq!(typed(text), Some(format!("arrow_cast('{text}', '{kind}')")));
        }
        let own = |text: &str| Decimal::parse(text)?.of_type(&decimal);
        assert_eq!(own("1.50"), typed("1.5"));
        assert_eq!(own("1.125"), None);
        assert_eq!(own("12345678901"), None);
    }
}

use crate::values;
use pipeline::Value;
use proptest::prelude::*;

proptest! {
    /// `%KEY%` puts in what reads back as the same value, or nothing at all.
    #[test]
    fn text_stands_for_its_value(value in values()) {
        use pipeline::Typed as _;
        let Some(text) = value.as_text() else {
            prop_assert!(matches!(value, Value::Real(_) | Value::Data(_) | Value::Array(_) | Value::Dict(_)));
            return Ok(());
        };
        let text = Value::String(text.into_owned());
        match &value {
            Value::Bool(flag) => prop_assert_eq!(bool::read(&text), Ok(*flag)),
            Value::Integer(number) => prop_assert_eq!(i64::read(&text), Ok(*number)),
            Value::Date(time) => prop_assert_eq!(jiff::Timestamp::read(&text), Ok(*time)),
            _ => prop_assert_eq!(&text, &value),
        }
    }

    #[test]
    fn shown_values_are_one_line(value in values()) {
        prop_assert!(!value.to_string().contains('\n'));
    }
}

#[test]
fn values_as_a_person_sees_them() {
    let dict = [
        ("text".to_owned(), Value::String("a \"b\"\n".into())),
        ("flag".to_owned(), Value::Bool(true)),
        ("number".to_owned(), Value::Integer(-3)),
        ("real".to_owned(), Value::Real(1.0)),
        ("date".to_owned(), Value::Date("2026-11-20T12:00:00Z".parse().unwrap())),
        ("data".to_owned(), Value::Data(vec![1, 2, 3])),
        ("list".to_owned(), Value::Array(vec![Value::Integer(1), Value::Array(Vec::new())])),
    ];
    insta::assert_snapshot!(Value::Dict(dict.into_iter().collect()), @r#"{text: "a \"b\"\n", flag: true, number: -3, real: 1.0, date: 2026-11-20T12:00:00Z, data: 3 bytes of data, list: [1, []]}"#);
}

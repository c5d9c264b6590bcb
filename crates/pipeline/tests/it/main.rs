//! What the language of the house promises, mostly as properties.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]

mod boundary;
mod changes;
mod clock;
mod coercions;
mod environment;
mod events;
mod failures;
mod gate;
mod names;
mod processors;
mod secrets;
mod shards;
mod statuses;
mod values;

use jiff::Timestamp;
use pipeline::{Dict, Key, Origin, Value};
use proptest::prelude::*;

const TEXT: Key<String> = Key::new("text");

fn timestamps() -> impl Strategy<Value = Timestamp> {
    // The years 1 to 9998.
    (-62_135_596_800_i64..253_370_764_800, 0..1_000_000_000_i32)
        .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

/// Strings of every kind, many of them close to the spelling of something else.
fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ ]?(true|True|TRUE|false|False|FALSE|tRUE|yes|no|on|off|1|0)[ ]?",
        "[+-]?0{0,2}[0-9]{1,20}[ ]?",
        "[0-9a-fA-F]{31,33}",
        "[0-9a-fA-F]{127,129}",
        "(absent|same|different|Same|DIFFERENT)",
        "[A-Za-z0-9 _./-]{0,20}",
        timestamps().prop_map(|time| time.to_string()),
        "2[0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](|Z|[+-]0[0-9]:00)",
    ]
}

/// Values of every kind.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        strings().prop_map(Value::String),
        strings().prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        (-3_i64..30).prop_map(Value::Integer),
        any::<f64>().prop_filter("a NaN equals nothing", |number| !number.is_nan()).prop_map(Value::Real),
        timestamps().prop_map(Value::Date),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Data),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((strings(), inner), 0..4)
                .prop_map(|entries| Value::Dict(entries.into_iter().collect::<Dict>())),
        ]
    })
}

/// Values of every kind, most of them strings: those are what coercions are about.
fn candidates() -> impl Strategy<Value = Value> {
    prop_oneof![3 => strings().prop_map(Value::String), 1 => values()]
}

fn origins() -> impl Strategy<Value = Origin> {
    prop_oneof![
        Just(Origin::Settings("/settings.toml".into())),
        "[A-Z_]{1,8}".prop_map(Origin::Variable),
        Just(Origin::Runner),
        Just(Origin::Input("/recipe.yaml".into())),
        Just(Origin::CommandLine),
        Just(Origin::Sandbox),
        Just(Origin::Default("s3-upload")),
        (1..9_usize).prop_map(Origin::Argument),
        (1..9_usize).prop_map(Origin::Output),
    ]
}

//! Shards: how they are written and read, and which of them share nothing.

use pipeline::{InvalidShard, Shard};
use proptest::prelude::*;
use serde_json::json;

fn shard(index: u32, count: u32) -> Shard {
    Shard::new(index, count).unwrap()
}

#[test]
fn reading() {
    assert_eq!("2/5".parse(), Shard::new(2, 5));
    assert_eq!("1/1".parse(), Ok(Shard::WHOLE));
    for text in
        ["", "2", "/", "2/", "/5", "+2/5", "2/ 5", "-1/5", "1/2/3", "2 of 5", "AUTO", "4294967296/5", "١/٢"]
    {
        assert_eq!(text.parse::<Shard>(), Err(InvalidShard::Form(text.to_owned())), "{text}");
    }
    for (index, count) in [(0, 5), (6, 5), (1, 0), (0, 0), (u32::MAX, 1)] {
        assert_eq!(format!("{index}/{count}").parse::<Shard>(), Err(InvalidShard::Range { index, count }));
        assert!(serde_json::from_value::<Shard>(json!({"index": index, "count": count})).is_err());
    }
}

#[test]
fn shards_of_one_division_share_nothing() {
    assert!(!shard(1, 4).overlaps(shard(2, 4)));
    for other in [shard(1, 4), shard(1, 2), shard(3, 5), Shard::WHOLE] {
        assert!(shard(1, 4).overlaps(other) && other.overlaps(shard(1, 4)), "{other}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(index in 1_u32.., more: u32) {
        let shard = shard(index, index.saturating_add(more));
        prop_assert_eq!(shard.to_string().parse(), Ok(shard));
        let written = serde_json::to_value(shard).unwrap();
        prop_assert_eq!(&written, &json!({"index": shard.index(), "count": shard.count()}));
        prop_assert_eq!(serde_json::from_value::<Shard>(written).unwrap(), shard);
    }

    #[test]
    fn reading_never_panics(text in "\\PC*|[0-9/]{0,12}") {
        if let Ok(shard) = text.parse::<Shard>() {
            prop_assert!(1 <= shard.index() && shard.index() <= shard.count());
        }
    }

    #[test]
    fn every_number_falls_to_one_of_them(number: u64, count: std::num::NonZeroU32) {
        let shard = Shard::of_number(number, count);
        prop_assert_eq!(shard.divisor(), count);
        prop_assert_eq!(u64::from(shard.index()) - 1, number % u64::from(count.get()));
        prop_assert_eq!(Shard::new(shard.index(), shard.count()), Ok(shard));
    }
}

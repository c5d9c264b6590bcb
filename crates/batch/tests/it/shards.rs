//! Shards divide names: completely, without overlap, evenly, and the same way for ever.

use batch::{ShardChoice, shard_of, takes};
use pipeline::{FileName, InvalidShard, Shard};
use proptest::prelude::*;
use std::num::NonZeroU32;

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

fn of(text: &str, count: u32) -> Shard {
    shard_of(&name(text), NonZeroU32::new(count).unwrap())
}

/// From Python: `int(sha256(normalize("NFC", name).encode()).hexdigest()[:16], 16) % n + 1`. Machines with different
/// versions share one list, so these never change.
#[test]
fn fixed_vectors() {
    let vectors = [
        ("Firefox-140.0.pkg", ["1/2", "2/3", "3/7", "47/100", "3819945992/4294967295"]),
        ("GoogleChrome-126.0.6478.127.pkg", ["2/2", "3/3", "4/7", "18/100", "3752012868/4294967295"]),
        ("a.pkg", ["1/2", "3/3", "4/7", "75/100", "4149375855/4294967295"]),
        ("b.pkg", ["2/2", "2/3", "3/7", "16/100", "1899184601/4294967295"]),
        ("Grün & Söhne (2.0+beta).pkg", ["2/2", "1/3", "7/7", "78/100", "1227089398/4294967295"]),
        ("日本語.dmg", ["1/2", "3/3", "3/7", "19/100", "3116289174/4294967295"]),
        ("🦊.pkg", ["2/2", "3/3", "4/7", "78/100", "2673765558/4294967295"]),
    ];
    for (text, shards) in vectors {
        for expected in shards {
            let expected: Shard = expected.parse().unwrap();
            assert_eq!(of(text, expected.count()), expected, "{text}");
            assert!(takes(expected, &name(text)), "{text} {expected}");
        }
        assert_eq!(of(text, 1), Shard::WHOLE);
    }
}

/// macOS hands out decomposed umlauts where a browser upload wrote composed ones: one package, one shard.
#[test]
fn spelling_does_not_matter() {
    assert_eq!(of("Gru\u{308}n.pkg", 1000), of("Gr\u{FC}n.pkg", 1000));
    assert_ne!(of("Grun.pkg", 1000), of("Gr\u{FC}n.pkg", 1000));
}

#[test]
fn reading() {
    assert_eq!("auto".parse(), Ok(ShardChoice::Auto));
    assert_eq!("5/5".parse(), Ok(ShardChoice::Fixed(Shard::new(5, 5).unwrap())));
    assert_eq!("AUTO".parse::<ShardChoice>(), Err(InvalidShard::Form("AUTO".to_owned())));
    insta::assert_snapshot!("three".parse::<ShardChoice>().unwrap_err(), @r#""three" is no shard: it takes the form K/N, such as 2/5"#);
    insta::assert_snapshot!("6/5".parse::<ShardChoice>().unwrap_err(), @"there is no shard 6 of 5: shards are numbered from 1");
}

/// With 20,000 names no shard is a tenth away from its part: far more than chance allows, far less than anybody minds.
#[test]
fn balanced() {
    for count in [2_u32, 3, 5, 8, 16] {
        let mut sizes = vec![0_u32; count as usize];
        for number in 0..20_000 {
            let shard = of(&format!("Application {}-{}.{}.pkg", number % 700, number / 7, number % 9), count);
            sizes[shard.index() as usize - 1] += 1;
        }
        let part = 20_000 / count;
        for size in sizes {
            assert!(size.abs_diff(part) < part / 10, "{size} of {part}");
        }
    }
}

proptest! {
    #[test]
    fn a_partition(text in "[^/.\\pC][^/\\pC]{0,60}", count in 1_u32..200) {
        let name = name(&text);
        let takers: Vec<_> =
            (1..=count).filter(|index| takes(Shard::new(*index, count).unwrap(), &name)).collect();
        prop_assert_eq!(takers, [of(&text, count).index()]);
    }

    #[test]
    fn what_is_written_is_read(index in 1_u32.., more in 0_u32..) {
        let shard = Shard::new(index, index.saturating_add(more)).unwrap();
        prop_assert_eq!(ShardChoice::Fixed(shard).to_string().parse(), Ok(ShardChoice::Fixed(shard)));
    }
}

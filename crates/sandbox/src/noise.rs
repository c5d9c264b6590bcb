/// Contents for packages of a rehearsal: bytes that differ everywhere and from seed to seed, and are the same every time.
///
/// It stands here because this crate is optimised in tests too; elsewhere it would take them longer to make hundreds of MiB than to send
/// them.
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    // Marsaglia's xorshift, which must not begin with zero.
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = vec![0; length];
    let (words, rest) = bytes.as_chunks_mut();
    words.fill_with(&mut next);
    rest.copy_from_slice(&next()[..rest.len()]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::noise;

    #[test]
    fn it_is_the_same_every_time_and_has_the_length_that_was_asked_for() {
        for length in [0, 1, 7, 8, 9, 4097] {
            assert_eq!(noise(1, length), noise(1, 5000)[..length]);
        }
        assert_ne!(noise(1, 8), noise(2, 8));
        let bytes = noise(1, 1 << 16);
        let mut words: Vec<_> = bytes.as_chunks::<8>().0.iter().collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 1 << 13, "no piece of it is like another");
    }
}

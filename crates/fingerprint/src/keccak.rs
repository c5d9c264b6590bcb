//! The permutation of SHA-3 for x86-64, which has no instruction for it but, since 2013, the two that it needs most: `andn`
//! and `rorx`.
//!
//! It is written out in plain Rust and compiled twice: for every x86-64, and for those that have AVX2 and with it the BMI
//! instructions (`fearless_simd` asks the processor and vouches for it; no vector is used). The compiler makes faster code of
//! that than the assemblies of OpenSSL and aws-lc are, which keep to what every x86-64 has.

use fearless_simd::{Level, Simd as _};

/// Bytes that SHA3-512 absorbs at once: 1600 bits less twice the digest's (FIPS 202 §6.1).
pub(crate) const RATE: usize = 72;

/// Rows of five lanes, one after the other (FIPS 202 §3.1.2).
pub(crate) type Lanes = [u64; 25];

/// One for each round (FIPS 202 §3.2.5).
#[rustfmt::skip]
const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
    0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
];

/// Keccak-f\[1600\], by instructions that every x86-64 has: for what a single block is made of.
pub(crate) fn f1600(lanes: &mut Lanes) {
    absorb_blocks(lanes, &[[0; RATE]]);
}

/// Absorbs whole blocks, by the instructions of `level`. The choice is made once for all of them, and the lanes stay where they
/// are between two blocks: made for each, it takes 4 to 6 % longer.
pub(crate) fn absorb(level: Level, lanes: &mut Lanes, blocks: &[[u8; RATE]]) {
    match level.as_avx2() {
        Some(avx2) => avx2.vectorize(
            #[inline(always)]
            || absorb_blocks(lanes, blocks),
        ),
        None => absorb_blocks(lanes, blocks),
    }
}

/// Inlined, so that it is compiled for the processor of whoever calls it.
#[inline(always)]
fn absorb_blocks(lanes: &mut Lanes, blocks: &[[u8; RATE]]) {
    let mut even = *lanes;
    let mut odd = [0; 25];
    for block in blocks {
        for (lane, bytes) in even.iter_mut().zip(block.as_chunks().0) {
            *lane ^= u64::from_le_bytes(*bytes);
        }
        // To and fro, so that no round has to be copied back.
        for [first, second] in ROUND_CONSTANTS.as_chunks().0 {
            round(&even, &mut odd, *first);
            round(&odd, &mut even, *second);
        }
    }
    *lanes = even;
}

/// One round (FIPS 202 §3.3) from `a` to `b`.
#[inline(always)]
fn round(a: &Lanes, b: &mut Lanes, constant: u64) {
    let column = |x: usize| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    let c = [column(0), column(1), column(2), column(3), column(4)];
    let theta = |x: usize| c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1);
    let d = [theta(0), theta(1), theta(2), theta(3), theta(4)];
    // A lane after θ, turned by ρ.
    let lane = |at: usize, by: u32| (a[at] ^ d[at % 5]).rotate_left(by);
    // Five lanes that π brings into one row, and χ.
    let mut row = |y: usize, l: [u64; 5]| {
        for x in 0..5 {
            b[5 * y + x] = l[x] ^ (!l[(x + 1) % 5] & l[(x + 2) % 5]);
        }
    };
    row(0, [lane(0, 0), lane(6, 44), lane(12, 43), lane(18, 21), lane(24, 14)]);
    row(1, [lane(3, 28), lane(9, 20), lane(10, 3), lane(16, 45), lane(22, 61)]);
    row(2, [lane(1, 1), lane(7, 6), lane(13, 25), lane(19, 8), lane(20, 18)]);
    row(3, [lane(4, 27), lane(5, 36), lane(11, 10), lane(17, 15), lane(23, 56)]);
    row(4, [lane(2, 62), lane(8, 55), lane(14, 39), lane(15, 41), lane(21, 2)]);
    b[0] ^= constant;
}

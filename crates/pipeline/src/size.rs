/// A number of bytes for a person: `0 bytes`, `1 byte`, `1.8 KiB`, `2.0 GiB`.
///
/// ```
/// assert_eq!(pipeline::size(1_048_576), "1.0 MiB");
/// ```
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes == 1 {
        return "1 byte".to_owned();
    }
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    // Tenths, cut and not rounded: 1,048,575 bytes are 1023.9 KiB and not 1024.0.
    let mut unit = 0;
    let mut scale = 1024_u64;
    while unit + 1 < UNITS.len() && bytes / scale >= 1024 {
        scale *= 1024;
        unit += 1;
    }
    let tenths = u128::from(bytes) * 10 / u128::from(scale);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_read_well_at_every_edge() {
        let shown = [0, 1, 1023, 1024, 1_048_575, 1_048_576, 5 << 40, u64::MAX].map(size);
        assert_eq!(
            shown,
            ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1023.9 KiB", "1.0 MiB", "5.0 TiB", "15.9 EiB"]
        );
    }
}

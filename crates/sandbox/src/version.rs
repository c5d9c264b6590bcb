use std::str::FromStr;

/// The version of Jamf Pro that is played, asked for what it can do (`jamf-pro-api.md §15`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// `/api/v1/packages`.
    pub(crate) fn has_pro_packages(self) -> bool {
        self >= Self::new(11, 5)
    }

    /// `jcds/files` and the like. Every version that is known has them; they are deprecated, and a later one may not
    /// (`§15`, `§19.12`). That this is the next major one is assumed.
    pub(crate) fn has_jcds(self) -> bool {
        self < Self::new(12, 0)
    }

    /// `jcds/refresh-inventory`.
    pub(crate) fn has_jcds_refresh(self) -> bool {
        self >= Self::new(11, 10)
    }

    /// The `file-name` of a refresh. Older servers refresh everything, whatever they are asked.
    pub(crate) fn refreshes_by_name(self) -> bool {
        self >= Self::new(11, 14)
    }

    /// `cloud-distribution-point/refresh-inventory`. It came in 11.24 or 11.25; the later one is assumed.
    pub(crate) fn has_distribution_point_refresh(self) -> bool {
        self >= Self::new(11, 25)
    }

    /// `inventoryId` as something to sort and filter the inventory by; it came with the refresh.
    pub(crate) fn filters_by_inventory(self) -> bool {
        self.has_distribution_point_refresh()
    }

    /// `sha3512` in package records.
    pub(crate) fn tells_sha3512(self) -> bool {
        self >= Self::new(11, 25)
    }

    /// Whether JCDS calls find that the service is not set up. Before that it took them by surprise.
    pub(crate) fn notices_missing_jcds(self) -> bool {
        self >= Self { patch: 1, ..Self::new(11, 26) }
    }

    /// Whether privileges for JCDS files go by the service's older name, "Content Distribution Server".
    pub(crate) fn says_content_distribution(self) -> bool {
        self < Self::new(11, 20)
    }

    /// `currentDivisionId` and the other fields of divisions in `GET /v1/auth`.
    pub(crate) fn has_divisions(self) -> bool {
        self >= Self { patch: 1, ..Self::new(11, 29) }
    }

    /// Whether JCDS calls are marked as deprecated.
    pub(crate) fn deprecates_jcds(self) -> bool {
        self >= Self::new(11, 25)
    }
}

impl FromStr for Version {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        // `11.30.1-t1784555528405`: only the numbers before the dash count (`§3`).
        let numbers = text.split_once('-').map_or(text, |(numbers, _)| numbers);
        let mut parts = numbers.split('.').map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else { return Err(()) };
        let patch = parts.next().unwrap_or(Ok(0)).map_err(|_| ())?;
        if parts.any(|part| part.is_err()) {
            return Err(());
        }
        Ok(Self { major, minor, patch })
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn compares_numbers_not_text() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("11.5.0").has_pro_packages() && !version("11.4.2").has_pro_packages());
        assert!(version("11.26.1").notices_missing_jcds() && !version("11.26.0").notices_missing_jcds());
        assert!(version("11.999.9").has_jcds() && !version("12.0.0").has_jcds());
        assert!(version("11.10").has_jcds_refresh() && !version("11.9.9").has_jcds_refresh());
        assert!(version("11.30.1-t1784555528405").tells_sha3512() && !version("11.23.2").tells_sha3512());
    }

    #[test]
    fn refuses_what_is_no_version() {
        for text in ["", "11", "11.x", "eleven.five", "11.30.", "11.30.1rc"] {
            assert_eq!(text.parse::<Version>(), Err(()), "{text}");
        }
    }
}

//! What a snapshot is called.

use crate::error::VolumeError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `YYYYMMDDTHHMMSSZ-xxxx`: when it was made, in UTC, and four hexadecimal digits that tell it
/// from others of that second. Ids sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

/// `d` stands for a digit, `x` for a lowercase hexadecimal one.
const PATTERN: &[u8] = b"ddddddddTddddddZ-xxxx";

impl SnapshotId {
    /// The id of a snapshot that is made `now`.
    pub fn new(now: SystemTime, random: u16) -> Self {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let (days, secs) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        Self(format!(
            "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z-{random:04x}"
        ))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Year, month and day, of days since 1970 (Howard Hinnant's `civil_from_days`: a year begins
/// in March there, so that the leap day is its last).
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

impl FromStr for SnapshotId {
    type Err = VolumeError;

    fn from_str(text: &str) -> Result<Self, VolumeError> {
        let fits = |(byte, kind): (u8, &u8)| match kind {
            b'd' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            same => byte == *same,
        };
        if text.len() == PATTERN.len() && text.bytes().zip(PATTERN).all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(VolumeError::Id(text.to_owned()))
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = VolumeError;

    fn try_from(text: String) -> Result<Self, VolumeError> {
        text.parse()
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> Self {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SnapshotId;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn an_id_says_when() {
        for (secs, said) in [
            (0, "19700101T000000Z-00af"),
            (951_827_696, "20000229T123456Z-00af"),
            (1_709_251_199, "20240229T235959Z-00af"),
            (4_107_542_400, "21000301T000000Z-00af"),
        ] {
            let id = SnapshotId::new(UNIX_EPOCH + Duration::from_secs(secs), 0xaf);
            assert_eq!(id.as_str(), said);
            assert_eq!(said.parse::<SnapshotId>().unwrap(), id);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "..",
            "../../../../../etc/pas",
            "20260131T235959Z-1F2E",
            "20260131T235959Z-1f2",
            "20260131T235959Z-1f2e0",
            "20260131T235959Z/1f2e",
            "2026013１T235959Z-1f2e",
        ] {
            assert!(text.parse::<SnapshotId>().is_err(), "{text}");
        }
    }
}

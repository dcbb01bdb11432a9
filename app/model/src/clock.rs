//! The one clock. Everything that needs the time asks here, so that tests can stop it.

use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::sync::RwLock;

static STOPPED: RwLock<Option<Moment>> = RwLock::new(None);

/// A point in time: UTC with the offset of the place it was recorded at.
///
/// Written as RFC 3339 with offset, for example `2026-11-21T08:10:00.250+08:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    /// The instant.
    pub utc: Timestamp,
    /// Local time minus UTC at that place and moment. Units: seconds.
    pub offset_s: i32,
}

impl Moment {
    /// Parses RFC 3339 text with an offset.
    ///
    /// # Errors
    /// When the text is not a date, time and offset.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        let pieces: jiff::fmt::temporal::Pieces<'_> = jiff::fmt::temporal::Pieces::parse(text)?;
        let utc: Timestamp = text.parse()?;
        let offset_s = pieces.to_numeric_offset().map_or(0, jiff::tz::Offset::seconds);
        Ok(Self { utc, offset_s })
    }

    /// The moment in its own local time.
    #[must_use]
    pub fn local(self) -> Zoned {
        let tz = jiff::tz::Offset::from_seconds(self.offset_s).map_or(TimeZone::UTC, TimeZone::fixed);
        self.utc.to_zoned(tz)
    }

    /// Local date as DICOM DA, `YYYYMMDD`. Source: PS3.5 §6.2.
    #[must_use]
    pub fn dicom_date(self) -> String {
        self.local().strftime("%Y%m%d").to_string()
    }

    /// Local time as DICOM TM, `HHMMSS.FFFFFF`. Source: PS3.5 §6.2.
    #[must_use]
    pub fn dicom_time(self) -> String {
        self.local().strftime("%H%M%S.%6f").to_string()
    }

    /// As DICOM DT with offset, `YYYYMMDDHHMMSS.FFFFFF+ZZZZ`. Source: PS3.5 §6.2.
    #[must_use]
    pub fn dicom_datetime(self) -> String {
        self.local().strftime("%Y%m%d%H%M%S.%6f%z").to_string()
    }

    /// Local date and time to the minute, for people: `2026-11-21 08:10`.
    #[must_use]
    pub fn to_the_minute(self) -> String {
        self.local().strftime("%Y-%m-%d %H:%M").to_string()
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.local().strftime("%Y-%m-%dT%H:%M:%S%.f%:z"))
    }
}

impl TryFrom<String> for Moment {
    type Error = jiff::Error;
    fn try_from(text: String) -> Result<Self, jiff::Error> {
        Self::parse(&text)
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

/// The present moment, or the one set by [`stop_at`].
#[must_use]
pub fn now() -> Moment {
    let stopped = STOPPED.read().map_or_else(|poisoned| *poisoned.into_inner(), |guard| *guard);
    stopped.unwrap_or_else(|| {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
        let utc = Timestamp::now();
        Moment { utc, offset_s: utc.to_zoned(TimeZone::system()).offset().seconds() }
    })
}

/// Stops the clock at a moment (`None` lets it run again). For tests.
pub fn stop_at(moment: Option<Moment>) {
    match STOPPED.write() {
        Ok(mut guard) => *guard = moment,
        Err(poisoned) => *poisoned.into_inner() = moment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_the_offset() {
        let moment = Moment::parse("2026-11-21T08:10:00.25+08:00").unwrap();
        assert_eq!(moment.offset_s, 8 * 3600);
        assert_eq!(moment.to_string(), "2026-11-21T08:10:00.25+08:00");
        assert_eq!(moment.dicom_date(), "20261121");
        assert_eq!(moment.dicom_time(), "081000.250000");
        assert_eq!(moment.dicom_datetime(), "20261121081000.250000+0800");
        assert_eq!(Moment::parse(&moment.to_string()).unwrap(), moment);
    }
}

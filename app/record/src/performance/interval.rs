//! How sure a share is.

use serde::Serialize;

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A share of decisions with its 95 % interval, all from 0 to 1, to three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// The share itself.
    pub share: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

/// Share and Wilson's score interval at 95 %, which stays within 0 and 1 and holds for few cases too; `None` of nothing.
///
/// Source: Wilson EB, J Am Stat Assoc 1927;22:209-212; Brown LD, Cai TT, DasGupta A, Stat Sci 2001;16:101-133.
#[must_use]
pub fn wilson(events: u32, of: u32) -> Option<Share> {
    if of == 0 {
        return None;
    }
    let (n, share) = (f64::from(of), f64::from(events) / f64::from(of));
    let z2 = Z * Z;
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let rounded = |v: f64| (v.clamp(0.0, 1.0) * 1000.0).round() / 1000.0;
    Some(Share { share: rounded(share), low: rounded(middle - half), high: rounded(middle + half) })
}

/// The middle of values, the mean of the middle two where their number is even; `None` of nothing.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied();
    let half = values.len() / 2;
    if values.len() % 2 == 1 { at(half) } else { Some(f64::midpoint(at(half.checked_sub(1)?)?, at(half)?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_by_hand() {
        // 12 of 40, 0 of 10 and 10 of 10, worked out from the formula.
        assert_eq!(wilson(12, 40), Some(Share { share: 0.3, low: 0.181, high: 0.454 }));
        assert_eq!(wilson(0, 10), Some(Share { share: 0.0, low: 0.0, high: 0.278 }));
        assert_eq!(wilson(10, 10), Some(Share { share: 1.0, low: 0.722, high: 1.0 }));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn medians() {
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0]), median(Vec::new())), (Some(2.0), Some(2.5), None));
    }
}

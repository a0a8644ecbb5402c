//! What is said of several samples of one figure.

/// The middle of the samples, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The median; of an even number, the mean of the two in the middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Summary {
    /// Of these samples; none of no samples.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (upper, lower) = (sorted.len() / 2, sorted.len().saturating_sub(1) / 2);
        Some(Self {
            median: f64::midpoint(*sorted.get(lower)?, *sorted.get(upper)?),
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

/// The value that this share of the samples does not exceed; none of no samples.
pub fn percentile(samples: &mut [u32], share: f64) -> Option<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a length is between 0 and that length"
    )]
    let rank = (samples.len() as f64 * share).ceil() as usize;
    let place = rank.saturating_sub(1);
    (place < samples.len()).then(|| *samples.select_nth_unstable(place).1)
}

#[cfg(test)]
mod tests {
    use super::{Summary, percentile};

    fn summary(samples: &[f64]) -> (f64, f64, f64) {
        let summary = Summary::of(samples).unwrap();
        (summary.median, summary.min, summary.max)
    }

    #[test]
    fn a_summary_is_of_sorted_samples() {
        assert_eq!(summary(&[3.0]), (3.0, 3.0, 3.0));
        assert_eq!(summary(&[9.0, 1.0, 4.0]), (4.0, 1.0, 9.0));
        assert_eq!(summary(&[9.0, 1.0, 4.0, 2.0]), (3.0, 1.0, 9.0));
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let mut samples: Vec<u32> = (1..=200).rev().collect();
        assert_eq!(percentile(&mut samples, 0.5), Some(100));
        assert_eq!(percentile(&mut samples, 0.99), Some(198));
        assert_eq!(percentile(&mut samples, 1.0), Some(200));
        assert_eq!(percentile(&mut [7], 0.99), Some(7));
        assert_eq!(percentile(&mut [], 0.5), None);
    }
}

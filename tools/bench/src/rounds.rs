//! Interleaved rounds: each server once, then each of them again.

use crate::progress::say;
use crate::settings::Settings;
use crate::table::Table;
use crate::target::Target;
use anyhow::{Context, Result, bail};
use std::time::Duration;

/// How often a measurement is begun.
const ATTEMPTS: usize = 3;

/// One measurement of a server.
#[derive(Debug)]
pub struct Measured {
    /// A value for each of the table's figures, none where there is nothing to say.
    pub values: Vec<Option<f64>>,
    /// How long it took.
    pub took: Duration,
}

/// Measures each server in each round, and puts it into the table.
///
/// # Errors
/// A measurement failed.
pub async fn run(
    settings: &Settings,
    table: &mut Table,
    targets: &[Target],
    mut measure: impl AsyncFnMut(&Target) -> Result<Measured>,
) -> Result<()> {
    for round in 1..=settings.rounds {
        for target in targets {
            let name = target.name;
            let measured = steadily(settings.time(), async || measure(target).await);
            let measured = measured.await.context(name)?;
            say(format_args!("{}, round {round}, {name}", table.title()));
            table.add(name, &measured.values);
        }
    }
    Ok(())
}

/// Measures once more if the machine stood still meanwhile: the time that it slept, or that the
/// load was stopped, would count as the server's.
async fn steadily(
    asked: Duration,
    mut measure: impl AsyncFnMut() -> Result<Measured>,
) -> Result<Measured> {
    for _ in 0..ATTEMPTS {
        let measured = measure().await?;
        let took = measured.took;
        if !stood_still(took, asked) {
            return Ok(measured);
        }
        say(format_args!("{took:?} in place of {asked:?}: once more"));
    }
    bail!("measurements take too long: is the machine busy with something else?")
}

fn stood_still(took: Duration, asked: Duration) -> bool {
    took > asked + asked / 5 + Duration::from_millis(300)
}

#[cfg(test)]
mod tests {
    use super::{ATTEMPTS, Measured, steadily};
    use std::time::Duration;

    const ASKED: Duration = Duration::from_secs(5);

    async fn values_after(durations: &[u64]) -> Option<Vec<Option<f64>>> {
        let mut rounds = durations.iter().zip([1.0, 2.0, 3.0]);
        let measured = steadily(ASKED, async || {
            let (secs, value) = rounds.next().unwrap();
            Ok(Measured {
                values: vec![Some(value)],
                took: Duration::from_secs(*secs),
            })
        });
        measured.await.ok().map(|measured| measured.values)
    }

    #[tokio::test]
    async fn a_measurement_that_stood_still_is_made_again() {
        assert_eq!(values_after(&[5]).await, Some(vec![Some(1.0)]));
        assert_eq!(values_after(&[60, 5]).await, Some(vec![Some(2.0)]));
        assert_eq!(values_after(&[60; ATTEMPTS]).await, None);
    }
}

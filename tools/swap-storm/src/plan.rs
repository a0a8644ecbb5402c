//! What a storm is made of: how much of it, and what happens in which order.

use super::origins::Origins;
use super::sandbox::Fault;
use super::types::Role;
use std::fmt;
use std::time::Duration;

/// How much of a storm. The same plan brings the same events in the same order.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Answered requests at least.
    pub requests: u64,
    /// Clients at once.
    pub clients: usize,
    /// Swaps that succeed; those that must be refused come on top.
    pub swaps: u64,
    /// Restarts of the hypervisor, each in the midst of a swap or of a sandbox's trouble.
    pub restarts: u64,
    /// Where chance begins.
    pub seed: u64,
    /// Whose origin the sandboxes have.
    pub origins: Origins,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requests,
            clients,
            swaps,
            restarts,
            seed,
            origins,
        } = self;
        write!(
            f,
            "{requests} requests from {clients} clients, {swaps} swaps, {restarts} restarts, seed {seed}, \
             {origins} origins"
        )
    }
}

/// One swap, and what goes wrong around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// What a sandbox goes through first.
    pub(super) trouble: Option<Trouble>,
    /// Seconds of the swap's drain.
    pub(super) drain: u64,
    /// Whether the hypervisor is restarted, while a sandbox is in trouble or else in the midst
    /// of the swap.
    pub(super) restart: bool,
}

/// What a sandbox goes through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    /// The role of the sandbox that has it.
    pub(super) role: Role,
    pub(super) fault: Fault,
    pub(super) lasts: Duration,
    pub(super) meanwhile: Meanwhile,
}

/// What is done to the routes while a sandbox is in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meanwhile {
    /// Nothing; the swap comes afterwards.
    Nothing,
    /// A swap, which has to be refused; the one that succeeds comes afterwards.
    Refusal,
    /// The swap: what was dev takes over from a live sandbox that is in trouble.
    Rescue,
}

/// Each ten swaps see each of these once, in a new order.
const ROUND: [Option<(Role, Fault, Meanwhile)>; 10] = [
    None,
    None,
    Some((Role::Dev, Fault::Crash, Meanwhile::Refusal)),
    Some((Role::Dev, Fault::Hang, Meanwhile::Refusal)),
    Some((Role::Dev, Fault::Refuse, Meanwhile::Refusal)),
    Some((Role::Dev, Fault::Sick, Meanwhile::Refusal)),
    Some((Role::Live, Fault::Crash, Meanwhile::Rescue)),
    Some((Role::Live, Fault::Hang, Meanwhile::Rescue)),
    Some((Role::Live, Fault::Refuse, Meanwhile::Nothing)),
    Some((Role::Live, Fault::Restart, Meanwhile::Nothing)),
];

/// One trouble in so many lasts until the hypervisor gives up the sandbox, or what it asked it.
const LONG: u64 = 12;

impl Plan {
    /// The events, one step a swap.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut chance = fastrand::Rng::with_seed(self.seed);
        let mut round = Vec::new();
        let restarts = self.restarts.min(self.swaps);
        let steps = (0..self.swaps).map(|index| {
            if round.is_empty() {
                round.extend(ROUND);
                chance.shuffle(&mut round);
            }
            let trouble = round.pop().flatten();
            // Evenly spread, with none at the ends.
            let until = |index: u64| (index * restarts + self.swaps / 2) / self.swaps;
            let restart = until(index + 1) > until(index);
            Step {
                trouble: trouble.map(|(role, fault, meanwhile)| Trouble {
                    role,
                    fault,
                    lasts: lasting(fault, &mut chance),
                    meanwhile,
                }),
                drain: chance.u64(0..4),
                restart,
            }
        });
        steps.collect()
    }
}

fn lasting(fault: Fault, chance: &mut fastrand::Rng) -> Duration {
    if fault == Fault::Restart {
        return Duration::ZERO; // It takes what it takes.
    }
    let millis = if chance.u64(0..LONG) == 0 {
        6_000
    } else {
        chance.u64(100..800)
    };
    Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_round_has_every_trouble_and_as_many_restarts_as_are_asked_for() {
        for (swaps, restarts) in [(10, 1), (100, 5), (10, 0), (3, 3), (2, 9)] {
            let plan = Plan {
                requests: 1,
                clients: 1,
                swaps,
                restarts,
                seed: 7,
                origins: Origins::Own,
            };
            let steps = plan.steps();
            assert_eq!(steps.len() as u64, swaps);
            let count = steps.iter().filter(|step| step.restart).count() as u64;
            assert_eq!(count, restarts.min(swaps));
            if swaps < 10 {
                continue;
            }
            for fault in Fault::ALL {
                let of = |step: &&Step| step.trouble.is_some_and(|it| it.fault == fault);
                assert!(steps.iter().any(|step| of(&step)), "{fault:?}");
            }
        }
    }
}

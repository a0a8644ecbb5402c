//! What a storm with data is made of, and what happens in which order.

use super::release::Fault;
use std::fmt;

/// How much of a storm. The same plan brings the same events in the same order.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Answered requests at least.
    pub requests: u64,
    /// Clients that write and read at once; one more in eight follows what is written.
    pub clients: usize,
    /// Promotions, those included that are taken back.
    pub promotions: u64,
    /// How many of them are to releases that something is wrong with.
    pub faulty: u64,
    /// In the midst of how many of the others something is killed.
    pub kills: u64,
    /// Where chance begins.
    pub seed: u64,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requests,
            clients,
            promotions,
            faulty,
            kills,
            seed,
        } = self;
        write!(
            f,
            "{requests} requests from {clients} clients, {promotions} promotions, \
             {faulty} of them to faulty releases, {kills} kills, seed {seed}"
        )
    }
}

/// One promotion, and what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// To a release that is well.
    Well(And),
    /// To one that something is wrong with, also in the rehearsal if there is one.
    Faulty { fault: Fault, rehearse: bool },
    /// To one that is well, while this is killed.
    Killed(Victim),
}

/// What goes with a promotion that succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum And {
    Nothing,
    /// There was no rehearsal.
    Unrehearsed,
    /// It is undone with its data, and what was written since is gone by order.
    UndoneWithData,
    /// It had the same schema, and its release alone is undone.
    Undone,
    /// It migrated, and the old release refuses these data: undoing the release alone is taken back.
    UndoRefused,
    /// Dev gets a copy of live's data.
    Forked,
    /// A snapshot is taken.
    Snapshotted,
    /// The hypervisor is restarted in its midst.
    Restarted,
}

impl And {
    const ALL: [Self; 8] = [
        Self::Nothing,
        Self::UndoneWithData,
        Self::Unrehearsed,
        Self::Undone,
        Self::Restarted,
        Self::UndoRefused,
        Self::Forked,
        Self::Snapshotted,
    ];

    /// Whether the release has another schema than the one before.
    pub(super) const fn migrates(self) -> bool {
        !matches!(self, Self::Undone)
    }
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    Gateway,
    /// Live's program.
    Sandbox,
    /// The process between the two.
    Guardian,
}

impl Victim {
    const ALL: [Self; 3] = [Self::Gateway, Self::Sandbox, Self::Guardian];
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gateway => "gateway",
            Self::Sandbox => "sandbox",
            Self::Guardian => "guardian",
        })
    }
}

/// Each fault without a rehearsal, and one that a rehearsal finds; one that crashes later is found
/// by nothing but its probation.
const FAULTS: [(Fault, bool); 5] = [
    (Fault::Spoil, false),
    (Fault::Crash, true),
    (Fault::Sick, false),
    (Fault::Spoil, true),
    (Fault::Hang, false),
];

impl Plan {
    /// The events, one step a promotion.
    pub(super) fn steps(&self) -> Vec<Step> {
        let faulty = self.faulty.min(self.promotions);
        let kills = self.kills.min(self.promotions - faulty);
        let mut steps = Vec::new();
        steps.extend(
            (0..faulty)
                .zip(FAULTS.iter().cycle())
                .map(|(_, &(fault, rehearse))| Step::Faulty { fault, rehearse }),
        );
        steps.extend(
            (0..kills)
                .zip(Victim::ALL.iter().cycle())
                .map(|(_, &it)| Step::Killed(it)),
        );
        let well = self.promotions - faulty - kills;
        steps.extend(
            (0..well)
                .zip(And::ALL.iter().cycle())
                .map(|(_, &and)| Step::Well(and)),
        );
        fastrand::Rng::with_seed(self.seed).shuffle(&mut steps);
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_what_it_says() {
        let plan = Plan {
            requests: 1,
            clients: 1,
            promotions: 100,
            faulty: 20,
            kills: 30,
            seed: 7,
        };
        let steps = plan.steps();
        assert_eq!(steps.len(), 100);
        let count = |is: fn(&Step) -> bool| steps.iter().filter(|step| is(step)).count();
        assert_eq!(count(|step| matches!(step, Step::Faulty { .. })), 20);
        assert_eq!(count(|step| matches!(step, Step::Killed(_))), 30);
        for and in And::ALL {
            assert!(steps.contains(&Step::Well(and)), "{and:?}");
        }
        for fault in Fault::ALL {
            let has = |step: &Step| matches!(step, Step::Faulty { fault: it, .. } if *it == fault);
            assert!(steps.iter().any(has), "{fault}");
        }
    }
}

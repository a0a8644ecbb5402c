//! What a release of the data service is: the schema that its data have, and what is wrong with it.

use anyhow::{Context, Result};
use std::fmt;
use std::time::Duration;

const SCHEMA: &str = "SCHEMA";
const BUILD: &str = "BUILD";
const FAULT: &str = "FAULT";
const FAULT_IN: &str = "FAULT_IN";

/// How long one that crashes is well before.
pub(super) const CRASHES_AFTER: Duration = Duration::from_millis(700);

/// What is wrong with a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its health says no.
    Sick,
    /// It accepts connections, and answers nothing.
    Hang,
    /// It is well at first, and then aborts, each time that it is started.
    Crash,
    /// It migrates, spoils what it has, and fails.
    Spoil,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sick, Self::Hang, Self::Crash, Self::Spoil];

    fn as_str(self) -> &'static str {
        match self {
            Self::Sick => "sick",
            Self::Hang => "hangs",
            Self::Crash => "crashes after a while",
            Self::Spoil => "spoils its data and fails",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A release of the data service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Release {
    /// What it migrates its data to. It refuses those of a newer one.
    pub(super) schema: u32,
    /// What is wrong with it,
    pub(super) fault: Option<Fault>,
    /// and in whose place: that of live, or everybody's.
    pub(super) everywhere: bool,
    /// Tells it from others that are alike.
    pub(super) build: u64,
}

impl Release {
    /// As the environment that it is added with.
    pub(super) fn variables(self) -> Vec<String> {
        let build = format!("{BUILD}={}", self.build);
        let mut variables = vec![format!("{SCHEMA}={}", self.schema), build];
        if let Some(fault) = self.fault {
            variables.push(format!("{FAULT}={}", fault.as_str()));
            let place = if self.everywhere { "all" } else { "live" };
            variables.push(format!("{FAULT_IN}={place}"));
        }
        variables
    }

    /// From the environment of a sandbox with this role.
    pub(super) fn of_environment(role: &str) -> Result<Self> {
        let variable = |name| std::env::var(name).ok();
        let schema = variable(SCHEMA).context("no SCHEMA")?.parse()?;
        let everywhere = variable(FAULT_IN).is_some_and(|place| place == "all");
        let named = variable(FAULT);
        let fault = Fault::ALL
            .into_iter()
            .find(|it| named.as_deref() == Some(it.as_str()));
        Ok(Self {
            schema,
            fault: fault.filter(|_| everywhere || role == "live"),
            everywhere,
            build: 0, // Of no use to it.
        })
    }
}

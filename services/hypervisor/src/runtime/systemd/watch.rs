//! What systemd says of one unit: its state, and then each change.

use super::bus::{self, Bus, SERVICE, UNIT};
use crate::runtime::backend::End;
use futures_util::StreamExt;
use zbus::fdo::{PropertiesChangedStream, PropertiesProxy};

/// A look at a unit that misses no change from its beginning on. Each wait fails if the connection
/// breaks.
pub(super) struct Watch {
    unit: String,
    properties: PropertiesProxy<'static>,
    changes: PropertiesChangedStream,
    /// `ActiveState`, as it was said last.
    active: String,
}

impl Watch {
    /// Begins to look.
    ///
    /// # Errors
    /// The bus's, or systemd's.
    pub(super) async fn open(bus: &Bus, unit: &str) -> zbus::Result<Self> {
        let manager = bus.manager().await?;
        let path = manager.load_unit(unit).await?;
        let properties = bus::properties(&manager, path).await?;
        let changes = properties
            .receive_properties_changed_with_args(&[(0, UNIT)])
            .await?;
        let active = bus::text(&properties, UNIT, "ActiveState").await?;
        Ok(Self {
            unit: unit.to_owned(),
            properties,
            changes,
            active,
        })
    }

    /// Resolves once the unit runs, or is on the way there.
    pub(super) async fn up(&mut self) -> zbus::Result<()> {
        while !self.is_up() {
            self.change().await?;
        }
        Ok(())
    }

    /// Resolves once the unit is no longer on the way, with why it came to nothing if it did.
    /// May be dropped and called again.
    pub(super) async fn started(&mut self) -> zbus::Result<Result<(), String>> {
        while self.starts() {
            self.change().await?;
        }
        if self.runs() {
            return Ok(Ok(()));
        }
        Ok(Err(match self.ended().await? {
            End::Crashed(cause) => cause,
            End::Stopped => format!("its unit {} was stopped while it started", self.unit),
        }))
    }

    /// Resolves once the unit no longer runs, or is about to. May be dropped and called again.
    pub(super) async fn ending(&mut self) -> zbus::Result<()> {
        while self.runs() {
            self.change().await?;
        }
        Ok(())
    }

    /// Resolves once that end is over, with how it was: only then is its result to be trusted.
    pub(super) async fn ended(&mut self) -> zbus::Result<End> {
        while self.active == "deactivating" {
            self.change().await?;
        }
        let result = bus::text(&self.properties, SERVICE, "Result").await?;
        if result == "success" {
            return Ok(End::Stopped);
        }
        let unit = &self.unit;
        Ok(End::Crashed(format!(
            "its unit {unit} failed ({result}); see `journalctl -u {unit}`"
        )))
    }

    /// Whether the unit runs, or is on the way there: by an order, or again after a failure.
    pub(super) fn is_up(&self) -> bool {
        self.runs() || self.starts()
    }

    /// Whether nothing of the unit is there.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.active.as_str(), "inactive" | "failed")
    }

    fn starts(&self) -> bool {
        self.active == "activating"
    }

    fn runs(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "refreshing")
    }

    async fn change(&mut self) -> zbus::Result<()> {
        let lost = || zbus::Error::Failure("the connection to the bus broke".into());
        let change = self.changes.next().await.ok_or_else(lost)?;
        let change = change.args()?;
        if let Some(active) = change.changed_properties.get("ActiveState") {
            self.active = active.try_clone()?.try_into()?;
        }
        Ok(())
    }
}

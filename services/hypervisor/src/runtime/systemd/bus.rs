//! The system bus, and what we use of systemd's interface there.

use super::names::Unit;
use std::time::Duration;
use tokio::sync::Mutex;
use zbus::connection::Builder;
use zbus::proxy::CacheProperties;
use zbus::{Connection, ObjectPath, OwnedObjectPath, fdo, names::InterfaceName};

/// What a response may take: polkit may have to be started for it.
const LIMIT: Duration = Duration::from_secs(25);

/// A job: its number, its unit's name, its type and state, and the paths of both.
pub(super) type JobRow = (
    u32,
    String,
    String,
    String,
    OwnedObjectPath,
    OwnedObjectPath,
);

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
pub(super) trait Manager {
    fn subscribe(&self) -> zbus::Result<()>;
    fn load_unit(&self, name: &str) -> zbus::Result<OwnedObjectPath>;
    fn start_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn stop_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn list_jobs(&self) -> zbus::Result<Vec<JobRow>>;
    #[zbus(signal)]
    fn job_removed(
        &self,
        id: u32,
        job: ObjectPath<'_>,
        unit: &str,
        result: &str,
    ) -> zbus::Result<()>;
}

/// The interface of a unit, and the one of a unit that is a service.
pub(super) const UNIT: &str = "org.freedesktop.systemd1.Unit";
pub(super) const SERVICE: &str = "org.freedesktop.systemd1.Service";

/// The connection to the bus, made when it is needed and again when it broke.
#[derive(Default)]
pub(super) struct Bus(Mutex<Option<Connection>>);

impl Bus {
    /// systemd, which tells us of changes from now on.
    pub(super) async fn manager(&self) -> zbus::Result<ManagerProxy<'static>> {
        let mut connection = self.0.lock().await;
        if let Some(open) = connection.as_ref().filter(|it| !it.is_closed()) {
            return ManagerProxy::new(open).await;
        }
        let new = Builder::system().method_timeout(LIMIT).build().await?;
        let manager = ManagerProxy::new(&new).await?;
        manager.subscribe().await?;
        *connection = Some(new);
        Ok(manager)
    }

    #[cfg(test)]
    pub(super) fn over(connection: Connection) -> Self {
        Self(Mutex::new(Some(connection)))
    }
}

/// The properties of the unit at this path.
pub(super) async fn properties(
    manager: &ManagerProxy<'_>,
    path: OwnedObjectPath,
) -> zbus::Result<fdo::PropertiesProxy<'static>> {
    fdo::PropertiesProxy::builder(manager.inner().connection())
        .destination("org.freedesktop.systemd1")
        .path(path)
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

/// A property that is a string.
pub(super) async fn text(
    properties: &fdo::PropertiesProxy<'_>,
    interface: &'static str,
    name: &str,
) -> zbus::Result<String> {
    let interface = InterfaceName::try_from(interface)?;
    properties.get(interface, name).await?.try_into()
}

/// What went wrong, and the mend. `verb` is what we wanted to do to the unit.
pub(super) fn sentence(error: &zbus::Error, unit: &Unit, verb: &str) -> String {
    let Unit { name: unit, key } = unit;
    let said = match error {
        zbus::Error::FDO(error) => match error.as_ref() {
            fdo::Error::AccessDenied(_) | fdo::Error::InteractiveAuthorizationRequired(_) => {
                return format!(
                    "systemd does not let this user {verb} {unit}; allow it by a polkit rule for org.freedesktop.systemd1.manage-units and that unit"
                );
            }
            error => error.to_string(),
        },
        zbus::Error::MethodError(name, message, _)
            if name.as_str() == "org.freedesktop.systemd1.NoSuchUnit" =>
        {
            let said = message.as_deref().unwrap_or_default();
            return format!(
                "the host has no unit {unit} ({said}); declare it there, or mend {key}"
            );
        }
        zbus::Error::MethodError(_, Some(message), _) => message.clone(),
        zbus::Error::Connection(..) | zbus::Error::InputOutput(_) | zbus::Error::Handshake(_) => {
            return format!(
                "the system bus cannot be reached ({error}); see that dbus.service runs and this user may use its socket"
            );
        }
        error => error.to_string(),
    };
    format!("systemd could not {verb} {unit}: {said}; see `systemctl status {unit}`")
}

//! Bad configuration is refused with its place and its mend, and good one is understood.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

use hypervisor::config::{self, Config, ConfigError, Registration};
use std::io::Write as _;

fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut on_disk = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    on_disk.write_all(file.as_bytes()).unwrap();
    let env = env
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    config::load(Some(on_disk.path()), env)
}

fn refusal(file: &str, env: &[(&str, &str)]) -> String {
    load(file, env).expect_err("should be refused").to_string()
}

#[test]
fn nothing_given_serves_a_laptop() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.origin().as_str(), "http://localhost:9090/");
    assert!(config.server.listen.ip().is_loopback());
    assert_eq!(config.registration, Registration::Invite);
    assert!(config.workspaces.contains_key("sandbox"));
}

#[test]
fn every_key_can_come_from_the_environment() {
    let config = load(
        "[server]\nidle_secs = 5\n",
        &[
            ("HYPERVISOR_REGISTRATION", "open"),
            ("HYPERVISOR_SERVER_IDLE_SECS", "7"),
            ("HYPERVISOR_SERVER_TRUSTED_PROXIES", "[\"127.0.0.1/32\"]"),
            ("HYPERVISOR_AUTH_RP_NAME", "42"),
            ("HYPERVISOR_AUTH_REVEAL_ACCOUNTS", "false"),
            ("HYPERVISOR_STORE_PATH", "/tmp/x.db"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.registration, Registration::Open);
    assert_eq!(config.server.idle_secs, 7);
    assert_eq!(config.server.trusted_proxies.len(), 1);
    assert_eq!(config.auth.rp_name, "42");
    assert!(!config.auth.reveal_accounts);
}

#[test]
fn what_is_wrong_in_the_file_stays_wrong_with_a_variable_over_it() {
    let file = "[server]\nidle_secs = \"soon\"\n";
    let message = refusal(file, &[("HYPERVISOR_SERVER_IDLE_SECS", "7")]);
    assert!(message.contains("line 2"), "{message}");
}

#[test]
fn the_ancestors_names_still_work() {
    let config = load(
        "",
        &[
            ("WEBAUTHN_RP_ID", "os.example"),
            ("WEBAUTHN_RP_ORIGIN", "https://os.example"),
            ("HYPERVISOR_PORT", "9191"),
            ("SANDBOX_LIVE_PORT", "8080"),
            ("SANDBOX_DEV_PORT", "8081"),
            ("FRONTEND_DIST", "/srv/shell"),
        ],
    )
    .unwrap();
    assert_eq!(config.origin().as_str(), "https://os.example/");
    assert_eq!(config.server.listen.port(), 9191);
    let workspace = &config.workspaces["sandbox"];
    assert_eq!(
        workspace.live.listens().unwrap().to_string(),
        "127.0.0.1:8080"
    );
    assert_eq!(workspace.dev.listens().unwrap().port(), 8081);
    assert_eq!(config.shell.dir.unwrap().to_str(), Some("/srv/shell"));
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let said = refusal(
        "[server]\nlisten = \"127.0.0.1:9090\"\nidel_secs = 5\n",
        &[],
    );
    assert!(said.contains(".toml") && said.contains("line 3"), "{said}");
    assert!(
        said.contains("idel_secs") && said.contains("idle_secs"),
        "{said}"
    );
    let said = refusal("registration = \"maybe\"\n", &[]);
    assert!(said.contains("line 1") && said.contains("invite"), "{said}");
    let said = refusal("[server\n", &[]);
    assert!(said.contains("line 1"), "{said}");
}

#[test]
fn a_mistake_in_the_environment_is_named_with_its_variable() {
    for (name, value, hint) in [
        ("HYPERVISOR_REGISTRATION", "maybe", "invite"),
        ("HYPERVISOR_SERVER_IDLE_SECS", "soon", "server.idle_secs"),
        ("HYPERVISOR_SERVER_COLOUR", "red", "colour"),
        ("HYPERVISOR_NONSENSE", "1", "nonsense"),
        ("HYPERVISOR_PORT", "99999", "server.port"),
        ("WEBAUTHN_RP_ORIGIN", "no url", "auth.origin"),
    ] {
        let said = refusal("", &[(name, value)]);
        assert!(said.contains(name) && said.contains(hint), "{said}");
    }
}

#[test]
fn nonsense_is_refused_with_its_mend() {
    for (file, hint) in [
        (
            "[auth]\norigin = \"http://os.example\"\nrp_id = \"os.example\"",
            "must be https",
        ),
        (
            "[auth]\norigin = \"https://os.example\"",
            "set it to `os.example`",
        ),
        (
            "[auth]\norigin = \"https://a.example\"\nrp_id = \"b.example\"",
            "a.example",
        ),
        (
            "[auth]\norigin = \"https://os.example/app\"\nrp_id = \"os.example\"",
            "scheme, host and port",
        ),
        (
            "[auth]\norigin = \"https://192.0.2.1\"\nrp_id = \"192.0.2.1\"",
            "domain name",
        ),
        ("[auth]\nceremony_secs = 301", "300"),
        ("[server]\nmax_header_bytes = 100", "8192"),
        ("[proxy]\nconnect_secs = 0", "1 or more"),
        ("[workspaces.\"Big One\"]", "lowercase"),
        ("[workspaces.x-]", "lowercase"),
        ("[runtime]\nkind = \"adopt\"", "workspaces.sandbox.live"),
        ("[runtime]\nkind = \"systemd\"", "workspaces.sandbox.live"),
        ("[runtime]\nunit = \"sandbox.service\"", "{sandbox} once"),
        ("[runtime]\nidle_roles = [\"production\"]", "line 2"),
        (
            "[workspaces.a.live]\nport = 8080\n[workspaces.b.dev]\naddress = \"127.0.0.1:8080\"",
            "give each sandbox its own",
        ),
        (
            "[workspaces.a]\nmembers = [\"x\"]\n[workspaces.b]\nmembers = [\"X\"]",
            "one workspace",
        ),
    ] {
        let said = refusal(file, &[]);
        assert!(said.contains(hint), "{file}\n→ {said}");
    }
}

#[test]
fn a_socket_whose_path_no_system_takes_is_named_with_its_key() {
    let long = format!("/run/{}/x.sock", "x".repeat(100));
    let fits = format!("/run/{}", "x".repeat(102));
    for key in ["control_socket", "proxy_socket"] {
        let said = refusal(&format!("[server]\n{key} = \"{long}\""), &[]);
        assert!(said.contains(&format!("server.{key}: {long}")), "{said}");
        assert!(said.contains("107"), "{said}");
        let said = refusal(&format!("[server]\n{key} = \"\""), &[]);
        assert!(said.contains(&format!("server.{key}")), "{said}");
        load(&format!("[server]\n{key} = \"{fits}\""), &[]).unwrap();
    }
    let store = format!("[store]\npath = \"/var/{}/x.db\"", "x".repeat(100));
    let said = refusal(&store, &[]);
    assert!(said.contains("server.control_socket"), "{said}");
    let both = "[server]\ncontrol_socket = \"/run/x\"\nproxy_socket = \"/run/x\"";
    assert!(refusal(both, &[]).contains("another path"));
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_so() {
    let said = config::load(Some("/nonexistent/x.toml".as_ref()), [])
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("/nonexistent/x.toml") && said.contains("--config"),
        "{said}"
    );
}

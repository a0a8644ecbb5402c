//! Bad configuration is refused with its place and its mend, and good one is understood.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod origins;
mod tls;

use hypervisor::config::{self, Config, ConfigError, Registration};
use std::io::Write as _;

/// What comes before each of these: a gateway that people reach by https.
const HTTPS: &str = "[auth]\nrp_id = \"os.example\"\norigin = \"https://os.example\"\n";

/// An origin, and a pair that is nowhere yet.
const TLS: &str = "[auth]\nrp_id = \"os.example\"\norigin = \"https://os.example\"\n\
    [tls]\ncert = \"/nonexistent/cert.pem\"\nkey = \"/nonexistent/key.pem\"\n";

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
            "so browsers would refuse every passkey; set it to `os.example`",
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
        ("[auth]\nceremony_secs = 301", "give 300 at most"),
        ("[runtime]\nhold_secs = 2", "give 3 or more"),
        ("[runtime]\narchive_days = 36501", "give 36500 at most"),
        ("[server]\nmax_header_bytes = 100", "give 8192 or more"),
        (
            "[server]\nlisten = \"127.0.0.1:99999\"",
            "no address with a port",
        ),
        (
            "[server]\nlisten = \"localhost:9090\"",
            "such as 127.0.0.1:9090",
        ),
        ("[proxy]\nmax_response_header_bytes = 100", "8192"),
        ("[proxy]\nmax_response_header_bytes = 99999999", "16777216"),
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
        ("[workspaces.www]", "give the workspace another name"),
        ("[workspaces.xn--a]", "other alphabets"),
        ("[workspaces.a-dev]", "names that end with -dev"),
        ("[workspaces.s17]", "slots are called so"),
        ("[workspaces.slots]", "slots are called so"),
    ] {
        let said = refusal(file, &[]);
        assert!(said.contains(hint), "{file}\n→ {said}");
    }
}

#[test]
fn slots_are_those_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table");
    let file = |kind: &str| {
        format!(
            "[runtime]\nkind = \"{kind}\"\n[workspaces.sandbox.live]\naddress = \"10.233.1.2:8080\"\n\
             [workspaces.sandbox.dev]\naddress = \"10.233.2.2:8080\"\n\
             [slots]\ntable = {table:?}\nunit = \"choiros-slot@{{slot}}.service\"\n\
             release_unit = \"choiros-slot-release@{{sandbox}}:{{order}}.service\"\n\
             volume_unit = \"choiros-slot-volume-{{slot}}@{{sandbox}}:{{order}}.service\"\n"
        )
    };
    let said = refusal(&file("systemd"), &[]);
    assert!(said.contains("slots.table"), "{said}");
    std::fs::write(&table, "1 10.233.0.6:8080 10.233.0.10:8080\n").unwrap();
    assert_eq!(load(&file("systemd"), &[]).unwrap().slots.count(), 1);
    assert_eq!(load(&file("adopt"), &[]).unwrap().slots.count(), 1);
    let without = file("systemd").replace("unit = \"choiros-slot@{slot}.service\"\n", "");
    let said = refusal(&without, &[]);
    assert!(
        said.contains("slots.unit: slots.table is of no use without it"),
        "{said}"
    );
    let said = refusal(&file("process"), &[]);
    assert!(said.contains("room for every workspace"), "{said}");
    for (line, hint) in [
        (
            "1 10.233.1.2:8080 10.233.0.10:8080",
            "workspaces.sandbox.live",
        ),
        ("1 10.233.0.6:8080 10.233.0.6:8080", "slot 1's live"),
        ("1 10.233.0.6:0 10.233.0.10:8080", "port 0"),
        ("2 10.233.0.6:8080 10.233.0.10:8080", "line 1"),
    ] {
        std::fs::write(&table, line).unwrap();
        let said = refusal(&file("systemd"), &[]);
        assert!(said.contains(hint), "{line}\n→ {said}");
    }
}

#[test]
fn a_sandbox_may_be_at_localhost_in_either_family() {
    let sandbox = |text: &str| {
        let config = load(&format!("[workspaces.sandbox.live]\n{text}"), &[]);
        config.map(|config| config.workspaces["sandbox"].live.listens().unwrap())
    };
    for text in [
        "port = 3000",
        "address = \"localhost:3000\"",
        "address = \"LocalHost:3000\"",
    ] {
        let both: Vec<_> = sandbox(text)
            .unwrap()
            .places()
            .map(|it| it.to_string())
            .collect();
        assert_eq!(both, ["127.0.0.1:3000", "[::1]:3000"], "{text}");
    }
    for exact in ["127.0.0.1:3000", "[::1]:3000", "10.233.1.2:8080"] {
        let there: Vec<_> = sandbox(&format!("address = \"{exact}\""))
            .unwrap()
            .places()
            .collect();
        assert_eq!(there, [exact.parse().unwrap()]);
    }
    for wrong in [
        "localhost",
        "localhost:",
        "localhost:99999",
        "localhost:x",
        "host:80",
        ":80",
        "",
    ] {
        let said = sandbox(&format!("address = \"{wrong}\""))
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("localhost:8080") && said.contains("line 2"),
            "{said}"
        );
    }
}

#[test]
fn what_no_probe_could_ask_is_refused() {
    for (text, option) in [
        ("health_path = \"up\"", "health_path"),
        ("health_path = \"\"", "health_path"),
        ("health_path = \"/a b\"", "health_path"),
        ("health_path = \" /up\"", "health_path"),
        ("health_path = \"/up \"", "health_path"),
        ("health_path = \"?up\"", "health_path"),
        ("health_path = \"*\"", "health_path"),
        ("health_path = \"/up#now\"", "health_path"),
        ("health_path = \"/\\u0000\"", "health_path"),
        ("health_path = \"/\\r\\nX: y\"", "health_path"),
        ("health_path = \"/gr\u{fc}n\"", "health_path"),
        ("health_path = \"http://localhost/up\"", "health_path"),
        ("health_status = 0", "health_status"),
        ("health_status = 101", "health_status"),
        ("health_status = 600", "health_status"),
        ("health_host = \"\"", "health_host"),
        ("health_host = \"a b\"", "health_host"),
        ("health_host = \"http://a\"", "health_host"),
        ("health_host = \"a:99999\"", "health_host"),
        ("port = 0", "port 0"),
        ("address = \"127.0.0.1:0\"", "port 0"),
        ("address = \"localhost:0\"", "port 0"),
    ] {
        for role in ["live", "dev"] {
            let said = refusal(&format!("[workspaces.a.{role}]\n{text}"), &[]);
            assert!(said.contains(option), "{text}: {said}");
            assert!(said.contains(&format!("workspaces.a.{role}")), "{said}");
        }
    }
    for well in [
        "health_path = \"/\"",
        "health_path = \"/up?deep=1&x=%20\"",
        "health_status = 204",
        "health_host = \"localhost\"",
        "health_host = \"[::1]:80\"",
    ] {
        load(&format!("[workspaces.a.live]\n{well}"), &[]).unwrap();
    }
    let same = "[workspaces.a.live]\nport = 8080\n[workspaces.b.dev]\naddress = \"[::1]:8080\"";
    assert!(refusal(same, &[]).contains("give each sandbox its own"));
}

#[test]
fn an_rp_id_is_a_domain_that_somebody_has() {
    let config = |rp_id: &str, origin: &str| {
        load(
            &format!("[auth]\nrp_id = \"{rp_id}\"\norigin = \"{origin}\""),
            &[],
        )
    };
    for (rp_id, origin) in [
        ("org", "https://os.example.org"),
        ("github.io", "https://choir.github.io"),
        ("github.io", "https://github.io"),
        ("co.uk", "https://os.co.uk"),
        ("x.ck", "https://os.x.ck"),
        ("internal", "https://os.internal"),
        ("lan", "https://choir.lan"),
    ] {
        let said = config(rp_id, origin).unwrap_err().to_string();
        assert!(
            said.contains("auth.rp_id") && said.contains("public suffix"),
            "{said}"
        );
    }
    for (rp_id, origin) in [
        ("localhost", "http://localhost:9090"),
        ("localhost", "http://os.localhost:9090"),
        ("example.org", "https://os.example.org"),
        ("os.example.org", "https://os.example.org"),
        ("choir.github.io", "https://choir.github.io"),
        ("os.co.uk", "https://os.co.uk"),
        ("choir.lan", "https://choir.lan"),
        ("choir", "https://choir"),
    ] {
        config(rp_id, origin).unwrap_or_else(|error| panic!("{error}"));
    }
    for rp_id in ["", "Example.org", "example.org."] {
        let said = config(rp_id, "https://example.org")
            .unwrap_err()
            .to_string();
        assert!(said.contains("auth.rp_id"), "{said}");
    }
}

#[test]
fn a_member_is_a_username_as_one_types_it() {
    for member in [
        " ada",
        "ada ",
        "\\tada",
        "ada\\n",
        "",
        " ",
        "a b",
        "a\\u0007b",
        "a\\u0000",
        "a\\u202Eb",
    ] {
        let said = refusal(&format!("[workspaces.a]\nmembers = [\"{member}\"]"), &[]);
        assert!(said.contains("workspaces.a.members"), "{said}");
        assert!(!said.chars().any(char::is_control), "{said:?}");
    }
    let members = "[workspaces.a]\nmembers = [\"Ada+x@Example.org\", \"b\", \"zo\u{eb}\"]";
    load(members, &[]).unwrap();
}

#[test]
fn what_serve_would_refuse_or_die_of_is_refused_before() {
    for (file, hint) in [
        ("[log]\nfilter = \"inof\"", "log.filter"),
        (
            "[log]\nfilter = \"hypervisor=debug\"",
            "`info,hypervisor=debug`",
        ),
        ("[server]\nlisten = \"127.0.0.1:0\"", "server.listen"),
        ("[server]\nport = 0", "server.listen"),
        ("[auth]\norigin = \"http://localhost:0\"", "auth.origin"),
        ("[store]\npath = \"\"", "store.path"),
        ("[store]\npath = \"/var/lib/\"", "/var/lib/hypervisor.db"),
        ("[store]\npath = \"/\"", "store.path"),
        ("[store]\npath = \"x/..\"", "store.path"),
        ("[store]\npath = \"/tmp\"", "/tmp/hypervisor.db"),
        (
            "[server]\nmax_connections = 9223372036854775807",
            "server.max_connections",
        ),
        (
            "[server]\nidle_secs = 9223372036854775807",
            "server.idle_secs",
        ),
        ("[auth]\nsession_days = 9223372036854775807", "36500"),
        ("[auth]\naudit_days = 36501", "auth.audit_days"),
        ("[runtime]\ncommand = [\"\"]", "runtime.command"),
        (
            "[runtime]\nunit = \"a b@{sandbox}.service\"",
            "runtime.unit",
        ),
        ("[runtime]\nunit = \"../{sandbox}.service\"", "runtime.unit"),
        (
            "[runtime]\nrelease_unit = \"release@{order}.service\"\nreleases_dir = \"/x\"",
            "runtime.release_unit",
        ),
        (
            "[runtime]\nvolume_unit = \"volume-{sandbox}.service\"\nresults_dir = \"/x\"",
            "runtime.volume_unit",
        ),
        (
            "[runtime]\nreleases_dir = \"/x\"",
            "runtime.release_unit: runtime.releases_dir is of no use without it",
        ),
        (
            "[runtime]\nrelease_unit = \"release-{sandbox}@{order}.service\"",
            "runtime.releases_dir: runtime.release_unit is of no use without it",
        ),
        ("[runtime]\nresults_dir = \"/x\"", "runtime.volume_unit"),
        (
            "[runtime]\nvolume_unit = \"volume-{sandbox}@{order}.service\"",
            "runtime.results_dir",
        ),
        (
            "[runtime]\nrelease_unit = \"release-{sandbox}@{order}.service\"\nreleases_dir = \"\"",
            "runtime.releases_dir",
        ),
        ("[runtime]\ncgroup = \"{sandbox}\"", "runtime.cgroup"),
        ("[runtime]\ncgroup = \"/sys/fs/cgroup\"", "runtime.cgroup"),
        (
            "[runtime]\ncgroup = \"/sys/{sandbox}/{sandbox}\"",
            "runtime.cgroup",
        ),
        (
            "[runtime]\ncgroup = \"/sys/fs/cgroup/../{sandbox}\"",
            "runtime.cgroup",
        ),
        ("[runtime]\ndata_dir = \"\"", "runtime.data_dir"),
        ("[runtime]\nseal_file = \"\"", "runtime.seal_file"),
        (
            "[server]\nmetrics_token_file = \"\"",
            "server.metrics_token_file",
        ),
        ("[shell]\ndir = \"\"", "shell.dir"),
    ] {
        let said = refusal(file, &[]);
        assert!(said.contains(hint), "{file}\n→ {said}");
    }
    for file in [
        "[log]\nfilter = \"warn,hypervisor=debug\"",
        "[runtime]\nprobe_secs = 9223372036854775807",
        "[server]\nmetrics_token_file = \"/run/credentials/not-there-yet\"",
        "[runtime]\nunit = \"container@{sandbox}.service\"",
        "[runtime]\ncgroup = \"/sys/fs/cgroup/w.slice/{sandbox}.service\"",
        "[runtime]\nrelease_unit = \"release-{sandbox}@{order}.service\"\nreleases_dir = \"/x\"",
        "[runtime]\nvolume_unit = \"volume-{sandbox}@{order}.service\"\nresults_dir = \"/x\"",
    ] {
        load(file, &[]).unwrap_or_else(|error| panic!("{file}\n→ {error}"));
    }
}

#[test]
fn a_socket_whose_path_no_system_takes_is_named_with_its_key() {
    let long = format!("/run/{}/x.sock", "x".repeat(100));
    let fits = format!("/run/{}", "x".repeat(102));
    for (section, key) in [
        ("server", "control_socket"),
        ("server", "proxy_socket"),
        ("runtime", "logs_socket"),
    ] {
        let said = refusal(&format!("[{section}]\n{key} = \"{long}\""), &[]);
        assert!(said.contains(&format!("{section}.{key}: {long}")), "{said}");
        assert!(said.contains("107"), "{said}");
        let said = refusal(&format!("[{section}]\n{key} = \"\""), &[]);
        assert!(said.contains(&format!("{section}.{key}")), "{said}");
        load(&format!("[{section}]\n{key} = \"{fits}\""), &[]).unwrap();
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

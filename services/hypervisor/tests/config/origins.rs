//! The hosts of sandboxes, and the gateway's own paths.

use crate::{HTTPS, TLS, load, refusal};
use hypervisor::config::Origins;
use hypervisor::role::Role;

/// A gateway where the dev sandbox of Ada would be.
const ADAS: &str = "[auth]\nrp_id = \"ada-dev.example\"\norigin = \"https://ada-dev.example\"\n";

#[test]
fn each_sandbox_has_an_origin_of_its_own_unless_they_are_to_share_one() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.origins, Origins::Own);
    let dev = config.sandbox_origin("sandbox", Role::Dev);
    assert_eq!(dev, "http://sandbox-dev.localhost:9090");
    let config = load(&format!("sandbox_domain = \"box.example\"\n{HTTPS}"), &[]).unwrap();
    let live = config.sandbox_origin("sandbox", Role::Live);
    assert_eq!(live, "https://sandbox.box.example");
    let shared = [
        ("HYPERVISOR_ORIGINS", "shared"),
        ("HYPERVISOR_GATEWAY_PREFIX", "/.choiros"),
    ];
    let config = load(HTTPS, &shared).unwrap();
    assert_eq!(config.origins, Origins::Shared);
    assert_eq!(config.gateway_prefix.as_deref(), Some("/.choiros"));
}

#[test]
fn origins_that_browsers_would_not_keep_apart_are_refused() {
    for (file, hint) in [
        ("origins = \"one\"".to_owned(), "line 1"),
        ("gateway_prefix = \"/x\"".to_owned(), "origins = \"shared\""),
        (
            "origins = \"shared\"\nsandbox_domain = \"a.localhost\"".to_owned(),
            "origins = \"own\"",
        ),
        ("sandbox_domain = \"box.example\"".to_owned(), "https"),
        (
            format!("sandbox_domain = \"https://box.example\"\n{HTTPS}"),
            "without scheme",
        ),
        (
            format!("sandbox_domain = \"box.example:443\"\n{HTTPS}"),
            "sandbox_domain",
        ),
        (
            format!("sandbox_domain = \"192.0.2.1\"\n{HTTPS}"),
            "sandbox_domain",
        ),
        (
            format!("sandbox_domain = \"-box.example\"\n{HTTPS}"),
            "sandbox_domain",
        ),
        (
            format!("sandbox_domain = \"example\"\n{HTTPS}[workspaces.os]"),
            "another name",
        ),
        (
            format!("sandbox_domain = \"example\"\n{ADAS}[workspaces.ada]"),
            "another name",
        ),
    ] {
        let said = refusal(&file, &[]);
        assert!(said.contains(hint), "{file}\n→ {said}");
    }
    let redirects =
        format!("sandbox_domain = \"example\"\n{TLS}redirect_hosts = [\"ada.example\"]\n");
    load(&redirects, &[]).unwrap();
    let said = refusal(&format!("{redirects}[workspaces.ada]"), &[]);
    assert!(said.contains("ada.example"), "{said}");
}

#[test]
fn the_gateways_prefix_is_a_path_that_is_not_devs() {
    let shared = ("HYPERVISOR_ORIGINS", "shared");
    for prefix in ["/.choiros", "/a/b", "/device", "/~x"] {
        load("", &[shared, ("HYPERVISOR_GATEWAY_PREFIX", prefix)]).unwrap();
    }
    for prefix in [
        "", "/", "a", "/a/", "//a", "/a//b", "/a b", "/a?b", "/a#b", "/a%41", "/{a}", "/dev",
        "/dev/x", "/\u{e9}",
    ] {
        let said = refusal("", &[shared, ("HYPERVISOR_GATEWAY_PREFIX", prefix)]);
        assert!(said.contains("gateway_prefix"), "{prefix}\n→ {said}");
    }
}

#[test]
fn no_workspace_has_the_name_of_anothers_dev() {
    for name in ["ada-dev", "a-dev", "dev-dev"] {
        let said = refusal(&format!("[workspaces.{name}]"), &[]);
        assert!(said.contains("-dev"), "{said}");
    }
    load("[workspaces.dev]\n[workspaces.ada-device]", &[]).unwrap();
}

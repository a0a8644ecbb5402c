//! `[tls]`: certificates of the operator's, and those that are got by ACME.

use crate::{TLS, load, refusal};

/// What `[tls.acme]` needs around it.
const BY_ACME: &str = "[auth]\norigin = \"https://os.example\"\nrp_id = \"os.example\"\n[tls.acme]\naccept_terms = true\n";

#[test]
fn tls_is_checked_by_its_form_alone() {
    let config = load(TLS, &[]).unwrap();
    assert_eq!(config.tls.hsts_secs, 31_536_000);
    assert!(!load("", &[]).unwrap().tls.is_on());
    for (more, hint) in [
        ("http_listen = [\"127.0.0.1:9090\"]", "tls.http_listen"),
        ("http_listen = [\"0.0.0.0:0\"]", "tls.http_listen"),
        ("http_listen = [\"0.0.0.0:80\", \"0.0.0.0:80\"]", "twice"),
        ("http_listen = [\"80\"]", "line"),
        ("acme_webroot = \"\"", "tls.acme_webroot"),
        ("redirect_hosts = [\"os.example\"]", "tls.redirect_hosts"),
        ("redirect_hosts = [\"\"]", "tls.redirect_hosts"),
        (
            "redirect_hosts = [\"https://a.example\"]",
            "www.example.org",
        ),
        ("redirect_hosts = [\"A.example\"]", "lowercase"),
        ("redirect_hosts = [\"a.example:80\"]", "without a port"),
        ("redirect_hosts = [\"a.example.\"]", "tls.redirect_hosts"),
        ("redirect_hosts = [\"a b\"]", "tls.redirect_hosts"),
        ("hsts_secs = -1", "line"),
        ("hsts_secs = 9223372036854775807", "tls.hsts_secs"),
        ("colour = \"red\"", "colour"),
    ] {
        let said = refusal(&format!("{TLS}{more}"), &[]);
        assert!(said.contains(hint), "{more}\n→ {said}");
    }
    for more in [
        "http_listen = [\"0.0.0.0:80\", \"[::]:80\"]",
        "acme_webroot = \"/nonexistent\"",
        "redirect_hosts = [\"example\", \"www.os.example\"]",
        "hsts_secs = 0",
    ] {
        load(&format!("{TLS}{more}"), &[]).unwrap_or_else(|error| panic!("{more}\n→ {error}"));
    }
}

#[test]
fn tls_needs_a_certificate_with_its_key_and_an_origin_of_https() {
    for (file, hint) in [
        ("[tls]\ncert = \"/c\"", "tls.key"),
        ("[tls]\nkey = \"/k\"", "tls.cert"),
        ("[tls]\ncert = \"\"\nkey = \"/k\"", "tls.cert"),
        ("[tls]\nhttp_listen = [\"0.0.0.0:80\"]", "tls.http_listen"),
        ("[tls]\nacme_webroot = \"/w\"", "tls.acme_webroot"),
        (
            "[tls]\nredirect_hosts = [\"a.example\"]",
            "tls.redirect_hosts",
        ),
        (
            "[auth]\norigin = \"http://localhost:9090\"\n[tls]\ncert = \"/c\"\nkey = \"/k\"",
            "auth.origin",
        ),
    ] {
        let said = refusal(file, &[]);
        assert!(said.contains(hint), "{file}\n→ {said}");
    }
    let pair = [("HYPERVISOR_TLS_CERT", "/c"), ("HYPERVISOR_TLS_KEY", "/k")];
    let config = load("", &pair).unwrap();
    assert_eq!(config.origin().as_str(), "https://localhost:9090/");
    let listen = ("HYPERVISOR_TLS_HTTP_LISTEN", "[\"127.0.0.1:9080\"]");
    let config = load("", &[pair[0], pair[1], listen]).unwrap();
    assert_eq!(config.tls.http_listen.len(), 1);
}

#[test]
fn certificates_by_acme_are_those_of_lets_encrypt_and_kept_beside_the_store() {
    let config = load(&format!("{BY_ACME}[store]\npath = \"/var/x.db\"\n"), &[]).unwrap();
    assert!(config.tls.is_on());
    assert_eq!(config.acme_dir().to_str(), Some("/var/acme"));
    let directory = config.tls.acme.unwrap().directory;
    assert_eq!(directory, "https://acme-v02.api.letsencrypt.org/directory");
}

#[test]
fn each_key_of_acme_can_come_from_the_environment() {
    let config = load(
        "[auth]\norigin = \"https://os.example\"\nrp_id = \"os.example\"",
        &[
            ("HYPERVISOR_TLS_ACME_ACCEPT_TERMS", "true"),
            ("HYPERVISOR_TLS_ACME_DIRECTORY", "https://ca.example/acme"),
            ("HYPERVISOR_TLS_ACME_EMAIL", "ops@os.example"),
            ("HYPERVISOR_TLS_ACME_DIR", "/var/acme"),
            ("HYPERVISOR_TLS_ACME_CA_FILE", "/etc/roots.pem"),
        ],
    )
    .unwrap();
    let acme = config.tls.acme.unwrap();
    assert_eq!(acme.directory, "https://ca.example/acme");
    assert_eq!(acme.email.as_deref(), Some("ops@os.example"));
    assert_eq!(acme.ca_file.unwrap().to_str(), Some("/etc/roots.pem"));
    let said = refusal("", &[("HYPERVISOR_TLS_ACME_COLOUR", "red")]);
    assert!(said.contains("colour"), "{said}");
}

#[test]
fn what_no_authority_would_issue_for_is_refused_with_its_key() {
    for (more, key) in [
        ("accept_terms = false", "tls.acme.accept_terms"),
        (
            "directory = \"http://ca.example/dir\"",
            "tls.acme.directory",
        ),
        ("directory = \"\"", "tls.acme.directory"),
        ("email = \"ops\"", "tls.acme.email"),
        ("email = \"ops@os.example?x\"", "tls.acme.email"),
        ("email = \"\"", "tls.acme.email"),
        ("dir = \"\"", "tls.acme.dir"),
        ("ca_file = \"\"", "tls.acme.ca_file"),
        ("[tls]\ncert = \"/c\"\nkey = \"/k\"", "tls.cert"),
        ("[tls]\nacme_webroot = \"/w\"", "tls.acme_webroot"),
        (
            "[tls]\nredirect_hosts = [\"192.0.2.1\"]",
            "tls.redirect_hosts",
        ),
        (
            "[tls]\nredirect_hosts = [\"www.localhost\"]",
            "tls.redirect_hosts",
        ),
    ] {
        let base = BY_ACME.replace("accept_terms = true\n", "");
        let accepts = if more.contains("accept_terms") {
            ""
        } else {
            "accept_terms = true\n"
        };
        let said = refusal(&format!("{base}{accepts}{more}\n"), &[]);
        assert!(said.contains(&format!("{key}: ")), "{more}: {said}");
    }
    for (origin, hint) in [
        ("http://localhost:9090", "auth.origin"),
        ("https://localhost:9090", "auth.origin"),
    ] {
        let file = format!("[auth]\norigin = \"{origin}\"\n[tls.acme]\naccept_terms = true\n");
        let said = refusal(&file, &[]);
        assert!(said.starts_with(hint), "{said}");
    }
}

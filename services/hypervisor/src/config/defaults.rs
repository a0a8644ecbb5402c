//! What holds where the file says nothing: it serves a laptop.

use super::{
    Acme, Auth, Cluster, Config, DEFAULT_WORKSPACE, Log, Origins, Proxy, Registration, Runtime,
    RuntimeKind, Sandbox, Server, Shell, Slots, Store, Tls, Workspace,
};
use crate::role::Role;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

impl Default for Config {
    fn default() -> Self {
        Self {
            registration: Registration::Invite,
            origins: Origins::Own,
            sandbox_domain: None,
            gateway_prefix: None,
            server: Server::default(),
            tls: Tls::default(),
            auth: Auth::default(),
            store: Store::default(),
            cluster: Cluster::default(),
            proxy: Proxy::default(),
            runtime: Runtime::default(),
            shell: Shell::default(),
            log: Log::default(),
            slots: Slots::default(),
            workspaces: BTreeMap::from([(DEFAULT_WORKSPACE.into(), Workspace::default())]),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9090)),
            port: None,
            control_socket: None,
            proxy_socket: None,
            trusted_proxies: Vec::new(),
            max_connections: 20_000,
            max_header_bytes: 32 * 1024,
            header_read_secs: 10,
            idle_secs: 75,
            write_idle_secs: 120,
            shutdown_secs: 30,
            metrics_token_file: None,
        }
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            cert: None,
            key: None,
            acme: None,
            http_listen: Vec::new(),
            acme_webroot: None,
            redirect_hosts: Vec::new(),
            hsts_secs: 31_536_000,
        }
    }
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            directory: "https://acme-v02.api.letsencrypt.org/directory".into(),
            email: None,
            accept_terms: false,
            dir: None,
            ca_file: None,
        }
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            rp_id: "localhost".into(),
            origin: None,
            rp_name: "ChoirOS".into(),
            reveal_accounts: true,
            session_days: 30,
            ceremony_secs: 300,
            invite_hours: 72,
            audit_days: 365,
            rate_per_address: 120,
            rate_per_account: 20,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: ".state/hypervisor.db".into(),
            url: None,
            password_file: None,
            ca_file: None,
            max_connections: 8,
            timeout_secs: 5,
            grace_secs: 600,
        }
    }
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            connect_secs: 5,
            response_secs: 60,
            body_idle_secs: 120,
            max_body_bytes: 8 * 1024 * 1024 * 1024,
            max_response_header_bytes: 128 * 1024,
            max_requests: 4096,
            max_requests_per_sandbox: 2048,
            max_requests_per_user: 1024,
            pool_idle_secs: 60,
            max_pooled_connections: 16_384,
        }
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self {
            kind: RuntimeKind::Process,
            command: Vec::new(),
            data_dir: ".state/sandboxes".into(),
            unit: "container@{sandbox}.service".into(),
            releases_dir: None,
            release_unit: None,
            volume_unit: None,
            results_dir: None,
            streams_dir: None,
            cgroup: "/sys/fs/cgroup/machine.slice/container@{sandbox}.service".into(),
            logs_socket: "/run/choiros-logs.sock".into(),
            backups_dir: None,
            archive_days: 30,
            seal_file: None,
            idle_secs: 1800,
            idle_roles: vec![Role::Live, Role::Dev],
            start_secs: 20,
            stop_secs: 10,
            hold_secs: 30,
            probe_secs: 10,
            probe_timeout_secs: 3,
            max_restarts: 5,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            json: false,
            access: false,
        }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self {
            address: None,
            port: None,
            health_path: "/health".into(),
            health_status: None,
            health_host: None,
            identity: true,
        }
    }
}

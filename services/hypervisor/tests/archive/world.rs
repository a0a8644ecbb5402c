//! A gateway's routes without a gateway, on a folder that outlives them.

use hypervisor::config::{Config, RuntimeKind};
use hypervisor::lifetime::EndNotifier;
use hypervisor::role::Role;
use hypervisor::routes::{ArchiveView, Routes, Workspace};
use hypervisor::runtime::Runtime;
use hypervisor::store::{
    AccountStore as _, ArchiveState, Database, Handle, Home, NewAccount, PasskeyRow, SessionKind,
    SessionRow, UserRow,
};
use hypervisor::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

pub struct World {
    pub config: Arc<Config>,
    pub store: Arc<Database>,
    pub routes: Arc<Routes>,
    pub runtime: Arc<Runtime>,
}

/// All plain files below a folder, by their path.
pub type Files = BTreeMap<String, Vec<u8>>;

impl World {
    pub async fn open(folder: &Path) -> Self {
        Self::open_with(folder, |_| {}).await
    }

    pub async fn open_with(folder: &Path, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.runtime.kind = RuntimeKind::Process;
        config.runtime.data_dir = folder.join("sandboxes");
        config.runtime.backups_dir = Some(folder.join("backups"));
        config.runtime.stop_secs = 1;
        config.store.path = folder.join("store.db");
        config.workspaces.clear();
        change(&mut config);
        let config = Arc::new(config);
        let store = Arc::new(Database::sqlite(&config.store.path).unwrap());
        let program = Path::new(env!("CARGO_BIN_EXE_hypervisor"));
        let runtime = Runtime::open_with(&config, program).unwrap();
        let handle = Handle::new(store.clone());
        let ends = EndNotifier::new();
        let opened = Routes::open(config.clone(), handle, runtime.clone(), ends);
        Self {
            routes: opened.await.unwrap(),
            config,
            store,
            runtime,
        }
    }

    /// Somebody who has an account, and nothing else.
    pub fn sign_up(&self, name: &str, admin: bool) -> UserRow {
        let account = account(name, admin);
        self.store.create_account(&account).unwrap();
        account.user
    }

    /// Somebody with a workspace, in which something is written.
    pub async fn settle(&self, name: &str) -> (UserRow, Arc<Workspace>) {
        let user = self.sign_up(name, false);
        let workspace = self.routes.workspace(&user).await.unwrap();
        (user, workspace)
    }

    /// The same with data, a snapshot, a backup and a release of its own.
    pub async fn ada(&self) -> (UserRow, Arc<Workspace>, [Files; 2]) {
        let (ada, workspace) = self.settle("ada").await;
        for role in [Role::Live, Role::Dev] {
            let volume = self.volume("ada", role);
            fs::create_dir_all(volume.join("deep/er")).unwrap();
            for number in 0..20 {
                let text = format!("{role} {number}");
                fs::write(volume.join(format!("deep/er/{number}")), text).unwrap();
            }
            self.routes.snapshot(&workspace, role).await.unwrap();
            self.routes.back_up(&workspace, role).await.unwrap();
        }
        let env = BTreeMap::from([("SECRET".to_owned(), "theirs".to_owned())]);
        let added = self.routes.add_release(&workspace, Vec::new(), env, "ada");
        added.await.unwrap();
        let files = [Role::Live, Role::Dev].map(|role| files(&self.volume("ada", role)));
        (ada, workspace, files)
    }

    pub fn data_dir(&self) -> &Path {
        &self.config.runtime.data_dir
    }

    pub fn volume(&self, workspace: &str, role: Role) -> PathBuf {
        let folder = self.data_dir().join(workspace);
        folder.join(format!("{workspace}-{role}"))
    }

    pub fn archived(&self, id: &str) -> [Files; 2] {
        let folder = self.data_dir().join(".archives").join(id);
        [Role::Live, Role::Dev].map(|role| files(&folder.join(role.to_string()).join("data")))
    }

    /// The one archive, once there is one that is whole.
    pub async fn kept(&self) -> ArchiveView {
        let is_kept = async || {
            let archives = self.routes.archives().await.unwrap();
            let mut kept = archives.into_iter();
            kept.find(|it| it.state == ArchiveState::Kept)
        };
        eventually("an archive is whole", is_kept).await
    }

    /// Nothing of one is left.
    pub async fn no_archive(&self) {
        let is_gone = async || {
            let archives = self.routes.archives().await.unwrap();
            archives.is_empty().then_some(())
        };
        eventually("an archive is gone", is_gone).await;
        let folder = self.data_dir().join(".archives");
        let left = fs::read_dir(folder).map_or(0, Iterator::count);
        assert_eq!(left, 0);
    }

    /// Somebody new of that name finds nothing of whoever had it before.
    pub async fn next_finds_nothing(&self, name: &str) {
        let (_, workspace) = self.settle(name).await;
        assert_eq!(&*workspace.name, name);
        for role in [Role::Live, Role::Dev] {
            let sandbox = workspace.pair().route(role).sandbox.clone();
            assert!(sandbox.snapshots().await.unwrap().is_empty());
            assert!(sandbox.backups().await.unwrap().is_empty());
            assert_eq!(files(&self.volume(name, role)), Files::new());
        }
        let releases = self.routes.releases(&workspace).await.unwrap();
        assert_eq!(releases.len(), 1, "{releases:?}");
        let live = workspace.pair().live.sandbox.clone();
        live.start().await.unwrap();
        live.stop().await.unwrap();
    }
}

pub fn account(name: &str, admin: bool) -> NewAccount {
    let [user_id, passkey_id, session_id] = [(); 3].map(|()| Uuid::new_v4());
    let now = Timestamp::now();
    let mut token = [0; 32];
    token[..16].copy_from_slice(session_id.as_bytes());
    NewAccount {
        user: UserRow {
            id: user_id,
            username: name.into(),
            display_name: name.into(),
            admin,
            created_at: now,
            disabled_at: None,
        },
        passkey: PasskeyRow {
            id: passkey_id,
            user_id,
            credential_id: passkey_id.as_bytes().to_vec(),
            credential: "{}".into(),
            counter: 0,
            name: "Passkey 1".into(),
            created_at: now,
            last_used_at: None,
        },
        recovery_codes: Vec::new(),
        invite: None,
        session: SessionRow {
            id: session_id,
            token,
            user_id,
            kind: SessionKind::Full,
            passkey_id: Some(passkey_id),
            created_at: now,
            expires_at: now.after(Duration::from_hours(1)),
            last_seen_at: now,
            address: "127.0.0.1".into(),
            user_agent: String::new(),
        },
        replaces: None,
        home: Home::None,
    }
}

pub fn files(folder: &Path) -> Files {
    let mut all = Files::new();
    collect(folder, folder, &mut all);
    all
}

fn collect(root: &Path, folder: &Path, all: &mut Files) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, all);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            all.insert(name, fs::read(&path).unwrap());
        }
    }
}

pub async fn eventually<T>(what: &str, found: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(2) {
        if let Some(found) = found().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: not within two minutes");
}

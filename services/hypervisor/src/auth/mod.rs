//! Who is calling: passkeys, sessions, recovery, invites. Knows nothing of proxying.
//!
//! A handler reads its request, runs one blocking function (store and signatures) to its end,
//! also when the caller is gone meanwhile, and answers. Sessions are looked up in memory; one
//! that was not used since the start is fetched from the store by its first request.

mod account;
mod actor;
mod acts;
mod api_token;
mod bearer;
mod ceremony;
mod client;
mod codes;
mod confirm;
mod cookie;
mod credential;
mod decoy;
mod entering;
mod error;
mod follow;
mod grants;
mod horizon;
mod in_use;
mod invites;
mod keys;
mod limits;
mod login;
mod login_failures;
mod origin;
mod passkeys;
mod pending;
mod people;
mod placement;
mod principal;
mod purge_expired;
mod recovery;
mod recovery_link;
mod register;
mod response;
mod router;
mod session;
mod token;
mod tokens;
mod validation;

use crate::config::{Config, Registration};
use crate::lifetime::EndNotifier;
use crate::store::{Handle, Hash, SessionRow, Store, StoreError};
use crate::timestamp::Timestamp;
use api_token::Tokens;
use ceremony::{Ceremonies, Who};
use cookie::Cookies;
use entering::Entering;
use grants::Grants;
use horizon::Horizon;
use http::{HeaderMap, HeaderValue};
use keys::Keys;
use limits::Limits;
use purge_expired::Readings;
use session::Sessions;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use token::Token;
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

pub use crate::store::{Account, SessionKind, UserRow as User};
pub(crate) use actor::{Actor, Caller};
pub use acts::Acts;
pub use api_token::ApiToken;
pub use bearer::{Bearer, take_bearer};
pub(crate) use client::{Client, audit};
pub use entering::EnterError;
pub use error::AuthError;
pub use invites::{Invite, NewInvite};
pub use login_failures::LoginFailures;
pub use origin::check_origin;
pub(crate) use passkeys::passkey_name;
pub(crate) use people::SessionView;
pub use placement::{Placement, PlacementError};
pub use principal::Principal;
pub use session::Session;
pub use tokens::{CreatedToken, NewToken, TokenView};

/// How long a session from a recovery code lasts: enough to find an authenticator.
const RECOVERY_LASTS: Duration = Duration::from_mins(15);

/// More than this many at once is an attack. Each takes about a kilobyte.
const MOST_CEREMONIES: usize = 16_384;

/// Tokens of one request that are looked for in the store. A browser sends one.
const MOST_TOKENS: usize = 4;

/// Everything that knows who is calling.
pub struct Auth {
    origin: Url,
    /// What stands before the path of each page of ours.
    prefix: String,
    registration: Registration,
    reveal_accounts: bool,
    session_lasts: Duration,
    invite_lasts: Duration,
    audit_lasts: Duration,
    store: Handle,
    cookies: Cookies,
    keys: Keys,
    sessions: Sessions,
    tokens: Tokens,
    grants: Grants,
    entering: Entering,
    ends: EndNotifier,
    /// What new people get; without it, an account alone.
    placement: OnceLock<Box<dyn Placement>>,
    /// The turn to ask the store for a session or a token.
    asking: Arc<Mutex<()>>,
    ceremonies: Ceremonies,
    limits: Limits,
    login_failures: LoginFailures,
    readings: Readings,
}

impl Auth {
    /// Reads what the store knows, and begins to keep house in the background until the last
    /// handle is gone.
    ///
    /// # Errors
    /// [`AuthError::RpIdChanged`]; the store's.
    pub async fn open(config: &Config, store: Arc<dyn Store>) -> Result<Arc<Self>, AuthError> {
        let settings = &config.auth;
        let store = Handle::new(store);
        let secret = recall(&store, settings.rp_id.clone()).await?;
        let horizon = store.run(|store| Horizon::recall(store)).await?;
        let origin = config.origin();
        let auth = Arc::new(Self {
            registration: config.registration,
            reveal_accounts: settings.reveal_accounts,
            session_lasts: Duration::from_secs(settings.session_days.saturating_mul(86_400)),
            invite_lasts: Duration::from_secs(settings.invite_hours.saturating_mul(3600)),
            audit_lasts: Duration::from_secs(settings.audit_days.saturating_mul(86_400)),
            store,
            cookies: Cookies::of(&origin),
            keys: Keys::new(settings, &origin, &secret.hash())?,
            sessions: Sessions::default(),
            tokens: Tokens::default(),
            grants: Grants::default(),
            entering: entering::tokens(),
            ends: EndNotifier::new(),
            placement: OnceLock::new(),
            asking: Arc::default(),
            ceremonies: Ceremonies::new(
                Duration::from_secs(settings.ceremony_secs),
                MOST_CEREMONIES,
            ),
            limits: Limits::new(settings.rate_per_address, settings.rate_per_account),
            login_failures: LoginFailures::default(),
            readings: Readings::of(horizon),
            origin,
            prefix: config.prefix().to_owned(),
        });
        purge_expired::spawn(&auth);
        Ok(auth)
    }

    /// The session that these headers' cookie names, if it was used before; a lookup in memory.
    /// Who gets none asks [`Auth::fetch_session`].
    pub fn session(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        if !self.store.is_current() {
            return None;
        }
        cookie::tokens(headers, &self.cookies.session)
            .find_map(|token| self.sessions.find(&token.hash()))
    }

    /// The session that these headers' cookie names, fetched from the store if need be.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_session(
        self: &Arc<Self>,
        headers: &HeaderMap,
    ) -> Result<Option<Arc<Session>>, AuthError> {
        match self.session(headers) {
            Some(session) => Ok(Some(session)),
            None => self.fetch_session(headers).await,
        }
    }

    /// The same where it is not in memory. The store is asked for one request at a time: made-up
    /// cookies keep nobody else from it, and cost little more than the response that they get.
    ///
    /// # Errors
    /// The store's.
    pub async fn fetch_session(
        self: &Arc<Self>,
        headers: &HeaderMap,
    ) -> Result<Option<Arc<Session>>, AuthError> {
        let find = |auth: &Self, store: &dyn Store, token: &Hash| auth.load_session(store, token);
        let tokens = cookie_hashes(headers, &self.cookies.session);
        self.ask_store(tokens, find).await
    }

    /// What `find` finds for one of these. For one request at a time.
    async fn ask_store<T: Send + 'static>(
        self: &Arc<Self>,
        tokens: Vec<Hash>,
        find: impl Fn(&Self, &dyn Store, &Hash) -> Result<Option<T>, AuthError> + Send + 'static,
    ) -> Result<Option<T>, AuthError> {
        if tokens.is_empty() {
            return Ok(None);
        }
        if !self.store.is_current() {
            return Err(StoreError::Lapsed.into());
        }
        let turn = Arc::clone(&self.asking).lock_owned().await;
        self.run(move |auth, store| {
            // Not before the work is done: a caller who is gone makes no room for the next.
            let _turn = turn;
            let find = |token| find(auth, store, token).transpose();
            tokens.iter().find_map(find).transpose()
        })
        .await
    }

    fn load_session(
        &self,
        store: &dyn Store,
        token: &Hash,
    ) -> Result<Option<Arc<Session>>, AuthError> {
        self.sessions.find_or_load(token, || {
            let found = store.session_by_token(token, Timestamp::now())?;
            let session = |(row, user)| Session::new(&row, Arc::new(user), &self.ends);
            Ok(found.map(session))
        })
    }

    /// Has new people get what this gives; the first one counts.
    pub fn place_by(&self, placement: Box<dyn Placement>) {
        let _ = self.placement.set(placement);
    }

    /// How often somebody could not log in.
    pub fn login_failures(&self) -> &LoginFailures {
        &self.login_failures
    }

    /// Whose lifetimes those of the sessions are.
    pub fn end_notifier(&self) -> &EndNotifier {
        &self.ends
    }

    /// The path of a page of ours.
    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Its address.
    fn page_url(&self, path: &str) -> Url {
        let mut url = self.origin.clone();
        url.set_path(&self.page(path));
        url
    }

    /// Runs `work` where it may block. It ends also when the caller is gone, so that memory
    /// and store never come to differ.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &dyn Store) -> Result<T, AuthError> + Send + 'static,
    ) -> Result<T, AuthError> {
        let auth = Arc::clone(self);
        self.store.run(move |store| work(&auth, store)).await
    }

    /// Opens a session for this client in place of the one that it had, which `write` keeps;
    /// answers with its cookie.
    ///
    /// It is in memory before it is in the store: whoever removes a user or a passkey removes
    /// from the store first, so that either they find it in memory or `write` fails. Until the
    /// answer is sent nobody knows the token.
    fn open_session(
        &self,
        store: &dyn Store,
        client: &Client,
        user: &User,
        kind: SessionKind,
        passkey_id: Option<Uuid>,
        write: impl FnOnce(&SessionRow, Option<Uuid>) -> Result<(), AuthError>,
    ) -> Result<HeaderValue, AuthError> {
        let token = Token::random()?;
        let lasts = match kind {
            SessionKind::Full => self.session_lasts,
            SessionKind::Recovery => RECOVERY_LASTS.min(self.session_lasts),
        };
        let row = client.session_row(token.hash(), user.id, kind, passkey_id, lasts);
        let user = Arc::new(user.clone());
        let session = Arc::new(Session::new(&row, user, &self.ends));
        self.sessions.insert(Arc::clone(&session));
        let old = client.session.as_deref();
        let written = write(&row, old.map(|old| old.id));
        // Who was renamed, or lost a role, between the look at the user and the write.
        if let Err(error) = written.and_then(|()| self.refresh(store, row.user_id)) {
            self.sessions.remove(&session.token);
            return Err(error);
        }
        if let Some(old) = old {
            self.sessions.remove(&old.token);
        }
        Ok(self.cookies.set(&self.cookies.session, &token, lasts))
    }
}

/// The hashes of what a request's cookies hold under this name.
fn cookie_hashes(headers: &HeaderMap, name: &str) -> Vec<Hash> {
    let tokens = cookie::tokens(headers, name).take(MOST_TOKENS);
    tokens.map(|token| token.hash()).collect()
}

/// The secret of the decoys, if the store's passkeys are bound to this RP ID. In a new store both
/// are settled by this.
async fn recall(store: &Handle, configured: String) -> Result<Token, AuthError> {
    let work = move |store: &dyn Store| {
        let kept = store.get_or_insert_meta("rp_id", &configured)?;
        if kept != configured {
            return Err(AuthError::RpIdChanged { kept, configured });
        }
        let secret = store.get_or_insert_meta("decoy_secret", &Token::random()?.reveal())?;
        Token::parse(&secret).ok_or(AuthError::Unreadable("the decoys' secret"))
    };
    store.run(work).await
}

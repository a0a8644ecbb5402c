//! One order: a name goes in, a certificate with its key comes out.

use super::Acme;
use super::challenge::Answered;
use super::http::RetryAfter;
use super::problem::{Failure, Fault};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long an order may take.
const LIMIT: Duration = Duration::from_mins(4);

/// How many times it is begun, if what is wrong is not the name's fault and soon mended.
const TRIES: usize = 3;

/// How long, and how often, the authority is asked how far it is.
const POLL: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(90));

impl Acme {
    /// A new certificate for this name: its key and its chain, PEM.
    pub(super) async fn obtain(&self, name: &str) -> Result<String, Failure> {
        let retry_after = RetryAfter::default();
        let obtained = timeout(LIMIT, self.obtain_by_account(name, &retry_after)).await;
        let obtained = obtained.unwrap_or_else(|_| {
            Err(Failure::new(
                Fault::Authority,
                "it took too long; it is tried again",
            ))
        });
        obtained.map_err(|failure| Failure {
            retry_after: failure.retry_after.or_else(|| retry_after.asked()),
            ..failure
        })
    }

    async fn obtain_by_account(
        &self,
        name: &str,
        retry_after: &RetryAfter,
    ) -> Result<String, Failure> {
        let mut tries = 1..TRIES;
        loop {
            let account = self.authority.account(&self.folder, retry_after).await;
            let account = account.map_err(|error| Failure {
                fault: Fault::Authority,
                ..Failure::of(error)
            })?;
            match self.obtain_by(&account, name).await {
                // An authority that lost its accounts.
                Err(failure) if failure.no_account && tries.next().is_some() => {
                    self.authority.forget(&self.folder, account.id()).await;
                }
                // The library has tried that again before.
                Err(failure) if failure.bad_nonce && tries.next().is_some() => {}
                obtained => return obtained,
            }
        }
    }

    async fn obtain_by(&self, account: &Account, name: &str) -> Result<String, Failure> {
        let identifiers = [Identifier::Dns(name.to_owned())];
        let order = account.new_order(&NewOrder::new(&identifiers)).await;
        let mut order = order.map_err(Failure::of)?;
        // They are answered until the authority has decided.
        let answered = self.answer(&mut order, name).await?;
        match order.poll_ready(&POLL).await {
            Ok(OrderStatus::Ready) => {}
            Ok(_) | Err(Error::Api(_)) => return Err(why_invalid(&mut order).await),
            Err(error) => return Err(Failure::of(error)),
        }
        drop(answered);
        let key = order.finalize().await.map_err(Failure::of)?;
        let chain = order.poll_certificate(&POLL).await.map_err(Failure::of)?;
        Ok(key + &chain)
    }

    /// Answers what the authority asks to see.
    async fn answer(&self, order: &mut Order, name: &str) -> Result<Vec<Answered<'_>>, Failure> {
        let mut answered = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(Failure::of)?;
            if authorization.status != AuthorizationStatus::Pending {
                continue; // It has seen it lately, or says with the order what is wrong.
            }
            let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
                return Err(Failure::new(
                    Fault::Authority,
                    "the authority looks at no TLS handshakes (tls-alpn-01); choose another in tls.acme.directory",
                ));
            };
            let digest = challenge.key_authorization().digest();
            let shown = self
                .challenges
                .answer(name, digest.as_ref(), &self.provider);
            let shown = shown.map_err(|error| {
                Failure::new(Fault::Name, format!("{error}; it is tried again"))
            })?;
            answered.push(shown);
            challenge.set_ready().await.map_err(Failure::of)?;
        }
        Ok(answered)
    }
}

/// What the authority found when it looked.
async fn why_invalid(order: &mut Order) -> Failure {
    let mut found = None;
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if authorization.refresh().await.is_err() {
            break;
        }
        let mut problems = authorization.challenges.iter();
        found = problems.find_map(|challenge| challenge.error.as_ref().map(Failure::refused));
        if found.is_some() {
            break;
        }
    }
    let of_order = || order.state().error.as_ref().map(Failure::refused);
    found.or_else(of_order).unwrap_or_else(|| {
        Failure::new(
            Fault::Name,
            "the authority refuses it and does not say why; it is asked again",
        )
    })
}

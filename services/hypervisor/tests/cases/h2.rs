//! HTTP/2, by a client for what is well-formed.

use crate::wire::{Content, DEADLINE, Fields, Head, Reply};
use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use http::{HeaderMap, Request};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection, to be cloned for requests at once.
#[derive(Clone)]
pub struct Client(SendRequest<Bytes>);

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (client, connection) = client::handshake(stream).await.unwrap();
        // It ends with its last client.
        tokio::spawn(connection);
        Self(client)
    }

    /// Sends a request, whose body is what is given, and its trailers.
    pub async fn ask(
        &self,
        request: Request<()>,
        body: Option<&[u8]>,
        trailers: Option<HeaderMap>,
    ) -> Reply {
        let mut reply = Reply::default();
        let asked = self.exchange(request, body, trailers, &mut reply);
        reply.why = match timeout(DEADLINE, asked).await {
            Err(_) => "silence".into(),
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) => String::new(),
        };
        reply
    }

    async fn exchange(
        &self,
        request: Request<()>,
        body: Option<&[u8]>,
        trailers: Option<HeaderMap>,
        reply: &mut Reply,
    ) -> Result<(), h2::Error> {
        let mut client = self.0.clone().ready().await?;
        let ends = body.is_none() && trailers.is_none();
        let (mut response, mut sender) = client.send_request(request, ends)?;
        if let Some(body) = body {
            let _ = sender.send_data(Bytes::copy_from_slice(body), trailers.is_none());
        }
        if let Some(trailers) = trailers {
            let _ = sender.send_trailers(trailers);
        }
        reply.interim = interim(&mut response).await?;
        let response = response.await?;
        reply.status = response.status().as_u16();
        reply.head = Head {
            fields: fields(response.headers()),
            ..Head::default()
        };
        let mut body = response.into_body();
        let content: &mut Content = &mut reply.content;
        while let Some(data) = body.data().await {
            let data = data?;
            body.flow_control().release_capacity(data.len())?;
            content.body.extend_from_slice(&data);
        }
        if let Some(trailers) = body.trailers().await? {
            content.trailers = fields(&trailers);
        }
        content.whole = true;
        Ok(())
    }
}

/// The 1xx before a response, of which the last is known when that is there.
async fn interim(response: &mut ResponseFuture) -> Result<Vec<(u16, Fields)>, h2::Error> {
    let mut all = Vec::new();
    poll_fn(|cx| {
        loop {
            match response.poll_informational(cx) {
                Poll::Ready(Some(Ok(head))) => {
                    all.push((head.status().as_u16(), fields(head.headers())));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await?;
    Ok(all)
}

fn fields(headers: &HeaderMap) -> Fields {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let field = |(name, value): (&http::HeaderName, _)| (name.as_str().to_owned(), text(value));
    headers.iter().map(field).collect()
}

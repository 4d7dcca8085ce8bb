//! Questions over TLS: a connection is one of the API's when both sides have shown what they must.
//!
//! No connection holds up another: each shows what it shows by itself, in [`PATIENCE`], and only
//! [`SHOWING_MAX`] do so at a time; further ones are turned away. Whoever speaks no TLS is told so in the
//! words of HTTP.

use axum::serve::Listener;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use trueup_tls::{Host, Role, Session, TlsError};

/// How long both sides may take to show what they must.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many do so at a time.
const SHOWING_MAX: usize = 256;
/// How long someone who was refused may take to read why.
const REFUSED_PATIENCE: Duration = Duration::from_millis(500);
/// How long to wait when the system gives no connection.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// How much is read from a socket, or said, at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// Where connections come in that have shown what they must.
pub(super) struct Door {
    address: SocketAddr,
    shown: mpsc::Receiver<(Secured, SocketAddr)>,
}

impl Door {
    /// Begins to accept; the connections end with the runtime.
    pub(super) fn open(listener: TcpListener, address: SocketAddr, host: Host) -> Self {
        let (sender, shown) = mpsc::channel(SHOWING_MAX);
        tokio::spawn(accept(listener, host, sender));
        Self { address, shown }
    }
}

impl Listener for Door {
    type Io = Secured;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Secured, SocketAddr) {
        match self.shown.recv().await {
            Some(shown) => shown,
            // Nobody comes any more.
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(listener: TcpListener, host: Host, sender: mpsc::Sender<(Secured, SocketAddr)>) {
    let showing = Arc::new(Semaphore::new(SHOWING_MAX));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a question could not be accepted");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&showing).try_acquire_owned() else { continue };
        let (host, sender) = (host.clone(), sender.clone());
        tokio::spawn(async move {
            let late = Err(TlsError::Late { role: Role::Answerer });
            let shown = timeout(PATIENCE, show(&host, stream)).await.unwrap_or(late);
            match shown {
                // Nobody takes it any more if the API ends.
                Ok(secured) => drop(sender.send((secured, peer)).await),
                Err(error) => tracing::warn!(%peer, %error, "a question was refused"),
            }
            drop(place);
        });
    }
}

/// Has both sides show what they must; whoever is refused hears why.
async fn show(host: &Host, mut stream: TcpStream) -> Result<Secured, TlsError> {
    stream.set_nodelay(true)?;
    let mut session = host.begin()?;
    let mut bytes = vec![0; PIECE_BYTES];
    let mut out = Vec::new();
    loop {
        let count = read(&stream, &mut bytes).await?;
        if count == 0 {
            return Err(session.cut());
        }
        let mut rest = bytes.get(..count).unwrap_or_default();
        let shown = session.show(&mut rest, &mut out);
        if matches!(shown, Err(TlsError::Plain { .. })) {
            out = in_the_open();
        }
        write(&stream, &out).await?;
        out.clear();
        match shown {
            Ok(false) => {}
            Ok(true) => {
                let mut words = Vec::new();
                session.hear(rest, &mut words)?;
                let (taken, sent) = (0, 0);
                return Ok(Secured { stream, session, bytes, words, taken, out, sent });
            }
            Err(error) => {
                // What it still sends would, at a closed socket, take the words away before they are read.
                let hears = async {
                    poll_fn(|context| Pin::new(&mut stream).poll_shutdown(context)).await?;
                    while read(&stream, &mut bytes).await? > 0 {}
                    io::Result::Ok(())
                };
                // Whether it hears it does not matter to this side.
                let _ = timeout(REFUSED_PATIENCE, hears).await;
                return Err(error);
            }
        }
    }
}

/// What someone hears who speaks no TLS.
fn in_the_open() -> Vec<u8> {
    let body = serde_json::json!({
        "error": "questions are asked over TLS here",
        "hint": "name the authority of the engine's certificate with --ca, or ask for https://",
    });
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    (head + &body).into_bytes()
}

async fn read(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        match stream.try_read(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => bytes = bytes.get(done?..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// A connection of someone who asks.
pub(super) struct Secured {
    stream: TcpStream,
    session: Session,
    /// What is read of the socket.
    bytes: Vec<u8>,
    /// What was heard, and how much of it was taken.
    words: Vec<u8>,
    taken: usize,
    /// What is to be sent, and how much of it was.
    out: Vec<u8>,
    sent: usize,
}

impl Secured {
    /// Sends what is to be sent.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.out.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += count;
        }
        self.out.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let rest = this.words.get(this.taken..).unwrap_or_default();
            if !rest.is_empty() {
                let count = rest.len().min(buffer.remaining());
                buffer.put_slice(rest.get(..count).unwrap_or_default());
                this.taken += count;
                return Poll::Ready(Ok(()));
            }
            if this.session.has_ended() {
                return Poll::Ready(Ok(()));
            }
            this.words.clear();
            this.taken = 0;
            let mut read = ReadBuf::new(&mut this.bytes);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Err(this.session.cut().into()));
            }
            this.session.hear(read.filled(), &mut this.words)?;
        }
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        words: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        let piece = words.get(..PIECE_BYTES).unwrap_or(words);
        this.session.say(piece, &mut this.out)?;
        // What the socket does not take now goes before the next words.
        if let Poll::Ready(Err(error)) = this.poll_send(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        this.session.end(&mut this.out)?;
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

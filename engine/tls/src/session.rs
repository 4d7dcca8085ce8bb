//! One connection without its socket: what is said becomes what is sent, and back.

use crate::error::{TlsError, of_certificate};
use crate::side::{Side, name};
use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls::{Connection, Error};
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

/// One side of a connection: what it says becomes bytes, and bytes become what the other says.
#[derive(Debug)]
pub struct Session {
    pub(crate) connection: Connection,
    side: Arc<Side>,
    /// Whether the other side said that it says no more.
    ended: bool,
}

impl Session {
    pub(crate) fn new(mut connection: Connection, side: Arc<Side>) -> Self {
        // What is written is taken out at once.
        connection.set_buffer_limit(None);
        Self { connection, side, ended: false }
    }

    /// Takes bytes that arrived while both sides show what they show, and appends to `out` what is to be
    /// sent, also where the other side is refused; true when nothing more needs to be shown. What arrived
    /// after that stays for [`Self::hear`].
    ///
    /// # Errors
    /// Why the other side cannot be believed.
    pub fn show(&mut self, bytes: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, TlsError> {
        while self.connection.is_handshaking() && !bytes.is_empty() {
            self.connection.read_tls(bytes)?;
            let done = self.connection.process_new_packets();
            self.flush(out)?;
            done.map_err(|error| self.refused(error))?;
        }
        Ok(!self.connection.is_handshaking())
    }

    /// What is wrong with the other side, as it shows who it is.
    pub(crate) fn refused(&self, error: Error) -> TlsError {
        let is_plain = matches!(error, Error::InvalidMessage(_));
        if is_plain { self.plain() } else { self.explain(error) }
    }

    /// Appends to `out` what carries these words.
    ///
    /// # Errors
    /// If nothing can be said any more.
    pub fn say(&mut self, words: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.connection.writer().write_all(words)?;
        self.flush(out)
    }

    /// Appends to `out` that nothing more will be said.
    ///
    /// # Errors
    /// If nothing can be said any more.
    pub fn end(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.connection.send_close_notify();
        self.flush(out)
    }

    /// Appends to `out` what is still to be sent.
    fn flush(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(out)?;
        }
        Ok(())
    }

    /// Takes bytes that arrived, and appends to `words` what the other side said with them.
    ///
    /// # Errors
    /// If the other side ended the conversation for a reason, or the bytes are not its own.
    pub fn hear(&mut self, bytes: &[u8], words: &mut Vec<u8>) -> Result<(), TlsError> {
        let mut rest = bytes;
        loop {
            if !rest.is_empty() {
                self.connection.read_tls(&mut rest)?;
            }
            let state = self.connection.process_new_packets();
            let state = state.map_err(|error| self.side.explain(error))?;
            self.ended |= state.peer_has_closed();
            let start = words.len();
            words.resize(start + state.plaintext_bytes_to_read(), 0);
            let spoken = words.get_mut(start..).unwrap_or_default();
            self.connection.reader().read_exact(spoken)?;
            // After its farewell, nothing that the other side sends means anything.
            if rest.is_empty() || self.ended {
                return Ok(());
            }
        }
    }

    /// Whether the other side said that it says no more.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The end of a connection that ended without a farewell.
    pub fn cut(&self) -> TlsError {
        TlsError::Cut { role: self.side.role }
    }

    pub(crate) fn plain(&self) -> TlsError {
        TlsError::Plain { role: self.side.role }
    }

    pub(crate) fn late(&self) -> TlsError {
        TlsError::Late { role: self.side.role }
    }

    pub(crate) fn explain(&self, error: Error) -> TlsError {
        self.side.explain(error)
    }

    /// Whether the other side's certificate is for a name.
    ///
    /// # Errors
    /// For whom it is instead.
    pub fn check_name(&self, to: &str) -> Result<(), TlsError> {
        let role = self.side.role;
        let shown = self.connection.peer_certificates().and_then(|chain| chain.first());
        let shown = shown.ok_or(TlsError::Missing { role })?;
        let expected = name(to)?;
        let about = |error| {
            if let Error::InvalidCertificate(about) = &error {
                return of_certificate(about, &self.side);
            }
            TlsError::Unfit { role, problem: error.to_string() }
        };
        let parsed = ParsedCertificate::try_from(shown).map_err(&about)?;
        verify_server_name(&parsed, &expected).map_err(about)
    }
}

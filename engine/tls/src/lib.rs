//! Connections whose both sides show certificates: TLS 1.3, and nothing older.
//!
//! An [`Identity`] is what one side shows (a certificate with its key) and whom it believes (an
//! authority). Both sides of every connection show a certificate: there is no way to secure one side
//! only. A [`Session`] is the arithmetic of one connection, without sockets; [`Secured`] is a session on a
//! socket, which one thread may read while another writes. Knows nothing of what is said on a
//! connection. Nothing is resumed: every connection is proven by itself, as of now.

mod identity;
mod session;
mod secured;
pub mod error;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use error::TlsError;
pub use identity::{Files, Identity, Role};
pub use secured::Secured;
pub use session::Session;

#[cfg(test)]
mod tests;

//! Connections whose sides show certificates: TLS 1.3, and nothing older.
//!
//! An [`Identity`] is what one side shows (a certificate with its key) and whom it believes (an
//! authority): what programs say to each other is between two of them. Where people ask, who is asked is a
//! [`Host`], which always shows a certificate and asks for one if it is told whose it believes, and who asks
//! is a [`Guest`], which always believes an authority and shows what it has. A [`Session`] is the
//! arithmetic of one connection, without sockets; [`Secured`] is a session on a socket, which one thread
//! may read while another writes. Knows nothing of what is said on a connection. Nothing is resumed: every
//! connection is proven by itself, as of now.

mod side;
mod pem;
mod ends;
mod identity;
mod session;
mod secured;
pub mod error;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use ends::{Card, Guest, Host};
pub use error::TlsError;
pub use identity::{Files, Identity};
pub use secured::Secured;
pub use session::Session;
pub use side::Role;

#[cfg(test)]
mod tests;

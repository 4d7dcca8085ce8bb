//! Why a conversation ended before its time.

use trueup_wire::SessionError;

/// Why a conversation ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// The connection failed.
    #[error("the connection failed")]
    Connection(#[from] std::io::Error),
    /// The connector said something that has no place here.
    #[error("the connector broke the protocol")]
    Session(#[from] SessionError),
    /// The connector sent something that is not what it says.
    #[error("the connector sent what is not readable: {0}")]
    Unreadable(String),
    /// The connector may not send facts.
    #[error("the connector was refused: {0}")]
    Refused(String),
    /// A newer conversation of the same source has begun.
    #[error("a newer connection of the same source took its place")]
    Superseded,
    /// Nothing was heard for too long.
    #[error("the connector said nothing for too long")]
    Silent,
    /// The engine stopped.
    #[error("the engine has stopped")]
    Stopped,
}

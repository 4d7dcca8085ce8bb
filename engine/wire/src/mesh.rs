//! What processes of one cluster say to each other before they work together.
//!
//! Both sides of a connection send a greeting of [`GREETING_BYTES`] bytes, and then a proof of
//! [`PROOF_BYTES`]: HMAC-SHA256, by the hash of the cluster's secret, over who proves and both greetings. Each
//! greeting has a nonce, so a proof is worth nothing on another connection, and one side's is not the
//! other's. What follows on a connection of kind [`Kind::Data`] is the dataflow's own; on one of kind
//! [`Kind::Pulse`] it is a byte now and then. `FORMAT.md` draws the bytes.

use crate::bytes::Cursor;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The first bytes of every greeting.
pub const MAGIC: [u8; 8] = *b"TRUPMESH";
/// The version of the greeting.
pub const VERSION: u16 = 1;
/// The length of a greeting.
pub const GREETING_BYTES: usize = 128;
/// The length of a proof.
pub const PROOF_BYTES: usize = 32;
/// A sign of life on a pulse.
pub const BEAT: u8 = b'.';
/// The orderly end of a pulse.
pub const BYE: u8 = b'!';

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The dataflow's messages.
    Data,
    /// Signs of life.
    Pulse,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Data, Self::Pulse];

    fn code(self) -> u8 {
        match self {
            Self::Data => 0,
            Self::Pulse => 1,
        }
    }
}

/// Who opens a connection, or accepts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that opened it.
    Opener,
    /// The one that accepted it.
    Acceptor,
}

/// What a process says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// What the connection is for.
    pub kind: Kind,
    /// Which process it is.
    pub process: u32,
    /// How many processes it expects.
    pub processes: u32,
    /// How many workers each has.
    pub workers: u32,
    /// The incarnation of the cluster, which its first process gives; 0 if it is not known yet.
    pub generation: u64,
    /// What the program is made of: a hash of its file.
    pub build: [u8; 32],
    /// What the workers are told: a hash of the policy.
    pub rules: [u8; 32],
    /// Never used before.
    pub nonce: [u8; 32],
}

/// Why bytes are not a greeting that can be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeshError {
    /// The bytes do not begin like a greeting.
    #[error("what connected is no process of a cluster: it began with {found:02x?}")]
    Magic {
        /// What stands there.
        found: [u8; 8],
    },
    /// The greeting is of another version.
    #[error("the other process speaks version {found}, and this one version {VERSION}")]
    Version {
        /// Its version.
        found: u16,
    },
    /// The greeting has a code that means nothing.
    #[error("the greeting has kind {found}, which means nothing")]
    Kind {
        /// The code.
        found: u8,
    },
    /// The greeting is too short.
    #[error("a greeting has {GREETING_BYTES} bytes, and this one {found}")]
    Short {
        /// How many it has.
        found: usize,
    },
    /// The processes do not fit together.
    #[error("process {process} has another {what}: {theirs}, and this one has {ours}; {remedy}")]
    Differs {
        /// The other process.
        process: u32,
        /// What differs.
        what: &'static str,
        /// What it has.
        theirs: String,
        /// What this one has.
        ours: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The other process does not know the secret.
    #[error("process {process} does not know the cluster's secret; give all the same secret file")]
    Proof {
        /// The other process.
        process: u32,
    },
}

impl Greeting {
    /// The greeting's bytes.
    pub fn encode(&self) -> [u8; GREETING_BYTES] {
        let mut bytes = Vec::with_capacity(GREETING_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([self.kind.code(), 0]);
        bytes.extend(self.process.to_le_bytes());
        bytes.extend(self.processes.to_le_bytes());
        bytes.extend(self.workers.to_le_bytes());
        bytes.extend(self.generation.to_le_bytes());
        bytes.extend(self.build);
        bytes.extend(self.rules);
        bytes.extend(self.nonce);
        let mut all = [0; GREETING_BYTES];
        for (place, byte) in all.iter_mut().zip(bytes) {
            *place = byte;
        }
        all
    }

    /// Reads a greeting.
    ///
    /// # Errors
    /// If the bytes are something else, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, MeshError> {
        let mut cursor = Cursor::new(bytes);
        let found = bytes.len();
        let found_short = |_| MeshError::Short { found };
        let magic: [u8; 8] = array(cursor.take(8).map_err(found_short)?);
        if magic != MAGIC {
            return Err(MeshError::Magic { found: magic });
        }
        let version = u16::from_le_bytes(array(cursor.take(2).map_err(found_short)?));
        if version != VERSION {
            return Err(MeshError::Version { found: version });
        }
        let [code, _] = array(cursor.take(2).map_err(found_short)?);
        let kind = Kind::ALL.into_iter().find(|kind| kind.code() == code);
        let kind = kind.ok_or(MeshError::Kind { found: code })?;
        let mut number = || -> Result<u32, MeshError> {
            Ok(u32::from_le_bytes(array(cursor.take(4).map_err(found_short)?)))
        };
        let (process, processes, workers) = (number()?, number()?, number()?);
        let generation = u64::from_le_bytes(array(cursor.take(8).map_err(found_short)?));
        let mut hash =
            || -> Result<[u8; 32], MeshError> { Ok(array(cursor.take(32).map_err(found_short)?)) };
        let (build, rules, nonce) = (hash()?, hash()?, hash()?);
        Ok(Self { kind, process, processes, workers, generation, build, rules, nonce })
    }

    /// Whether another process can work with this one.
    ///
    /// # Errors
    /// The first thing in which they differ.
    pub fn fits(&self, other: &Self) -> Result<(), MeshError> {
        let differs = |what, theirs: String, ours: String, remedy| {
            Err(MeshError::Differs { process: other.process, what, theirs, ours, remedy })
        };
        if self.processes != other.processes {
            let (theirs, ours) = (other.processes.to_string(), self.processes.to_string());
            return differs("number of processes", theirs, ours, "give all the same hosts");
        }
        if self.workers != other.workers {
            let (theirs, ours) = (other.workers.to_string(), self.workers.to_string());
            return differs("number of workers", theirs, ours, "give all the same number");
        }
        if self.build != other.build {
            let (theirs, ours) = (hex(&other.build), hex(&self.build));
            return differs("build", theirs, ours, "run the same program everywhere");
        }
        if self.rules != other.rules {
            let (theirs, ours) = (hex(&other.rules), hex(&self.rules));
            return differs("policy", theirs, ours, "give all the same policy file");
        }
        if self.generation != other.generation && self.generation != 0 && other.generation != 0 {
            let (theirs, ours) = (other.generation.to_string(), self.generation.to_string());
            return differs("generation", theirs, ours, "the older one has to start again");
        }
        Ok(())
    }
}

/// The proof of one side that it knows the secret.
pub fn proof(
    secret: &[u8],
    side: Side,
    opener: &[u8; GREETING_BYTES],
    acceptor: &[u8; GREETING_BYTES],
) -> [u8; PROOF_BYTES] {
    mac(secret, side, opener, acceptor).finalize().into_bytes().into()
}

/// Whether a proof is that of one side; takes as long for a wrong one as for a right one.
pub fn is_proven(
    claimed: &[u8; PROOF_BYTES],
    secret: &[u8],
    side: Side,
    opener: &[u8; GREETING_BYTES],
    acceptor: &[u8; GREETING_BYTES],
) -> bool {
    mac(secret, side, opener, acceptor).verify_slice(claimed).is_ok()
}

fn mac(
    secret: &[u8],
    side: Side,
    opener: &[u8; GREETING_BYTES],
    acceptor: &[u8; GREETING_BYTES],
) -> Hmac<Sha256> {
    let mut key = Key::<Hmac<Sha256>>::default();
    for (place, byte) in key.iter_mut().zip(fingerprint(secret)) {
        *place = byte;
    }
    let mut mac = Hmac::<Sha256>::new(&key);
    mac.update(match side {
        Side::Opener => b"opener",
        Side::Acceptor => b"accept",
    });
    mac.update(opener);
    mac.update(acceptor);
    mac
}

/// A hash of bytes, as builds and rules are told by.
pub fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first bytes, which were checked to be there.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    for (place, byte) in all.iter_mut().zip(bytes) {
        *place = *byte;
    }
    all
}

/// The beginning of a hash, as people tell hashes apart.
fn hex(hash: &[u8; 32]) -> String {
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{GREETING_BYTES, Greeting, Kind, MeshError, Side, is_proven, proof};

    fn greeting(process: u32) -> Greeting {
        Greeting {
            kind: Kind::Pulse,
            process,
            processes: 3,
            workers: 2,
            generation: 7,
            build: [1; 32],
            rules: [2; 32],
            nonce: [3; 32],
        }
    }

    #[test]
    fn a_greeting_is_what_its_bytes_say() {
        let bytes = greeting(1).encode();
        assert_eq!(bytes[..12], *b"TRUPMESH\x01\0\x01\0");
        assert_eq!(bytes[12..24], [1, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(bytes[24..32], [7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[32], 1);
        assert_eq!(bytes[64], 2);
        assert_eq!(bytes[96..], [3; 32]);
        assert_eq!(Greeting::decode(&bytes), Ok(greeting(1)));
    }

    #[test]
    fn bytes_that_are_no_greeting_are_told() {
        let bytes = greeting(1).encode();
        for length in 0..GREETING_BYTES {
            let found = Greeting::decode(&bytes[..length]);
            assert_eq!(found, Err(MeshError::Short { found: length }));
        }
        let changed = |place: usize, byte: u8| {
            let mut other = bytes;
            other[place] = byte;
            Greeting::decode(&other)
        };
        assert!(matches!(changed(0, b'G'), Err(MeshError::Magic { .. })));
        assert_eq!(changed(8, 2), Err(MeshError::Version { found: 2 }));
        assert_eq!(changed(10, 9), Err(MeshError::Kind { found: 9 }));
    }

    proptest::proptest! {
        /// Whatever comes is a greeting with just these bytes, or an error.
        #[test]
        fn foreign_bytes_are_a_greeting_or_an_error(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..160),
            known in 0..13_usize,
        ) {
            let mut bytes = bytes;
            for (place, byte) in bytes.iter_mut().zip(greeting(1).encode()).take(known) {
                *place = byte;
            }
            if let Ok(read) = Greeting::decode(&bytes) {
                let padded = read.encode();
                proptest::prop_assert_eq!(&padded[..11], &bytes[..11]);
                proptest::prop_assert_eq!(&padded[12..], &bytes[12..GREETING_BYTES]);
            }
        }
    }

    #[test]
    fn processes_that_do_not_fit_say_in_what() {
        let ours = greeting(0);
        assert_eq!(ours.fits(&greeting(1)), Ok(()));
        let unknown = Greeting { generation: 0, ..greeting(1) };
        assert_eq!(ours.fits(&unknown), Ok(()));
        let others = [
            (Greeting { processes: 2, ..greeting(1) }, "number of processes"),
            (Greeting { workers: 1, ..greeting(1) }, "number of workers"),
            (Greeting { build: [9; 32], ..greeting(1) }, "build"),
            (Greeting { rules: [9; 32], ..greeting(1) }, "policy"),
            (Greeting { generation: 6, ..greeting(1) }, "generation"),
        ];
        for (other, what) in others {
            let error = ours.fits(&other).expect_err(what);
            assert!(error.to_string().contains(&format!("another {what}")), "{error}");
        }
    }

    #[test]
    fn a_proof_is_of_one_side_one_secret_and_one_connection() {
        let (opener, acceptor) = (greeting(1).encode(), greeting(0).encode());
        let proven = proof(b"secret", Side::Opener, &opener, &acceptor);
        assert!(is_proven(&proven, b"secret", Side::Opener, &opener, &acceptor));
        assert!(!is_proven(&proven, b"secret", Side::Acceptor, &opener, &acceptor));
        assert!(!is_proven(&proven, b"secrets", Side::Opener, &opener, &acceptor));
        assert!(!is_proven(&proven, b"secret", Side::Opener, &acceptor, &opener));
        let again = Greeting { nonce: [4; 32], ..greeting(1) }.encode();
        assert!(!is_proven(&proven, b"secret", Side::Opener, &again, &acceptor));
        // Computed by another program: hmac(sha256(secret), b"opener" + opener + acceptor, sha256).
        assert_eq!(proven[..8], [0x19, 0x4d, 0x08, 0x11, 0x9f, 0xf1, 0x9d, 0x4c]);
    }
}

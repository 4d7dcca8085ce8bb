//! Sealed content, byte by byte.

use super::{Label, Refusal, SEAL_BYTES, Scope, Seal};
use crate::keys::Keys;
use std::sync::Arc;

const SCOPE: Scope = Scope::Journal { mark: 7, generation: 3 };
const LABEL: Label = Label { number: 5, kind: 19, epoch: 9 };

fn keys(byte: &str) -> Arc<Keys> {
    let text = format!("trueup keys 1\nkey {}", byte.repeat(32));
    Arc::new(Keys::parse(&text).unwrap().with_salt([4; 16]))
}

fn sealed(party: &str) -> Vec<u8> {
    let mut out = Vec::new();
    Seal::new(keys("01"), SCOPE).unwrap().seal(party, LABEL, &[b"fac", b"", b"ts"], &mut out);
    out
}

#[test]
fn the_bytes_of_sealed_content_are_these() {
    let bytes = sealed("acme");
    assert_eq!(bytes.len(), 5 + SEAL_BYTES);
    // As computed elsewhere, with HKDF and AES-256-GCM of another library.
    let shown: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(shown, "7ca633a882a86ad8a3c6ddd46b770a3c669f9a5bff4733c43fdb6fad6868740bd4833c40bc");
}

#[test]
fn content_comes_back_and_nothing_else_opens() {
    for party in ["", "acme"] {
        let good = sealed(party);
        let open = |scope, label, mut bytes: Vec<u8>| {
            let mut seal = Seal::with_salt(keys("01"), scope, [4; 16]);
            seal.open(label, &mut bytes).map(<[u8]>::to_vec)
        };
        assert_eq!(open(SCOPE, LABEL, good.clone()).unwrap(), b"facts");
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(open(SCOPE, LABEL, bytes).is_err(), "bit {bit}");
        }
        for end in 0..good.len() {
            assert!(open(SCOPE, LABEL, good[..end].to_vec()).is_err());
        }
        let labels = [
            Label { number: 6, ..LABEL },
            Label { kind: 20, ..LABEL },
            Label { epoch: 8, ..LABEL },
        ];
        for label in labels {
            assert!(
                matches!(open(SCOPE, label, good.clone()), Err(Refusal::Forged(_))),
                "{label:?}"
            );
        }
        let scopes = [
            Scope::Journal { mark: 7, generation: 4 },
            Scope::Journal { mark: 6, generation: 3 },
            Scope::Snapshot { number: 7, part: 3 },
        ];
        for scope in scopes {
            assert!(
                matches!(open(scope, LABEL, good.clone()), Err(Refusal::Forged(_))),
                "{scope:?}"
            );
        }
        let mut salted = Seal::with_salt(keys("01"), SCOPE, [5; 16]);
        assert!(matches!(salted.open(LABEL, &mut good.clone()), Err(Refusal::Forged(_))));
        let mut other = Seal::with_salt(keys("02"), SCOPE, [4; 16]);
        let id = keys("01").ids().next().unwrap();
        assert_eq!(other.open(LABEL, &mut good.clone()), Err(Refusal::NoKey(id)));
    }
}

#[test]
fn openings_have_salts_of_their_own() {
    let text = format!("trueup keys 1\nkey {}", "01".repeat(32));
    let keys = Arc::new(Keys::parse(&text).unwrap());
    let salts: Vec<[u8; 16]> =
        (0..8).map(|_| Seal::new(Arc::clone(&keys), SCOPE).unwrap().salt).collect();
    for (index, salt) in salts.iter().enumerate() {
        assert!(!salts[..index].contains(salt));
    }
}

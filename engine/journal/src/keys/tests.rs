//! Key files, line by line.

use super::{KeyId, Keys};

const ONE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
const TWO: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

fn parse(body: &str) -> Result<Keys, String> {
    Keys::parse(body).map_err(|error| error.to_string())
}

#[test]
fn a_key_file_is_read_and_the_last_key_that_fits_writes() {
    let third = "ab".repeat(32);
    let text = format!("trueup keys 1\n# old\nkey {ONE}\n\n key {TWO}\nkey-of {third} acme corp\n");
    let keys = parse(&text).unwrap();
    let ids: Vec<KeyId> = keys.ids().collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(keys.of("").unwrap().id, ids[1], "the newest of two");
    assert_eq!(keys.of("campus").unwrap().id, ids[1]);
    assert_eq!(keys.of("acme corp").unwrap().id, ids[2], "its own");
    assert_eq!(keys.get(ids[0]).unwrap().id, ids[0]);
    assert!(keys.get(KeyId(1)).is_none());
    // As computed elsewhere: HMAC-SHA-256 of `trueup id` and a zero, its first eight bytes.
    assert_eq!(ids[0].to_string(), "6896b239b4a0ac03");
    let tag = keys.get(ids[0]).unwrap().tag("acme");
    assert!(tag != 0 && tag != keys.get(ids[1]).unwrap().tag("acme"));
    assert_eq!(keys.get(ids[0]).unwrap().tag(""), 0);
}

#[test]
fn what_is_wrong_with_a_key_file_is_said_without_its_keys() {
    let refused = |body: &str, problem: &str| assert_eq!(parse(body).unwrap_err(), problem);
    let title = "trueup keys 1\n";
    refused("", "line 1: expected `trueup keys 1`");
    refused("trueup keys 2\n", "line 1: expected `trueup keys 1`");
    let none = "line 1: there is no `key HEX`, for what has no key of its own";
    refused(title, none);
    refused(&format!("{title}key-of {ONE} acme"), none);
    let what = "line 3: expected `key HEX` or `key-of HEX TENANT`";
    refused(&format!("{title}\n{ONE}"), what);
    refused(&format!("{title}\nkey-of {ONE}"), what);
    refused(&format!("{title}\nkey {ONE} acme"), what);
    let digits = "line 2: expected 64 digits to the base of 16 as the key";
    refused(&format!("{title}key {}", &ONE[1..]), digits);
    refused(&format!("{title}key {ONE}0"), digits);
    refused(&format!("{title}key {}g", &ONE[1..]), digits);
    refused(&format!("{title}key {}é", &ONE[2..]), digits);
    refused(&format!("{title}key {ONE}\nkey {ONE}"), "line 3: this key stands there twice");
}

#[test]
fn keys_are_shown_by_their_numbers() {
    let keys = parse(&format!("trueup keys 1\nkey {ONE}")).unwrap();
    let shown = format!("{keys:?}").to_lowercase();
    assert!(shown.contains("keyid") && !shown.contains("0001020304"), "{shown}");
}

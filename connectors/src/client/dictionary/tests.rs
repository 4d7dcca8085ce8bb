//! Names and their codes.

use super::{Dictionary, Full};
use trueup_model::id::NameKind;
use trueup_wire::Code;

#[test]
fn a_name_keeps_its_code_and_kinds_are_apart() {
    let mut dictionary = Dictionary::default();
    assert!(dictionary.is_empty());
    assert_eq!(dictionary.code(NameKind::User, "ana"), Ok(Code(0)));
    assert_eq!(dictionary.code(NameKind::Device, "ana"), Ok(Code(1)));
    assert_eq!(dictionary.code(NameKind::User, "Ana"), Ok(Code(2)));
    assert_eq!(dictionary.code(NameKind::User, "ana"), Ok(Code(0)));
    assert_eq!(dictionary.code(NameKind::Text, ""), Ok(Code(3)));
    assert_eq!(dictionary.len(), 4);
    let names: Vec<_> = dictionary.names(1, 3).collect();
    assert_eq!(names, [(NameKind::Device, "ana"), (NameKind::User, "Ana")]);
    assert_eq!(dictionary.names(3, 9).count(), 1);
    assert_eq!(dictionary.names(4, 9).count(), 0);
}

#[test]
fn it_holds_as_many_codes_as_its_limit_and_knows_them_when_full() {
    let mut dictionary = Dictionary::with_limits(2, 100);
    dictionary.code(NameKind::User, "ana").unwrap();
    dictionary.code(NameKind::User, "eva").unwrap();
    assert_eq!(dictionary.code(NameKind::User, "ida"), Err(Full));
    assert_eq!(dictionary.code(NameKind::User, "eva"), Ok(Code(1)));
    dictionary.clear();
    assert_eq!(dictionary.code(NameKind::User, "ida"), Ok(Code(0)));
    assert_eq!(dictionary.code(NameKind::User, "ana"), Ok(Code(1)));
    assert_eq!(dictionary.code(NameKind::User, "eva"), Err(Full));
}

#[test]
fn it_holds_as_much_text_as_its_limit() {
    let mut dictionary = Dictionary::with_limits(100, 6);
    dictionary.code(NameKind::User, "ana").unwrap();
    assert_eq!(dictionary.code(NameKind::User, "four"), Err(Full));
    assert_eq!(dictionary.code(NameKind::User, "eva"), Ok(Code(1)));
    assert_eq!(dictionary.code(NameKind::User, ""), Ok(Code(2)));
    assert_eq!(dictionary.code(NameKind::User, "x"), Err(Full));
}

//! The directory of the file system.

use super::{Directory, File as _, Storage as _};
use crate::error::JournalError;

#[test]
fn a_file_is_written_read_and_given_room() {
    let place = tempfile::tempdir().unwrap();
    let directory = Directory::open(place.path().join("a/journal")).unwrap();
    let mut file = directory.create("one").unwrap();
    assert_eq!(file.write(0, b"hello ").unwrap(), 6);
    assert_eq!(file.write(6, b"world").unwrap(), 5);
    file.sync().unwrap();
    let mut buffer = [0; 20];
    assert_eq!(file.read(6, &mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"world");
    assert_eq!(file.write(6, b"W").unwrap(), 1);
    assert_eq!(file.length().unwrap(), 11);
    // Room is zeros at the end, and what is there stays.
    file.reserve(70_000).unwrap();
    file.reserve(5).unwrap();
    assert_eq!(file.length().unwrap(), 70_000);
    assert_eq!(file.read(0, &mut buffer).unwrap(), 20);
    assert_eq!(&buffer, b"hello World\0\0\0\0\0\0\0\0\0");
    assert_eq!(file.read(69_990, &mut buffer).unwrap(), 10);
    assert_eq!(file.read(70_000, &mut buffer).unwrap(), 0);
}

#[test]
fn names_are_created_once_renamed_and_removed() {
    let place = tempfile::tempdir().unwrap();
    let directory = Directory::open(place.path()).unwrap();
    assert_eq!(directory.path(), place.path());
    directory.create("one").unwrap();
    assert!(directory.create("one").is_err());
    assert!(directory.open("two").is_err());
    directory.rename("one", "two").unwrap();
    directory.open("two").unwrap();
    directory.sync_directory().unwrap();
    let mut names = directory.list().unwrap();
    names.sort_unstable();
    assert_eq!(names, ["lock", "two"]);
    directory.remove("two").unwrap();
    assert!(directory.remove("two").is_err());
}

#[test]
fn a_directory_is_held_by_one_owner_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    let first = Directory::open(place.path()).unwrap();
    let clone = first.clone();
    drop(first);
    let error = Directory::open(place.path()).unwrap_err();
    assert!(matches!(&error, JournalError::InUse { .. }));
    assert!(error.to_string().ends_with("is in use by another process; stop it first"));
    drop(clone);
    Directory::open(place.path()).unwrap();
}

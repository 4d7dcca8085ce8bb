//! Processes that show each other certificates.

use super::{hosts, join, member};
use crate::mesh::{Certificates, Lost, Member, Mesh};
use crossbeam_channel::bounded;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;
use tempfile::TempDir;
use timely::communication::allocator::zero_copy::stream::Stream as _;
use trueup_tls::Role;
use trueup_tls::testing::{Authority, Holds};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A process with a certificate for a name, of those that all know.
fn with(member: Member, authority: &Authority, name: &str, names: &[&str]) -> Member {
    let identity = authority.identity(Role::Process, &[name], Holds::Now).unwrap();
    let names = names.iter().map(|known| (*known).to_owned()).collect();
    let certificates = Some(Certificates { identity, names });
    Member { certificates, patience: Duration::from_secs(2), ..member }
}

/// Two processes that meet; what the first and the second say of it.
fn meet(members: [Member; 2]) -> [String; 2] {
    let mut joined = join(members.into()).into_iter().map(|joined| match joined {
        Ok(_) => "joined".to_owned(),
        Err(error) => error.to_string(),
    });
    std::array::from_fn(|_| joined.next().unwrap())
}

#[test]
fn processes_with_certificates_find_each_other_and_say_nothing_in_the_open() {
    let (folder, hosts) = (folder(), hosts(3));
    let authority = Authority::new(folder.path(), "ours");
    let names = ["a.test", "b.test", "c.test"];
    let members = (0..3).map(|process| Member {
        patience: Duration::from_secs(20),
        ..with(member(process, &hosts), &authority, names[process], &names)
    });
    let joined = join(members.collect());
    let mut meshes: Vec<Mesh> = joined.into_iter().map(Result::unwrap).collect();
    assert!(meshes.iter().all(|mesh| mesh.generation() == meshes[0].generation()));
    let (mut near, mut far) =
        (meshes[2].data[0].take().unwrap(), meshes[0].data[2].take().unwrap());
    assert!(near.as_secured().is_some() && far.as_secured().is_some());
    // More than sockets hold: each side is read while it is written.
    let sent = vec![7; 5_000_000];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            near.write_all(&sent).unwrap();
            near.shutdown(Shutdown::Write).unwrap();
        });
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).unwrap();
        assert!(heard == sent);
    });
    let (told, losses) = bounded(4);
    let pulse = meshes[0].watch(move |lost: Lost| told.send(lost).unwrap()).unwrap();
    let second = meshes[1].watch(|_| {}).unwrap();
    drop(second);
    assert!(losses.recv_timeout(Duration::from_secs(1)).is_err(), "it said farewell");
    drop(meshes.pop());
    assert_eq!(losses.recv_timeout(Duration::from_secs(1)).unwrap().process, 2);
    drop(pulse);
}

#[test]
fn processes_without_the_right_certificate_stay_outside_and_say_why() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let theirs = Authority::new(folder.path(), "theirs");
    let names = ["a.test", "b.test"];
    type Shown<'s> = Option<(&'s Authority, &'s str)>;
    let check = |shown: [Shown<'_>; 2], words: [&str; 2]| {
        let hosts = hosts(2);
        let process = |process: usize| match shown[process] {
            Some((authority, name)) => with(member(process, &hosts), authority, name, &names),
            None => Member { patience: Duration::from_secs(2), ..member(process, &hosts) },
        };
        let all = meet([process(0), process(1)]);
        for (said, expected) in all.iter().zip(words) {
            assert!(said.contains(expected), "{expected} in {said}");
        }
    };
    let (first, second) = (Some((&ours, "a.test")), Some((&ours, "b.test")));
    // The second one is the first to look, and ends it then.
    let foreign = "the other process's certificate is of no authority in";
    check([first, Some((&theirs, "b.test"))], ["no authority that is believed there", foreign]);
    let other = "certificate is not for a.test, but for";
    check([Some((&ours, "x.test")), second], ["not for the name that is expected there", other]);
    let stranger = "certificate is not for b.test, but for";
    check([first, Some((&ours, "x.test"))], [stranger, "process 0 at"]);
    // One with certificates, the other without.
    let plain = "the other process speaks no TLS there; give all processes a certificate";
    let secured = "the other process speaks TLS there, and this one has no certificate; give all";
    check([first, None], [plain, secured]);
    check([None, second], [secured, plain]);
}

#[test]
fn a_line_that_breaks_is_a_loss_though_the_pulse_goes_on() {
    let hosts = hosts(2);
    let joined = join((0..2).map(|process| member(process, &hosts)).collect());
    let mut meshes: Vec<Mesh> = joined.into_iter().map(Result::unwrap).collect();
    let (told, losses) = bounded(4);
    let _pulse = meshes[0].watch(move |lost: Lost| told.send(lost).unwrap()).unwrap();
    let _other = meshes[1].watch(|_| {}).unwrap();
    let mut near = meshes[0].data[1].take().unwrap();
    drop(meshes[1].data[0].take());
    let written = (0..1000).find_map(|_| near.write_all(&[0; 1000]).err());
    assert!(written.is_some());
    let lost = losses.recv_timeout(Duration::from_secs(1)).unwrap();
    assert!(lost.process == 1 && lost.reason.starts_with("its connection broke"), "{lost:?}");
}

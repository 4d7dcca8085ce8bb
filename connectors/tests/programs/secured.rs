//! Programs that show a certificate, and look at the engine's.

use crate::engine::Engine;
use crate::run::{FILES, Folder};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;
use trueup_tls::testing::{Authority, Holds};
use trueup_tls::{Files, Identity, Role, Secured};

/// How long certificates may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Carries bytes until one side ends.
fn carry(mut from: impl std::io::Read, mut to: impl std::io::Write) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}

/// A port where an engine shows a certificate; gives its number.
fn door(engine: &Engine, identity: Identity) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = engine.address.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Ok(session) = identity.accept(&stream, &|| PATIENCE) else { continue };
            stream.set_read_timeout(None).unwrap();
            let near = Secured::new(session, stream);
            let far = TcpStream::connect(&address).unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    carry(&far, &near);
                    // The connector may be gone.
                    let _ = near.shutdown(Shutdown::Both);
                });
                carry(&near, &far);
                let _ = far.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

#[test]
fn a_program_shows_its_certificate_and_says_what_is_wrong_with_one() {
    let (engine, folder) = (Engine::start(), Folder::new());
    let accounts = folder.write("accounts.csv", "account,parent\nroot,\nlab,root\n");
    let here = accounts.parent().unwrap();
    let (ours, theirs) = (Authority::new(here, "ours"), Authority::new(here, "theirs"));
    let files = ours.issue(&["127.0.0.1"], Holds::Now);
    let port = door(&engine, Identity::read(Role::Engine, files.clone()).unwrap());
    let run = |shown: &Files, more: &str| {
        let Files { certificate, key, authority } = shown;
        let (certificate, key, authority) =
            (certificate.display(), key.display(), authority.display());
        let given = format!("--certificate {certificate} --key {key} --authority {authority}");
        let whole =
            format!("--source a --engine 127.0.0.1:{port} --once {given} {more} accounts.csv");
        folder.run(FILES, &whole)
    };
    run(&files, "").check(0, "");
    assert!(!engine.state().facts.is_empty());
    let believing = |shown: Files| Files { authority: files.authority.clone(), ..shown };
    let foreign = theirs.issue(&["127.0.0.1"], Holds::Now);
    run(&foreign, "").check(78, "the engine's certificate is of no authority in");
    run(&believing(foreign), "").check(78, "it is of no authority that is believed there");
    run(&ours.issue(&["127.0.0.1"], Holds::Before), "").check(78, "it has expired; renew it");
    run(&files, "--engine-name other.test").check(78, "--engine-name says for whom it must be");
    run(&files, "--engine-name a_b/c").check(78, "neither the name of a host nor an address");
    let gone = Files { key: folder.path("gone.pem"), ..files.clone() };
    run(&gone, "").check(66, "could not read the key file");
    let torn = Files { certificate: folder.path("accounts.csv"), ..files.clone() };
    run(&torn, "").check(78, "has no certificate");
    let half = format!("--source a --authority {} accounts.csv", files.authority.display());
    folder.run(FILES, &half).check(2, "--certificate");
}

//! Two sides on the network of this machine.

use crate::testing::{Authority, Holds};
use crate::{Card, Files, Guest, Host, Identity, Role, Secured, Session, TlsError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(10);

fn soon() -> Duration {
    SOON
}

fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

type Ends = (Result<Secured, TlsError>, Result<Secured, TlsError>);

/// A connector that looks for the engine by a name, and the engine. What the engine thinks of the connector
/// comes to the connector only when it reads.
fn meet(connector: &Identity, name: &str, engine: &Identity) -> Ends {
    let (near, far) = sockets();
    thread::scope(|scope| {
        let accepted = scope.spawn(|| {
            let session = engine.accept(&far, &soon);
            session.map(|session| Secured::new(session, far.try_clone().unwrap()))
        });
        let connected = connector.connect(&near, name, &soon).map(|session| {
            let mut secured = Secured::new(session, near.try_clone().unwrap());
            // One that was refused may hear so only when it reads.
            let _ = secured.write_all(b"hello");
            secured
        });
        (connected, accepted.join().unwrap())
    })
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// What a side hears first.
fn heard(side: &Secured) -> Result<Vec<u8>, String> {
    let mut bytes = [0; 64];
    let count = (&mut &*side).read(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes[..count].to_vec())
}

#[test]
fn both_sides_show_certificates_and_know_for_whom_the_other_one_is() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let engine = ours.identity(Role::Engine, &["engine.test", "127.0.0.1"], Holds::Now).unwrap();
    let connector = ours.identity(Role::Connector, &["lic1.test"], Holds::Now).unwrap();
    for name in ["engine.test", "127.0.0.1"] {
        let (near, far) = meet(&connector, name, &engine);
        let (near, far) = (near.unwrap(), far.unwrap());
        assert_eq!(heard(&far).unwrap(), b"hello");
        far.check_name("lic1.test").unwrap();
        let other = far.check_name("lic2.test").unwrap_err().to_string();
        assert!(other.contains("connector's certificate is not for lic2.test, but for"), "{other}");
        assert!(other.contains("lic1.test"), "{other}");
        near.check_name("engine.test").unwrap();
    }
    assert!(engine.check_name("no host").unwrap_err().to_string().contains("neither"));
}

#[test]
fn who_cannot_be_believed_is_refused_and_told_so() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let theirs = Authority::new(folder.path(), "theirs");
    let engine = ours.identity(Role::Engine, &["engine.test"], Holds::Now).unwrap();
    // The engine's certificate, as the connector sees it.
    let connector = ours.identity(Role::Connector, &["lic1.test"], Holds::Now).unwrap();
    let seen = |other: &Identity, name: &str| {
        let (near, _) = meet(&connector, name, other);
        let error = near.unwrap_err();
        assert!(error.is_lasting(), "{error}");
        error.to_string()
    };
    let foreign = theirs.identity(Role::Engine, &["engine.test"], Holds::Now).unwrap();
    assert!(seen(&foreign, "engine.test").contains("the engine's certificate is of no authority"));
    let expired = ours.identity(Role::Engine, &["engine.test"], Holds::Before).unwrap();
    assert!(seen(&expired, "engine.test").contains("the engine's certificate has expired; renew"));
    let later = ours.identity(Role::Engine, &["engine.test"], Holds::Later).unwrap();
    assert!(seen(&later, "engine.test").contains("holds only later"));
    let other = seen(&engine, "other.test");
    assert!(other.contains("not for other.test, but for") && other.contains("--engine-name"));
    // The connector's certificate, as both see what becomes of it.
    let told = |files: Files, near_words: &str, far_words: &str| {
        // It believes the engine, whoever issued its own certificate.
        let files = Files { authority: ours.issue(&["x.test"], Holds::Now).authority, ..files };
        let shows = Identity::read(Role::Connector, files).unwrap();
        let (near, far) = meet(&shows, "engine.test", &engine);
        let (near, far) = (heard(&near.unwrap()).unwrap_err(), far.unwrap_err().to_string());
        assert!(
            near.contains("the engine refused this side") && near.contains(near_words),
            "{near}"
        );
        assert!(far.contains(far_words), "{far}");
    };
    let strange = "the connector's certificate is of no authority in";
    told(theirs.issue(&["lic1.test"], Holds::Now), "no authority that is believed", strange);
    let over = "the connector's certificate has expired";
    told(ours.issue(&["lic1.test"], Holds::Before), "it has expired; renew it", over);
}

/// A host and a guest as these files make them, where each shows or asks for what it is told.
fn ends(files: &Files, asks: bool, shows: bool) -> (Host, Guest) {
    let Files { certificate, key, authority } = files.clone();
    let card = Card { certificate, key };
    let believed = asks.then(|| authority.clone());
    let host = Host::read(Role::Answerer, &card, believed).unwrap();
    (host, Guest::read(Role::Reader, authority, shows.then_some(&card)).unwrap())
}

/// What a host hears of a guest first, and what the guest hears, which looks for it by a name.
fn ask(
    host: &Host,
    guest: &Guest,
    name: &str,
) -> (Result<Vec<u8>, String>, Result<Vec<u8>, String>) {
    let (near, far) = sockets();
    let end = |session: Result<Session, TlsError>, stream: TcpStream| {
        let mut secured = Secured::new(session.map_err(|error| error.to_string())?, stream);
        // One that was refused may hear so only when it reads.
        let _ = secured.write_all(b"hello");
        heard(&secured)
    };
    thread::scope(|scope| {
        let heard = scope.spawn(|| end(host.accept(&far, &soon), far.try_clone().unwrap()));
        let told = end(guest.connect(&near, name, &soon), near.try_clone().unwrap());
        (heard.join().unwrap(), told)
    })
}

#[test]
fn a_host_shows_its_certificate_and_guests_theirs_where_they_are_asked_for_it() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let files = ours.issue(&["engine.test"], Holds::Now);
    let both = (Ok(b"hello".to_vec()), Ok(b"hello".to_vec()));
    for (asks, shows) in [(false, false), (false, true), (true, true)] {
        let (host, guest) = ends(&files, asks, shows);
        assert_eq!(ask(&host, &guest, "engine.test"), both, "{asks} {shows}");
    }
    let (host, guest) = ends(&files, true, false);
    let (asked, told) = ask(&host, &guest, "engine.test");
    let (asked, told) = (asked.unwrap_err(), told.unwrap_err());
    assert!(asked.contains("whoever asks showed no certificate; ask with --ca"), "{asked}");
    assert!(told.contains("which showed nothing: a certificate is asked for there"), "{told}");
    let other = ask(&host, &guest, "other.test").1.unwrap_err();
    assert!(other.contains("the engine's certificate is not for other.test, but for"), "{other}");
    let foreign = Authority::new(folder.path(), "theirs").issue(&["engine.test"], Holds::Now);
    let stranger = ends(&foreign, false, false).0;
    let strange = ask(&stranger, &guest, "engine.test").1.unwrap_err();
    assert!(strange.contains("the engine's certificate is of no authority in"), "{strange}");
}

#[test]
fn a_session_without_a_socket_takes_what_arrives_in_any_pieces() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let (host, guest) = ends(&ours.issue(&["engine.test"], Holds::Now), true, true);
    for piece in [1, 7, 100_000] {
        let (near, mut far) = sockets();
        let asked = thread::scope(|scope| {
            let guest = &guest;
            let asking = scope.spawn(move || {
                let session = guest.connect(&near, "engine.test", &soon).unwrap();
                Secured::new(session, near).write_all(&[7; 40_000]).unwrap();
            });
            let (mut session, mut heard) = (host.begin().unwrap(), Vec::new());
            let (mut is_shown, mut bytes) = (false, vec![0; piece]);
            while heard.len() < 40_000 {
                let count = far.read(&mut bytes).unwrap();
                assert!(count > 0, "it has more to say");
                let (mut rest, mut out) = (&bytes[..count], Vec::new());
                if !is_shown {
                    is_shown = session.show(&mut rest, &mut out).unwrap();
                    far.write_all(&out).unwrap();
                }
                session.hear(rest, &mut heard).unwrap();
            }
            asking.join().unwrap();
            heard
        });
        assert_eq!(asked, [7; 40_000], "in pieces of {piece}");
    }
    let (mut session, mut out) = (host.begin().unwrap(), Vec::new());
    let plain = session.show(&mut b"GET / HTTP/1.1\r\n\r\n".as_slice(), &mut out).unwrap_err();
    assert!(
        plain.to_string().contains("whoever asks speaks no TLS there; ask with --ca"),
        "{plain}"
    );
}

#[test]
fn who_speaks_no_tls_is_told_apart() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let engine = ours.identity(Role::Engine, &["engine.test"], Holds::Now).unwrap();
    let (mut near, far) = sockets();
    near.write_all(b"TRUP and more of what is no TLS at all").unwrap();
    let error = engine.accept(&far, &soon).unwrap_err().to_string();
    assert!(error.contains("the connector speaks no TLS there; a connector needs"), "{error}");
    // Nothing was said to it yet: who accepts may say something that it reads.
    drop(far);
    assert!(!matches!(near.read(&mut [0]), Ok(1..)));
    let connector = ours.identity(Role::Connector, &["lic1.test"], Holds::Now).unwrap();
    let (opener, mut acceptor) = sockets();
    acceptor.write_all(b"TRUP and more of what is no TLS at all").unwrap();
    let said = connector.connect(&opener, "engine.test", &soon).unwrap_err().to_string();
    assert!(said.contains("the engine speaks no TLS there; give the engine"), "{said}");
}

#[test]
fn nobody_waits_for_one_who_says_nothing_or_leaves() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let engine = ours.identity(Role::Engine, &["engine.test"], Holds::Now).unwrap();
    let (near, far) = sockets();
    let late = engine.accept(&far, &|| Duration::from_millis(20)).unwrap_err();
    assert!(matches!(late, TlsError::Late { .. }) && !late.is_lasting(), "{late}");
    drop(near);
    let cut = engine.accept(&far, &soon).unwrap_err();
    assert!(matches!(cut, TlsError::Cut { .. }), "{cut}");
}

#[test]
fn files_that_are_wrong_say_which_and_why() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let good = ours.issue(&["a.test"], Holds::Now);
    let other = ours.issue(&["b.test"], Holds::Now);
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let torn = folder.path().join("torn.pem");
    std::fs::write(&torn, "-----BEGIN CERTIFICATE-----\nAAAA").unwrap();
    let missing = folder.path().join("missing.pem");
    let wrong = [
        (Files { certificate: missing.clone(), ..good.clone() }, "could not read the certificate"),
        (Files { key: missing.clone(), ..good.clone() }, "could not read the key file"),
        (Files { authority: missing, ..good.clone() }, "could not read the authority file"),
        (Files { certificate: empty.clone(), ..good.clone() }, "empty.pem has no certificate"),
        (Files { certificate: torn, ..good.clone() }, "torn.pem is no PEM"),
        (Files { key: empty, ..good.clone() }, "empty.pem has no key"),
        (Files { key: other.key, ..good.clone() }, "is not that of the certificate"),
        (Files { authority: good.key.clone(), ..good.clone() }, "has no certificate"),
    ];
    for (files, words) in wrong {
        let error = Identity::read(Role::Process, files).unwrap_err();
        assert!(error.is_lasting() && error.to_string().contains(words), "{words}: {error}");
    }
    Identity::read(Role::Process, good).unwrap();
}

fn pair() -> (Secured, Secured) {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let one = ours.identity(Role::Process, &["one.test"], Holds::Now).unwrap();
    let (near, far) = meet(&one, "one.test", &one);
    let (near, far) = (near.unwrap(), far.unwrap());
    assert_eq!(heard(&far).unwrap(), b"hello");
    (near, far)
}

#[test]
fn both_sides_send_more_than_fits_between_them_and_neither_waits_for_the_other() {
    let (near, far) = pair();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|index| index.to_le_bytes()[0]).collect();
    thread::scope(|scope| {
        for side in [&near, &far] {
            scope.spawn(|| {
                let mut side = side.clone();
                for piece in sent.chunks(30_000) {
                    side.write_all(piece).unwrap();
                }
                side.shutdown(Shutdown::Write).unwrap();
                assert!(side.write_all(b"more").is_err());
            });
            scope.spawn(|| {
                let mut heard = Vec::new();
                side.clone().read_to_end(&mut heard).unwrap();
                assert!(heard == sent);
            });
        }
    });
}

#[test]
fn a_connection_that_is_cut_is_told_from_one_that_ended() {
    let (ending, far) = pair();
    ending.shutdown(Shutdown::Write).unwrap();
    assert_eq!(heard(&far).unwrap(), b"");
    assert_eq!(heard(&far).unwrap(), b"");
    let (cut, other) = pair();
    cut.stream().shutdown(Shutdown::Write).unwrap();
    assert!(heard(&other).unwrap_err().contains("ended the connection without a word"));
}

#[test]
fn what_someone_on_the_way_says_is_not_taken_for_what_was_said() {
    let (near, far) = pair();
    near.stream().write_all(&[23, 3, 3, 0, 20]).unwrap();
    near.stream().write_all(&[9; 20]).unwrap();
    assert!(heard(&far).unwrap_err().contains("breaks the rules of TLS"));
}

#[test]
fn a_deadline_of_the_socket_is_one_of_what_is_read() {
    let (mut near, mut far) = pair();
    far.stream().set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let error = far.read(&mut [0; 8]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    near.write_all(b"late").unwrap();
    assert_eq!(heard(&far).unwrap(), b"late");
}

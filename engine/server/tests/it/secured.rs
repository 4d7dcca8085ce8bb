//! Connectors and processes that show each other certificates, as people run them.

use crate::support::{Engine, LOG, PURCHASES, children, folder, rows, signal};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use trueup_connectors::client::clock::SystemClock;
use trueup_connectors::client::transport::{Certificate, EngineDial, TcpTimeouts};
use trueup_connectors::client::{Client, ClientError, Secret, Settings};
use trueup_connectors::load::{File, Options, load};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;
use trueup_tls::testing::{Authority, Holds};
use trueup_tls::{Files, Identity, Role};

/// The keys of a section that name these files.
fn keys(files: &Files) -> String {
    format!(
        "certificate_file = \"{}\"\nkey_file = \"{}\"\nauthority_file = \"{}\"\n",
        files.certificate.display(),
        files.key.display(),
        files.authority.display()
    )
}

fn config(connectors: &str, cluster: &str) -> String {
    format!(
        "[api]\nlisten = \"127.0.0.1:0\"\n[connectors]\nlisten = \"127.0.0.1:0\"\n{connectors}\
         [journal]\nfolder = \"journal\"\n{cluster}"
    )
}

/// A connector with a certificate, or without one, which must not wait for better times.
fn deliver(
    address: &str,
    source: &str,
    certificate: Option<(&Files, &str)>,
) -> Result<u64, ClientError> {
    let mut settings = Settings::new("acme", source, 1, Secret::default());
    settings.patience = Some(Duration::from_secs(20));
    let options = Options {
        tenant: "acme".to_owned(),
        source: source.to_owned(),
        zone: Zone::utc(),
        host: None,
        received_at: "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
    };
    let certificate = certificate.map(|(files, name)| Certificate {
        identity: Identity::read(Role::Connector, files.clone()).unwrap(),
        engine_name: name.to_owned(),
    });
    let dial = EngineDial::new(address, TcpTimeouts::default(), certificate);
    let (mut client, _) = Client::connect(settings, dial, SystemClock::start())?;
    let mut sink = client.sink();
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    load(&files, &options, &mut sink, &mut |_| {});
    sink.finish()?;
    Ok(client.flush_and_wait()?.epoch)
}

/// An error with its causes.
fn chain(error: &ClientError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(known) = cause {
        words = format!("{words}: {known}");
        cause = known.source();
    }
    words
}

fn positions(engine: &Engine, path: &Path, epoch: u64) -> Vec<Value> {
    let wait = epoch.to_string();
    rows(&engine.ask(path, &["positions", "--period", "2025-01", "--wait-for", &wait]))
}

#[test]
fn connectors_with_the_right_certificate_are_let_in_and_others_hear_why_not() {
    let (folder, plain) = (folder(), folder());
    let path = folder.path();
    let ours = Authority::new(path, "ours");
    let theirs = Authority::new(path, "theirs");
    let pattern = "certificate_name = \"{source}.{tenant}.test\"\n";
    let all = keys(&ours.issue(&["engine.test"], Holds::Now)) + pattern;
    let config = config(&all, "");
    let engine = Engine::start_with(path, &["serve"], &config);
    let good = ours.issue(&["lic1.acme.test"], Holds::Now);
    let epoch = deliver(engine.connectors(), "lic1", Some((&good, "engine.test"))).unwrap();
    assert_eq!(positions(&engine, path, epoch).len(), 1);
    let hears = |name: &str, certificate: Option<(&Files, &str)>, words: &str| {
        let error = deliver(engine.connectors(), name, certificate).unwrap_err();
        let said = chain(&error);
        assert!(said.contains(words) && !error.retry_may_help(), "{words} in {said}");
    };
    let believing = |files: Files| Files { authority: good.authority.clone(), ..files };
    let foreign = theirs.issue(&["lic1.acme.test"], Holds::Now);
    let expired = ours.issue(&["lic1.acme.test"], Holds::Before);
    let other = ours.issue(&["lic2.acme.test"], Holds::Now);
    let shown = believing(foreign.clone());
    hears("lic1", Some((&shown, "engine.test")), "it is of no authority that is believed there");
    hears("lic1", Some((&expired, "engine.test")), "it has expired; renew it");
    hears("lic1", Some((&other, "engine.test")), "not for lic1.acme.test, but for");
    hears("lic2", Some((&good, "engine.test")), "does not let source `lic2` of tenant `acme` send");
    hears("lic1", Some((&good, "other.test")), "certificate is not for other.test, but for");
    hears("lic1", Some((&foreign, "engine.test")), "the engine's certificate is of no authority");
    hears("lic1", None, "this port is for certificates: give the connector --authority");
    engine.hear("the connector speaks no TLS there");
    // What was delivered before is all that counts.
    assert_eq!(positions(&engine, path, epoch).len(), 1);
    let open = Engine::start(plain.path());
    let error = deliver(open.connectors(), "lic1", Some((&good, "engine.test"))).unwrap_err();
    assert!(chain(&error).contains("the engine speaks no TLS there; give the engine"), "{error}");
    open.hear("that is TLS, which is not spoken here");
}

#[test]
fn a_connection_that_shows_nothing_holds_up_no_other_and_is_closed() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ours");
    let files = ours.issue(&["engine.test"], Holds::Now);
    let engine = Engine::start_with(folder.path(), &["serve"], &config(&keys(&files), ""));
    let mut silent: Vec<TcpStream> =
        (0..8).map(|_| TcpStream::connect(engine.connectors()).unwrap()).collect();
    // A client's first words that never end.
    silent[0].write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    deliver(engine.connectors(), "lic1", Some((&files, "engine.test"))).unwrap();
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert!(!matches!(stream.read(&mut [0; 64]), Ok(1..)), "it was told something");
    }
}

#[test]
fn two_processes_with_certificates_say_what_one_says_and_outlive_the_loss_of_either() {
    let (alone, folder) = (folder(), folder());
    let path = folder.path();
    let single = Engine::start(alone.path());
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    let fed = single.feed("lic1", &files);
    let expected = positions(&single, alone.path(), fed);
    single.kill();
    let ours = Authority::new(path, "ours");
    let shown = keys(&ours.issue(&["process.test"], Holds::Now));
    let cluster = format!("[cluster]\n{shown}certificate_names = \"process.test\"\n");
    let launch = ["launch", "--processes", "2", "--workers", "2"];
    let mut engine = Engine::start_with(path, &launch, &config("", &cluster));
    let epoch = engine.feed("lic1", &files);
    assert_eq!(positions(&engine, path, epoch), expected);
    for (what, process) in [(Signal::KILL, 1), (Signal::STOP, 0)] {
        let pids = children(engine.child.id());
        assert!(signal(Some(what), &pids[process]), "{what:?} {process}");
        engine.become_ready();
        assert_eq!(positions(&engine, path, epoch), expected, "{what:?} {process}");
    }
    assert!(signal(Some(Signal::TERM), &engine.child.id().to_string()));
    assert_eq!(engine.child.wait().unwrap().code(), Some(0), "told to stop");
}

#[test]
fn a_process_with_a_foreign_certificate_does_not_come_in() {
    let folder = folder();
    let path = folder.path();
    let ours = Authority::new(path, "ours");
    let shown = keys(&ours.issue(&["other.test"], Holds::Now));
    let cluster =
        format!("[cluster]\n{shown}certificate_names = \"process.test\"\npatience_seconds = 1\n");
    std::fs::write(path.join("trueup.toml"), config("", &cluster)).unwrap();
    let arguments = ["launch", "--processes", "2", "--failures", "1", "--config", "trueup.toml"];
    let (_, said) = crate::support::ends(path, 75, &arguments);
    // Who gives up first is the one that is heard.
    let words =
        ["certificate is not for process.test, but for", "not for the name that is expected"];
    assert!(words.iter().any(|words| said.contains(words)), "{said}");
}

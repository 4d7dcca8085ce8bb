//! Questions over TLS, as people and programs ask them.

use crate::support::{Engine, LOG, PURCHASES, ends, folder};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use trueup_connectors::load::File;
use trueup_tls::Files;
use trueup_tls::testing::{Authority, Holds};

/// A path as it is typed.
fn typed(path: &Path) -> String {
    path.display().to_string()
}

/// An engine with these keys for its API, which has been fed.
fn engine(folder: &Path, command: &[&str], api: &str) -> (Engine, String) {
    let config = format!(
        "[api]\nlisten = \"127.0.0.1:0\"\n{api}[connectors]\nlisten = \"127.0.0.1:0\"\n\
         [journal]\nfolder = \"journal\"\n"
    );
    let engine = Engine::start_with(folder, command, &config);
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    let epoch = engine.feed("lic1", &files).to_string();
    (engine, epoch)
}

/// The keys of the API that name these files, without an authority.
fn keys(files: &Files) -> String {
    let (certificate, key) = (typed(&files.certificate), typed(&files.key));
    format!("certificate_file = \"{certificate}\"\nkey_file = \"{key}\"\n")
}

/// What curl makes of a question: its code, and what it prints; `None` where there is no curl.
fn curl(url: &str, switches: &[&str]) -> Option<(i32, String)> {
    let mut command = Command::new("curl");
    let done = command.args(["-sS", "-m", "60"]).args(switches).arg(url).output().ok()?;
    Some((done.status.code()?, String::from_utf8_lossy(&done.stdout).into_owned()))
}

#[test]
fn questions_and_answers_are_encrypted_where_the_engine_has_a_certificate() {
    let (folder, plain) = (folder(), folder());
    let path = folder.path();
    let ours = Authority::new(path, "ours");
    let files = ours.issue(&["127.0.0.1", "engine.test"], Holds::Now);
    let (engine, epoch) = engine(path, &["serve"], &keys(&files));
    let (api, ca) = (engine.api.as_str(), typed(&files.authority));
    let asks = ["positions", "--period", "2025-01", "--wait-for", &epoch, "--json", "--api", api];
    let secured = [&asks[..], &["--ca", &ca]].concat();
    let (answer, _) = ends(path, 0, &secured);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{answer}");
    let id = rows[0]["id"].as_str().unwrap();
    let how = ["--api", api, "--authority", &ca, "--engine-name", "engine.test"];
    let (explained, _) = ends(path, 0, &[&["explain", id][..], &how].concat());
    assert!(explained.contains("MESH"), "{explained}");
    ends(path, 0, &[&["top"][..], &how].concat());
    let refuses = |code: i32, arguments: &[&str], words: &str| {
        let (_, said) = ends(path, code, arguments);
        assert!(said.contains(words), "{words} in {said}");
    };
    refuses(2, &asks, "questions are asked over TLS here");
    let named = [&secured[..], &["--engine-name", "other.test"]].concat();
    refuses(69, &named, "the engine's certificate is not for other.test, but for");
    let strange = typed(&Authority::new(path, "theirs").issue(&["a.test"], Holds::Now).authority);
    let foreign = [&asks[..], &["--ca", &strange]].concat();
    refuses(69, &foreign, "the engine's certificate is of no authority in");
    engine.hear("whoever asks speaks no TLS there; ask with --ca");
    let missing = [&asks[..], &["--ca", "missing.pem"]].concat();
    refuses(66, &missing, "could not read the authority file missing.pem");
    if let Some((code, printed)) = curl(&format!("https://{api}/livez"), &["--cacert", &ca]) {
        assert_eq!((code, printed.as_str()), (0, "ok\n"));
        let (_, told) = curl(&format!("http://{api}/livez"), &[]).unwrap();
        assert!(told.contains("ask for https://"), "{told}");
        let (unbelieved, _) =
            curl(&format!("https://{api}/livez"), &["--cacert", &strange]).unwrap();
        assert_eq!(unbelieved, 60, "curl does not believe the certificate");
    }
    let open = Engine::start(plain.path());
    let asked = ["positions", "--api", &open.api, "--ca", &ca];
    refuses(69, &asked, "the engine speaks no TLS there; give the engine `api.certificate_file`");
}

#[test]
fn whoever_asks_shows_a_certificate_where_an_authority_is_named() {
    let folder = folder();
    let path = folder.path();
    let ours = Authority::new(path, "ours");
    let files = ours.issue(&["127.0.0.1"], Holds::Now);
    let (certificate, key) = (typed(&files.certificate), typed(&files.key));
    let ca = typed(&files.authority);
    // Switches say it over what the configuration says.
    let serve =
        ["serve", "--api-certificate", &certificate, "--api-key", &key, "--api-authority", &ca];
    let (engine, epoch) = engine(path, &serve, "certificate_file = \"gone.pem\"\n");
    let asks = ["positions", "--wait-for", &epoch, "--api", &engine.api, "--ca", &ca];
    let (_, said) = ends(path, 69, &asks);
    assert!(said.contains("which showed nothing: a certificate is asked for there"), "{said}");
    engine.hear("whoever asks showed no certificate");
    let asked = |code: i32, own: &Files| {
        let (card, secret) = (typed(&own.certificate), typed(&own.key));
        ends(path, code, &[&asks[..], &["--certificate", &card, "--key", &secret]].concat())
    };
    let reader = ours.issue(&["reader.test"], Holds::Now);
    assert!(asked(0, &reader).0.contains("MESH"));
    let (_, over) = asked(69, &ours.issue(&["reader.test"], Holds::Before));
    assert!(over.contains("it has expired; renew it"), "{over}");
    let strange = Authority::new(path, "theirs").issue(&["reader.test"], Holds::Now);
    let (_, refused) = asked(69, &strange);
    assert!(refused.contains("it is of no authority that is believed there"), "{refused}");
    let (_, alone) = ends(path, 2, &["positions", "--ca", &ca, "--certificate", &certificate]);
    assert!(alone.contains("--key"), "{alone}");
}

#[test]
fn a_question_that_shows_nothing_holds_up_no_other_and_is_closed() {
    let folder = folder();
    let path = folder.path();
    let files = Authority::new(path, "ours").issue(&["127.0.0.1"], Holds::Now);
    let (engine, epoch) = engine(path, &["serve"], &keys(&files));
    let mut silent: Vec<TcpStream> =
        (0..8).map(|_| TcpStream::connect(&engine.api).unwrap()).collect();
    // A client's first words that never end.
    silent[0].write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    let ca = typed(&files.authority);
    ends(path, 0, &["positions", "--wait-for", &epoch, "--api", &engine.api, "--ca", &ca]);
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert!(!matches!(stream.read(&mut [0; 64]), Ok(1..)), "it was told something");
    }
    engine.hear("whoever asks did not show its certificate in time");
}

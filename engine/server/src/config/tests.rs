//! Precedence, completeness, and how mistakes are told.

use super::{KEYS, Values, defaults};
use crate::exit::Exit;
use trueup_tls::testing::{Authority, Holds};

fn none(_: &str) -> Option<String> {
    None
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn the_printed_defaults_are_the_defaults() {
    let written = file(&defaults());
    let read = Values::read(Some(written.path()), none).unwrap();
    let config = read.check().unwrap();
    let plain = Values::read(None, none).unwrap().check().unwrap();
    assert_eq!(config.settings.workers, plain.settings.workers);
    assert_eq!(config.settings.epoch_us_max, plain.settings.epoch_us_max);
    assert_eq!(config.api, plain.api);
    assert!(KEYS.iter().all(|key| key.meaning.ends_with('.')));
}

#[test]
fn the_later_origin_wins_and_is_named() {
    let written = file("[engine]\nworkers = 2\nepoch_milliseconds = 20\n");
    let environment = |name: &str| (name == "TRUEUP__ENGINE__WORKERS").then(|| "3".to_owned());
    let mut values = Values::read(Some(written.path()), environment).unwrap();
    assert_eq!(values.check().unwrap().settings.workers, 3);
    assert!(values.shown().contains("workers = 3  # TRUEUP__ENGINE__WORKERS"));
    assert!(values.shown().contains("epoch_milliseconds = 20  # file"));
    values.switch("engine", "workers", "4".to_owned());
    assert_eq!(values.check().unwrap().settings.workers, 4);
    assert!(values.shown().contains("names_max = 4000000  # default"));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let written = file("[engine]\nwokers = 2\n\n[colors]\nred = 1\n");
    let failure = Values::read(Some(written.path()), none).unwrap_err();
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("line 2: `engine.wokers` is not a key"));
    assert!(failure.message.contains("line 5: `colors.red` is not a key"));
    let wrong = file("[engine]\nworkers = 0\n[api]\nlisten = \"nowhere\"\n");
    let refused = Values::read(Some(wrong.path()), none).unwrap().check().unwrap_err();
    assert!(refused.message.contains("engine.workers is 0"));
    assert!(refused.message.contains("api.listen is `nowhere`"));
}

#[test]
fn a_cluster_needs_a_secret_and_a_place_in_it() {
    let kept = file("a secret\n");
    let cluster = |process: u32, secret: &str| {
        let hosts = "hosts = \"one:7000, two:7000\"";
        format!("[cluster]\n{hosts}\nprocess = {process}\nsecret_file = \"{secret}\"\n")
    };
    let path = kept.path().display().to_string();
    let read = |text: &str| Values::read(Some(file(text).path()), none).unwrap().check();
    let member = read(&cluster(1, &path)).unwrap().member.unwrap();
    assert_eq!((member.process, member.hosts), (1, vec!["one:7000".into(), "two:7000".into()]));
    assert_eq!(member.secret, b"a secret");
    let misplaced = read(&cluster(2, "")).unwrap_err().message;
    assert!(misplaced.contains("cluster.process is 2, and cluster.hosts has 2"), "{misplaced}");
    assert!(misplaced.contains("cluster.secret_file is empty"), "{misplaced}");
    let refused = read("[cluster]\nhosts = \"one\"\n").unwrap_err().message;
    assert!(refused.contains("cluster.hosts has `one`, expected host:port"), "{refused}");
    assert!(read("").unwrap().member.is_none());
}

#[test]
fn certificates_are_read_together_and_say_what_is_wrong_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ours");
    let files = authority.issue(&["engine.test"], Holds::Now);
    let path = |path: &std::path::Path| path.display().to_string();
    let all = format!(
        "certificate_file = \"{}\"\nkey_file = \"{}\"\nauthority_file = \"{}\"\n",
        path(&files.certificate),
        path(&files.key),
        path(&files.authority)
    );
    let read = |text: String| Values::read(Some(file(&text).path()), none).unwrap().check();
    let whole = read(format!("[connectors]\n{all}certificate_name = \"{{source}}.test\"\n"));
    assert!(whole.unwrap().certificates.unwrap().name.is_some());
    assert!(read(String::new()).unwrap().certificates.is_none());
    let secret = path(&files.key);
    let cluster = |names: &str| {
        let hosts = "hosts = \"one.test:7000, [::1]:7000\"";
        let names = format!("certificate_names = \"{names}\"");
        read(format!("[cluster]\n{hosts}\nsecret_file = \"{secret}\"\n{all}{names}\n"))
    };
    let names = |text: &str| cluster(text).unwrap().member.unwrap().certificates.unwrap().names;
    assert_eq!(names(""), ["one.test", "[::1]"]);
    assert_eq!(names("both.test"), ["both.test", "both.test"]);
    assert_eq!(names("a.test, b.test"), ["a.test", "b.test"]);
    let wrong = [
        (cluster("a, b, c"), "cluster.certificate_names has 3, and cluster.hosts has 2"),
        (cluster("a, b c"), "`b c` is neither the name of a host nor an address"),
        (
            read("[connectors]\nkey_file = \"k.pem\"\n".to_owned()),
            "connectors.certificate_file is empty: certificate_file, key_file, authority_file belong",
        ),
        (
            read(format!("[connectors]\n{}", all.replace("engine.test", "gone"))),
            "connectors: could not read the certificate file",
        ),
        (
            read(format!("[connectors]\n{all}certificate_name = \"{{host}}\"\n")),
            "connectors.certificate_name is `{host}`: it may have {tenant} and {source}",
        ),
        (
            read("[connectors]\ncertificate_name = \"a.test\"\n".to_owned()),
            "connectors.certificate_name is for nothing without connectors.certificate_file",
        ),
    ];
    for (refused, words) in wrong {
        let message = refused.unwrap_err().message;
        assert!(message.contains(words), "{words} in {message}");
    }
}

#[test]
fn the_api_has_a_certificate_with_its_key_and_an_authority_only_with_both() {
    let folder = tempfile::tempdir().unwrap();
    let files = Authority::new(folder.path(), "ours").issue(&["engine.test"], Holds::Now);
    let certificate = format!("certificate_file = \"{}\"\n", files.certificate.display());
    let key = format!("key_file = \"{}\"\n", files.key.display());
    let authority = format!("authority_file = \"{}\"\n", files.authority.display());
    let read = |keys: &[&str]| {
        let text = format!("[api]\n{}", keys.concat());
        Values::read(Some(file(&text).path()), none).unwrap().check()
    };
    assert!(read(&[]).unwrap().api_host.is_none());
    assert!(read(&[&certificate, &key]).unwrap().api_host.is_some());
    assert!(read(&[&certificate, &key, &authority]).unwrap().api_host.is_some());
    for keys in [&[certificate.as_str()][..], &[&key], &[&authority], &[&key, &authority]] {
        let message = read(keys).unwrap_err().message;
        assert!(
            message.contains("api: certificate_file and key_file belong together"),
            "{message}"
        );
    }
    let wrong = read(&[&certificate, &key.replace("-key", "-gone")]).unwrap_err().message;
    assert!(wrong.contains("api: could not read the key file"), "{wrong}");
}

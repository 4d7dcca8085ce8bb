//! A client and an engine's end in two threads, over TCP and inside the process.

use crate::client::clock::SystemClock;
use crate::client::transport::{Dial, PairDial, Received, Tcp, TcpDial, TcpTimeouts, Transport};
use crate::client::{Client, Secret, Settings};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;
use trueup_wire::message::Ack;
use trueup_wire::session::EngineEvent;
use trueup_wire::{Credit, EngineSession};

const FACTS: u64 = 60_000;

/// An engine that takes everything on one connection; gives the identities of the facts.
fn serve(mut transport: impl Transport) -> Vec<u64> {
    let mut session = EngineSession::new();
    let (mut identities, mut out) = (Vec::new(), Vec::new());
    let mut ended = false;
    while !ended {
        let mut greeted = false;
        let mut freed = Credit::default();
        match transport.receive(Duration::from_secs(10)).unwrap() {
            Received::Bytes(mut input) => loop {
                let codes_defined = session.codes_defined();
                match session.receive(&mut input, &mut out).unwrap() {
                    Some(EngineEvent::Hello(_)) => greeted = true,
                    Some(EngineEvent::Batch(batch)) => {
                        freed = freed.plus(batch.cost());
                        let facts = batch.facts(codes_defined).unwrap();
                        identities.extend(facts.map(|fact| u64::try_from(fact.id.0).unwrap()));
                    }
                    Some(EngineEvent::Bye) => ended = true,
                    Some(_) => {}
                    None => break,
                }
            },
            Received::Nothing => panic!("the client said nothing for long"),
            Received::Ended => break,
        }
        if greeted {
            session.admit(None, &mut out).unwrap();
            session.welcome(0, b"", Credit::default(), &mut out).unwrap();
        }
        if session.is_open() && freed != Credit::default() {
            let sequence = session.received();
            session.acknowledge(Ack { sequence, epoch: 1 }, &mut out).unwrap();
            session.seal(sequence, &mut out).unwrap();
            session.grant(freed, &mut out).unwrap();
        }
        if !out.is_empty() {
            // The client may have said Bye and gone.
            let sent = transport.send(&out);
            assert!(sent.is_ok() || ended || identities.len() as u64 == FACTS);
            out.clear();
        }
    }
    identities
}

fn send_all(dial: impl Dial) {
    let settings = Settings::new("campus", "meter", 1, Secret(Vec::new()));
    let (mut client, _) = Client::connect(settings, dial, SystemClock::start()).unwrap();
    for index in 0..FACTS {
        client.accept(super::fact(index, &super::user(index))).unwrap();
    }
    let metrics = client.close().unwrap();
    assert_eq!((metrics.facts_total, metrics.failures_total), (FACTS, 0));
}

fn check(mut identities: Vec<u64>) {
    identities.sort_unstable();
    assert!(identities.into_iter().eq(0..FACTS));
}

#[test]
fn facts_go_through_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let engine = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        serve(Tcp::new(stream, Duration::from_secs(10)).unwrap())
    });
    send_all(TcpDial::new(address, TcpTimeouts::default()));
    check(engine.join().unwrap());
}

#[test]
fn facts_go_to_an_engine_in_the_same_process_through_the_same_frames() {
    let (ends, arrivals) = crossbeam_channel::bounded(1);
    let engine = thread::spawn(move || serve(arrivals.recv().unwrap()));
    send_all(PairDial::new(ends, 8));
    check(engine.join().unwrap());
}

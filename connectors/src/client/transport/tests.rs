//! Bytes over the network of this machine, and inside the process.

use super::{Dial as _, Pair, PairDial, Received, Tcp, TcpDial, TcpTimeouts, Transport, pair};
use std::io;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

fn tcp_ends() -> (Tcp, Tcp) {
    tcp_ends_with(TcpTimeouts::default())
}

fn tcp_ends_with(timeouts: TcpTimeouts) -> (Tcp, Tcp) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut dial = TcpDial::new(address.clone(), timeouts);
    assert_eq!(dial.address(), address);
    let ours = dial.dial().unwrap();
    let (theirs, _) = listener.accept().unwrap();
    (ours, Tcp::new(theirs, SOON).unwrap())
}

fn receive_exactly(transport: &mut impl Transport, count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < count {
        match transport.receive(SOON).unwrap() {
            Received::Bytes(bytes) => all.extend_from_slice(bytes),
            nothing @ (Received::Nothing | Received::Ended) => {
                panic!("{nothing:?} after {} of {count} bytes", all.len())
            }
        }
    }
    all
}

/// What both kinds of connection do.
fn check_both_ways<T: Transport + Send + 'static>(mut ours: T, mut theirs: T) {
    assert_eq!(ours.receive(Duration::ZERO).unwrap(), Received::Nothing);
    assert_eq!(ours.receive(Duration::from_millis(1)).unwrap(), Received::Nothing);
    ours.send(b"").unwrap();
    ours.send(b"hello ").unwrap();
    ours.send(b"engine").unwrap();
    assert_eq!(receive_exactly(&mut theirs, 12), b"hello engine");
    // Both sides send more than any buffer between them holds, and neither reads first.
    let sent: Vec<u8> = (0..3_000_000_u32).map(|index| index.to_le_bytes()[0]).collect();
    let expected = sent.clone();
    let other = thread::spawn(move || {
        for chunk in expected.chunks(30_000) {
            theirs.send(chunk).unwrap();
        }
        let received = receive_exactly(&mut theirs, expected.len());
        assert!(received == expected);
        theirs
    });
    for chunk in sent.chunks(30_000) {
        ours.send(chunk).unwrap();
    }
    assert!(receive_exactly(&mut ours, sent.len()) == sent);
    drop(other.join().unwrap());
    assert_eq!(ours.receive(SOON).unwrap(), Received::Ended);
    assert_eq!(ours.receive(Duration::ZERO).unwrap(), Received::Ended);
}

#[test]
fn tcp_carries_bytes_both_ways_at_once() {
    let (ours, theirs) = tcp_ends();
    check_both_ways(ours, theirs);
}

#[test]
fn a_pair_carries_bytes_both_ways_at_once() {
    let (ours, theirs) = pair(4);
    check_both_ways(ours, theirs);
}

#[test]
fn a_connection_that_nobody_takes_is_refused() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut dial = TcpDial::new(format!("127.0.0.1:{port}"), TcpTimeouts::default());
    assert_eq!(dial.dial().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let mut nameless = TcpDial::new("no port", TcpTimeouts::default());
    assert_eq!(nameless.dial().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let (engine, gone) = crossbeam_channel::bounded::<Pair>(1);
    drop(gone);
    let mut inside = PairDial::new(engine, 4);
    assert_eq!(inside.dial().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(inside.address(), "this process");
}

#[test]
fn a_peer_that_is_gone_is_noticed_when_sending() {
    let (mut inside, engine) = pair(1);
    drop(engine);
    assert_eq!(inside.send(b"hello").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    let (mut outside, peer) = tcp_ends();
    drop(peer);
    let sent = (0..1000).find_map(|_| outside.send(&[0; 10_000]).err());
    assert!(sent.is_some());
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_in_time() {
    let timeouts = TcpTimeouts { send: Duration::from_millis(100), ..TcpTimeouts::default() };
    let (mut ours, theirs) = tcp_ends_with(timeouts);
    let error = (0..1000).find_map(|_| ours.send(&[0; 100_000]).err()).unwrap();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(theirs);
}

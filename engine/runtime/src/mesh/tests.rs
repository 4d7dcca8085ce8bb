mod secured;

use super::{Lost, Member, Mesh, secret};
use crate::clock::SystemClock;
use crate::error::RuntimeError;
use crossbeam_channel::bounded;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Addresses where nobody listens.
fn hosts(count: usize) -> Vec<String> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|one| one.local_addr().unwrap().to_string()).collect()
}

fn member(process: usize, hosts: &[String]) -> Member {
    Member {
        process,
        hosts: hosts.to_vec(),
        workers: 2,
        secret: b"secret".to_vec(),
        build: [1; 32],
        rules: [2; 32],
        certificates: None,
        patience: Duration::from_secs(20),
    }
}

/// Lets members join at once; gives what became of each.
fn join(members: Vec<Member>) -> Vec<Result<Mesh, RuntimeError>> {
    let threads: Vec<_> = members
        .into_iter()
        .map(|member| std::thread::spawn(move || member.join(&SystemClock::default())))
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn three_processes_find_each_other_in_one_generation() {
    let hosts = hosts(3);
    let joined = join((0..3).map(|process| member(process, &hosts)).collect());
    let mut meshes: Vec<Mesh> = joined.into_iter().map(Result::unwrap).collect();
    let generation = meshes[0].generation();
    assert!(generation > 0);
    for (process, mesh) in meshes.iter().enumerate() {
        assert_eq!(mesh.generation(), generation);
        assert_eq!(mesh.processes(), 3);
        for (other, data) in mesh.data.iter().enumerate() {
            assert_eq!(data.is_some(), other != process, "{process} to {other}");
        }
        assert_eq!(mesh.pulses.iter().map(|(other, _)| *other).collect::<Vec<_>>(), {
            (0..3).filter(|other| *other != process).collect::<Vec<_>>()
        });
    }
    // What one writes for another arrives there, and nowhere else.
    let mut to_first = meshes[2].data[0].take().unwrap();
    let mut from_third = meshes[0].data[2].take().unwrap();
    to_first.write_all(b"hello").unwrap();
    let mut read = [0; 5];
    from_third.read_exact(&mut read).unwrap();
    assert_eq!(read, *b"hello");
}

#[test]
fn strangers_at_the_door_hold_up_nobody() {
    let hosts = hosts(2);
    let first = member(0, &hosts);
    let door = hosts[0].clone();
    let first = std::thread::spawn(move || first.join(&SystemClock::default()));
    let connect = || loop {
        match TcpStream::connect(&door) {
            Ok(stream) => return stream,
            Err(_) => std::thread::park_timeout(Duration::from_millis(10)),
        }
    };
    let silent = connect();
    let mut foreign = connect();
    foreign.write_all(&[b'G'; 200]).unwrap();
    let mut torn = connect();
    torn.write_all(b"TRUPMESH\x01").unwrap();
    drop(torn);
    let spy = Member { secret: b"guessed".to_vec(), patience: Duration::ZERO, ..member(1, &hosts) };
    let refused = spy.join(&SystemClock::default()).unwrap_err().to_string();
    assert!(refused.contains("does not know the cluster's secret"), "{refused}");
    let second = member(1, &hosts).join(&SystemClock::default()).unwrap();
    let first = first.join().unwrap().unwrap();
    assert_eq!(first.generation(), second.generation());
    drop((silent, foreign));
}

#[test]
fn processes_that_do_not_fit_say_why() {
    let short = |process, hosts: &[String]| Member {
        patience: Duration::from_secs(1),
        ..member(process, hosts)
    };
    let pair = hosts(2);
    let other = Member { rules: [9; 32], ..short(1, &pair) };
    let refused = join(vec![short(0, &pair), other]);
    for (result, process) in refused.iter().zip(["process 1", "process 0"]) {
        let error = result.as_ref().unwrap_err().to_string();
        assert!(error.contains(&format!("{process} has another policy")), "{error}");
        assert!(error.contains("give all the same policy file"), "{error}");
    }
    let alone = join(vec![short(0, &hosts(2))]);
    let error = alone[0].as_ref().unwrap_err().to_string();
    assert!(error.contains("process 1 did not come"), "{error}");
}

#[test]
fn who_leaves_without_a_farewell_is_lost_and_who_says_it_is_not() {
    let hosts = hosts(3);
    let joined = join((0..3).map(|process| member(process, &hosts)).collect());
    let mut meshes: Vec<Mesh> = joined.into_iter().map(Result::unwrap).collect();
    let third = meshes.pop().unwrap();
    let (told, losses) = bounded(4);
    let pulse = meshes[0].watch(move |lost: Lost| told.send(lost).unwrap()).unwrap();
    let second = meshes[1].watch(|_| {}).unwrap();
    drop(second);
    assert!(losses.recv_timeout(Duration::from_secs(1)).is_err(), "it said farewell");
    drop(third);
    let lost = losses.recv_timeout(Duration::from_secs(1)).unwrap();
    assert_eq!(lost.process, 2);
    assert!(lost.reason.starts_with("its connection "), "{}", lost.reason);
    drop(pulse);
}

#[test]
fn who_is_silent_is_lost_though_its_connection_stands() {
    let hosts = hosts(2);
    let joined = join((0..2).map(|process| member(process, &hosts)).collect());
    let mut meshes: Vec<Mesh> = joined.into_iter().map(Result::unwrap).collect();
    let (told, losses) = bounded(4);
    let _pulse = meshes[0].watch(move |lost: Lost| told.send(lost).unwrap()).unwrap();
    let lost = losses.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(lost, Lost { process: 1, reason: "it was silent for 3 seconds".to_owned() });
}

#[test]
fn secrets_differ() {
    assert_ne!(secret().unwrap(), secret().unwrap());
}

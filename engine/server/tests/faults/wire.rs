//! A network between connector and engine that cuts, resets, delays, holds back and lets little through.

use crate::load::{Random, config, free_port};
use crate::support::{Engine, folder};
use crate::{check, loaded, rounds};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
enum Weather {
    /// It is ended in order after so many bytes from the connector, in the middle of a frame mostly.
    Cut(usize),
    /// It is reset after so many bytes: what was not read yet is thrown away.
    Reset(usize),
    /// It is ended after so many bytes from the engine: what was sent arrives, and nobody hears so.
    Deaf(usize),
    /// Everything takes so many milliseconds more, and it is cut after so many bytes.
    Slow(u64, usize),
    /// Bytes go by so many at a time, and it is cut after so many.
    Narrow(usize, usize),
    /// Nothing happens to it.
    Fair,
}

/// The weather of the connections of a round.
fn weather(round: usize, random: &mut Random) -> [Weather; 5] {
    let mut after = |most: usize| 1 + random.below(most);
    let mut all = [
        Weather::Cut(after(6_000)),
        Weather::Reset(after(6_000)),
        Weather::Deaf(after(200)),
        Weather::Slow(20, after(3_000)),
        Weather::Narrow(7, after(2_000)),
    ];
    all.rotate_left(round % 5);
    all
}

/// Between connector and engine.
struct Proxy {
    coming: Mutex<Vec<Weather>>,
    /// How many connections met what was for them.
    met: AtomicUsize,
    ended: AtomicBool,
}

impl Proxy {
    /// Takes connections until it is told that it is over.
    fn run(self: &Arc<Self>, door: &TcpListener, port: u16) {
        for near in door.incoming().map_while(Result::ok) {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let weather = self.coming.lock().unwrap().pop().unwrap_or(Weather::Fair);
            let proxy = Arc::clone(self);
            std::thread::spawn(move || proxy.carry(&near, &far, weather));
        }
    }

    /// Carries what both sides say, until one of them ends or the weather does it.
    fn carry(&self, near: &TcpStream, far: &TcpStream, weather: Weather) {
        let (to, fro, pause, chunk) = match weather {
            Weather::Cut(bytes) | Weather::Reset(bytes) => (bytes, usize::MAX, 0, 4096),
            Weather::Deaf(bytes) => (usize::MAX, bytes, 0, 4096),
            Weather::Slow(pause, bytes) => (bytes, usize::MAX, pause, 4096),
            Weather::Narrow(chunk, bytes) => (bytes, usize::MAX, 1, chunk),
            Weather::Fair => (usize::MAX, usize::MAX, 0, 4096),
        };
        let is_reset = AtomicBool::new(false);
        let is_met = std::thread::scope(|scope| {
            let back = scope.spawn(|| {
                let is_met = pump(far, near, fro, pause, chunk);
                end(near, far, &is_reset);
                is_met
            });
            let is_met = pump(near, far, to, pause, chunk);
            if let (Weather::Reset(_), true) = (weather, is_met) {
                // Closing what has more to read resets it.
                let _ = near.set_read_timeout(Some(Duration::from_millis(500)));
                let _ = near.peek(&mut [0]);
                is_reset.store(true, Ordering::SeqCst);
            }
            end(near, far, &is_reset);
            is_met | back.join().unwrap()
        });
        self.met.fetch_add(usize::from(is_met), Ordering::SeqCst);
    }
}

/// Carries bytes one way; true when so many went by, false if a side ended before.
fn pump(mut from: &TcpStream, mut to: &TcpStream, most: usize, pause: u64, chunk: usize) -> bool {
    let (mut buffer, mut left) = (vec![0; chunk], most);
    while left > 0 {
        let size = chunk.min(left);
        let Ok(count) = from.read(&mut buffer[..size]) else { return false };
        if count == 0 {
            return false;
        }
        if pause > 0 {
            std::thread::park_timeout(Duration::from_millis(pause));
        }
        if to.write_all(&buffer[..count]).is_err() {
            return false;
        }
        left -= count;
    }
    true
}

/// Ends a connection, but for the side that is closed as it is.
fn end(near: &TcpStream, far: &TcpStream, is_reset: &AtomicBool) {
    // A side that is gone cannot be ended, and needs not be.
    if !is_reset.load(Ordering::SeqCst) {
        let _ = near.shutdown(Shutdown::Both);
    }
    let _ = far.shutdown(Shutdown::Both);
}

#[test]
fn a_connector_behind_a_network_that_fails_delivers_everything_once() {
    let folder = folder();
    let (path, port) = (folder.path(), free_port());
    let engine = Engine::start_with(path, &["serve"], &config(port));
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let entrance = door.local_addr().unwrap().port();
    let mut random = Random(0x3E1D);
    let mut all: Vec<Weather> =
        (0..rounds()).flat_map(|round| weather(round, &mut random)).collect();
    all.reverse();
    let faults = all.len();
    let coming = Mutex::new(all);
    let (met, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let proxy = Arc::new(Proxy { coming, met, ended });
    let carrier = Arc::clone(&proxy);
    let carried = std::thread::spawn(move || carrier.run(&door, port));
    let ((), epoch) = loaded(entrance, |load| {
        while !proxy.coming.lock().unwrap().is_empty() {
            load.pass(1);
        }
    });
    let count = proxy.met.load(Ordering::SeqCst);
    eprintln!("{count} of {faults} connections met their weather");
    assert!(count * 2 >= faults, "{count} of {faults}");
    proxy.ended.store(true, Ordering::SeqCst);
    // So that it looks.
    drop(TcpStream::connect(("127.0.0.1", entrance)));
    carried.join().unwrap();
    check(engine, path, epoch, "behind a network that fails");
}

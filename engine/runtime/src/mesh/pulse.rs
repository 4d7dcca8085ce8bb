//! Signs of life: who is silent for too long, or leaves without a farewell, is lost.

use super::{BEAT_EVERY, SILENCE_MAX};
use crate::error::RuntimeError;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use trueup_wire::mesh::{BEAT, BYE};

/// A process that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Which.
    pub process: usize,
    /// How that was noticed.
    pub reason: String,
}

/// Watches over the other processes until it is dropped.
#[derive(Debug)]
pub struct Pulse {
    leaving: Arc<AtomicBool>,
    stop: Option<Sender<()>>,
    beats: Vec<JoinHandle<()>>,
}

impl Pulse {
    pub(super) fn start(
        pulses: Vec<(usize, TcpStream)>,
        lost: impl Fn(Lost) + Send + Sync + 'static,
    ) -> Result<Self, RuntimeError> {
        let lost = Arc::new(lost);
        let leaving = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = bounded(0);
        let mut beats = Vec::with_capacity(pulses.len());
        let thread = |source| RuntimeError::Thread { what: "pulse", source };
        for (process, stream) in pulses {
            let broken = |source: std::io::Error| RuntimeError::Mesh {
                problem: format!("the pulse of process {process}: {source}"),
            };
            stream.set_read_timeout(Some(SILENCE_MAX)).map_err(broken)?;
            stream.set_write_timeout(Some(SILENCE_MAX)).map_err(broken)?;
            let heard = stream.try_clone().map_err(broken)?;
            let stopped = stopped.clone();
            let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
            let beating = named("trueup-beat").spawn(move || beat(stream, &stopped));
            beats.push(beating.map_err(thread)?);
            let (lost, leaving) = (Arc::clone(&lost), Arc::clone(&leaving));
            let listen = move || {
                let reason = listen(heard);
                if let Some(reason) = reason.filter(|_| !leaving.load(Ordering::SeqCst)) {
                    lost(Lost { process, reason });
                }
            };
            named("trueup-pulse").spawn(listen).map_err(thread)?;
        }
        Ok(Self { leaving, stop: Some(stop), beats })
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.leaving.store(true, Ordering::SeqCst);
        drop(self.stop.take());
        for beat in self.beats.drain(..) {
            drop(beat.join());
        }
    }
}

/// Gives signs of life until told to stop, and then says so.
fn beat(mut stream: TcpStream, stopped: &Receiver<()>) {
    // Whether the other is there is heard, not seen from what can be written.
    while stream.write_all(&[BEAT]).is_ok() {
        if stopped.recv_timeout(BEAT_EVERY) == Err(RecvTimeoutError::Disconnected) {
            let _ = stream.write_all(&[BYE]);
            return;
        }
    }
}

/// Hears signs of life; gives why there are none any more, unless the other said farewell.
fn listen(mut stream: TcpStream) -> Option<String> {
    let mut heard = [0; 64];
    loop {
        match stream.read(&mut heard) {
            Ok(0) => return Some("its connection ended".to_owned()),
            Ok(count) if heard.iter().take(count).any(|byte| *byte == BYE) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Some(format!("it was silent for {} seconds", SILENCE_MAX.as_secs()));
            }
            Err(error) => return Some(format!("its connection broke: {error}")),
        }
    }
}

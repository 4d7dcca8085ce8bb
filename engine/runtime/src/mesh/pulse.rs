//! Signs of life: who is silent for too long, or leaves without a farewell, is lost.

use super::{BEAT_EVERY, Line, SILENCE_MAX, Telling};
use crate::error::RuntimeError;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::io::{ErrorKind, Read as _, Write as _};
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
    telling: Telling,
    stop: Option<Sender<()>>,
    beats: Vec<JoinHandle<()>>,
}

impl Pulse {
    pub(super) fn start(
        pulses: Vec<(usize, Line)>,
        telling: Telling,
    ) -> Result<Self, RuntimeError> {
        let (stop, stopped) = bounded(0);
        let mut beats = Vec::with_capacity(pulses.len());
        let thread = |source| RuntimeError::Thread { what: "pulse", source };
        for (process, stream) in pulses {
            let broken = |source: std::io::Error| RuntimeError::Mesh {
                problem: format!("the pulse of process {process}: {source}"),
            };
            stream.limit(Some(SILENCE_MAX)).map_err(broken)?;
            let heard = stream.clone();
            let stopped = stopped.clone();
            let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
            let beating = named("trueup-beat").spawn(move || beat(stream, &stopped));
            beats.push(beating.map_err(thread)?);
            let telling = telling.clone();
            let listen = move || {
                if let Some(reason) = listen(heard) {
                    telling.tell(Lost { process, reason });
                }
            };
            named("trueup-pulse").spawn(listen).map_err(thread)?;
        }
        Ok(Self { telling, stop: Some(stop), beats })
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.telling.leave();
        drop(self.stop.take());
        for beat in self.beats.drain(..) {
            drop(beat.join());
        }
    }
}

/// Gives signs of life until told to stop, and then says so.
fn beat(mut stream: Line, stopped: &Receiver<()>) {
    // Whether the other is there is heard, not seen from what can be written.
    while stream.write_all(&[BEAT]).is_ok() {
        if stopped.recv_timeout(BEAT_EVERY) == Err(RecvTimeoutError::Disconnected) {
            let _ = stream.write_all(&[BYE]);
            return;
        }
    }
}

/// Hears signs of life; gives why there are none any more, unless the other said farewell.
fn listen(mut stream: Line) -> Option<String> {
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

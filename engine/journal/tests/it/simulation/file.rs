//! An open file of the simulated disk.

use super::disk::{Asked, Disk};
use std::io;
use trueup_journal::File;

/// An open file of the disk.
#[derive(Debug)]
pub(crate) struct DiskFile {
    disk: Disk,
    index: usize,
    /// How many failures of the file this handle was told of, or were before it was opened.
    told: u64,
}

impl DiskFile {
    pub(super) fn new(disk: &Disk, index: usize, told: u64) -> Self {
        Self { disk: disk.clone(), index, told }
    }
}

impl File for DiskFile {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let done = state.operation(Asked("write", self.index, offset, bytes.len()));
        if state.is_off() {
            return done.map(|()| 0);
        }
        let offset = usize::try_from(offset).unwrap();
        let grown = (offset + bytes.len()).saturating_sub(state.files[self.index].seen.len());
        let room = state.room();
        let is_short = state.operations > state.faults.short_at;
        let written = if done.is_err() || is_short {
            bytes.len() / 2
        } else {
            bytes.len() - grown.saturating_sub(room).min(bytes.len())
        };
        state.files[self.index].write(offset, &bytes[..written]);
        done?;
        if is_short {
            state.faults.short_at = u64::MAX;
            state.has_failed = true;
        } else if written < bytes.len() && written == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(written)
    }

    fn reserve(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let done = state.operation(Asked("reserve", self.index, length, 0));
        if state.is_off() {
            return done;
        }
        let length = usize::try_from(length).unwrap();
        let before = state.files[self.index].seen.len();
        let wanted = length.saturating_sub(before);
        let granted = if done.is_err() { wanted / 2 } else { wanted.min(state.room()) };
        if granted > 0 {
            state.files[self.index].resize(before + granted);
        }
        done?;
        if granted < wanted { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let done =
            state.operation(Asked("sync", self.index, 0, 0)).and_then(|()| state.count_sync());
        if state.operations > state.faults.power_loss_at {
            return done;
        }
        let mut noise = state.noise.clone();
        let content = &mut state.files[self.index];
        if done.is_err() {
            content.fail_sync(&mut noise);
            self.told = content.failures;
            state.noise = noise;
            return done;
        }
        content.sync();
        if self.told < content.failures {
            self.told = content.failures;
            return Err(io::Error::other("input/output error, earlier"));
        }
        Ok(())
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.operation(Asked("read", self.index, offset, buffer.len()))?;
        state.read_bytes_max = state.read_bytes_max.max(buffer.len());
        let bytes = &state.files[self.index].seen;
        let offset = usize::try_from(offset).unwrap();
        let rest = bytes.get(offset..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&mut self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.operation(Asked("length", self.index, 0, 0))?;
        Ok(state.files[self.index].seen.len() as u64)
    }
}

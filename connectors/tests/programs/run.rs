//! Programs in folders of their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) const FLEXNET: &str = env!("CARGO_BIN_EXE_trueup-flexnet");
pub(crate) const FILES: &str = env!("CARGO_BIN_EXE_trueup-files");

/// A folder with files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A program in the folder; arguments are words with blanks between them.
    pub(crate) fn command(&self, program: &str, arguments: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        command.env_remove("TRUEUP_ENGINE").stdin(Stdio::null());
        command
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, program: &str, arguments: &str) -> Ended {
        Ended(self.command(program, arguments).output().unwrap())
    }

    /// Starts a program that goes on.
    pub(crate) fn start(&self, program: &str, arguments: &str) -> Running {
        let mut command = self.command(program, arguments);
        Running(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }
}

/// A program that ended.
pub(crate) struct Ended(Output);

impl Ended {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// The report that `--json` printed.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout).unwrap_or_else(|error| {
            panic!("{error} in {}, {}", self.out(), self.err());
        })
    }

    /// That it ended with this code and said this on its standard error.
    pub(crate) fn check(&self, code: i32, words: &str) {
        let err = self.err();
        assert!(self.code() == code && err.contains(words), "{}: {err}", self.code());
    }
}

/// A program that runs; killed if a test fails.
pub(crate) struct Running(Option<Child>);

impl Running {
    fn signal(&self, signal: &str) {
        let id = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Asks it to end, and waits for it.
    pub(crate) fn stop(mut self) -> Ended {
        self.signal("-TERM");
        Ended(self.0.take().unwrap().wait_with_output().unwrap())
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Adds text to a file.
pub(crate) fn append(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Makes a file look as if it was written some seconds earlier.
pub(crate) fn age(path: &Path, seconds: u64) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - std::time::Duration::from_secs(seconds)).unwrap();
}

//! The servers and daemons of one answer.

use trueup_model::observation::ServerState;

/// What is known of the answer that is being read.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The hosts that were asked.
    pub(super) asked: Vec<String>,
    /// The hosts that answered or did not, in order.
    pub(super) servers: Vec<Answer>,
    /// The host whose daemons are listed.
    pub(super) host: Option<String>,
    /// Its daemons, in order.
    pub(super) daemons: Vec<Answer>,
    /// Whether the lines that follow are daemons.
    pub(super) listing: bool,
    /// Where it is said that the question failed.
    pub(super) failed: Option<u64>,
    /// Whether it was remarked that pools name no daemon.
    pub(super) remarked: bool,
}

/// The state of a server or daemon.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) position: u64,
    pub(super) name: String,
    pub(super) state: ServerState,
    pub(super) master: bool,
}

impl Block {
    /// Reads `27002@lic3,27002@lic4`.
    pub(super) fn ask(&mut self, text: &str) {
        let hosts = text.split(',').filter_map(|one| Some(one.rsplit_once('@')?.1.trim()));
        self.asked = hosts.filter(|host| !host.is_empty()).map(str::to_owned).collect();
    }

    /// Begins the list of a host's daemons.
    pub(super) fn list(&mut self, host: &str) {
        self.host = Some(host.trim().to_owned()).filter(|host| !host.is_empty());
        self.listing = true;
    }

    /// Takes a line about a server or daemon; another line says nothing.
    pub(super) fn answer(&mut self, position: u64, line: &str) {
        let Some((name, rest)) = line.split_once(": ") else { return };
        let (name, rest) = (name.trim(), rest.trim());
        if name.is_empty() || name.contains(char::is_whitespace) {
            return;
        }
        let answers = if self.listing { &mut self.daemons } else { &mut self.servers };
        let rest = match rest.strip_prefix("license server ") {
            Some(rest) => rest,
            // Of a host nothing else is said than that it answers or cannot be reached.
            None if self.listing || rest.starts_with("Cannot connect") => rest,
            None => return,
        };
        let lower = rest.to_lowercase();
        let state = if rest.starts_with("UP") {
            ServerState::Up
        } else if lower.contains("down") || lower.starts_with("cannot connect") {
            ServerState::Down
        } else {
            ServerState::Unknown
        };
        let master = rest.contains("(MASTER)");
        // One machine may be listed twice, in other letters: it answers if one of the two does.
        let known = answers.iter_mut().find(|known| known.name.eq_ignore_ascii_case(name));
        match known {
            Some(known) => {
                known.master |= master;
                if state == ServerState::Up {
                    known.state = state;
                }
            }
            None => answers.push(Answer { position, name: name.to_owned(), state, master }),
        }
    }

    /// The daemon, if there is only one.
    pub(super) fn only_daemon(&self) -> Option<&str> {
        match self.daemons.as_slice() {
            [only] => Some(&only.name),
            _ => None,
        }
    }
}

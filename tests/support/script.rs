//! The fixture language: facts as a person writes them, one a line, told epoch by epoch.
//!
//! ```text
//! day 2025-03-03                       # for times without a date
//! account london under group           # london stands under group, always
//! move london under emea from 2025-03-10
//! member user ada in london
//! alias user mmuster = m.muster from 2025-01-01
//! line APP 5 from 2025-01-01 to 2025-07-01 account group overdraft 1
//! 10:00 out APP ada@ws1 x2             # a checkout of two, on server lic
//! 10:30 in APP ada@ws1 x2
//! [id=e1 arrived=2025-04-02] 11:00 use API 4.5 by ada for london
//! [id=e1 rev=1] 11:00 use API 5 by ada for london
//! retract e1 rev 1
//! machine db1 processors 2 cores 16 model xeon on esx1 cluster c1 soft
//! install ORACLE db1 from 2025-01-01
//! factor core xeon 0.5                 # and: factor value xeon 70; factor value any 120
//! weight CAD = TOKENS 3 per 2          # one CAD counts as 3/2 TOKENS
//! band RVU up_to 2500 1                # the bands of a count, each with what a unit counts in it
//! grant g1 API 100 priority 2 from 2025-01-01 every month carry 0 50
//! price API graduated up_to 5 unit 0 flat 100
//! place device ws1 in DE
//! territory EU has DE
//! suite_rule OFFICE has ACCESS mandatory 75
//! allocate L1 to user ada from 2025-01-01 2   # two rights of the line called L1
//! downgrade V2 to V1 from 2025-01-01   # what is free of V2 covers use of V1
//! 12:00 role db2 failover              # and: 12:00 set DISK 20 for london; 12:00 enter APP by ada
//! settle 2025-03-31                    # ends the epoch and moves the horizon
//! ```
//!
//! Times are UTC. A fact arrives when it happens, or at the beginning of 2025 if it is no event,
//! unless it says `arrived=`. `[doc=NAME@VERSION]` makes it a row of a document; `version NAME 2 from
//! 2025-03-01` says from when on a version holds (`always` for all of time). `tenant NAME` begins the
//! facts of another tenant, `[tenant=NAME]` is one fact of theirs. `read.rs` has every kind of line.

mod read;
mod terms;
mod words;

use crate::said::{Said, Telling};
use std::collections::BTreeMap;
use trueup_model::fact::FactKind;
use trueup_model::org::Account;
use words::Words;

/// What a script comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The epochs.
    pub tellings: Vec<Telling>,
    /// Outputs to show besides positions and what is wrong.
    pub shows: Vec<String>,
}

/// A line that is not of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Which line, from 1.
    pub line_number: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line_number, self.problem)
    }
}

/// What the lines before have said that a later line relies on.
struct Reader {
    tenant: String,
    day: String,
    facts: Vec<Said>,
    kinds: BTreeMap<String, FactKind>,
    places: BTreeMap<(String, String), (String, u32, Account<String>)>,
    count: u64,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The first line that is not of the language.
    pub fn read(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self::default();
        let mut reader = Reader {
            tenant: "t".to_owned(),
            day: "2025-03-03".to_owned(),
            facts: Vec::new(),
            kinds: BTreeMap::new(),
            places: BTreeMap::new(),
            count: 0,
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let read = reader.line(line, &mut script);
            read.map_err(|problem| ScriptError { line_number: index + 1, problem })?;
        }
        if !reader.facts.is_empty() {
            script.tellings.push(Telling { facts: reader.facts, horizon: None });
        }
        Ok(script)
    }
}

impl Reader {
    /// Reads one line that is not empty.
    fn line(&mut self, line: &str, script: &mut Script) -> Result<(), String> {
        let mut words = Words::new(line, &self.day)?;
        match words.peek() {
            "tenant" => {
                words.word()?;
                self.tenant = words.word()?.to_owned();
            }
            "day" => {
                words.word()?;
                self.day = words.word()?.to_owned();
            }
            "show" => {
                words.word()?;
                while !words.is_empty() {
                    script.shows.push(words.word()?.to_owned());
                }
            }
            "settle" => {
                words.word()?;
                let horizon = if words.is_empty() { None } else { Some(words.moment()?) };
                let facts = std::mem::take(&mut self.facts);
                script.tellings.push(Telling { facts, horizon });
            }
            _ => self.fact(&mut words)?,
        }
        words.end()
    }
}

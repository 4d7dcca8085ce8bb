//! What stands before the workers, by itself and on one thread: for whoever measures it.
//!
//! A conversation, the intake, the sequencer and the log are those of an engine. Nobody computes, so nothing is
//! published. Each step is a call of its own: [`Front::hear`] is what the reader of a conversation does,
//! [`Front::take`] what the sequencer does, [`Front::given`] what workers get of it, and [`Front::say`] what the
//! writer of the conversation sends.

use crate::chain::Chain;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::conversation::{
    Allowance, ConversationError, Listener, Next, OpenGate, Reception, Shared, lock,
};
use crate::dataflow::EpochInput;
use crate::error::RuntimeError;
use crate::health::Health;
use crate::intake::Intake;
use crate::measures::Measures;
use crate::publisher::{Planned, Progress};
use crate::recovery::{Manner, Target, recover};
use crate::sequencer::{Around, Desk, Note, Sequencer, Work};
use crate::settings::Settings;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, RwLock};
use trueup_journal::{Directory, Keyed, Options};
use trueup_model::id::Dictionary;
use trueup_operators::entered::Entered;

/// How much may be announced by names of one dictionary frame: nobody is there to take it meanwhile.
const ANNOUNCED_MAX: usize = 100_000;
/// More epochs than one call ever gives to the workers, or notes to the conversation.
const EPOCHS_MAX: usize = 1024;

/// A conversation and all that is behind it up to the workers.
pub struct Front {
    intake: Arc<Intake>,
    listener: Listener,
    shared: Arc<Mutex<Shared>>,
    notes: Receiver<Note>,
    announced: Receiver<Work>,
    sequencer: RefCell<Sequencer>,
    inputs: Receiver<EpochInput>,
    planned: Receiver<Planned>,
    _life: Sender<Infallible>,
}

/// What was heard and checked, and waits for its epoch.
pub struct Heard(Work);

impl Desk for RefCell<Sequencer> {
    /// Has it done at once.
    fn leave(&self, work: Work) -> Result<(), RuntimeError> {
        self.borrow_mut().turn(Some(work))
    }
}

impl Front {
    /// Begins with an empty journal, or none, in which a conversation may have this much under way.
    ///
    /// # Errors
    /// If a setting is outside of what is allowed, or the journal cannot be begun.
    pub fn start(
        settings: Settings,
        clock: Arc<dyn Clock>,
        allowance: Allowance,
    ) -> Result<Self, RuntimeError> {
        settings.check()?;
        let directory = settings.journal.as_deref().map(Directory::open).transpose()?;
        let storage = directory.map(|one| Keyed::new(one, settings.journal_keys.clone()));
        let options = Options {
            segment_bytes_max: settings.journal_segment_bytes,
            ..Options::new(settings.journal_mark)
        };
        let names = Dictionary::new(settings.policy.identity.clone(), settings.names_max);
        let (work, announced) = bounded(ANNOUNCED_MAX);
        let (input, inputs) = bounded(EPOCHS_MAX);
        let (plan, planned) = bounded(EPOCHS_MAX);
        let (life, ends) = bounded(0);
        let intake = Arc::new(Intake::new(&settings, Arc::new(RwLock::new(names)), work.clone()));
        let chain = Mutex::new(Chain::new(&settings));
        let progress = Arc::new(Progress::default());
        let sequencer = RefCell::new(Sequencer::new(Around {
            measures: Measures::new(&settings, Arc::clone(&clock)),
            settings,
            clock: Arc::clone(&clock),
            cluster: Cluster::standing_in(input),
            planned: plan,
            progress: Arc::clone(&progress),
            health: Arc::new(Health::default()),
            life: ends,
        }));
        let to = Target { intake: &intake, work: &sequencer, chain: &chain };
        recover(storage, options, Manner::default(), &to)?;
        let gate = Arc::new(OpenGate);
        let reception = Reception::new(Arc::clone(&intake), work, clock, gate, allowance, progress);
        let (listener, notes) = Listener::new(reception, EPOCHS_MAX);
        let shared = listener.shared();
        Ok(Self {
            intake,
            listener,
            shared,
            notes,
            announced,
            sequencer,
            inputs,
            planned,
            _life: life,
        })
    }

    /// Takes bytes of a connector from the front of `bytes`; gives what they say to the sequencer, or nothing if
    /// more of them are needed. A connector that begins is welcomed at once. Names of which more than a hundred
    /// thousand are products, or cannot be resolved, must not come in one frame.
    ///
    /// # Errors
    /// Why the conversation is over.
    pub fn hear(&mut self, bytes: &mut &[u8]) -> Result<Option<Heard>, ConversationError> {
        loop {
            match self.listener.next(bytes)? {
                Next::Nothing => return Ok(None),
                Next::Said => {}
                Next::End => return Err(ConversationError::Stopped),
                Next::Work(work) => return Ok(Some(Heard(work))),
                Next::Hello(named, generation) => {
                    let (reply, greeted) = bounded(1);
                    let tenant = self.intake.tenant(&named.0);
                    let greeting = self.listener.greeting(named, generation, reply);
                    self.sequencer.leave(greeting).map_err(|_| ConversationError::Stopped)?;
                    let greeted = greeted.recv().map_err(|_| ConversationError::Stopped)?;
                    self.listener.greeted(tenant, greeted)?;
                }
            }
        }
    }

    /// Has the sequencer take what was heard.
    ///
    /// # Errors
    /// If the journal failed.
    pub fn take(&mut self, heard: Heard) -> Result<(), RuntimeError> {
        while let Ok(announced) = self.announced.try_recv() {
            self.sequencer.leave(announced)?;
        }
        self.sequencer.leave(heard.0)
    }

    /// Has the sequencer look at what is due, as it does when nothing comes.
    ///
    /// # Errors
    /// If the journal failed.
    pub fn look(&mut self) -> Result<(), RuntimeError> {
        self.sequencer.get_mut().turn(None)
    }

    /// The facts that workers got since, an epoch after the other.
    pub fn given(&mut self) -> impl Iterator<Item = Vec<Entered>> {
        self.planned.try_iter().for_each(drop);
        self.inputs.try_iter().map(|input| input.facts)
    }

    /// What the connector is told by now.
    pub fn say(&mut self) -> Vec<u8> {
        lock(&self.shared).pass_on(self.notes.try_iter())
    }
}

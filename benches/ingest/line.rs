//! A conversation without a network: what one side sends stays where it is until the other one takes it.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use trueup_connectors::client::transport::{Dial, Received, Transport};
use trueup_operators::entered::Entered;
use trueup_runtime::front::{Front, Heard};

/// Both ends of a conversation, and what is on its way between them.
pub(crate) struct Link {
    pub(crate) front: Front,
    pub(crate) up: Vec<u8>,
    pub(crate) down: Vec<u8>,
}

impl Link {
    /// What the bytes on their way say.
    pub(crate) fn hear(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut bytes = self.up.as_slice();
        while let Some(one) = self.front.hear(&mut bytes).expect("the client keeps to the rules") {
            heard.push(one);
        }
        self.up.clear();
        heard
    }

    /// Has it taken; gives what workers get.
    pub(crate) fn take(&mut self, heard: Vec<Heard>) -> Vec<Vec<Entered>> {
        for one in heard {
            self.front.take(one).expect("the journal is written");
        }
        self.front.given().collect()
    }
}

/// The client's end.
pub(crate) struct End {
    link: Rc<RefCell<Link>>,
    inbox: Vec<u8>,
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("End")
    }
}

impl Transport for End {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.link.borrow_mut().up.extend_from_slice(bytes);
        Ok(())
    }

    /// The engine answers when the client waits for it.
    fn receive(&mut self, wait: Duration) -> io::Result<Received<'_>> {
        let mut link = self.link.borrow_mut();
        if !wait.is_zero() && link.down.is_empty() {
            let heard = link.hear();
            link.take(heard);
            link.down = link.front.say();
        }
        self.inbox = std::mem::take(&mut link.down);
        Ok(if self.inbox.is_empty() { Received::Nothing } else { Received::Bytes(&self.inbox) })
    }
}

/// Makes the client's end.
pub(crate) struct Line(pub(crate) Rc<RefCell<Link>>);

impl Dial for Line {
    type Transport = End;

    fn dial(&mut self) -> io::Result<End> {
        Ok(End { link: Rc::clone(&self.0), inbox: Vec::new() })
    }

    fn address(&self) -> String {
        "this process".to_owned()
    }
}

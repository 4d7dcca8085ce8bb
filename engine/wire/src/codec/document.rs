//! The columns of document versions, and of input that was set aside.

use super::schema::columns;
use crate::code::Code;
use trueup_model::fact::DocumentVersion;
use trueup_model::reject::{Reject, RejectReason};
use trueup_model::time::Timestamp;

columns! {
    DocumentVersion<Code> => DocumentBuilder, DocumentColumns {
        16 document: Code;
        17 version: u64;
        18 effective_from: Timestamp;
        19 rows: u64;
    }
}

columns! {
    Reject<Code> => RejectBuilder, RejectColumns {
        16 reason: RejectReason;
        17 excerpt: Code;
        18 detail: Option<Code>;
    }
}

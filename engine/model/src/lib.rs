//! The vocabulary of Trueup: what a fact is, and the one meaning of each word.
//!
//! Owns the types that every other crate speaks; knows no input or output, no clock, no
//! dataflow library and no floating point. Read this page, then `fact.rs`, then `position.rs`.
//!
//! # Glossary
//!
//! | term | meaning |
//! |---|---|
//! | account | a node of the customer's organization: company, affiliate, division, cost center |
//! | alias | an effective-dated statement that one name means another |
//! | allocation | rights of a line that are bound to one person or machine by name |
//! | allocation line | the part of a line that serves a demand, with the reason for it |
//! | basis | what vouches for an entitlement line: a contract, a license file, a server's report |
//! | charged | used under the license rule; what a session costs after duplicate grouping |
//! | credit | an amount that is granted first and used up later; what no grant covers is overage |
//! | demand | how much is needed at an instant or in a period, after grouping and exemptions |
//! | discrepancy | a difference that someone must look at, with a kind and a severity |
//! | document | a source's table or file, whose newer version replaces the older one |
//! | downgrade right | lets rights of a product cover use of a lower edition or version of it |
//! | duplicate group | checkouts that together cost one license, by user, host, display, vendor key |
//! | entitled | how much may be used at an instant |
//! | fact | a statement of a source, with an identity, an arrival time and a provenance |
//! | horizon | the instant up to which figures are evaluated; every answer names it |
//! | lent | of what is free of a product's rights, what covers use of a lower product at an instant |
//! | line | one row of a contract, purchase list or license file that grants a right |
//! | metric | the rule by which use is counted against rights |
//! | overdraft | use that the vendor tolerates above the entitled count; not an entitlement |
//! | period | a calendar interval in a zone, half-open |
//! | pool | one feature on one license server daemon |
//! | position | entitled against demand, for one account node, product, metric and period |
//! | product | what is licensed; a vendor's feature or SKU is a product until an alias renames it |
//! | quarantine | facts that could not be understood, each with source, position and reason |
//! | session | the holding of some licenses by one user on one host, from an open to a close |
//! | shortfall | demand that no line in force covers |
//! | surplus | entitled and not demanded |
//! | suite | a product whose right includes its components |
//! | unit-seconds | licenses held, multiplied by the time for which they were held |

pub mod time;
pub mod calendar;
pub mod recurrence;
pub mod quantity;
pub mod hash;
pub mod identity;
pub mod id;
pub mod fact;
pub mod usage;
pub mod observation;
pub mod hardware;
pub mod factor;
pub mod processors;
pub mod bands;
pub mod credit;
pub mod price;
pub mod fee;
pub mod tiers;
pub mod proration;
pub mod true_up;
pub mod territory;
pub mod catalog;
pub mod org;
pub mod contract;
pub mod allocation;
pub mod metric;
pub mod derived;
pub mod position;
pub mod ledger;
pub mod discrepancy;
pub mod reject;

#[cfg(test)]
mod tests;

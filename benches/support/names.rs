//! The texts of a workload's names, which a connector sends instead of their numbers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use trueup_datasets::workload;
use trueup_model::fact::Fact;
use trueup_model::id::NameKind;

/// The texts of a workload's names, by kind and number.
#[derive(Debug, Default)]
pub struct Names {
    texts: BTreeMap<NameKind, Vec<String>>,
}

impl Names {
    /// A fact under the texts of its names.
    pub fn named<'n>(&'n mut self, fact: &Fact<u32>) -> Fact<&'n str> {
        let heard = fact.clone().try_map(&mut |kind, number| {
            let texts = self.texts.entry(kind).or_default();
            let place = usize::try_from(number).unwrap_or(0);
            for next in texts.len()..=place {
                texts.push(workload::name(kind, u32::try_from(next).unwrap_or(0)));
            }
            Ok::<(NameKind, usize), Infallible>((kind, place))
        });
        let Ok(heard) = heard;
        let texts = &self.texts;
        let Ok(named) = heard.try_map(&mut |_, (kind, place): (NameKind, usize)| {
            Ok::<&str, Infallible>(texts[&kind][place].as_str())
        });
        named
    }
}

//! Who is looking: what the attack on the stage sees and knows, in words, from its card.

use super::showing::Source;
use super::{Look, Showing};
use crate::attack::kind::Kind;
use crate::attack::threat_model::Knows;
use crate::texts::say;
use crate::workbench::{attack, attacks};

/// Who that is, without what else he has: `the server`.
pub fn who(kind: &'static Kind) -> &'static str {
    say(kind.looker.words).split(',').next().unwrap_or_default()
}

/// The same, told from others of whom that is said too: `the server (prior)`.
pub fn who_exactly(kind: &'static Kind) -> String {
    let before = attacks().iter().take_while(|other| other.id != kind.id);
    let same = before.filter(|other| who(other) == who(kind)).count();
    if same == 0 { who(kind).to_owned() } else { format!("{} ({})", who(kind), kind.id) }
}

/// `the smashed data and the labels`: what an attack sees, in the window's language.
pub fn sees_words(kind: &Kind) -> String {
    listed(kind.seen(), t!("nothing"))
}

/// `the client's weights, similar images and the defence`.
fn knows_words(kind: &Kind, adaptive: bool) -> String {
    listed(kind.known(adaptive), t!("the architecture alone"))
}

fn listed(words: Vec<&'static str>, none: &str) -> String {
    let words: Vec<&str> = words.into_iter().map(say).collect();
    match words.as_slice() {
        [] => none.to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => t!("{most} and {last}", most = most.join(", "), last),
    }
}

/// Who could look in place of this one, sees the same and knows this, or does not; as alike in what else is known as there is
/// one.
pub fn instead(kind: &Kind, known: Knows, on: bool) -> Option<&'static Kind> {
    let alike = |other: &Kind| {
        let same = |one: &Knows| kind.knows.contains(one) == other.knows.contains(one);
        [Knows::ClientWeights, Knows::Auxiliary].iter().filter(|one| same(one)).count()
    };
    let fits = |other: &&'static Kind| other.knows.contains(&known) == on && other.sees == kind.sees;
    // The first of those that are equally alike.
    attacks().iter().copied().filter(fits).rev().max_by_key(|other| alike(other))
}

/// One attack under one defence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attacker<'a> {
    /// The name of the attack's kind.
    pub attack: &'a str,
    /// Whether there is a defence.
    pub defended: bool,
    /// Whether the attacker knows it.
    pub adaptive: bool,
}

impl<'a> Attacker<'a> {
    /// Whose picture the stage shows, or is about to; none while a run has none.
    pub fn shown(look: Look<'a>) -> Option<Self> {
        let showing = look.showing;
        let stamp = showing.scene.as_ref().filter(|_| !showing.waits).map(|scene| &scene.stamp);
        match (stamp.filter(|stamp| !stamp.kind.is_empty()), showing.source) {
            (Some(stamp), _) => Some(Self { attack: &stamp.kind, defended: stamp.defended, adaptive: stamp.adaptive }),
            (None, Source::Run) => None,
            (None, _) => Some(Self::asked(showing)),
        }
    }

    /// Who the levers say is looking.
    pub fn asked(showing: &Showing) -> Attacker<'static> {
        if showing.source == Source::Opening {
            return Attacker { attack: attacks()[0].id, defended: false, adaptive: false };
        }
        let defended = showing.defended;
        Attacker { attack: showing.attack(), defended, adaptive: showing.adaptive && defended }
    }

    /// `sees the smashed data; knows the client's weights; does not know the defence`.
    pub fn words(self) -> String {
        let words = |kind: &Kind| (sees_words(kind), knows_words(kind, self.adaptive && self.defended));
        let what = || t!("what its settings say").to_owned();
        let (sees, knows) = attack(self.attack).map_or_else(|| (what(), what()), words);
        let defence = match (self.defended, self.adaptive) {
            (false, _) => t!("; there is no defence"),
            (true, false) => t!("; does not know the defence"),
            (true, true) => "",
        };
        t!("sees {sees}; knows {knows}{defence}", sees, knows, defence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_one_is_found_by_what_is_known() {
        let kind = |id: &str| attack(id).unwrap();
        let other = |id: &str, known, on| instead(kind(id), known, on).map(|kind| kind.id);
        assert_eq!(other("rmle", Knows::ClientWeights, false), Some("unsplit"));
        assert_eq!(other("rmle", Knows::Auxiliary, true), Some("prior"));
        assert_eq!(other("unsplit", Knows::Auxiliary, true), Some("inverse"));
        assert_eq!(other("inverse", Knows::ClientWeights, true), Some("prior"));
        assert_eq!(other("inverse", Knows::Auxiliary, false), Some("unsplit"));
        assert_eq!(other("dlg", Knows::Auxiliary, true), None);
        assert_eq!(other("rmle", Knows::Defence, true), None);
        assert_eq!([who(kind("rmle")), who(kind("inverse"))], ["the server", "somebody with similar images"]);
    }

    #[test]
    fn every_attack_has_somebody_and_its_words() {
        for attack in attacks().iter().map(|kind| kind.id) {
            let words = |defended, adaptive| Attacker { attack, defended, adaptive }.words();
            assert!(words(true, false).ends_with("; does not know the defence"), "{}", words(true, false));
            assert!(words(true, true).ends_with("the defence"), "{}", words(true, true));
            assert!(words(false, false).ends_with("; there is no defence"), "{}", words(false, false));
            assert!(!words(true, false).contains("its settings"), "{attack} has no words of its own");
        }
        let naive = Attacker { attack: "rmle", defended: true, adaptive: false };
        assert_eq!(naive.words(), "sees the smashed data; knows the client's weights; does not know the defence");
    }
}

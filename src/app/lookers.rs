//! Who is looking: each attack as somebody who sees and knows something, in words. Said here alone.

use super::showing::Source;
use super::{Look, Showing};
use crate::experiment::AttackSpec;

/// Somebody who looks on, with an attack of this version.
pub struct Looker {
    /// The attack's name in the document.
    pub attack: &'static str,
    /// Who that is.
    pub words: &'static str,
    /// The same in a word or two.
    pub brief: &'static str,
    /// What the attack does.
    pub tip: &'static str,
}

/// One for each attack, in the attacks' order.
pub const LOOKERS: [Looker; AttackSpec::NAMES.len()] = [
    Looker {
        attack: "rmle",
        words: "the server, with the client's weights",
        brief: "the server",
        tip: "White box: rMLE searches for the image whose smashed data are those on the wire.",
    },
    Looker {
        attack: "inverse",
        words: "somebody with similar images",
        brief: "similar images",
        tip: "An inverse network learns from images of the attacker's own to turn smashed data back. That takes seconds; \
              then it serves every image at once.",
    },
];

/// Others that the literature has, and this version does not.
pub const MISSING: [&str; 3] =
    ["a listener without weights or images", "a malicious server", "whoever gets the gradient"];

/// One attack under one defence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attacker<'a> {
    /// The attack's name.
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
        match (stamp.filter(|stamp| !stamp.attack.is_empty()), showing.source) {
            (Some(stamp), _) => {
                Some(Self { attack: &stamp.attack, defended: stamp.defended, adaptive: stamp.adaptive })
            }
            (None, Source::Run) => None,
            (None, _) => Some(Self::asked(showing)),
        }
    }

    /// Who the levers say is looking.
    pub fn asked(showing: &Showing) -> Attacker<'static> {
        if showing.source == Source::Opening {
            return Attacker { attack: AttackSpec::NAMES[0], defended: false, adaptive: false };
        }
        let defended = showing.defended;
        Attacker { attack: showing.attack(), defended, adaptive: showing.adaptive && defended }
    }

    /// `sees the smashed data; knows the client's weights; does not know the defence`.
    pub fn words(self) -> String {
        let knows = match (self.attack, self.adaptive && self.defended) {
            ("rmle", false) => "the client's weights",
            ("inverse", false) => "what the client makes of similar images",
            // To imitate the disguise both train a head on the client's layers.
            (_, true) => "the client's weights, similar images and the defence",
            _ => "what its settings say",
        };
        let defence = match (self.defended, self.adaptive) {
            (false, _) => "; there is no defence",
            (true, false) => "; does not know the defence",
            (true, true) => "",
        };
        format!("sees the smashed data; knows {knows}{defence}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_has_somebody_and_its_words() {
        let names = LOOKERS.map(|looker| looker.attack);
        assert_eq!(names, AttackSpec::NAMES);
        for attack in names {
            let words = |defended, adaptive| Attacker { attack, defended, adaptive }.words();
            assert!(words(true, false).ends_with("; does not know the defence"), "{}", words(true, false));
            assert!(words(true, true).ends_with(" and the defence"), "{}", words(true, true));
            assert!(words(false, false).ends_with("; there is no defence"), "{}", words(false, false));
            assert!(!words(true, false).contains("its settings"), "{attack} has no words of its own");
        }
        let naive = Attacker { attack: "rmle", defended: true, adaptive: false };
        assert_eq!(naive.words(), "sees the smashed data; knows the client's weights; does not know the defence");
    }
}

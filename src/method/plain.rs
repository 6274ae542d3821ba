//! A formula as plain text: for screen readers, and for texts that cannot draw one.

use super::language::{Accent, Fence, Node};

/// Whether a sign has a space at both sides.
pub(super) fn is_spaced(sign: char) -> bool {
    "=<>≤≥≠≈∈∝~→+\u{2212}·×⊙".contains(sign)
}

/// Whether what follows a sign is its own, as in −1: it opens something, or is an operator itself.
pub fn opens(before: Option<&Node>) -> bool {
    match before {
        None | Some(Node::Space(_)) => true,
        Some(Node::Sign(sign)) => "([,;".contains(*sign) || is_spaced(*sign),
        Some(_) => false,
    }
}

impl Node {
    /// It as plain text on one line: `z = f(x̃; θ_c)`.
    pub fn plain(&self) -> String {
        match self {
            Self::Row(row) => plain_row(row),
            Self::Letter(c) | Self::Sign(c) => c.to_string(),
            Self::Word(text) | Self::Number(text) => text.clone(),
            Self::Space(_) => "  ".to_owned(),
            Self::Scripts { base, below, above } | Self::Limits { base, below, above } => {
                let script = |sign: &str, node: &Option<Box<Self>>| {
                    node.as_ref().map_or_else(String::new, |node| format!("{sign}{}", grouped(node)))
                };
                format!("{}{}{}", base.plain(), script("_", below), script("^", above))
            }
            Self::Over(accent, node) => {
                let mark = match accent {
                    Accent::Hat => '\u{302}',
                    Accent::Tilde => '\u{303}',
                };
                format!("{}{mark}", node.plain())
            }
            Self::Fraction(top, bottom) => format!("{} / {}", grouped(top), grouped(bottom)),
            Self::Root(node) => format!("√{}", grouped(node)),
            Self::Fence(fence, node) => {
                let [left, right] = match fence {
                    Fence::Norm => ["‖", "‖"],
                    Fence::Abs => ["|", "|"],
                    Fence::Floor => ["⌊", "⌋"],
                };
                format!("{left}{}{right}", node.plain())
            }
            Self::Cases(cases) => {
                let each = |(what, when): &(Self, Self)| format!("{} ({})", what.plain(), when.plain());
                format!("{{ {} }}", cases.iter().map(each).collect::<Vec<_>>().join("; "))
            }
            Self::Lines(lines) => lines.iter().map(Self::plain).collect::<Vec<_>>().join("; "),
            Self::Named(_, node) => node.plain(),
        }
    }

    /// What is drawn, without its name.
    pub fn bare(&self) -> &Self {
        if let Self::Named(_, node) = self { node.bare() } else { self }
    }
}

fn plain_row(row: &[Node]) -> String {
    let mut text = String::new();
    for (i, node) in row.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| row[i].bare());
        match node.bare() {
            Node::Sign(sign) if is_spaced(*sign) && !(opens(before) && "+\u{2212}".contains(*sign)) => {
                text = format!("{} {sign} ", text.trim_end());
            }
            Node::Sign(sign @ (',' | ';')) => text.push_str(&format!("{sign} ")),
            // Two words would run into one, and what is divided by into what follows.
            bare => {
                if matches!(before, Some(Node::Fraction(..))) && !matches!(bare, Node::Sign(_)) && !text.ends_with(' ')
                {
                    text.push(' ');
                }
                let word = |node: &Node| matches!(head(node), Node::Word(_) | Node::Limits { .. });
                let apart = before.is_some_and(word) && !matches!(bare, Node::Sign(_) | Node::Fence(..));
                if (apart || (before.is_some_and(|b| !matches!(b, Node::Sign(_))) && word(bare)))
                    && !text.ends_with(' ')
                {
                    text.push(' ');
                }
                text.push_str(&node.plain());
            }
        }
    }
    text.trim().to_owned()
}

/// What stands first in it.
fn head(node: &Node) -> &Node {
    if let Node::Scripts { base, .. } = node { base.bare() } else { node }
}

/// In brackets where it is more than one thing.
fn grouped(node: &Node) -> String {
    let plain = node.plain();
    let single = !matches!(node.bare(), Node::Row(_) | Node::Fraction(..));
    if single { plain } else { format!("({plain})") }
}

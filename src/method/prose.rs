//! The language of a section's paragraphs, a little of Markdown's: blank lines part paragraphs, `- ` begins an item,
//! `**strong**`, `[E, eq. 1]` is a mark, `$x$` a formula in the line, and a line `$$id$$` one that stands by itself.

use super::language::{self, Node};
use super::{Section, Symbol, common};

/// A part of a section's text.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Piece>),
    /// One of several points.
    Item(Vec<Piece>),
    /// The formula of this name.
    Formula(String),
}

/// A part of a paragraph.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Words.
    Words(String),
    /// Words that stand out.
    Strong(String),
    /// Whose word it is: `E, eq. 1`.
    Mark(String),
    /// A formula in the line.
    Math(Node),
}

impl Section {
    /// Its text, part by part.
    ///
    /// # Errors
    /// Returns an error, in words, if it is not written in the language.
    pub fn blocks(&self) -> Result<Vec<Block>, String> {
        let symbols: Vec<&'static Symbol> =
            self.formulas.iter().flat_map(|formula| formula.symbols).chain(common::SYMBOLS).collect();
        let told = |error: String| format!("section {}: {error}", self.id);
        let mut blocks = Vec::new();
        for paragraph in self.text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
            if let Some(id) = paragraph.strip_prefix("$$").and_then(|rest| rest.strip_suffix("$$")) {
                blocks.push(Block::Formula(id.to_owned()));
            } else if paragraph.starts_with("- ") {
                for item in paragraph[2..].split("\n- ") {
                    blocks.push(Block::Item(pieces(item, &symbols).map_err(told)?));
                }
            } else {
                blocks.push(Block::Paragraph(pieces(paragraph, &symbols).map_err(told)?));
            }
        }
        Ok(blocks)
    }
}

fn pieces(text: &str, symbols: &[&'static Symbol]) -> Result<Vec<Piece>, String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut pieces = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let plain = rest.find(['$', '[']).into_iter().chain(rest.find("**")).min().unwrap_or(rest.len());
        if plain > 0 {
            pieces.push(Piece::Words(rest[..plain].to_owned()));
        }
        rest = &rest[plain..];
        let Some((open, close)) =
            [("**", "**"), ("$", "$"), ("[", "]")].into_iter().find(|(open, _)| rest.starts_with(open))
        else {
            continue;
        };
        let (inner, after) = rest[open.len()..]
            .split_once(close)
            .ok_or_else(|| format!("\u{201c}{open}\u{201d} is not closed in: {text}"))?;
        pieces.push(match open {
            "**" => Piece::Strong(inner.to_owned()),
            "[" => Piece::Mark(inner.to_owned()),
            _ => Piece::Math(language::named(language::parse(inner)?, symbols)?),
        });
        rest = after;
    }
    Ok(pieces)
}

/// Pieces as plain text.
pub fn plain(pieces: &[Piece]) -> String {
    let each = |piece: &Piece| match piece {
        Piece::Words(text) | Piece::Strong(text) => text.clone(),
        Piece::Mark(mark) => format!("[{mark}]"),
        Piece::Math(node) => node.plain(),
    };
    pieces.iter().map(each).collect()
}

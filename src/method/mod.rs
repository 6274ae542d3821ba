//! The method as data: sections of prose with their formulas, each formula written once for the page and for the stage.
//!
//! The equations are those of `assets/method.md` condensed, with its marks: \[A\] the paper's abstract, \[E\] its
//! equations at second hand, *here* our own choice. What a defence or an attack does is told by its card; what is common
//! to all stands in [`common`]. [`workbench::method`](crate::workbench::method) puts them together.

pub mod common;
pub mod language;
pub mod live;
mod plain;
pub mod prose;

pub use language::Node;
pub use live::{Live, Sight, Step};
pub use plain::opens;

/// One thing that the program does, in words and formulas.
#[derive(Debug)]
pub struct Section {
    /// Its name, which links and tests use.
    pub id: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Where the method has it, as METHOD §2.4.
    pub source: &'static str,
    /// Paragraphs in the language of [`prose`]; a line `$$id$$` is where a formula stands.
    pub text: &'static str,
    /// Its formulas.
    pub formulas: &'static [Formula],
}

/// A formula.
#[derive(Debug)]
pub struct Formula {
    /// Its name, which no other formula has.
    pub id: &'static str,
    /// What it is of, in a few words.
    pub title: &'static str,
    /// The part of the stage that shows what it is of; none for one that stands on the page alone.
    pub place: Option<Place>,
    /// The method's mark, word by word; empty where it has none.
    pub mark: &'static str,
    /// What it says, in the [`language`] of formulas.
    pub text: &'static str,
    /// Its symbols; those that are not here are the [`common`] ones.
    pub symbols: &'static [Symbol],
    /// What its symbols are now; none where the formula is not at work under these settings.
    pub live: fn(&Sight<'_>) -> Option<Vec<Live>>,
}

/// A symbol of a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// As formulas write it.
    pub sign: &'static str,
    /// What it is, in a few words.
    pub name: &'static str,
    /// Whose it is, and with that its colour.
    pub ink: Ink,
}

/// A symbol, for tables of them.
pub const fn symbol(sign: &'static str, name: &'static str, ink: Ink) -> Symbol {
    Symbol { sign, name, ink }
}

/// A part of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The client.
    Hospital,
    /// What crosses.
    Wire,
    /// The server.
    Server,
    /// Whoever looks on.
    Attacker,
}

/// Whose a symbol is. The window gives each the colour and the form of its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// A number or a function that belongs to nobody's picture.
    Plain,
    /// The image as it is.
    Patient,
    /// The gradient map that the hospital makes.
    Map,
    /// What the client makes of the image before its layers see it.
    Disguised,
    /// What crosses.
    Smashed,
    /// What the server recovers.
    Cleaned,
    /// The gradient map that the server finds.
    Found,
    /// The fusing stream.
    Fused,
    /// What is decided.
    Decision,
    /// What an attacker makes.
    Attacker,
}

impl Formula {
    /// A formula to begin from: it has nothing to put in.
    pub const BASE: Self =
        Self { id: "", title: "", place: None, mark: "", text: "", symbols: &[], live: |_| Some(Vec::new()) };

    /// Its symbols, its own first.
    pub fn symbols(&self) -> impl Iterator<Item = &'static Symbol> {
        self.symbols.iter().chain(common::SYMBOLS)
    }

    /// The symbol that formulas write so.
    pub fn symbol(&self, sign: &str) -> Option<&'static Symbol> {
        self.symbols().find(|symbol| symbol.sign == sign)
    }

    /// It parsed, each symbol named.
    ///
    /// # Errors
    /// Returns an error, in words, if it is not written in the language.
    pub fn parsed(&self) -> Result<Node, String> {
        let node = language::parse(self.text).map_err(|e| format!("formula {}: {e}", self.id))?;
        let all: Vec<&'static Symbol> = self.symbols().collect();
        language::named(node, &all)
    }
}

impl Section {
    /// The formula of this name.
    pub fn formula(&self, id: &str) -> Option<&'static Formula> {
        self.formulas.iter().find(|formula| formula.id == id)
    }
}

/// One number as formulas show it: three significant digits, no power of ten where it can be read without.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..9).contains(&magnitude) {
        return format!("{value:.2e}").replace('-', "\u{2212}");
    }
    let digits = (2 - magnitude).max(0) as usize;
    format!("{value:.digits$}").replace('-', "\u{2212}")
}

/// A count, in groups of three digits.
pub fn whole(count: usize) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for at in (first..digits.len()).step_by(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&digits[at..at + 3]);
    }
    text
}

/// `16 × 14 × 14`.
pub fn sides(shape: &[usize]) -> String {
    shape.iter().map(|side| whole(*side)).collect::<Vec<_>>().join(" \u{d7} ")
}

#[cfg(test)]
mod tests;

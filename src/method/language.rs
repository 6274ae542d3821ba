//! The language of formulas, a little of TeX's:
//!
//! - a single letter is a variable, several are a word (`max`), digits are a number; spaces only part words
//! - `x_i`, `x^2`, with `{…}` for more than one thing
//! - `\frac{a}{b}`, `\sqrt{a}`, `\hat{x}`, `\tilde{x}`, `\norm{a}`, `\abs{a}`, `\floor{a}`, `\text{several words}`
//! - `\sum_{i}`, `\min_{x}`, `\argmin_{x}`: what is below stands below
//! - `\cases{a & b \\ c & d}`; elsewhere `\\` ends a line; `\quad` is a wide space

use std::iter::Peekable;
use std::str::CharIndices;

use super::Symbol;

/// A formula, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// One after the other.
    Row(Vec<Node>),
    /// A variable.
    Letter(char),
    /// A word, upright.
    Word(String),
    /// A number, upright.
    Number(String),
    /// An operator or another sign.
    Sign(char),
    /// A space of so many times the size of letters.
    Space(f32),
    /// With something small at its right.
    Scripts {
        /// What it belongs to.
        base: Box<Node>,
        /// x_i
        below: Option<Box<Node>>,
        /// x²
        above: Option<Box<Node>>,
    },
    /// With something small under it, and over it.
    Limits {
        /// What it belongs to.
        base: Box<Node>,
        /// min over x
        below: Option<Box<Node>>,
        /// Where a sum ends.
        above: Option<Box<Node>>,
    },
    /// With a mark over it.
    Over(Accent, Box<Node>),
    /// One over the other.
    Fraction(Box<Node>, Box<Node>),
    /// Under a root.
    Root(Box<Node>),
    /// Between upright lines.
    Fence(Fence, Box<Node>),
    /// Behind a brace: what it is, and when.
    Cases(Vec<(Node, Node)>),
    /// Several lines.
    Lines(Vec<Node>),
    /// A symbol, by its place among the formula's.
    Named(&'static Symbol, Box<Node>),
}

/// A mark over a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accent {
    /// x̂
    Hat,
    /// x̃
    Tilde,
}

/// What stands at both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// ‖x‖
    Norm,
    /// |x|
    Abs,
    /// ⌊x⌋
    Floor,
}

/// Words that have what is `_` below them.
const WITH_LIMITS: [&str; 4] = ["sum", "min", "argmin", "argmax"];
/// How deep things may lie in each other.
const DEEPEST: usize = 24;

/// Reads a formula.
///
/// # Errors
/// Returns an error, in words with the place, if something is not known or not closed.
pub fn parse(text: &str) -> Result<Node, String> {
    let mut parser = Parser { text, rest: text.char_indices().peekable(), depth: 0 };
    let mut lines = vec![parser.row(&[])?];
    while parser.line_ended() {
        lines.push(parser.row(&[])?);
    }
    match parser.rest.peek() {
        Some((at, c)) => Err(format!("\u{201c}{c}\u{201d} at character {at} closes nothing")),
        None if lines.len() == 1 => Ok(lines.remove(0)),
        None => Ok(Node::Lines(lines)),
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, c)| *c)
    }

    fn at(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.rest.next();
        }
    }

    /// Takes `\\`, if it is next.
    fn line_ended(&mut self) -> bool {
        self.skip_spaces();
        let at = self.at();
        let ends = self.text[at..].starts_with("\\\\");
        if ends {
            self.rest.next();
            self.rest.next();
        }
        ends
    }

    /// Everything up to the end, the end of the line or one of these.
    fn row(&mut self, until: &[char]) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("too many things lie in each other".to_owned());
        }
        let mut row = Vec::new();
        loop {
            self.skip_spaces();
            let at = self.at();
            let Some(c) = self.peek() else { break };
            if until.contains(&c) || c == '}' || self.text[at..].starts_with("\\\\") {
                break;
            }
            let atom = self.atom()?;
            row.push(self.scripts(atom)?);
        }
        self.depth -= 1;
        Ok(if row.len() == 1 { row.remove(0) } else { Node::Row(row) })
    }

    /// What is below and above, if anything.
    fn scripts(&mut self, base: Node) -> Result<Node, String> {
        let (mut below, mut above) = (None, None);
        while let Some(c @ ('_' | '^')) = self.peek() {
            self.rest.next();
            let place = if c == '_' { &mut below } else { &mut above };
            if place.is_some() {
                return Err(format!("two \u{201c}{c}\u{201d} at character {}", self.at()));
            }
            *place = Some(Box::new(self.one()?));
        }
        if below.is_none() && above.is_none() {
            return Ok(base);
        }
        let base = Box::new(base);
        Ok(match &*base {
            Node::Limits { base, .. } => Node::Limits { base: base.clone(), below, above },
            _ => Node::Scripts { base, below, above },
        })
    }

    /// One thing: a sign, a word or a group.
    fn one(&mut self) -> Result<Node, String> {
        self.skip_spaces();
        self.atom()
    }

    /// What stands between braces.
    fn group(&mut self, what: &str) -> Result<Node, String> {
        self.skip_spaces();
        if self.peek() != Some('{') {
            return Err(format!("{what} wants \u{201c}{{\u{201d} at character {}", self.at()));
        }
        self.one()
    }

    fn atom(&mut self) -> Result<Node, String> {
        let at = self.at();
        let Some((_, c)) = self.rest.next() else { return Err("it ends where something is wanted".to_owned()) };
        match c {
            '{' => {
                let inner = self.row(&[])?;
                match self.rest.next() {
                    Some((_, '}')) => Ok(inner),
                    _ => Err(format!("\u{201c}{{\u{201d} at character {at} is not closed")),
                }
            }
            '\\' => self.command(at),
            '0'..='9' | '.' => Ok(Node::Number(self.run(at, |c| c.is_ascii_digit() || c == '.'))),
            'a'..='z' | 'A'..='Z' => {
                let word = self.run(at, |c| c.is_ascii_alphabetic());
                Ok(if word.len() == 1 { Node::Letter(c) } else { Node::Word(word) })
            }
            '-' => Ok(Node::Sign('\u{2212}')),
            '}' | '_' | '^' | '&' => Err(format!("\u{201c}{c}\u{201d} at character {at} is not expected")),
            c if c.is_alphabetic() => Ok(Node::Letter(c)),
            c => Ok(Node::Sign(c)),
        }
    }

    /// The characters from `at` on that are of a kind.
    fn run(&mut self, at: usize, fits: impl Fn(char) -> bool) -> String {
        while self.peek().is_some_and(&fits) {
            self.rest.next();
        }
        let end = self.at();
        self.text[at..end].to_owned()
    }

    fn command(&mut self, at: usize) -> Result<Node, String> {
        let from = self.at();
        let name = self.run(from, |c| c.is_ascii_alphabetic());
        let boxed = |parser: &mut Self| parser.group(&format!("\\{name}")).map(Box::new);
        Ok(match name.as_str() {
            "frac" => Node::Fraction(boxed(self)?, boxed(self)?),
            "sqrt" => Node::Root(boxed(self)?),
            "hat" => Node::Over(Accent::Hat, boxed(self)?),
            "tilde" => Node::Over(Accent::Tilde, boxed(self)?),
            "norm" => Node::Fence(Fence::Norm, boxed(self)?),
            "abs" => Node::Fence(Fence::Abs, boxed(self)?),
            "floor" => Node::Fence(Fence::Floor, boxed(self)?),
            "text" => self.words(at)?,
            "cases" => self.cases(at)?,
            "quad" => Node::Space(1.2),
            word if WITH_LIMITS.contains(&word) => {
                let base = if word == "sum" { Node::Sign('∑') } else { Node::Word(word.to_owned()) };
                Node::Limits { base: Box::new(base), below: None, above: None }
            }
            _ => return Err(format!("\\{name} at character {at} is not known")),
        })
    }

    /// Words as they are written, spaces and all.
    fn words(&mut self, at: usize) -> Result<Node, String> {
        if self.rest.next().is_none_or(|(_, c)| c != '{') {
            return Err(format!("\\text at character {at} wants \u{201c}{{\u{201d}"));
        }
        let from = self.at();
        let words = self.run(from, |c| c != '}');
        if self.rest.next().is_none() {
            return Err(format!("\\text at character {at} is not closed"));
        }
        Ok(Node::Word(words))
    }

    fn cases(&mut self, at: usize) -> Result<Node, String> {
        self.skip_spaces();
        if self.rest.next().is_none_or(|(_, c)| c != '{') {
            return Err(format!("\\cases at character {at} wants \u{201c}{{\u{201d}"));
        }
        let mut cases = Vec::new();
        loop {
            let what = self.row(&['&'])?;
            if self.rest.next().is_none_or(|(_, c)| c != '&') {
                return Err(format!("each of the \\cases at character {at} wants \u{201c}&\u{201d}"));
            }
            cases.push((what, self.row(&[])?));
            if self.line_ended() {
                continue;
            }
            return match self.rest.next() {
                Some((_, '}')) => Ok(Node::Cases(cases)),
                _ => Err(format!("\\cases at character {at} are not closed")),
            };
        }
    }
}

/// The same with each symbol named; the longest that is written so.
///
/// # Errors
/// Returns an error, in words, if a symbol is not written in the language.
pub fn named(node: Node, symbols: &[&'static Symbol]) -> Result<Node, String> {
    let signs = symbols.iter().map(|symbol| Ok((parse(symbol.sign)?, *symbol))).collect::<Result<Vec<_>, String>>()?;
    Ok(name(node, &signs))
}

fn name(node: Node, signs: &[(Node, &'static Symbol)]) -> Node {
    let known = |node: &Node| signs.iter().find(|(sign, _)| sign == node).map(|(_, symbol)| *symbol);
    if let Some(symbol) = known(&node) {
        return Node::Named(symbol, Box::new(node));
    }
    let inner = |node: Box<Node>| Box::new(name(*node, signs));
    match node {
        Node::Row(row) => Node::Row(row.into_iter().map(|node| name(node, signs)).collect()),
        Node::Lines(lines) => Node::Lines(lines.into_iter().map(|node| name(node, signs)).collect()),
        Node::Scripts { base, below, above } => {
            // `S_r^2` is the square of `S_r` where there is such a symbol.
            if let (Some(_), Some(above)) = (&below, &above) {
                let lower = Node::Scripts { base: base.clone(), below: below.clone(), above: None };
                if let Some(symbol) = known(&lower) {
                    let base = Box::new(Node::Named(symbol, Box::new(lower)));
                    return Node::Scripts { base, below: None, above: Some(inner(above.clone())) };
                }
            }
            Node::Scripts { base: inner(base), below: below.map(inner), above: above.map(inner) }
        }
        Node::Limits { base, below, above } => {
            Node::Limits { base: inner(base), below: below.map(inner), above: above.map(inner) }
        }
        Node::Over(accent, node) => Node::Over(accent, inner(node)),
        Node::Fraction(top, bottom) => Node::Fraction(inner(top), inner(bottom)),
        Node::Root(node) => Node::Root(inner(node)),
        Node::Fence(fence, node) => Node::Fence(fence, inner(node)),
        Node::Cases(cases) => {
            Node::Cases(cases.into_iter().map(|(what, when)| (name(what, signs), name(when, signs))).collect())
        }
        node @ (Node::Letter(_)
        | Node::Word(_)
        | Node::Number(_)
        | Node::Sign(_)
        | Node::Space(_)
        | Node::Named(..)) => node,
    }
}

impl Node {
    /// Calls `visit` with this and everything in it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::Row(all) | Self::Lines(all) => all.iter().for_each(|node| node.walk(visit)),
            Self::Scripts { base, below, above } | Self::Limits { base, below, above } => {
                base.walk(visit);
                below.iter().chain(above).for_each(|node| node.walk(visit));
            }
            Self::Over(_, node) | Self::Root(node) | Self::Fence(_, node) | Self::Named(_, node) => node.walk(visit),
            Self::Fraction(top, bottom) => {
                top.walk(visit);
                bottom.walk(visit);
            }
            Self::Cases(cases) => cases.iter().for_each(|(what, when)| {
                what.walk(visit);
                when.walk(visit);
            }),
            Self::Letter(_) | Self::Word(_) | Self::Number(_) | Self::Sign(_) | Self::Space(_) => {}
        }
    }

    /// Its symbols, each once, in the order in which they are written.
    pub fn symbols(&self) -> Vec<&'static Symbol> {
        let mut all: Vec<&'static Symbol> = Vec::new();
        self.walk(&mut |node| {
            if let Self::Named(symbol, _) = node
                && !all.contains(symbol)
            {
                all.push(symbol);
            }
        });
        all
    }

    /// The same with a number in the place of each symbol that `value` has one for.
    #[must_use]
    pub fn put_in(&self, value: &dyn Fn(&'static Symbol) -> Option<String>) -> Self {
        let inner = |node: &Self| Box::new(node.put_in(value));
        let all = |nodes: &[Self]| nodes.iter().map(|node| node.put_in(value)).collect();
        let other = |node: &Option<Box<Self>>| node.as_deref().map(inner);
        match self {
            Self::Named(symbol, node) => match value(symbol) {
                Some(text) => Self::Named(symbol, Box::new(Self::Number(text))),
                None => Self::Named(symbol, node.clone()),
            },
            Self::Row(nodes) => Self::Row(all(nodes)),
            Self::Lines(lines) => Self::Lines(all(lines)),
            Self::Scripts { base, below, above } => {
                Self::Scripts { base: inner(base), below: other(below), above: other(above) }
            }
            Self::Limits { base, below, above } => {
                Self::Limits { base: inner(base), below: other(below), above: other(above) }
            }
            Self::Over(accent, node) => Self::Over(*accent, inner(node)),
            Self::Fraction(top, bottom) => Self::Fraction(inner(top), inner(bottom)),
            Self::Root(node) => Self::Root(inner(node)),
            Self::Fence(fence, node) => Self::Fence(*fence, inner(node)),
            Self::Cases(cases) => {
                Self::Cases(cases.iter().map(|(what, when)| (what.put_in(value), when.put_in(value))).collect())
            }
            Self::Letter(_) | Self::Word(_) | Self::Number(_) | Self::Sign(_) | Self::Space(_) => self.clone(),
        }
    }
}

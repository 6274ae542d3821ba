//! Checks: what must have happened before a step of a lesson is done.
//!
//! ```text
//! check  = part { "and" part }
//! part   = [ "not" ] term
//! term   = fact                 drawn, stolen: it holds now
//!        | deed                 stepped: it was done since the step began
//!        | "more" number        more strokes: the number has grown since the step began
//!        | "changed" value      changed cut: the value is another than when the step began
//!        | number op literal    cut >= 6; op is one of = != < <= > >=
//!        | choice op word       attacker = rmle; op is = or !=
//! ```
//!
//! [`WORDS`] has all facts, deeds, numbers and choices; a setting's key, as in `train.epochs`, is a number too. What is
//! not known yet, as the SSIM before there is a stolen image, holds neither plainly nor with `not`.

use std::fmt;

use super::moment::{Moment, Of, WORDS, Word};
use crate::setting::{Kind, near, shorten};
use crate::workbench;

/// Parts of one check at most.
const MOST_PARTS: usize = 8;

/// A check, read.
#[derive(Clone)]
pub struct Condition {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    negated: bool,
    test: Test,
}

#[derive(Clone)]
enum Test {
    Is(&'static Word),
    More(Subject),
    Changed(Subject),
    Number(Subject, Op, f64),
    Choice(&'static Word, Op, &'static str),
}

/// What has a value.
#[derive(Clone)]
enum Subject {
    Word(&'static Word),
    Setting(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Equal,
    Other,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// When a check is asked: now, when the step began, and whether its question was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct When<'a> {
    pub now: &'a Moment,
    pub start: &'a Moment,
    pub answered: bool,
}

impl Condition {
    /// Reads a check.
    ///
    /// # Errors
    /// What is wrong and what would do, in a sentence; also of a check that always holds, or never can.
    pub fn read(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Err("is empty: say what shows that it was done, as in \"drawn\" or \"cut >= 6\"".to_owned());
        }
        let parts: Vec<&[&str]> = tokens.split(|token| *token == "and").collect();
        if parts.len() > MOST_PARTS {
            return Err(format!("has {} parts; allowed are {MOST_PARTS}", parts.len()));
        }
        let parts = parts.into_iter().map(Part::read).collect::<Result<_, _>>()?;
        Ok(Self { text: text.trim().to_owned(), parts })
    }

    /// Whether all parts hold, of which one that is open does not.
    pub(super) fn holds(&self, when: When<'_>) -> bool {
        self.parts.iter().all(|part| part.holds(when) == Some(true))
    }

    /// Whether it can be passed only where a measurement comes out in one way, so that somebody may wait in vain.
    pub(super) fn needs_luck(&self) -> bool {
        let measured = |word: &Word| ["recognised", "ssim"].contains(&word.name);
        self.parts.iter().any(|part| match &part.test {
            Test::Is(word) | Test::More(Subject::Word(word)) | Test::Number(Subject::Word(word), ..) => measured(word),
            _ => false,
        })
    }

    /// Whether it waits for an answer.
    pub(super) fn needs_question(&self) -> bool {
        self.parts.iter().any(|part| matches!(&part.test, Test::Is(word) if matches!(word.of, Of::Answered)))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Words, numbers and signs, whether or not there are spaces between them.
fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let sign = |c: char| "=!<>".contains(c);
    let letter = |c: char| c.is_alphanumeric() || "._-+".contains(c);
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let fits: &dyn Fn(char) -> bool = if sign(first) { &sign } else { &letter };
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        if end == 0 {
            return Err(format!(
                "'{}' has no meaning here; a check is made of words, as in cut >= 6 and stolen",
                first.escape_default()
            ));
        }
        tokens.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    Ok(tokens)
}

impl Part {
    fn read(tokens: &[&str]) -> Result<Self, String> {
        let (negated, rest) = match tokens {
            ["not", rest @ ..] => (true, rest),
            all => (false, all),
        };
        Ok(Self { negated, test: Test::read(rest)? })
    }

    fn holds(&self, when: When<'_>) -> Option<bool> {
        self.test.holds(when).map(|holds| holds != self.negated)
    }
}

impl Test {
    fn read(tokens: &[&str]) -> Result<Self, String> {
        match tokens {
            [] => Err("a part is missing beside \"and\" or after \"not\"".to_owned()),
            ["more", name] => match Subject::named(name)? {
                Subject::Word(word) if !matches!(word.of, Of::Number(..)) => {
                    Err(format!("more {name}: {name} is no number that could grow"))
                }
                subject => Ok(Self::More(subject)),
            },
            ["changed", name] => match Subject::named(name)? {
                Subject::Word(word) if !matches!(word.of, Of::Number(..) | Of::Choice(..)) => {
                    Err(format!("changed {name}: {name} has no value; write \"{name}\" alone"))
                }
                subject => Ok(Self::Changed(subject)),
            },
            ["more" | "changed"] => Err(format!("{} what? as in more strokes, changed cut", tokens[0])),
            [name] => match Subject::named(name)? {
                Subject::Word(word) if matches!(word.of, Of::Fact(_) | Of::Answered | Of::Deed(_)) => {
                    Ok(Self::Is(word))
                }
                Subject::Word(word) => Err(format!("{name} needs a value to compare with: {}", word.example())),
                Subject::Setting(key) => Err(format!("{key} needs a value to compare with, as in {key} > 0.2")),
            },
            [name, op, value] if Op::read(op).is_some() => Self::compared(name, op, value),
            [name, op] if Op::read(op).is_some() => Err(format!("after \"{name} {op}\" a value is missing")),
            [name, sign, ..] if sign.chars().all(|c| "=!<>".contains(c)) => {
                Err(format!("after {}: allowed are = != < <= > >=, and then one value", shorten(name)))
            }
            [.., "or", _] | [_, "or", ..] => Err("there is no \"or\": take what both have in common".to_owned()),
            [first, second, ..] => {
                let (first, second) = (shorten(first), shorten(second));
                Err(format!("\"{first} {second}\": parts are joined by \"and\", as in drawn and stolen"))
            }
        }
    }

    fn compared(name: &str, sign: &str, value: &str) -> Result<Self, String> {
        let subject = Subject::named(name)?;
        let Some(op) = Op::read(sign) else { return Err(format!("{} is no comparison", shorten(sign))) };
        let range = match &subject {
            Subject::Setting(key) => setting_range(key),
            Subject::Word(Word { of: Of::Number(_, range), .. }) => *range,
            Subject::Word(word @ Word { of: Of::Choice(_, words), .. }) => {
                let all = words();
                let found = all.iter().find(|word| **word == value).copied();
                return match (found, op) {
                    (Some(found), Op::Equal | Op::Other) => Ok(Self::Choice(word, op, found)),
                    (Some(_), _) => Err(format!("{name} {sign}: {name} has no order; allowed are = and !=")),
                    (None, _) => {
                        let hint = hint(value, all.iter().copied());
                        Err(format!("{name} {sign} {}: allowed is {}{hint}", shorten(value), all.join(", ")))
                    }
                };
            }
            Subject::Word(_) => return Err(format!("{name} holds or does not: write \"{name}\" or \"not {name}\"")),
        };
        let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or_else(|| format!("{name} {sign} {}: this is no number", shorten(value)))?;
        let [least, most] = range;
        match op.over(least, most, number) {
            (true, true) => Ok(Self::Number(subject, op, number)),
            (false, _) => Err(format!("{name} {sign} {value} can never hold: {name} is from {least} to {most}")),
            (true, false) => Err(format!("{name} {sign} {value} always holds, so it checks nothing")),
        }
    }

    fn holds(&self, When { now, start, answered }: When<'_>) -> Option<bool> {
        match self {
            Self::Is(word) => match word.of {
                Of::Fact(of) => of(now),
                Of::Deed(of) => Some(of(now) > of(start)),
                Of::Answered => Some(answered),
                Of::Number(..) | Of::Choice(..) => None,
            },
            Self::More(subject) => Some(subject.number(now)? > subject.number(start)?),
            Self::Changed(Subject::Word(Word { of: Of::Choice(of, _), .. })) => Some(of(now) != of(start)),
            Self::Changed(subject) => Some(subject.number(now)? != subject.number(start)?),
            Self::Number(subject, op, number) => Some(op.holds(subject.number(now)?, *number)),
            Self::Choice(Word { of: Of::Choice(of, _), .. }, op, word) => {
                Some((of(now) == *word) == (*op == Op::Equal))
            }
            Self::Choice(..) => None,
        }
    }
}

impl Subject {
    fn named(name: &str) -> Result<Self, String> {
        if let Some(word) = WORDS.iter().find(|word| word.name == name) {
            return Ok(Self::Word(word));
        }
        if let Some(setting) = workbench::find(name) {
            return match setting.kind {
                Kind::Whole { .. } | Kind::Real { .. } => Ok(Self::Setting(setting.key)),
                _ => Err(format!("{name} is no number, and only settings that are numbers can be checked")),
            };
        }
        // A misspelt key is near another key, not near a word.
        let keys = workbench::settings().iter().map(|setting| setting.key).filter(|_| name.contains('.'));
        let hint = hint(name, WORDS.iter().map(|word| word.name).chain(["more", "changed", "not"]).chain(keys));
        Err(format!("unknown word \"{}\"{hint}", shorten(name)))
    }

    fn number(&self, moment: &Moment) -> Option<f64> {
        match self {
            Self::Word(Word { of: Of::Number(of, _), .. }) => of(moment),
            Self::Word(_) => None,
            Self::Setting(key) => moment.settings.get(*key).copied(),
        }
    }
}

fn setting_range(key: &str) -> [f64; 2] {
    match workbench::find(key).map(|setting| setting.kind) {
        Some(Kind::Whole { min, max }) => [min as f64, max as f64],
        Some(Kind::Real { min, max, .. }) => [min, max],
        _ => [f64::NEG_INFINITY, f64::INFINITY],
    }
}

/// `; did you mean "drawn"?`, or nothing.
pub(super) fn hint<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> String {
    near(word, among).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default()
}

impl Op {
    fn read(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "!=" => Self::Other,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::More,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    fn holds(self, value: f64, number: f64) -> bool {
        match self {
            Self::Equal => value == number,
            Self::Other => value != number,
            Self::Less => value < number,
            Self::AtMost => value <= number,
            Self::More => value > number,
            Self::AtLeast => value >= number,
        }
    }

    /// Whether it holds for some value of a range, and whether it fails for some.
    fn over(self, least: f64, most: f64, number: f64) -> (bool, bool) {
        let inside = least <= number && number <= most;
        let [low, high] = [least, most].map(|end| self.holds(end, number));
        match self {
            Self::Equal => (inside, true),
            Self::Other => (true, inside),
            _ => (low || high, !(low && high)),
        }
    }
}

#[cfg(test)]
mod tests;

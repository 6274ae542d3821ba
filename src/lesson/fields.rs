//! The fields of a TOML document, read one by one, with every problem at its own line.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::condition::hint;
use crate::setting::shorten;

/// Something wrong in a file, or worth a thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The field, as in `step[3].check`; empty where it is none's.
    pub field: String,
    /// What is wrong and what would do.
    pub text: String,
}

impl fmt::Display for Problem {
    /// `12: field step[3].check: what is wrong`, which an editor reads behind the file's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, text } = self;
        if field.is_empty() { write!(f, "{line}: {text}") } else { write!(f, "{line}: field {field}: {text}") }
    }
}

/// Where the lines of a text begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line of a byte, from 1.
    pub fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|end| *end < byte) + 1
    }
}

/// Collects what is wrong while a document is read.
pub(super) struct Reader {
    pub lines: Lines,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

/// A table of the document.
#[derive(Clone)]
pub(super) struct Fields<'a, 't> {
    table: &'a DeTable<'t>,
    /// What comes before its fields' names: `step[3].`, or nothing.
    prefix: String,
    /// Where it stands.
    span: Range<usize>,
}

/// A value of the document, with its field's name.
pub(super) struct Field<'a, 't> {
    pub name: String,
    pub value: &'a DeValue<'t>,
    pub span: Range<usize>,
}

impl<'a, 't> Fields<'a, 't> {
    pub fn new(table: &'a DeTable<'t>, prefix: String, span: Range<usize>) -> Self {
        Self { table, prefix, span }
    }

    pub fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub fn get(&self, key: &str) -> Option<Field<'a, 't>> {
        let value = self.table.get(key)?;
        Some(Field { name: self.name(key), value: value.get_ref(), span: value.span() })
    }

    fn keys(&self) -> impl Iterator<Item = &'a Spanned<DeString<'t>>> {
        self.table.keys()
    }
}

impl Reader {
    pub fn new(text: &str) -> Self {
        Self { lines: Lines::of(text), problems: Vec::new(), warnings: Vec::new() }
    }

    pub fn problem(&mut self, field: &str, span: &Range<usize>, text: impl Into<String>) {
        let line = self.lines.at(span.start);
        self.problems.push(Problem { line, field: field.to_owned(), text: text.into() });
    }

    pub fn warn(&mut self, field: &str, span: &Range<usize>, text: impl Into<String>) {
        let line = self.lines.at(span.start);
        self.warnings.push(Problem { line, field: field.to_owned(), text: text.into() });
    }

    /// Says which fields are none of these.
    pub fn only(&mut self, fields: &Fields<'_, '_>, known: &[&str]) {
        for key in fields.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name: &str = key.get_ref();
            let hint = hint(name, known.iter().copied());
            let hint = if hint.is_empty() { format!("; there are {}", known.join(", ")) } else { hint };
            self.problem(&shorten(&fields.name(name)), &key.span(), format!("no such field{hint}"));
        }
    }

    fn missing(&mut self, fields: &Fields<'_, '_>, key: &str, wanted: &str) {
        self.problem(&fields.name(key), &fields.span, format!("is missing: {wanted}"));
    }

    fn wrong<T>(&mut self, field: &Field<'_, '_>, wanted: &str) -> Option<T> {
        let text = format!("is {}; it must be {wanted}", a(field.value.type_str()));
        self.problem(&field.name, &field.span, text);
        None
    }

    /// A text that must be there.
    pub fn text(&mut self, fields: &Fields<'_, '_>, key: &str, most: usize) -> Option<String> {
        if let Some(field) = fields.get(key) {
            return self.text_of(&field, most);
        }
        self.missing(fields, key, "a text in quotes");
        None
    }

    /// One paragraph of a limited length, its spaces and line breaks as one space each.
    pub fn text_of(&mut self, field: &Field<'_, '_>, most: usize) -> Option<String> {
        let Some(text) = field.value.as_str() else { return self.wrong(field, "a text in quotes") };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let length = text.chars().count();
        if text.is_empty() {
            self.problem(&field.name, &field.span, "is empty");
        } else if let Some(odd) = text.chars().find(|c| c.is_control() || is_invisible(*c)) {
            self.problem(&field.name, &field.span, format!("has the invisible character {}", odd.escape_unicode()));
        } else if length > most {
            self.problem(&field.name, &field.span, format!("has {length} characters; allowed are {most}"));
        } else {
            return Some(text);
        }
        None
    }

    /// One of some words; the first where the field is left out and need not be there.
    pub fn choice(
        &mut self,
        fields: &Fields<'_, '_>,
        key: &str,
        words: &[&'static str],
        must: bool,
    ) -> Option<&'static str> {
        let wanted = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let Some(field) = fields.get(key) else {
            if must {
                self.missing(fields, key, &format!("one of {wanted}"));
                return None;
            }
            return words.first().copied();
        };
        let Some(text) = field.value.as_str() else { return self.wrong(&field, &format!("one of {wanted}")) };
        let found = words.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let hint = hint(text, words.iter().copied());
            self.problem(&field.name, &field.span, format!("\"{}\": allowed is {wanted}{hint}", shorten(text)));
        }
        found
    }

    /// True or false; false where the field is left out.
    pub fn switch(&mut self, fields: &Fields<'_, '_>, key: &str) -> Option<bool> {
        let Some(field) = fields.get(key) else { return Some(false) };
        field.value.as_bool().or_else(|| self.wrong(&field, "true or false, without quotes"))
    }

    /// A whole number of a range.
    pub fn whole(&mut self, field: &Field<'_, '_>, range: &Range<u32>) -> Option<u32> {
        let wanted = format!("a whole number from {} to {}", range.start, range.end - 1);
        let Some(whole) = field.value.as_integer() else { return self.wrong(field, &wanted) };
        let found = u32::from_str_radix(whole.as_str(), whole.radix()).ok().filter(|found| range.contains(found));
        if found.is_none() {
            self.problem(&field.name, &field.span, format!("{}: allowed is {wanted}", shorten(&whole.to_string())));
        }
        found
    }

    /// A whole number that must be there.
    pub fn whole_at(&mut self, fields: &Fields<'_, '_>, key: &str, range: &Range<u32>) -> Option<u32> {
        if let Some(field) = fields.get(key) {
            return self.whole(&field, range);
        }
        self.missing(fields, key, &format!("a whole number from {} to {}", range.start, range.end - 1));
        None
    }

    /// The entries of a list, each with its name: `step[3].answers[0]`.
    pub fn list<'a, 't>(&mut self, field: &Field<'a, 't>, wanted: &str) -> Option<Vec<Field<'a, 't>>> {
        let Some(list) = field.value.as_array() else { return self.wrong(field, wanted) };
        let entry = |(i, value): (usize, &'a Spanned<DeValue<'t>>)| Field {
            name: format!("{}[{i}]", field.name),
            value: value.get_ref(),
            span: value.span(),
        };
        Some(list.iter().enumerate().map(entry).collect())
    }

    /// A table with the fields that follow its header.
    pub fn table<'a, 't>(&mut self, field: &Field<'a, 't>) -> Option<Fields<'a, 't>> {
        let Some(table) = field.value.as_table() else { return self.wrong(field, "a section with fields of its own") };
        Some(Fields::new(table, format!("{}.", field.name), field.span.clone()))
    }
}

/// Characters that show nothing and turn the direction of a text, or hide in it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A TOML type in words.
fn a(kind: &str) -> &str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        _ => "a section",
    }
}

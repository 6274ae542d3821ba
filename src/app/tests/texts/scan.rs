//! Texts in quotes as they stand in the code, each with what is around it: enough of Rust's grammar for that.

/// A text in quotes.
#[derive(Debug)]
pub struct Quoted {
    pub line: usize,
    /// What it says, escapes put in.
    pub text: String,
    /// The calls that it is an argument of, the innermost last: `t!`, `.on_hover_text`, `Id::unique`.
    pub inside: Vec<String>,
    /// Whether it is the first argument of the innermost.
    pub first: bool,
    /// Whether it is compared with something: an operand of `==`, or a pattern.
    pub compared: bool,
}

impl Quoted {
    /// Whether one of these calls has it.
    pub fn is_in(&self, calls: &[&str]) -> bool {
        self.inside.iter().any(|call| calls.contains(&call.as_str()))
    }
}

/// All of a file but its tests, comments and attributes.
pub fn quoted(source: &str) -> Vec<Quoted> {
    let source = &source[..source.find("mod tests {").unwrap_or(source.len())];
    let mut scan = Scan { source, at: 0, word: String::new(), inside: Vec::new(), all: Vec::new() };
    while scan.step() {}
    scan.all
}

struct Scan<'a> {
    source: &'a str,
    at: usize,
    /// The path before the place: `Id::unique`, `.label`, `t!`.
    word: String,
    inside: Vec<String>,
    all: Vec<Quoted>,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// Goes on behind the first of something, or to the end.
    fn skip(&mut self, until: &str) {
        self.at += self.rest().find(until).map_or(self.rest().len(), |at| at + until.len());
    }

    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return false };
        if rest.starts_with("//") {
            self.skip("\n");
        } else if rest.starts_with("#[") || rest.starts_with("#![") {
            self.skip("]\n");
        } else if first == '"' {
            self.plain();
        } else if let Some(hashes) = raw(rest) {
            self.at += hashes + 2;
            self.skip(&format!("\"{}", "#".repeat(hashes)));
            self.word.clear();
        } else if first == '\'' {
            self.letter();
        } else {
            self.other(first);
        }
        true
    }

    fn other(&mut self, first: char) {
        match first {
            '(' | '[' | '{' => self.inside.push(std::mem::take(&mut self.word)),
            ')' | ']' | '}' => {
                self.inside.pop();
                self.word.clear();
            }
            _ if first == '_' || first == '!' || first == '.' || first == ':' || first.is_alphanumeric() => {
                // A path goes on behind `::`; a call on a value begins with its dot.
                if first == '.' {
                    self.word.clear();
                }
                self.word.push(first);
            }
            _ => self.word.clear(),
        }
        self.at += first.len_utf8();
    }

    /// A letter in quotes, or a lifetime.
    fn letter(&mut self) {
        let rest = self.rest();
        let long = if rest[1..].starts_with('\\') {
            rest[3..].find('\'').map(|end| end + 4)
        } else {
            rest[1..]
                .chars()
                .next()
                .map(char::len_utf8)
                .filter(|long| rest[1 + long..].starts_with('\''))
                .map(|l| l + 2)
        };
        self.at += long.unwrap_or(1);
        self.word.clear();
    }

    fn plain(&mut self) {
        let (begin, body) = (self.at, &self.source[self.at + 1..]);
        let mut end = 0;
        while !body[end..].starts_with('"') {
            let letter = body[end..].chars().next().expect("the text ends");
            end += if letter == '\\' { 2 } else { letter.len_utf8() };
        }
        self.at += end + 2;
        let (before, after) = (self.source[..begin].trim_end(), self.rest().trim_start());
        let compared = before.ends_with("==")
            || before.ends_with("!=")
            || ["==", "!=", "=>"].iter().any(|sign| after.starts_with(sign))
            || (after.starts_with('|') && !after.starts_with("||"))
            || (before.ends_with('|') && !before.ends_with("||"));
        let first = before.ends_with(['(', '[']);
        let line = 1 + self.source[..begin].matches('\n').count();
        let inside = self.inside.iter().filter(|call| !call.is_empty()).cloned().collect();
        self.all.push(Quoted { line, text: cooked(&body[..end]), inside, first, compared });
        self.word.clear();
    }
}

/// How many signs `#` a raw text begins with.
fn raw(text: &str) -> Option<usize> {
    let behind = text.strip_prefix('r')?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    behind[hashes..].starts_with('"').then_some(hashes)
}

/// A text with its escapes put in.
fn cooked(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let sign = rest[at + 1..].chars().next().unwrap();
        rest = &rest[at + 2..];
        match sign {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            '\n' => rest = rest.trim_start(),
            'u' => {
                let (code, behind) = rest[1..].split_once('}').unwrap();
                text.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32).unwrap());
                rest = behind;
            }
            sign => text.push(sign),
        }
    }
    text + rest
}

#[test]
fn texts_are_found_with_what_is_around_them() {
    let code = concat!(
        "//! \"no\"\n#[doc = \"no\"]\nfn f<'a>(x: &'a str) -> &str {\n",
        "    let c = '\"'; if x == \"key\" { t!(\"One {n}\\\n        line\", n = g(\"a b\")) } else { r#\"raw\"# }\n",
        "    ui.label(\"\\u{2026}\").show(|ui| match x { \"k\" | \"l\" => Id::unique(\"id\") })\n}\n",
        "#[cfg(test)]\nmod tests {\n \"no\" }"
    );
    let all = quoted(code);
    let seen: Vec<(&str, &str, bool)> =
        all.iter().map(|one| (one.text.as_str(), one.inside.last().map_or("", String::as_str), one.compared)).collect();
    let wanted = [
        ("key", "", true),
        ("One {n}line", "t!", false),
        ("a b", "g", false),
        ("\u{2026}", ".label", false),
        ("k", ".show", true),
        ("l", ".show", true),
        ("id", "Id::unique", false),
    ];
    assert_eq!(seen.iter().map(|one| one.0).collect::<Vec<_>>(), wanted.map(|one| one.0));
    for (seen, wanted) in seen.iter().zip(wanted) {
        assert_eq!(seen.2, wanted.2, "{seen:?}");
        assert!(wanted.1.is_empty() || seen.1 == wanted.1 || wanted.2, "{seen:?}");
    }
    assert_eq!(all[0].line, 4);
}

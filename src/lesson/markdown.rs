//! As much of Markdown as instructor's notes need: headings, paragraphs, lists.

use std::fmt::Write as _;

use crate::report::html::escaped;

/// What is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Nothing,
    Paragraph,
    Bullets,
    Numbers,
}

impl Block {
    fn tags(self) -> [&'static str; 2] {
        match self {
            Self::Nothing => ["", ""],
            Self::Paragraph => ["<p>", "</p>\n"],
            Self::Bullets => ["<ul>\n<li>", "</li>\n</ul>\n"],
            Self::Numbers => ["<ol>\n<li>", "</li>\n</ol>\n"],
        }
    }
}

/// Notes as HTML, all of whose text is escaped. Their headings begin at the second level.
pub(super) fn html(text: &str) -> String {
    let mut html = String::new();
    let mut open = Block::Nothing;
    for line in text.lines() {
        let trimmed = line.trim();
        let hashes = trimmed.chars().take_while(|c| *c == '#').count();
        let heading = trimmed[hashes..].strip_prefix(' ').filter(|_| (1..=5).contains(&hashes));
        let item = item(trimmed);
        if trimmed.is_empty() {
            html.push_str(open.tags()[1]);
            open = Block::Nothing;
        } else if let Some(words) = heading {
            html.push_str(open.tags()[1]);
            open = Block::Nothing;
            let level = hashes + 1;
            let _ = writeln!(html, "<h{level}>{}</h{level}>", escaped(words));
        } else if let Some((block, words)) = item {
            if open == block {
                html.push_str("</li>\n<li>");
            } else {
                html.push_str(open.tags()[1]);
                html.push_str(block.tags()[0]);
                open = block;
            }
            html.push_str(&escaped(words));
        } else {
            if open == Block::Nothing {
                open = Block::Paragraph;
                html.push_str(open.tags()[0]);
            } else {
                html.push(' ');
            }
            html.push_str(&escaped(trimmed));
        }
    }
    html.push_str(open.tags()[1]);
    html
}

/// An entry of a list: `- words` or `1. words`.
fn item(line: &str) -> Option<(Block, &str)> {
    if let Some(words) = line.strip_prefix("- ") {
        return Some((Block::Bullets, words));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let words = line[digits..].strip_prefix(". ").filter(|_| digits > 0)?;
    Some((Block::Numbers, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_paragraphs_and_lists_are_written_and_all_else_is_text() {
        let notes = "# Title\n\nOne line\nand <b>more</b>.\n- a\n- b\n  goes on\n1. c\n2. d\n\n#none\n2.5 is a number";
        let html = html(notes);
        assert_eq!(
            html,
            "<h2>Title</h2>\n<p>One line and &lt;b&gt;more&lt;/b&gt;.</p>\n<ul>\n<li>a</li>\n<li>b goes \
             on</li>\n</ul>\n<ol>\n<li>c</li>\n<li>d</li>\n</ol>\n<p>#none 2.5 is a number</p>\n"
        );
        assert_eq!(super::html(""), "");
    }
}

//! HTML and SVG as text: escaping, tables, pictures.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A text in which no character has a meaning in HTML or XML. Control characters, which XML does not have, become spaces.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number with its sign and so many digits; nothing is neither more nor less.
pub fn signed(x: f64, digits: usize) -> String {
    let text = format!("{x:+.digits$}");
    let nothing = !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    if nothing { text[1..].to_owned() } else { text.replacen('-', "−", 1) }
}

/// A paragraph.
pub fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escaped(text))
}

/// A list; nothing of nothing.
pub fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("<li>{}</li>\n", escaped(item.as_ref()))).collect();
    if items.is_empty() { String::new() } else { format!("<ul>\n{}</ul>\n", items.concat()) }
}

/// A table: its caption, its headings, and rows of as many cells; the first `texts` columns are words.
pub fn table(caption: &str, heading: &[&str], texts: usize, rows: &[Vec<String>]) -> String {
    let class = |column: usize| if column < texts { " class=\"text\"" } else { "" };
    let mut html = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table>\n<caption>{caption}</caption>\n<thead><tr>",
        caption = escaped(caption)
    );
    for (column, words) in heading.iter().enumerate() {
        let _ = write!(html, "<th scope=\"col\"{}>{}</th>", class(column), escaped(words));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(html, "<td{}>{}</td>", class(column), escaped(cell));
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody>\n</table></div>\n"
}

/// Something that can be folded away; folded, it is not printed.
pub fn folding(heading: &str, inside: &str, open: bool) -> String {
    let open = if open { " open" } else { "" };
    format!("<details{open}><summary>{}</summary>\n{inside}</details>\n", escaped(heading))
}

/// A PNG inside the page.
pub fn picture(png: &[u8], alt: &str, caption: &str) -> String {
    format!(
        "<figure><img alt=\"{}\" src=\"data:image/png;base64,{}\"><figcaption>{}</figcaption></figure>\n",
        escaped(alt),
        STANDARD.encode(png),
        escaped(caption)
    )
}

/// In the place of a picture that could not be read.
pub fn missing(caption: &str) -> String {
    format!("<figure><figcaption>{}</figcaption></figure>\n", escaped(caption))
}

/// A drawing with what it shows in words, for those who do not see it.
pub fn drawing(id: &str, size: [f64; 2], title: &str, description: &str, inside: &str) -> String {
    let [width, height] = size;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{inside}</svg>\n",
        escaped(title),
        escaped(description)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(escaped("a<b> & \"c\" 'd'\u{1}"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; ");
        assert!(table("<t>", &["<h>"], 1, &[vec!["<c>".to_owned()]]).matches("&lt;").count() >= 4);
        assert_eq!(list(Vec::<String>::new()), "");
        assert_eq!([signed(-0.04, 1), signed(0.04, 1), signed(-0.06, 1), signed(2.0, 0)], ["0.0", "0.0", "−0.1", "+2"]);
        assert!(
            picture(b"png", "what \"it\" shows", "")
                .contains("alt=\"what &quot;it&quot; shows\" src=\"data:image/png;base64,cG5n\"")
        );
    }
}

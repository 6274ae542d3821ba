//! The whole page.

use std::path::PathBuf;

use super::read::{Run, Runs};
use super::*;
use crate::run::summary::Summary;

fn runs(summaries: Vec<Summary>) -> Runs {
    let run = |(i, summary): (usize, Summary)| Run { folder: PathBuf::from(format!("run-{i}")), summary, data: None };
    Runs { finished: summaries.into_iter().enumerate().map(run).collect(), unfinished: vec!["/x/half".into()] }
}

fn some() -> Runs {
    let mut all: Vec<Summary> = (0..3).map(samples::summary).collect();
    all.extend((0..3).map(|seed| samples::defended(seed, "dropout", &[])));
    all.push(samples::with(0, &["model.cut=2"]));
    all.push(samples::defended(0, "dropout", &["defence.dropout.p=0.7"]));
    runs(all)
}

#[test]
fn the_page_needs_nothing_else_and_never_says_the_word() {
    let page = page(&some());
    for wanted in [
        "Without a defence (cut 5), this cut leaks.",
        "Opinion 28/2024",
        "insignificant",
        "all the means reasonably likely to be used",
        "Not for clinical use",
        "Not finished, and not in this report: half",
        "Where to cut",
        "What knowing the defence gives",
        "its parts switched on and off",
    ] {
        assert!(page.contains(wanted), "no {wanted}");
    }
    let lower = page.to_lowercase();
    for never in ["safe", "<script", "http://", "https://", "href=", "@import", "url("] {
        // A name of a language, and a browser's own word, which nobody reads.
        let read = lower.replace("http://www.w3.org/2000/svg", "").replace("'unsafe-inline'", "");
        assert!(!read.contains(never), "{never}");
    }
}

#[test]
fn every_tag_is_closed_and_every_picture_has_words() {
    let page = page(&some());
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed out of turn");
        } else if !tag.ends_with('/') && !matches!(name, "meta" | "img" | "!DOCTYPE") {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} are open");
    let drawings = page.matches("<svg ").count();
    assert!(
        drawings >= 5
            && page.matches("<title id=").count() == drawings
            && page.matches("<desc id=").count() == drawings
    );
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(ids.iter().enumerate().all(|(i, id)| !ids[..i].contains(id)), "{ids:?}");
}

#[test]
fn where_there_is_no_verdict_the_page_says_why_and_what_is_needed() {
    let mut run = samples::summary(0);
    run.attacks[0].images = 8;
    run.attacks[0].judged.as_mut().unwrap().lead.as_mut().unwrap().p = 1.0;
    let all = runs(vec![run]);
    let page = page(&all);
    for wanted in ["Without a defence: no verdict.", "At most 8 images were attacked", "what is needed:", "--images 64"]
    {
        assert!(page.contains(wanted), "no {wanted}");
    }
    let told = told(&all);
    assert!(told.len() == 1 && told[0].starts_with("Without a defence: no verdict.\n  At most 8"), "{told:?}");
}

#[test]
fn nothing_of_a_run_is_markup() {
    let mut run = samples::summary(0);
    run.machine.processor = "<b>&\"".to_owned();
    run.class_names = vec!["<i>".to_owned(); 10];
    run.rows[0].confusion = Some(vec![vec![1; 10]; 10]);
    let page = page(&runs(vec![run]));
    assert!(page.contains("&lt;b&gt;&amp;&quot;") && page.contains("as &lt;i&gt;"));
    assert!(!page.contains("<b>") && !page.contains("<i>"));
}

//! The document with its history as a session's file keeps it: each text once, pages by their places among these.

use serde::{Deserialize, Serialize};

use super::{Document, Page, Point};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::place::{found, written};

/// Undo points that a session keeps, and as many of Redo.
const POINTS: usize = 30;

/// A document and its history, as texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedDocument {
    /// Experiments as TOML.
    texts: Vec<String>,
    past: Vec<SavedPage>,
    now: SavedPage,
    /// The next one last.
    future: Vec<SavedPage>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct SavedPage {
    /// Places among the texts.
    experiment: usize,
    kept: usize,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl SavedDocument {
    /// A document as it is.
    pub fn of(document: &Document) -> Self {
        let mut texts = Vec::new();
        let mut page = |page: &Page| SavedPage {
            experiment: place(&mut texts, page.experiment.to_toml()),
            kept: place(&mut texts, page.kept.to_toml()),
            name: page.name.clone(),
            path: page.path.as_deref().map(written),
        };
        let last = |points: &[Point]| points.len().saturating_sub(POINTS);
        let now = page(&document.page);
        let past = document.past[last(&document.past)..].iter().map(|point| page(&point.page)).collect();
        let future = document.future[last(&document.future)..].iter().map(|point| page(&point.page)).collect();
        Self { texts, past, now, future }
    }

    /// The document again.
    ///
    /// # Errors
    /// Returns an error if a text is no experiment, or a page has none.
    pub fn document(&self) -> Result<Document> {
        let read = |text: &String| {
            let experiment = Experiment::from_toml(text, "the last session")?;
            experiment.validate().map(|()| experiment)
        };
        let experiments = self.texts.iter().map(read).collect::<Result<Vec<_>>>()?;
        let page = |saved: &SavedPage| -> Result<Page> {
            let of = |at: usize| {
                experiments.get(at).cloned().ok_or_else(|| Error::input("the last session lacks an experiment"))
            };
            let path = saved.path.as_ref().map(found).transpose()?;
            Ok(Page { experiment: of(saved.experiment)?, name: saved.name.clone(), path, kept: of(saved.kept)? })
        };
        let mut number = 0;
        let mut point = |saved: &SavedPage| -> Result<Point> {
            number += 1;
            Ok(Point { page: page(saved)?, number })
        };
        let past = self.past.iter().take(super::UNDO_POINTS).map(&mut point).collect::<Result<Vec<_>>>()?;
        let now = point(&self.now)?;
        let future = self.future.iter().take(super::UNDO_POINTS).map(&mut point).collect::<Result<Vec<_>>>()?;
        Ok(Document { page: now.page, number: now.number, last: number, past, future, held: None })
    }
}

fn place(texts: &mut Vec<String>, text: String) -> usize {
    texts.iter().position(|known| *known == text).unwrap_or_else(|| {
        texts.push(text);
        texts.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_with_its_way_back_and_forth() {
        let mut document = Document::new(Experiment::preset("quick").unwrap());
        for seed in 1..=POINTS + 5 {
            document.set("seed", &seed.to_string()).unwrap();
            document.settle();
        }
        document.set("train.epochs", "9").unwrap();
        assert!(document.undo() && document.undo());
        let saved = SavedDocument::of(&document);
        let text = serde_json::to_string(&saved).unwrap();
        let mut back = serde_json::from_str::<SavedDocument>(&text).unwrap().document().unwrap();
        assert_eq!((back.experiment(), back.name(), back.changed()), (document.experiment(), "quick", true));
        assert_eq!(back.history(), (POINTS, 2));
        assert!(back.redo() && back.redo() && !back.redo());
        assert_eq!(back.experiment().train.epochs, 9);
        assert!(back.undo() && back.undo() && back.undo());
        assert_eq!(back.experiment().seed, document.experiment().seed - 1);
        let broken = SavedDocument { texts: vec!["seed = \"x\"".to_owned()], ..saved.clone() };
        assert!(broken.document().is_err());
        assert!(SavedDocument { texts: Vec::new(), ..saved }.document().is_err());
    }
}

//! The window's language: which there are, which is chosen, and the choice in the menu View.

use eframe::egui::{Context, Ui};

use super::choice::selectable_ui;
use super::runner::Runner;
use super::{Act, App, Look, View};
use crate::error::{Error, Result};
use crate::texts::language::{FOLDER, VARIABLE, languages};
use crate::texts::{self, Found};

/// How English is chosen, where the environment asks for another language.
const ENGLISH: &str = "en";

/// Which languages there are, and which one is spoken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Speaks<'a> {
    /// The translations that were found.
    pub languages: &'a [Found],
    /// The chosen one's id; none is English.
    pub chosen: Option<&'a str>,
}

/// What a window knows of languages.
#[derive(Debug, Default)]
pub struct Language {
    /// The translations that were found when it opened.
    all: Vec<Found>,
    /// The id of the one that is spoken; none is English.
    spoken: Option<String>,
}

impl Language {
    /// What views look at.
    pub fn speaks(&self) -> Speaks<'_> {
        Speaks { languages: &self.all, chosen: self.spoken.as_deref() }
    }
}

/// Draws the choice, where there is more than English.
pub fn language_ui(ui: &mut Ui, look: Look<'_>, acts: &mut Vec<Act>) {
    if look.speaks.languages.is_empty() {
        return;
    }
    ui.menu_button(t!("Language"), |ui| {
        let translations = look.speaks.languages.iter().map(|found| (Some(found.id.as_str()), found.name.as_str()));
        for (id, name) in std::iter::once((None, "English")).chain(translations) {
            if selectable_ui(ui, look.speaks.chosen == id, name).clicked() {
                acts.push(Act::Language(id.map(str::to_owned)));
                ui.close();
            }
        }
    })
    .response
    .on_hover_text(t!("What the window speaks. The command line, errors and files stay English"));
}

impl App {
    /// Speaks as was chosen last, or as the environment asks.
    pub(super) fn speak_first(&mut self) {
        self.language.all = languages(&self.home);
        let asked = std::env::var(VARIABLE).ok().filter(|asked| !asked.is_empty());
        let wanted = asked.or_else(|| self.memory.language.clone()).filter(|id| id != ENGLISH);
        if let Err(error) = self.speak(wanted.as_deref()) {
            self.warn(format!("the window speaks English: {error}"));
        }
    }

    /// Speaks another language from now on; none is English.
    pub(super) fn speak_now(&mut self, id: Option<&str>, ctx: &Context) -> Result<()> {
        // What is typed in a note is kept before the views are made anew, in the new language.
        self.keep_notes(ctx, true);
        self.speak(id)?;
        // It was said in the other language.
        self.said.clear();
        self.memory.language = id.map(str::to_owned);
        let View { pad, maps, wipe, formula, .. } = std::mem::take(&mut self.view);
        self.view = View { pad, maps, wipe, formula, ..View::default() };
        self.remember();
        Ok(())
    }

    fn speak(&mut self, id: Option<&str>) -> Result<()> {
        let Some(id) = id else {
            self.language.spoken = None;
            texts::choose(None);
            return Ok(());
        };
        let found = self.language.all.iter().find(|found| found.id == id).ok_or_else(|| {
            let folder = self.home.join(FOLDER);
            Error::input(format!("there is no language \"{id}\", which would be {id}.toml in {}", folder.display()))
        })?;
        let (language, warning) = texts::Language::open(&found.path)?;
        texts::choose(Some(language));
        self.language.spoken = Some(id.to_owned());
        if let Some(warning) = warning {
            self.warn(warning);
        }
        Ok(())
    }

    fn warn(&mut self, text: String) {
        tracing::warn!("{text}");
        let at = self.runner.as_ref().map_or_else(Default::default, Runner::elapsed);
        self.state.say(at, format!("{}{text}", t!("Warning: ")));
        self.toasts.say(text, true);
    }
}

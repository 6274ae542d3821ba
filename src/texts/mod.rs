//! What the window says, and the same in another language.
//!
//! English stands where it is used, so that the code reads as the window does: `t!("Run")`, and with values
//! `t!("epoch {n} of {total}", n, total = all.len())`. Texts that stand in tables, which are made before a language is
//! chosen, are marked there with `later!("…")` and said where they are shown, with [`say`]. All of them are in one
//! table, `assets/texts/en.toml`, which a test makes from the code; a translation is a copy of it, filled in
//! ([`language`]).
//!
//! Without a translation a text costs an atomic load. Command line, errors and files stay English: programs read them.

pub mod language;

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::{Arguments, Display};

pub use language::{Found, Language};

/// A text of the window in the chosen language: `&'static str`, or with values a `String`.
///
/// A value is given by its place's name, `t!("{n} of {all}", n, all = runs.len())`; `n` alone is `n = n`. It is shown
/// by `Display`, and a place may fix its digits: `{n:.1}`. Each value is evaluated once.
macro_rules! t {
    (@value $name:ident) => { $name };
    (@value $name:ident = $value:expr) => { $value };
    ($english:literal $(,)?) => { $crate::texts::say($english) };
    ($english:literal, $($name:ident $(= $value:expr)?),+ $(,)?) => {
        match ($(&t!(@value $name $(= $value)?),)+) {
            // `concat!` forbids places whose value is not given by name.
            ($($name,)+) => $crate::texts::told(
                $english,
                format_args!(concat!($english), $($name = $name),+),
                &[$((stringify!($name), $name)),+],
            ),
        }
    };
}

/// Marks a text of a table, which [`say`](crate::texts::say) translates where it is shown.
macro_rules! later {
    ($english:literal) => {
        $english
    };
}

/// A text in the chosen language: the English one where there is no other.
pub fn say(english: &str) -> &str {
    said(english).unwrap_or(english)
}

fn said(english: &str) -> Option<&'static str> {
    let language = chosen()?;
    let text = language.text(english);
    #[cfg(test)]
    if text.is_none() && !english.is_empty() {
        now::MISSED.with_borrow_mut(|missed| missed.insert(english.to_owned()));
    }
    text
}

/// Texts that were asked for and have no translation, since the last call on this thread.
#[cfg(test)]
pub(crate) fn missed() -> Vec<String> {
    now::MISSED.take().into_iter().collect()
}

/// A text with values. What [`t!`](crate::texts) comes to.
pub fn told(english: &str, plain: Arguments<'_>, values: &[(&str, &dyn Display)]) -> String {
    said(english).and_then(|text| language::filled(text, values)).unwrap_or_else(|| std::fmt::format(plain))
}

/// Says everything in a language from now on, or in English. A chosen language stays in memory, some hundreds of
/// kilobytes, since its texts are handed out for good.
pub fn choose(language: Option<Language>) {
    now::put(language.map(|language| &*Box::leak(Box::new(language))));
}

/// What is made of texts once, for each language that is chosen.
#[derive(Debug)]
pub struct PerLanguage<T: 'static>(std::sync::Mutex<Option<HashMap<usize, &'static T>>>);

impl<T> PerLanguage<T> {
    /// Nothing made yet.
    pub const fn new() -> Self {
        Self(std::sync::Mutex::new(None))
    }

    /// What was made for the chosen language, or is made now. Like the language it stays in memory.
    pub fn get(&self, make: impl FnOnce() -> T) -> &'static T {
        let key = chosen().map_or(0, |language| std::ptr::from_ref(language).addr());
        let mut made = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        made.get_or_insert_default().entry(key).or_insert_with(|| Box::leak(Box::new(make())))
    }
}

impl<T> Default for PerLanguage<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Does something in English: what is compared with a name or written to a file that programs read.
pub fn english<T>(of: impl FnOnce() -> T) -> T {
    /// Puts things back, even after a panic.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            ENGLISH.set(self.0);
        }
    }
    let _before = Before(ENGLISH.replace(true));
    of()
}

thread_local!(static ENGLISH: Cell<bool> = const { Cell::new(false) });

fn chosen() -> Option<&'static Language> {
    now::get().filter(|_| !ENGLISH.get())
}

/// The chosen language of the program.
#[cfg(not(test))]
mod now {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{PoisonError, RwLock};

    use super::Language;

    static ANY: AtomicBool = AtomicBool::new(false);
    static CHOSEN: RwLock<Option<&'static Language>> = RwLock::new(None);

    pub fn get() -> Option<&'static Language> {
        if ANY.load(Ordering::Acquire) { *CHOSEN.read().unwrap_or_else(PoisonError::into_inner) } else { None }
    }

    pub fn put(language: Option<&'static Language>) {
        *CHOSEN.write().unwrap_or_else(PoisonError::into_inner) = language;
        ANY.store(language.is_some(), Ordering::Release);
    }
}

/// In tests, which go on side by side, each thread has its own.
#[cfg(test)]
mod now {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;

    use super::Language;

    thread_local! {
        static CHOSEN: Cell<Option<&'static Language>> = const { Cell::new(None) };
        pub static MISSED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    }

    pub fn get() -> Option<&'static Language> {
        CHOSEN.get()
    }

    pub fn put(language: Option<&'static Language>) {
        CHOSEN.set(language);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backwards() -> Language {
        let text = "name = \"Test\"\n[texts]\n\"Run\" = \"Los\"\n\
                    \"{done} of {total}\" = \"von {total} sind {done} fertig\"\n\"{share:.1} %\" = \"Anteil {share:.1}\"";
        let table = "name = \"English\"\n[texts]\n\"Run\" = \"\"\n\"Stop\" = \"\"\n\"{done} of {total}\" = \"\"\n\
                     \"{share:.1} %\" = \"\"";
        let (language, trouble) = Language::read(text, table).unwrap();
        assert_eq!(trouble, Vec::<String>::new());
        language
    }

    #[test]
    fn texts_are_english_until_a_language_is_chosen_and_after_it_was_left() {
        let total = 16;
        let all = || {
            let made = [t!("{done} of {total}", done = 3, total), t!("{share:.1} %", share = 12.345)];
            (t!("Run"), t!("Stop"), made)
        };
        let english = ("Run", "Stop", ["3 of 16".to_owned(), "12.3 %".to_owned()]);
        assert_eq!(all(), english);
        choose(Some(backwards()));
        // What is not translated stays English; values go where the translation has them.
        let told = ["von 16 sind 3 fertig".to_owned(), "Anteil 12.3".to_owned()];
        assert_eq!(all(), ("Los", "Stop", told));
        assert_eq!(say(later!("Run")), "Los");
        assert_eq!(super::english(all), english);
        choose(None);
        assert_eq!(all(), english);
    }

    #[test]
    fn each_value_is_evaluated_once() {
        let mut count = 0;
        let mut next = || {
            count += 1;
            count
        };
        assert_eq!(t!("{n} and {n}", n = next()), "1 and 1");
        assert_eq!(count, 1);
    }

    #[test]
    fn what_is_made_of_texts_is_made_once_a_language() {
        static MADE: PerLanguage<String> = PerLanguage::new();
        let get = || MADE.get(|| t!("Run").to_owned());
        let english = get();
        choose(Some(backwards()));
        assert_eq!((english.as_str(), get().as_str()), ("Run", "Los"));
        choose(None);
        assert!(std::ptr::eq(get(), english));
    }
}

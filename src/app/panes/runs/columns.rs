//! The chosen runs as columns of a comparison: one a run, or one a setting with its seeds together.

use crate::app::RunEntry;
use crate::app::words::setting_label;
use crate::report::gather::{Gathered, Model, Setting, own_model};
use crate::run::summary::Summary;

/// Finished runs that are chosen, in the order in which they were.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// As the list has them.
    pub runs: Vec<&'a RunEntry>,
    /// What they came to, attacks launched afterwards among it.
    pub summaries: Vec<Summary>,
}

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// `A`, `B`, and after `Z` `AA`.
    pub letter: String,
    /// The run's name, or what the setting is.
    pub name: String,
    /// Its runs, by their places among the chosen.
    pub runs: Vec<usize>,
    /// Its models, a seed each; none of a run whose table lacks its own model.
    pub setting: Option<Setting>,
}

impl<'a> Chosen<'a> {
    /// Takes runs; none where one is not finished.
    pub fn of(runs: &[&'a RunEntry]) -> Option<Self> {
        let summaries: Option<Vec<Summary>> =
            runs.iter().map(|run| Some(run.summary()?.clone().with(run.afterwards.clone()))).collect();
        Some(Self { runs: runs.to_vec(), summaries: summaries? })
    }

    /// Whether some of them differ in nothing but their seed.
    pub fn has_seeds(&self) -> bool {
        columns(self, true).len() < self.runs.len()
    }
}

/// One column a run; or, `pooled`, one a setting, with the runs of all its seeds. Where no two runs are of one setting each
/// stands under its own name.
pub fn columns(chosen: &Chosen<'_>, pooled: bool) -> Vec<Column> {
    let all = grouped(chosen, pooled);
    if pooled && all.len() == chosen.runs.len() { grouped(chosen, false) } else { all }
}

fn grouped(chosen: &Chosen<'_>, pooled: bool) -> Vec<Column> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for (at, summary) in chosen.summaries.iter().enumerate() {
        let same = |set: &&mut Vec<usize>| pooled && chosen.summaries[set[0]].same_images(summary);
        match sets.iter_mut().find(same) {
            Some(set) => set.push(at),
            None => sets.push(vec![at]),
        }
    }
    let several = pooled && sets.len() > 1;
    let mut all: Vec<Column> = sets.iter().flat_map(|set| of_set(chosen, set, pooled, several)).collect();
    // What has no table of its own stands all the same.
    for at in 0..chosen.runs.len() {
        if !all.iter().any(|column| column.runs.contains(&at)) {
            all.push(Column {
                letter: String::new(),
                name: chosen.runs[at].name.clone(),
                runs: vec![at],
                setting: None,
            });
        }
    }
    all.sort_by_key(|column| column.runs.first().copied());
    for (at, column) in all.iter_mut().enumerate() {
        column.letter = letter(at);
    }
    all
}

/// The settings of runs of the same images that some of them are about: an undefended twin alone is no column.
fn of_set(chosen: &Chosen<'_>, set: &[usize], pooled: bool, several: bool) -> Vec<Column> {
    let gathered = Gathered::of(set.iter().map(|at| &chosen.summaries[*at]));
    let column = |setting: Setting| {
        let own = |model: &Model| {
            let places = model.runs.iter().map(|place| set[*place]);
            let runs: Vec<usize> = places.filter(|at| own_model(&chosen.summaries[*at]) == model.target).collect();
            (!runs.is_empty()).then(|| Model { runs, ..model.clone() })
        };
        let models: Vec<Model> = setting.models.iter().filter_map(own).collect();
        let mut runs: Vec<usize> = models.iter().flat_map(|model| model.runs.clone()).collect();
        runs.sort_unstable();
        let first = *runs.first()?;
        let data = &chosen.summaries[first].experiment.data.name;
        let name = match () {
            () if !pooled => chosen.runs[first].name.clone(),
            () if several => format!("{data}: {}", setting_label(&setting)),
            () => setting_label(&setting),
        };
        Some(Column { letter: String::new(), name, runs, setting: Some(Setting { models, ..setting }) })
    };
    gathered.settings.into_iter().filter_map(column).collect()
}

/// As sheets of numbers call their columns.
fn letter(at: usize) -> String {
    let last = char::from(b'A' + (at % 26) as u8);
    if at < 26 { last.to_string() } else { format!("{}{last}", letter(at / 26 - 1)) }
}

#[cfg(test)]
mod tests {
    use super::super::samples::finished;
    use super::*;
    use crate::report::samples;

    fn told(runs: &[RunEntry], pooled: bool) -> Vec<(String, String, Vec<usize>)> {
        let all: Vec<&RunEntry> = runs.iter().collect();
        let columns = columns(&Chosen::of(&all).unwrap(), pooled);
        columns.into_iter().map(|column| (column.letter, column.name, column.runs)).collect()
    }

    fn column(letter: &str, name: &str, runs: &[usize]) -> (String, String, Vec<usize>) {
        (letter.to_owned(), name.to_owned(), runs.to_vec())
    }

    #[test]
    fn seeds_of_a_setting_are_one_column_and_other_images_never_are() {
        let noisy = |seed| samples::defended(seed, "image-noise", &[]);
        let mut other = samples::summary(0);
        other.experiment.data.name = "brainmri".to_owned();
        let runs = [
            finished("a", noisy(1)),
            finished("b", samples::summary(0)),
            finished("c", noisy(0)),
            finished("d", samples::summary(1)),
        ];
        assert_eq!(
            told(&runs, true),
            [column("A", "noise on the image \u{3c3} 0.2", &[0, 2]), column("B", "undefended", &[1, 3])]
        );
        assert_eq!(told(&runs, false).len(), 4);
        assert_eq!(told(&runs, false)[2], column("C", "c", &[2]));
        let apart = [finished("a", samples::summary(1)), finished("b", other), finished("c", samples::summary(2))];
        assert_eq!(
            told(&apart, true),
            [column("A", "mnist: undefended", &[0, 2]), column("B", "brainmri: undefended", &[1])]
        );
        assert_eq!(
            told(&apart[..2], true),
            [column("A", "a", &[0]), column("B", "b", &[1])],
            "there is nothing to pool"
        );
    }

    #[test]
    fn a_twin_is_no_column_and_what_has_no_table_is_one() {
        let twin = super::super::samples::run("a");
        let bare = finished("b", Summary { rows: Vec::new(), ..samples::summary(0) });
        let runs = [twin, bare];
        assert_eq!(told(&runs, true).iter().map(|one| one.2.clone()).collect::<Vec<_>>(), [vec![0], vec![1]]);
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letter), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}

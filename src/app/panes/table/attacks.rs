//! Attacks and guesses, a row each; a click on a heading sorts them.

use std::borrow::Cow;
use std::cmp::Ordering;

use eframe::egui::accesskit::SortDirection;
use eframe::egui::{Button, Grid, Label, RichText, Sense, Shape, Stroke, Ui, pos2, vec2};

use crate::app::state::{State, Status};
use crate::app::words::{capitalised, duration, lead, leak_help, maker, measured, mode, phase, target, yardstick};
use crate::run::summary::AttackRecord;
use crate::score::metrics::{Better, LEAD, LINEUP, MSE, Metric, PSNR, SSIM, lineup_of};
use crate::score::verdict::Ruling;
use crate::texts::say;

/// What is told of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Mode,
    Target,
    Epoch,
    Score(&'static Metric<AttackRecord>),
    Verdict,
    Images,
    Seconds,
}

/// Columns are few and fixed.
const COLUMNS: usize = 12;

impl Column {
    /// All, in their order.
    pub const ALL: [Self; COLUMNS] = [
        Self::Name,
        Self::Mode,
        Self::Target,
        Self::Epoch,
        Self::Score(&SSIM),
        Self::Score(&PSNR),
        Self::Score(&LINEUP),
        Self::Score(&LEAD),
        Self::Verdict,
        Self::Score(&MSE),
        Self::Images,
        Self::Seconds,
    ];

    /// Its heading.
    fn title(self) -> &'static str {
        match self {
            Self::Name => t!("attack"),
            Self::Mode => t!("mode"),
            Self::Target => t!("on"),
            Self::Epoch => t!("after"),
            Self::Score(metric) => say(metric.window),
            Self::Verdict => t!("verdict"),
            Self::Images => t!("images"),
            Self::Seconds => t!("time"),
        }
    }

    /// Its heading where no tooltip helps.
    pub fn full(self) -> String {
        match self {
            Self::Score(metric) if metric.has_error() => t!("{window} \u{b1} s.e.", window = say(metric.window)),
            _ => self.title().to_owned(),
        }
    }

    fn tip(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Score(metric) => return Cow::Owned(score_tip(metric)),
            Self::Name => t!("Which attack made the images. Guesses and the oracle steal nothing."),
            Self::Mode => {
                t!("Naive: does not know of the defence. Adaptive: knows it, and a defence is as good as against \
                     this one. Guess: made without the wire, the floor that an attack must beat. Oracle: chosen \
                     with the truth.")
            }
            Self::Target => t!("The model that was attacked."),
            Self::Epoch => t!("How many epochs the model had been trained."),
            Self::Verdict => {
                t!("Broke: its lead is beyond chance, corrected for all attacks and epochs that were looked at. \
                     Held: an attacker who knows the defence and did its best has no lead.")
            }
            Self::Images => t!("How many images were attacked."),
            Self::Seconds => t!("Spent by the attacker."),
        })
    }

    /// Whether the first click puts the largest first: the worst leak on top.
    fn largest_first(self) -> bool {
        match self {
            Self::Score(metric) => metric.better == Some(Better::Lower),
            Self::Epoch | Self::Images | Self::Seconds => true,
            Self::Name | Self::Mode | Self::Target | Self::Verdict => false,
        }
    }

    /// An attack's cell; `ruling` is what is said of it.
    pub fn cell(self, record: &AttackRecord, ruling: Option<&Ruling>) -> String {
        match self {
            Self::Name => maker(record).to_owned(),
            Self::Mode => mode(record).to_owned(),
            Self::Target => target(&record.target).to_owned(),
            Self::Epoch if record.epoch == 0 => t!("untrained").to_owned(),
            Self::Epoch => t!("epoch {epoch}", epoch = record.epoch),
            Self::Score(metric) if metric == &LEAD => lead(record),
            Self::Score(metric) if metric == &LINEUP => measured(lineup_of(record), record),
            Self::Score(metric) => measured(metric, record),
            Self::Verdict => ruling.map_or("\u{2013}", |ruling| say(ruling.standing.word())).to_owned(),
            Self::Images => record.images.to_string(),
            Self::Seconds if yardstick(record).is_some() => "\u{2013}".to_owned(),
            Self::Seconds => duration(record.seconds),
        }
    }

    fn compare(self, a: &AttackRecord, b: &AttackRecord) -> Ordering {
        match self {
            Self::Name => a.name.cmp(&b.name),
            Self::Mode => mode(a).cmp(mode(b)),
            Self::Target => target(&a.target).cmp(target(&b.target)),
            Self::Epoch => a.epoch.cmp(&b.epoch),
            Self::Score(metric) => sorted_by(metric, a).total_cmp(&sorted_by(metric, b)),
            // Sorted with its own word by the caller, which knows the rulings.
            Self::Verdict => Ordering::Equal,
            Self::Images => a.images.cmp(&b.images),
            Self::Seconds => a.seconds.total_cmp(&b.seconds),
        }
    }
}

fn score_tip(metric: &Metric<AttackRecord>) -> String {
    let error = if metric.has_error() { t!(" Beside it its standard error over the images.") } else { "" };
    leak_help(metric) + error
}

/// What a score is sorted by. What has none comes last; a lead in SSIM counts by its hundredths, which is about as much as
/// one in points.
fn sorted_by(metric: &Metric<AttackRecord>, record: &AttackRecord) -> f64 {
    let lead = record.judged.as_ref().and_then(|judged| judged.lead.as_ref());
    let value = match lead {
        Some(lead) if metric == &LEAD && lead.metric() == &SSIM => Some(100.0 * lead.mean),
        _ if metric == &LINEUP => (lineup_of(record).value)(record),
        _ => (metric.value)(record),
    };
    value.unwrap_or(f64::NEG_INFINITY)
}

/// How the attacks are sorted, and their cells, which are written once.
#[derive(Debug, Default)]
pub(super) struct AttacksView {
    /// By which column, and whether from the largest; none leaves the run's own order.
    pub(super) by: Option<(Column, bool)>,
    /// What the rows were written for.
    of: Option<Of>,
    rows: Vec<Cells>,
    /// The verdicts, above the rows.
    sentences: Vec<String>,
}

/// A row: what a guess is, if it is one; why the verdict is what it is; the cells.
struct Cells {
    guess: Option<&'static str>,
    why: String,
    texts: [String; COLUMNS],
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.texts.fmt(f)
    }
}

/// Title and number of attacks, whether the run was complete, and the order.
type Of = (String, usize, bool, Option<(Column, bool)>);

impl AttacksView {
    /// A click on a heading: sorted, the other way round, the run's own order again.
    fn click(&mut self, column: Column) {
        let first = column.largest_first();
        self.by = match self.by {
            Some((by, largest)) if by == column && largest == first => Some((column, !first)),
            Some((by, _)) if by == column => None,
            _ => Some((column, first)),
        };
    }

    fn write(&mut self, state: &State) {
        let same = self.of.as_ref().is_some_and(|(title, count, done, by)| {
            (*title == state.title, *count, *done, *by) == (true, state.attacks.len(), state.summary.is_some(), self.by)
        });
        if same {
            return;
        }
        self.of = Some((state.title.clone(), state.attacks.len(), state.summary.is_some(), self.by));
        let judgement = state.judgement();
        let sentences = judgement.verdicts.iter().flat_map(|verdict| &verdict.sentences);
        self.sentences = sentences.map(|sentence| capitalised(&phase(sentence))).collect();
        let all: Vec<Pair<'_>> = state.attacks.iter().zip(judgement.rulings.iter().map(Option::as_ref)).collect();
        // Old line-ups were easier: their rates do not stand in a column with today's.
        let mixed = all.iter().any(|(record, _)| record.judged.is_some());
        let cells = |(record, ruling): Pair<'_>| Cells {
            guess: yardstick(record),
            why: ruling.map(|ruling| phase(&ruling.why)).unwrap_or_default(),
            texts: Column::ALL.map(|column| match column {
                Column::Score(metric) if mixed && metric == &LINEUP && record.judged.is_none() => "\u{2013}".to_owned(),
                _ => column.cell(record, ruling),
            }),
        };
        self.rows = sorted(all, self.by).into_iter().map(cells).collect();
    }
}

/// An attack and what is said of it.
type Pair<'a> = (&'a AttackRecord, Option<&'a Ruling>);

fn sorted(mut all: Vec<Pair<'_>>, by: Option<(Column, bool)>) -> Vec<Pair<'_>> {
    if let Some((column, largest)) = by {
        let word = |pair: &Pair<'_>| pair.1.map_or("\u{2013}", |ruling| say(ruling.standing.word()));
        let compare = |a: &Pair<'_>, b: &Pair<'_>| match column {
            Column::Verdict => word(a).cmp(word(b)),
            _ => column.compare(a.0, b.0),
        };
        // Equal ones keep the run's order.
        all.sort_by(|a, b| if largest { compare(b, a) } else { compare(a, b) });
    }
    all
}

/// What is said above scores of an older build.
const OLD: &str = later!(
    "These scores are an older build's. Its line-ups had far decoys of any class, which a class mean passes: \
                   attack the run again for a verdict."
);

pub(super) fn attacks_ui(ui: &mut Ui, state: &State, view: &mut AttacksView) {
    ui.label(RichText::new(t!("Attacks and guesses")).strong());
    if state.attacks.is_empty() {
        ui.label(match state.status {
            Status::Going => t!("Attacks appear here as they finish, with how near each came to the true images."),
            Status::Fresh => t!("Each attack of the run gets a row here: what it was aimed at, and how near it came."),
            _ => t!("No attack was finished."),
        });
        return;
    }
    view.write(state);
    for sentence in &view.sentences {
        ui.add(Label::new(sentence).wrap());
    }
    if state.attacks.iter().all(|record| record.judged.is_none()) {
        ui.add(Label::new(say(OLD)).wrap());
    }
    ui.add_space(4.0);
    let mut clicked = None;
    Grid::new("attacks").striped(true).spacing([12.0, 4.0]).show(ui, |ui| {
        for column in Column::ALL {
            let sorted = view.by.filter(|(by, _)| *by == column).map(|(_, largest)| largest);
            if heading_ui(ui, column, sorted) {
                clicked = Some(column);
            }
        }
        ui.end_row();
        for row in &view.rows {
            for (column, cell) in Column::ALL.into_iter().zip(&row.texts) {
                let label = ui.label(cell);
                match (column, row.guess) {
                    (Column::Name, Some(tip)) => {
                        label.on_hover_text(tip);
                    }
                    (Column::Verdict, _) if !row.why.is_empty() => {
                        label.on_hover_text(&row.why);
                    }
                    _ => {}
                }
            }
            ui.end_row();
        }
    });
    if let Some(column) = clicked {
        view.click(column);
    }
}

/// A heading with an arrow where the rows are sorted by it: down from the largest, up from the smallest.
/// True where it is clicked.
fn heading_ui(ui: &mut Ui, column: Column, sorted: Option<bool>) -> bool {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let button = ui.add(Button::new(RichText::new(column.title()).weak()).frame(false));
        if let Some(largest) = sorted {
            let direction = if largest { SortDirection::Descending } else { SortDirection::Ascending };
            ui.ctx().accesskit_node_builder(button.id, |node| node.set_sort_direction(direction));
            let (rect, _) = ui.allocate_exact_size(vec2(9.0, 8.0), Sense::hover());
            let (tip, base) = if largest { (rect.bottom(), rect.top()) } else { (rect.top(), rect.bottom()) };
            let corners = vec![pos2(rect.center().x, tip), pos2(rect.left(), base), pos2(rect.right(), base)];
            let color = ui.visuals().strong_text_color();
            ui.painter().add(Shape::convex_polygon(corners, color, Stroke::NONE));
        }
        button.on_hover_text(t!("{tip}\nClick to sort.", tip = column.tip())).clicked()
    })
    .inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::panes::table::tests::state;

    #[test]
    fn a_heading_sorts_both_ways_and_lets_go() {
        let state = state();
        let mut view = AttacksView::default();
        let shown = |view: &mut AttacksView| {
            view.write(&state);
            view.rows.iter().map(|row| row.texts[4].clone()).collect::<Vec<_>>()
        };
        let own = shown(&mut view);
        view.click(Column::Score(&SSIM));
        let worst = shown(&mut view);
        assert!(
            worst[0].starts_with("0.735") && worst.last().is_some_and(|last| last.starts_with("0.305")),
            "{worst:?}"
        );
        view.click(Column::Score(&SSIM));
        assert_eq!(shown(&mut view), worst.iter().rev().cloned().collect::<Vec<_>>());
        view.click(Column::Score(&SSIM));
        assert_eq!(shown(&mut view), own);
        view.click(Column::Name);
        view.write(&state);
        assert_eq!(view.rows[0].texts[0], "inverse");
        view.click(Column::Score(&MSE));
        assert_eq!(view.by, Some((Column::Score(&MSE), false)));
    }

    #[test]
    fn rows_follow_the_state() {
        let (mut state, mut view) = (state(), AttacksView::default());
        view.write(&state);
        state.attacks.push(state.attacks[0].clone());
        view.write(&state);
        assert_eq!(view.rows.len(), state.attacks.len());
        state.attacks[0].lineup = None;
        assert_eq!(Column::Score(&LINEUP).cell(&state.attacks[0], None), "\u{2013}");
        assert_eq!(Column::Score(&LINEUP).cell(&state.attacks[1], None), "87.5 \u{b1} 11.7 %");
    }
}

//! What was stolen from the chosen runs, side by side on the same samples. Which samples are the same their pictures tell.

use std::path::PathBuf;
use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::{ComboBox, Context, Grid, Image, Label, RichText, TextureHandle, TextureOptions, Ui, vec2};

use super::columns::Column;
use crate::app::choice::selectable_ui;
use crate::app::pictured;
use crate::app::textures::image;
use crate::app::theme::{Role, cut_short_ui};
use crate::app::words::named;
use crate::app::{Look, RunEntry};
use crate::run::control::guarded;
use crate::run::scene::{Gallery, Picture};
use crate::score::metrics::SSIM;
use crate::split::UNDEFENDED;

/// Side of a picture, and between two.
const SIDE: f32 = 68.0;
const GAP: f32 = 6.0;

/// What was read of a run: its galleries, or why there are none.
type Read = Result<Vec<Gallery>, String>;

/// How the pictures are looked at.
#[derive(Default)]
pub struct BesideView {
    /// The attack's name; none takes the first that most runs have.
    attack: Option<String>,
    /// Whether naive attackers are shown where there are adaptive ones.
    naive: bool,
    /// What is read: of each column one run, in the list of this number.
    of: Option<(Vec<PathBuf>, u64)>,
    reading: Option<Receiver<Vec<Read>>>,
    read: Vec<Read>,
    /// What is drawn, made once for a choice.
    ready: Option<((String, bool), Beside)>,
}

impl std::fmt::Debug for BesideView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BesideView").field("of", &self.of).finish_non_exhaustive()
    }
}

/// The samples that all of the shown runs were attacked on.
struct Beside {
    /// For each column whether it has the attack, and by an attacker who knows the defence.
    has: Vec<Option<bool>>,
    samples: Vec<Sample>,
    /// Samples of the run that has most.
    most: usize,
}

struct Sample {
    original: Option<TextureHandle>,
    /// The stolen picture of each column, what it is and how near.
    stolen: Vec<Option<(Option<TextureHandle>, String)>>,
}

impl BesideView {
    /// Whether pictures are being read.
    pub fn reads(&self) -> bool {
        self.reading.is_some()
    }

    /// Reads the pictures of runs, on a thread of its own, where they are not read yet.
    fn ask(&mut self, runs: &[&RunEntry], generation: u64, ctx: &Context) {
        let of = (runs.iter().map(|run| run.path.clone()).collect::<Vec<_>>(), generation);
        if self.of.as_ref() == Some(&of) {
            return;
        }
        let all: Vec<_> = runs.iter().map(|run| (run.path.clone(), run.experiment.clone())).collect();
        self.of = Some(of);
        (self.read, self.ready) = (Vec::new(), None);
        let (sender, reading) = bounded(1);
        let ctx = ctx.clone();
        let read = move || {
            let one = |(path, experiment): (PathBuf, Option<_>)| -> Read {
                let experiment = experiment.ok_or_else(|| t!("what was run cannot be read").to_owned())?;
                guarded(|| pictured::of_run(&path, &experiment)).map_err(|error| error.to_string())
            };
            // Nobody listens any more where other runs were chosen meanwhile.
            let _ = sender.send(all.into_iter().map(one).collect());
            ctx.request_repaint();
        };
        // Without a thread nothing is shown, and the next choice tries again.
        self.reading = Builder::new().name("cutlayer-beside".to_owned()).spawn(read).ok().map(|_| reading);
    }

    fn hear(&mut self) {
        match self.reading.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(read)) => self.read = read,
            Some(Err(TryRecvError::Disconnected)) => {}
        }
        self.reading = None;
    }
}

/// The gallery of a model's last attack of this name, by an attacker who knows the defence where there is one.
fn gallery<'a>(read: &'a Read, own: &str, attack: &str, naive: bool) -> Option<&'a Gallery> {
    let all = || read.iter().flatten().filter(|gallery| gallery.target == own && gallery.name == attack);
    let last = all().map(|gallery| gallery.epoch).max()?;
    let of = |adaptive: bool| all().rev().find(|gallery| gallery.epoch == last && gallery.adaptive == adaptive);
    if naive { of(false).or_else(|| of(true)) } else { of(true).or_else(|| of(false)) }
}

/// The originals of the first gallery that all have, with their places in each.
fn shared(galleries: &[&Gallery]) -> Vec<Vec<usize>> {
    let place = |gallery: &&Gallery, picture: &Picture| gallery.originals.iter().position(|one| one == picture);
    let originals = galleries.first().map_or(&[][..], |gallery| &gallery.originals);
    originals.iter().filter_map(|one| galleries.iter().map(|gallery| place(gallery, one)).collect()).collect()
}

impl Beside {
    fn of(ctx: &Context, columns: &[(String, String)], read: &[Read], attack: &str, naive: bool) -> Self {
        let all: Vec<Option<&Gallery>> =
            read.iter().zip(columns).map(|(read, (_, own))| gallery(read, own, attack, naive)).collect();
        let there: Vec<&Gallery> = all.iter().flatten().copied().collect();
        let texture = |picture: &Picture| Some(ctx.load_texture("beside", image(picture)?, TextureOptions::NEAREST));
        let sample = |(number, places): (usize, Vec<usize>)| {
            let mut next = places.iter();
            let stolen = all.iter().zip(columns).map(|(gallery, (letter, _))| {
                let (gallery, place) = ((*gallery)?, *next.next()?);
                let (original, stolen) = (gallery.originals.get(place)?, gallery.stolen.get(place)?);
                let score = original.score_of(stolen).map_or(f64::NAN, |score| score.ssim);
                let words =
                    t!("{letter}, sample {number}: {ssim}", letter, number = number + 1, ssim = named(&SSIM, score));
                Some((texture(stolen), words))
            });
            let stolen = stolen.collect();
            let original = there[0].originals.get(places[0]).and_then(&texture);
            Sample { original, stolen }
        };
        let samples = shared(&there).into_iter().enumerate().map(sample).collect();
        let most = there.iter().map(|gallery| gallery.originals.len()).max().unwrap_or(0);
        Self { has: all.iter().map(|one| one.map(|gallery| gallery.adaptive)).collect(), samples, most }
    }
}

/// Draws them: a row a sample, a column for each of the comparison's.
pub fn beside_ui(ui: &mut Ui, look: Look<'_>, columns: &[Column], runs: &[&RunEntry], view: &mut BesideView) {
    let shown: Vec<usize> = of_one_seed(columns, runs);
    let first: Vec<&RunEntry> = shown.iter().filter_map(|at| runs.get(*at).copied()).collect();
    view.ask(&first, look.library.generation, ui.ctx());
    view.hear();
    ui.add_space(6.0);
    ui.label(RichText::new(t!("Stolen images, on the same samples")).strong());
    if view.reads() {
        ui.label(t!("Reading the pictures\u{2026}"));
        return;
    }
    let own =
        |column: &Column| column.setting.as_ref().and_then(|setting| Some(setting.models.first()?.target.clone()));
    let heads: Vec<(String, String)> = columns
        .iter()
        .map(|column| (column.letter.clone(), own(column).unwrap_or_else(|| UNDEFENDED.to_owned())))
        .collect();
    let attacks = attacks(&view.read, &heads);
    let Some(attack) = view.attack.clone().filter(|name| attacks.contains(name)).or_else(|| attacks.first().cloned())
    else {
        ui.add(Label::new(t!("No attack at these runs has kept pictures.")).wrap());
        troubles_ui(ui, columns, &view.read);
        return;
    };
    choices_ui(ui, &attacks, &attack, view);
    let key = (attack, view.naive);
    if view.ready.as_ref().is_none_or(|(of, _)| *of != key) {
        let beside = Beside::of(ui.ctx(), &heads, &view.read, &key.0, key.1);
        view.ready = Some((key, beside));
    }
    if let Some((_, beside)) = &view.ready {
        grid_ui(ui, columns, &first, beside);
    }
    troubles_ui(ui, columns, &view.read);
}

/// Of each column a run, of the same seed where that can be: runs of the same seed are attacked on the same samples.
fn of_one_seed(columns: &[Column], runs: &[&RunEntry]) -> Vec<usize> {
    let seed = |at: usize| runs.get(at).and_then(|run| Some(run.summary()?.seed));
    let has = |column: &Column, wanted: Option<u64>| column.runs.iter().copied().find(|at| seed(*at) == wanted);
    let columns_with = |at: &usize| columns.iter().filter(|column| has(column, seed(*at)).is_some()).count();
    let all = columns.first().map_or(&[][..], |column| &column.runs);
    let wanted = all.iter().min_by_key(|at| std::cmp::Reverse(columns_with(at))).and_then(|at| seed(*at));
    columns.iter().filter_map(|column| has(column, wanted).or(column.runs.first().copied())).collect()
}

/// The attacks at the columns' own models, those that most columns have first.
fn attacks(read: &[Read], heads: &[(String, String)]) -> Vec<String> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for (read, (_, own)) in read.iter().zip(heads) {
        let mut names: Vec<&str> = read
            .iter()
            .flatten()
            .filter(|gallery| gallery.target == *own)
            .map(|gallery| gallery.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            match all.iter_mut().find(|(known, _)| known == name) {
                Some((_, count)) => *count += 1,
                None => all.push((name.to_owned(), 1)),
            }
        }
    }
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all.into_iter().map(|(name, _)| name).collect()
}

fn choices_ui(ui: &mut Ui, attacks: &[String], attack: &str, view: &mut BesideView) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(t!("Attack"));
        let choice = ComboBox::from_id_salt("attack-beside").selected_text(attack).show_ui(ui, |ui| {
            for one in attacks {
                if selectable_ui(ui, one == attack, one).clicked() {
                    view.attack = Some(one.clone());
                }
            }
        });
        choice.response.labelled_by(label.id);
        let tip = t!("Without it the attackers are shown who know the defence, wherever there are such.");
        ui.checkbox(&mut view.naive, t!("who do not know the defence")).on_hover_text(tip);
    });
}

fn grid_ui(ui: &mut Ui, columns: &[Column], runs: &[&RunEntry], beside: &Beside) {
    let with = beside.has.iter().flatten().count();
    if with < 2 {
        ui.add(Label::new(t!("Only one of these runs has this attack: choose another.")).wrap());
    } else if beside.samples.is_empty() {
        let words = t!(
            "These runs were attacked on other samples: nothing can stand side by side. Runs of the same images with the same \
             seed are attacked on the same ones."
        );
        ui.add(Label::new(words).wrap());
        return;
    } else if beside.samples.len() < beside.most {
        let (same, most) = (beside.samples.len(), beside.most);
        ui.add(
            Label::new(RichText::new(t!("{same} of {most} kept samples are the same in all.", same, most)).weak())
                .wrap(),
        );
    }
    let grid = Grid::new("beside").spacing([GAP, GAP]).min_col_width(SIDE).max_col_width(SIDE);
    grid.show(ui, |ui| {
        ui.label(RichText::new(t!("original")).strong().color(Role::Patient.color(ui)));
        let heads = columns.iter().zip(runs).zip(&beside.has).filter_map(|(head, has)| Some((head, (*has)?)));
        for ((column, run), adaptive) in heads {
            let mode = if adaptive { t!("adaptive") } else { t!("naive") };
            let tip = t!("{name}\nRun: {run}", name = column.name, run = run.name);
            let words = RichText::new(format!("{} {mode}", column.letter)).strong();
            cut_short_ui(ui, words, &tip);
        }
        ui.end_row();
        for (number, sample) in beside.samples.iter().enumerate() {
            let alt = t!("sample {number}, original", number = number + 1);
            picture_ui(ui, sample.original.as_ref(), &alt, "");
            for (texture, words) in sample.stolen.iter().flatten() {
                let below = words.rsplit(": ").next().unwrap_or_default();
                picture_ui(ui, texture.as_ref(), words, below);
            }
            ui.end_row();
        }
    });
}

fn picture_ui(ui: &mut Ui, texture: Option<&TextureHandle>, alt: &str, below: &str) {
    ui.vertical(|ui| {
        ui.set_max_width(SIDE);
        ui.spacing_mut().item_spacing.y = 1.0;
        let Some(texture) = texture else {
            ui.allocate_space(vec2(SIDE, SIDE));
            return;
        };
        let size = texture.size_vec2();
        let size = size * (SIDE / size.max_elem().max(1.0));
        let picture = Image::from_texture((texture.id(), size)).fit_to_exact_size(size).alt_text(alt);
        ui.add(picture).on_hover_text(alt);
        if !below.is_empty() {
            ui.add(Label::new(RichText::new(below).small()).truncate());
        }
    });
}

/// Runs whose pictures cannot be read, each with why.
fn troubles_ui(ui: &mut Ui, columns: &[Column], read: &[Read]) {
    for (column, error) in columns.iter().zip(read).filter_map(|(column, read)| Some((column, read.as_ref().err()?))) {
        let words = t!("{letter}: no pictures, {error}", letter = column.letter, error);
        ui.add(Label::new(RichText::new(words).weak()).wrap());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, adaptive: bool, epoch: usize, originals: &[f32]) -> Gallery {
        let picture = |v: &f32| Picture { shape: [1, 1, 2], values: vec![*v, 0.0] };
        let all: Vec<Picture> = originals.iter().map(picture).collect();
        Gallery {
            name: name.to_owned(),
            adaptive,
            target: "vanilla".to_owned(),
            epoch,
            originals: all.clone(),
            sent: all.clone(),
            stolen: all,
        }
    }

    #[test]
    fn samples_are_the_same_where_their_pictures_are() {
        let (a, b) = (made("rmle", false, 2, &[0.1, 0.2, 0.3]), made("rmle", false, 2, &[0.3, 0.4, 0.1]));
        assert_eq!(shared(&[&a, &b]), [vec![0, 2], vec![2, 0]]);
        assert_eq!(shared(&[&a, &b, &made("rmle", false, 2, &[0.5])]), Vec::<Vec<usize>>::new());
        assert!(shared(&[]).is_empty());
    }

    #[test]
    fn the_last_attack_by_whoever_knows_most_is_shown() {
        let read: Read = Ok(vec![
            made("rmle", true, 0, &[0.1]),
            made("rmle", false, 2, &[0.2]),
            made("rmle", true, 2, &[0.3]),
            made("inverse", false, 2, &[0.4]),
        ]);
        let first = |attack: &str, naive: bool| {
            gallery(&read, "vanilla", attack, naive).map(|gallery| (gallery.adaptive, gallery.epoch))
        };
        assert_eq!(first("rmle", false), Some((true, 2)));
        assert_eq!(first("rmle", true), Some((false, 2)));
        assert_eq!(first("inverse", false), Some((false, 2)), "nobody knew the defence");
        assert_eq!(first("prior", false), None);
        let heads = [("A".to_owned(), "vanilla".to_owned()), ("B".to_owned(), "vanilla".to_owned())];
        let other: Read = Ok(vec![made("rmle", false, 2, &[0.2])]);
        assert_eq!(attacks(&[read, other], &heads), ["rmle", "inverse"]);
    }
}

//! `cutlayer data`: what a set holds, as it would be trained on.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{place, print, tell};
use crate::data::bench::{self, Bench};
use crate::data::recognise::readable;
use crate::data::{Ask, BUILT_IN, Catalogue, Dataset, Described, Part, Progress, contact_sheet, reread};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::whole_files::Writer;
use crate::workbench;

#[derive(Debug, Args)]
pub(super) struct DataArgs {
    #[arg(help = help())]
    name: OsString,
    /// Choose how the images are wanted, as in --set data.size=64.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Write a picture of some images of each class.
    #[arg(long, value_name = "FILE.png", value_parser = place())]
    sheet: Option<PathBuf>,
    /// Read every image a second time and compare.
    #[arg(long)]
    verify: bool,
    /// Time instead how fast it is opened and read as training reads it.
    #[arg(long, conflicts_with_all = ["sheet", "verify", "json"])]
    bench: bool,
    /// For other programs.
    #[arg(long)]
    json: bool,
}

impl DataArgs {
    /// What describes a set as it is.
    pub(super) fn of(name: OsString) -> Self {
        Self { name, set: Vec::new(), sheet: None, verify: false, bench: false, json: false }
    }
}

/// What can be described.
fn help() -> String {
    format!("A built-in name ({}), {}", BUILT_IN.join(", "), readable(workbench::readers()))
}

pub(super) fn data(args: &DataArgs) -> Result<()> {
    let mut experiment = Experiment::default();
    for assignment in &args.set {
        experiment.set(assignment)?;
    }
    let wanted = experiment.data.wanted()?;
    if args.bench {
        let ask = Ask { wanted: &wanted, progress: &Progress::default() };
        return print(&timed(bench::bench(&args.name, &ask, workbench::readers())?));
    }
    let set = workbench::load(&args.name, &wanted)?;
    let described = Described::of(&set)?;
    if let Some(path) = &args.sheet {
        Writer::default().write(path, &contact_sheet(&set)?)?;
    }
    let verified = if args.verify { Some(reread(&set)?) } else { None };
    if args.json {
        print(&format!("{:#}\n", document(&set, &described)?))?;
    } else {
        print(&words(&set, verified))?;
        described.warnings.iter().for_each(|warning| tell(&format!("warning: {warning}")));
    }
    match set.unlearnable() {
        // What has no labels can be looked at.
        Some(why) if !set.findings.unlabelled => Err(Error::input(format!("{why}: {}", args.name.to_string_lossy()))),
        _ => Ok(()),
    }
}

fn timed(found: Bench) -> String {
    let Bench { images, open_secs, first_batch_secs, images_per_sec, peak_bytes } = found;
    let peak = peak_bytes.map_or_else(|| "not known here".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    format!(
        "{images} training images, open after {open_secs:.2} s, first batch of 64 after {first_batch_secs:.2} s; then \
         {images_per_sec:.0} images/s over one pass; most memory {peak}\n"
    )
}

fn parts(set: &Dataset) -> [(&'static str, &Part); 3] {
    [("train", &set.train), ("val", &set.validation), ("test", &set.test)]
}

fn document(set: &Dataset, described: &Described) -> Result<Value> {
    let [channels, height, width] = set.shape();
    let class = |(label, [train, val, test]): (usize, [usize; 3])| json!({ "label": label, "name": set.classes[label], "train": train, "val": val, "test": test });
    let groups = set.groups();
    let skipped = set.findings.skipped.iter().map(|one| json!({ "path": one.path.to_string_lossy(), "why": one.why }));
    Ok(json!({
        "name": set.name,
        "about": set.about,
        "kind": if set.kind.is_empty() { "built-in" } else { set.kind },
        "images": parts(set).iter().map(|(_, part)| part.len()).sum::<usize>(),
        "channels": channels, "height": height, "width": width,
        "range": set.range(),
        "classes": described.counts.iter().copied().enumerate().map(class).collect::<Vec<_>>(),
        "labelled": !set.findings.unlabelled,
        "split": if set.drawn { "drawn" } else { "given" },
        "patients": described.patients,
        "groups": groups.map(|(noun, all)| json!({ "noun": noun.one, "count": all.len() })),
        "majority": set.majority(),
        "notes": set.findings.notes,
        "skipped": skipped.collect::<Vec<_>>(),
        "warnings": described.warnings,
        "hash": Catalogue::of(set)?.hash(),
    }))
}

fn words(set: &Dataset, verified: Option<usize>) -> String {
    let [c, h, w] = set.shape();
    let classes = set.classes.len();
    let mut text = format!("{}: {}\n", set.name, set.about);
    let _ = if set.findings.unlabelled {
        writeln!(
            text,
            "{c}×{h}×{w} pixels, without labels: they can be looked at, and nothing can be learned from them"
        )
    } else {
        writeln!(text, "{c}×{h}×{w} pixels, {classes} classes: {}", set.classes.join(", "))
    };
    for (name, images) in [("train", &set.train), ("validation", &set.validation), ("test", &set.test)] {
        let counts: Vec<_> = images.class_counts(classes).iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{name:>10}: {:6} images ({})", images.len(), counts.join(", "));
    }
    let _ = writeln!(text, "Pixels: {}.", set.range());
    if let Some((noun, all)) = set.groups() {
        let _ = writeln!(text, "The images are of {}.", noun.counted(all.len()));
    }
    if set.drawn {
        text.push_str("Nothing says which images are for what: the parts were drawn, class by class.\n");
    }
    for note in &set.findings.notes {
        let _ = writeln!(text, "{note}");
    }
    if !set.findings.unlabelled {
        let majority = set.majority();
        let _ = writeln!(text, "Always naming the largest class is right for {majority:.1} % of the test images.");
    }
    skipped(set, &mut text);
    if let Some(images) = verified {
        let _ = writeln!(text, "Read twice: {images} images, all the same both times.");
    }
    text
}

/// Lists what was left out.
fn skipped(set: &Dataset, text: &mut String) {
    /// So many are listed; --json has all.
    const LISTED: usize = 20;
    let all = &set.findings.skipped;
    if all.is_empty() {
        return;
    }
    let _ =
        writeln!(text, "{} could not be read and {} left out:", all.len(), if all.len() == 1 { "was" } else { "were" });
    for one in all.iter().take(LISTED) {
        let _ = writeln!(text, "  {}: {}", one.path.display(), one.why);
    }
    if all.len() > LISTED {
        let _ = writeln!(text, "  and {} more; --json lists all", all.len() - LISTED);
    }
}

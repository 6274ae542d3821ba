//! The recorded frontier: what a sweep over some defences came to, for whoever has no runs, and for lessons.

use std::sync::OnceLock;

use crate::run::summary::Summary;

/// What its runs came to, read at the first call; each without what a point is not made of. Empty if it cannot be read, which a
/// test rules out.
pub(super) fn recorded() -> &'static [Summary] {
    static ALL: OnceLock<Vec<Summary>> = OnceLock::new();
    ALL.get_or_init(|| {
        serde_json::from_str(include_str!("../../../../assets/example/frontier.json")).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::{Path, PathBuf};

    use super::super::made::Made;
    use super::*;
    use crate::lesson::built_in;
    use crate::report::gather::own_model;
    use crate::report::points::{Leak, Point, Scored};
    use crate::report::read::read;
    use crate::run::summary::Row;
    use crate::score::record::{AttackRecord, Judged};
    use crate::score::verdict::is_attack;
    use crate::sweep::Sweep;
    use crate::whole_files::Writer;

    fn asset(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/example").join(name)
    }

    /// What points are made of.
    fn without_the_rest(summary: &Summary) -> Summary {
        let own = summary.case().final_row(&own_model(summary)).cloned();
        let row = |row: Row| Row { confusion: None, ci: [].into(), ..row };
        let attack = |record: &AttackRecord| AttackRecord {
            judged: record.judged.as_ref().map(|judged| Judged { lead: judged.lead.clone(), ..Judged::default() }),
            ..record.clone()
        };
        Summary {
            schema: summary.schema,
            experiment: summary.experiment.clone(),
            seed: summary.seed,
            machine: summary.machine.clone(),
            class_names: summary.class_names.clone(),
            rows: own.into_iter().map(row).collect(),
            attacks: summary.attacks.iter().filter(|record| is_attack(record)).map(attack).collect(),
            ..Summary::default()
        }
    }

    /// Records it anew: `CUTLAYER_RECORD=SWEEP cargo test --lib recorded_anew -- --ignored`, after
    /// `cutlayer sweep assets/example/frontier.toml --out SWEEP`.
    #[test]
    #[ignore = "writes an asset"]
    fn recorded_anew() {
        let Some(sweep) = std::env::var_os("CUTLAYER_RECORD").map(PathBuf::from) else { return };
        let found = read(&[sweep]).unwrap();
        assert!(found.unfinished.is_empty());
        let all: Vec<Summary> = found.finished.iter().map(|run| without_the_rest(&run.summary)).collect();
        Writer::default().write(&asset("frontier.json"), &serde_json::to_vec(&all).unwrap()).unwrap();
    }

    #[test]
    fn it_is_what_the_sweep_beside_it_says() {
        let cells = Sweep::load(asset("frontier.toml")).unwrap().cells;
        assert_eq!(cells.len(), recorded().len());
        for cell in cells {
            let same =
                |summary: &Summary| summary.experiment == cell.experiment && summary.seed == cell.experiment.seed;
            assert!(recorded().iter().any(same), "{}: record the frontier anew", cell.name);
        }
    }

    #[test]
    fn points_slide_once_attackers_know_the_defences() {
        let made = Made::of(&[]);
        let set = &made.sets[made.recorded().unwrap()];
        for leak in [Leak::Lineup, Leak::Ssim] {
            let (naive, all) = (set.points(leak, Scored::Naive), set.points(leak, Scored::All));
            assert_eq!((naive.len(), all.len()), (6, 6));
            let rises = |(before, now): (&Point, &Point)| now.leak.mean > before.leak.mean;
            let risen: Vec<bool> = naive.iter().zip(all).map(rises).collect();
            // By SSIM every defence, and never what has none; by the line-up the best point at least.
            assert!(!risen[0] && risen[5], "{leak:?}");
            assert!(leak == Leak::Lineup || risen[1..].iter().all(|risen| *risen), "{risen:?}");
        }
    }

    #[test]
    fn what_the_lesson_tells_is_what_was_recorded() {
        let made = Made::of(&[]);
        let set = &made.sets[made.recorded().unwrap()];
        let told = |leak: Leak, by: Scored, digits: usize| -> Vec<String> {
            set.points(leak, by).iter().map(|point| format!("{:.digits$}", point.leak.mean)).collect()
        };
        let names: Vec<&str> = set.all.settings.iter().map(|one| one.label.as_str()).collect();
        assert_eq!((names[0], names[1]), ("no defence", "dropout p 0.5"));
        assert!(names[5].ends_with("0.3") && set.all.settings.iter().all(|one| one.seeds() == [0, 1]), "{names:?}");
        let (naive, all) = (told(Leak::Ssim, Scored::Naive, 2), told(Leak::Ssim, Scored::All, 2));
        assert_eq!([&naive[1], &all[1], &naive[5], &all[5]], ["0.59", "0.97", "0.08", "0.39"]);
        assert_eq!(told(Leak::Ssim, Scored::All, 3)[0], "0.995");
        let (naive, all) = (told(Leak::Lineup, Scored::Naive, 0), told(Leak::Lineup, Scored::All, 0));
        assert_eq!([&naive[5], &all[5]], ["45", "76"]);
        assert!(set.points(Leak::Lineup, Scored::All)[..5].iter().all(|point| point.leak.mean >= 98.0));
        let slide = |at: usize| {
            let at = |by| set.points(Leak::Ssim, by)[at].leak.mean;
            at(Scored::All) - at(Scored::Naive)
        };
        assert!([0, 2, 3, 4, 5].iter().all(|other| slide(*other) < slide(1)), "dropout slides furthest");
        let best =
            |by| set.points(Leak::Ssim, by).iter().filter(|point| point.front).map(|p| p.setting).collect::<Vec<_>>();
        assert_eq!([best(Scored::Naive), best(Scored::All)], [[0, 5], [0, 5]], "the best point is the same still");
        let text = built_in(OsStr::new("your-point-on-the-frontier")).unwrap().text;
        for words in
            [".59", ".97", ".995", "45 of 100", "About 76", "from .08 to .39", "Five of these six", "98 of 100"]
        {
            assert!(text.contains(words), "{words}");
        }
    }
}

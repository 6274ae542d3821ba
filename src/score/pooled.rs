//! Attacks of several runs at different targets, each target in one of them, as one attack at all of them.

use super::floor::Guess;
use super::image::mean_and_error;
use super::judging::{lead_over, worst};
use super::record::{AttackRecord, Each, Judged};

/// The attacks and guesses of several runs as those of one: what a run lacks is left out. Leads are measured anew over all
/// targets.
pub fn pooled(runs: &[&[AttackRecord]]) -> Vec<AttackRecord> {
    let Some((first, others)) = runs.split_first() else { return Vec::new() };
    let counts: Vec<Vec<usize>> = runs.iter().map(|records| target_counts(records)).collect();
    let rank = |run: usize, record: &AttackRecord| counts[run].iter().position(|count| *count == record.images);
    let one = |record: &AttackRecord| {
        let same = |run: usize, other: &&AttackRecord| same(record, other) && rank(run, other) == rank(0, record);
        let rest = others.iter().enumerate().map(|(i, records)| records.iter().find(|other| same(i + 1, other)));
        let all: Vec<&AttackRecord> = std::iter::once(Some(record)).chain(rest).collect::<Option<_>>()?;
        Some((rank(0, record), joined(&all)))
    };
    let mut all: Vec<(Option<usize>, AttackRecord)> = first.iter().filter_map(one).collect();
    let guesses: Vec<_> = all.iter().filter(|(_, record)| Guess::of(record).is_some()).cloned().collect();
    for (rank, record) in all.iter_mut().filter(|(_, record)| Guess::of(record).is_none()) {
        let floors: Vec<AttackRecord> =
            guesses.iter().filter(|(of, _)| of == rank).map(|(_, record)| record.clone()).collect();
        if let Some(judged) = record.judged.as_mut().filter(|judged| !judged.in_best_order) {
            judged.lead = lead_over(&judged.each, &floors);
        }
    }
    all.into_iter().map(|(_, record)| record).collect()
}

/// Numbers of targets that guesses were made at, rising: an attack is held against those of its own number.
fn target_counts(records: &[AttackRecord]) -> Vec<usize> {
    let mut all: Vec<usize> =
        records.iter().filter(|record| Guess::of(record).is_some()).map(|record| record.images).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn same(a: &AttackRecord, b: &AttackRecord) -> bool {
    (&a.name, &a.kind, a.adaptive, &a.target, a.epoch) == (&b.name, &b.kind, b.adaptive, &b.target, b.epoch)
}

/// One record of the same attack or guess at several sets of targets.
fn joined(records: &[&AttackRecord]) -> AttackRecord {
    let images: usize = records.iter().map(|record| record.images).sum();
    let mean = |of: &dyn Fn(&AttackRecord) -> f64| {
        records.iter().map(|record| record.images as f64 * of(record)).sum::<f64>() / images as f64
    };
    let some = |of: &dyn Fn(&AttackRecord) -> Option<f64>| {
        let all = records.iter().all(|record| of(record).is_some());
        all.then(|| mean(&|record| of(record).unwrap_or(f64::NAN)))
    };
    let judged: Option<Vec<&Judged>> = records.iter().map(|record| record.judged.as_ref()).collect();
    let each = judged.as_ref().map(|judged| Each {
        ssim: judged.iter().flat_map(|one| one.each.ssim.iter().copied()).collect(),
        picked: judged.iter().flat_map(|one| one.each.picked.iter().copied()).collect(),
        patients: judged
            .iter()
            .map(|one| one.each.patients.clone())
            .collect::<Option<Vec<_>>>()
            .map(|all| all.concat()),
    });
    let picked: Vec<f64> = each.iter().flat_map(|each| each.picked.iter().flatten().copied()).collect();
    let (ssim, ssim_se) = match each.as_ref().filter(|each| !each.ssim.is_empty()) {
        Some(each) => mean_and_error(&each.ssim),
        None => (mean(&|record| record.ssim), f64::NAN),
    };
    let psnr = mean(&|record| record.psnr);
    let (ssim_p95, ssim_worst) = each.as_ref().map_or((None, None), |each| worst(&each.ssim));
    AttackRecord {
        images,
        iterations: records.iter().map(|record| record.iterations).max().unwrap_or(0),
        mse: mean(&|record| record.mse),
        psnr,
        ssim,
        ssim_se: if ssim_se.is_finite() || ssim.is_nan() { ssim_se } else { 0.0 },
        lineup: if each.is_some() {
            (!picked.is_empty()).then(|| 100.0 * mean_and_error(&picked).0)
        } else {
            some(&|record| record.lineup)
        },
        ms_ssim: some(&|record| record.ms_ssim),
        ssim_p95,
        ssim_worst,
        labels_right: some(&|record| record.labels_right),
        labels_chance: some(&|record| record.labels_chance),
        seconds: records.iter().map(|record| record.seconds).sum(),
        judged: judged.zip(each).map(|(judged, each)| Judged {
            psnr_se: pooled_error(records, psnr, images),
            each,
            lead: None,
            doubt: judged.iter().find_map(|one| one.doubt.clone()),
            in_best_order: judged.iter().any(|one| one.in_best_order),
            tries: tries(&judged, records, images),
        }),
        ..records[0].clone()
    }
}

/// The standard error of a mean PSNR over all targets, from the errors within the runs and the distances of their means.
fn pooled_error(records: &[&AttackRecord], mean: f64, images: usize) -> f64 {
    let within = |record: &AttackRecord| {
        let n = record.images as f64;
        let variance = record.judged.as_ref().map_or(0.0, |judged| judged.psnr_se.powi(2) * n);
        (n - 1.0) * variance + n * (record.psnr - mean).powi(2)
    };
    let n = images as f64;
    let error = (records.iter().map(|record| within(record)).sum::<f64>() / (n - 1.0) / n).sqrt();
    if error.is_finite() { error } else { 0.0 }
}

/// Means over all targets of the best among the first draws.
fn tries(judged: &[&Judged], records: &[&AttackRecord], images: usize) -> Vec<f64> {
    let draws = judged.iter().map(|one| one.tries.len()).min().unwrap_or(0);
    let weighed =
        |draw: usize| judged.iter().zip(records).map(move |(one, record)| record.images as f64 * one.tries[draw]);
    (0..draws).map(|draw| weighed(draw).sum::<f64>() / images as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Part};
    use crate::random::Seed;
    use crate::score::judging::Bench;

    /// Images of noise of two classes.
    fn part(n: usize, seed: u64) -> Part {
        let mut stream = Seed(seed).stream("x", 0);
        let pixels = (0..n * 144).map(|_| stream.below(256) as u8).collect();
        Part::from(Images { shape: [1, 12, 12], pixels, labels: (0..n as u32).map(|i| i % 2).collect() })
    }

    #[test]
    fn an_attack_at_parts_of_the_targets_is_that_at_all_of_them() {
        let (all, pool) = (part(60, 1), part(80, 2));
        let got: Vec<Vec<f32>> = (0..60)
            .map(|i| all.values(i).unwrap().iter().map(|v| if i % 3 == 0 { 0.5 } else { 0.8 * v + 0.1 }).collect())
            .collect();
        let records = |from: usize, to: usize| {
            let targets = all.select(&(from..to).collect::<Vec<_>>());
            let bench = Bench::new(&targets, to - from, &pool, Seed(0)).unwrap().measured(&pool).unwrap();
            let attack = AttackRecord {
                name: "rmle".into(),
                iterations: 5,
                target: "vanilla".into(),
                epoch: 3,
                ..bench.scored(&got[from..to]).unwrap()
            };
            std::iter::once(attack).chain(bench.floors().iter().cloned()).collect::<Vec<_>>()
        };
        let (first, second, whole) = (records(0, 25), records(25, 60), records(0, 60));
        let pooled = pooled(&[&first, &second]);
        assert_eq!(pooled.len(), whole.len());
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        let (one, other) = (&pooled[0], &whole[0]);
        assert_eq!((one.images, one.lineup.map(f64::round)), (60, other.lineup.map(f64::round)));
        near(one.ssim, other.ssim);
        near(one.ssim_se, other.ssim_se);
        near(one.mse, other.mse);
        near(one.psnr, other.psnr);
        let (mine, theirs) = (one.judged.as_ref().unwrap(), other.judged.as_ref().unwrap());
        near(mine.psnr_se, theirs.psnr_se);
        assert_eq!(mine.each.ssim, theirs.each.ssim);
        let lead = mine.lead.as_ref().unwrap();
        assert!(lead.p < 0.01 && lead.mean > 0.0, "{lead:?}");
        near(pooled[1].ssim, whole[1].ssim);
    }

    #[test]
    fn what_a_run_lacks_is_left_out() {
        let attack =
            |name: &str| AttackRecord { name: name.into(), images: 4, iterations: 1, ..AttackRecord::default() };
        let (first, second) = ([attack("a"), attack("b")], [attack("b")]);
        assert_eq!(pooled(&[&first, &second]).iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["b"]);
        assert!(pooled(&[]).is_empty());
    }
}

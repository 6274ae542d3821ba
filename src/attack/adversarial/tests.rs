//! That adversaries keep to their bounds, climb, and find their way through a defence.

use candle_core::{Device, Tensor, Var};

use super::target::{losses_at, predicted, slope};
use super::*;
use crate::experiment::Experiment;
use crate::experiment::fixture::{OFF, moved_by};
use crate::model::network::Network;
use crate::random::At;
use crate::run::attacker::server_of;
use crate::setting::Values;
use crate::split::SplitModel;
use crate::workbench::{ADVERSARIAL, attacks};

const SAMPLES: [usize; 6] = [4, 7, 9, 12, 13, 20];

/// The models of a document: weights as they are drawn, which are as good as any to go through.
fn models(set: &[&str]) -> Vec<(SplitModel, Network)> {
    let mut experiment = Experiment::preset("quick").unwrap();
    for assignment in set {
        experiment.set(assignment).unwrap();
    }
    let plans = experiment.split_plans([1, 28, 28], 10).unwrap();
    let made = plans.into_iter().map(|plan| {
        let model = SplitModel::new(plan.clone(), Seed(2), &Device::Cpu).unwrap();
        let plain = server_of(&model.server.parameters().snapshot().unwrap(), &plan, &Device::Cpu).unwrap();
        (model, plain)
    });
    made.collect()
}

fn view((model, plain): &(SplitModel, Network), changes: Changes, adaptive: bool) -> View<'_> {
    View { model, plain, changes, adaptive, samples: &SAMPLES, draws: 1 }
}

fn images() -> Tensor {
    Seed(1).stream("x", 0).uniform_tensor(0.2, 0.8, &[6, 1, 28, 28], &Device::Cpu).unwrap()
}

fn list(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn with(kind: &'static Kind, set: &[&str]) -> (&'static Kind, Values) {
    let mut values = Values::of(kind.settings);
    for assignment in set {
        kind.set(&mut values, assignment).unwrap();
    }
    (kind, values)
}

fn moved((kind, values): &(&'static Kind, Values), target: &dyn Target, input: &Tensor) -> Tensor {
    let start = Start { input, samples: &SAMPLES, seed: Seed(0) };
    let mut adversary = (kind.make)(target, start, values).unwrap();
    while !adversary.done() {
        adversary.advance(target).unwrap();
    }
    adversary.outcome().unwrap()
}

/// Every model in every form, and what is moved.
fn everywhere(kind: &Kind, mut check: impl FnMut(&View<'_>, &Tensor)) {
    for pair in &models(&[]) {
        for adaptive in [false, true] {
            if adaptive && !pair.0.plan.defended() {
                continue;
            }
            let input = match kind.changes {
                Changes::Image => images(),
                Changes::Smashed => pair.0.ask(&images(), At::ONCE).unwrap().0.tensor().clone(),
            };
            check(&view(pair, kind.changes, adaptive), &input);
        }
    }
}

/// The largest distance from where each number was.
fn farthest(input: &Tensor, moved: &Tensor) -> f64 {
    list(input).iter().zip(list(moved)).fold(0.0, |most, (a, b)| most.max(f64::from((a - b).abs())))
}

#[test]
fn images_stay_within_epsilon_and_the_range_and_the_loss_rises() {
    for kind in [&fgsm::KIND, &pgd::KIND] {
        for epsilon in [0.03, 0.5] {
            let attack = with(kind, &[&format!("epsilon={epsilon}")]);
            everywhere(kind, |target, x| {
                let labels = predicted(target, x).unwrap();
                let got = moved(&attack, target, x);
                let far = farthest(x, &got);
                assert!(far <= epsilon + 1e-6 && far > 0.02, "{} {far}", kind.id);
                assert!(list(&got).iter().all(|v| (0.0..=1.0).contains(v)), "{}", kind.id);
                let sum = |x: &Tensor| losses_at(target, x, &labels).unwrap().iter().sum::<f64>();
                assert!(sum(&got) > sum(x), "{} {epsilon} adaptive {}", kind.id, target.adaptive);
            });
        }
    }
}

#[test]
fn small_steps_get_at_least_as_far_as_one_large_one() {
    let attacks = [with(&fgsm::KIND, &[]), with(&pgd::KIND, &[]), with(&pgd::KIND, &["restarts=3", "steps=20"])];
    everywhere(&pgd::KIND, |target, x| {
        let labels = predicted(target, x).unwrap();
        let sums = attacks
            .each_ref()
            .map(|attack| losses_at(target, &moved(attack, target, x), &labels).unwrap().iter().sum::<f64>());
        assert!(sums[0] <= sums[1] * 1.02 && sums[1] <= sums[2] * 1.001, "{sums:?}");
    });
}

#[test]
fn smashed_data_stay_in_their_ball_which_is_as_large_as_they_are() {
    let attack = with(&pgd_z::KIND, &["epsilon=0.2", "restarts=2"]);
    everywhere(&pgd_z::KIND, |target, z| {
        let labels = predicted(target, z).unwrap();
        let got = moved(&attack, target, z);
        for i in 0..SAMPLES.len() {
            let (before, after) = (list(&z.get(i).unwrap()), list(&got.get(i).unwrap()));
            let squares: f64 = before.iter().map(|v| f64::from(v * v)).sum();
            let radius = 0.2 * (squares / before.len() as f64).sqrt();
            let far = before.iter().zip(&after).fold(0.0f64, |most, (a, b)| most.max(f64::from((a - b).abs())));
            assert!(far <= radius * (1.0 + 1e-4) && far > 0.9 * radius, "{far} {radius}");
        }
        let before = losses_at(target, z, &labels).unwrap();
        let after = losses_at(target, &got, &labels).unwrap();
        assert!(after.iter().zip(&before).all(|(after, before)| after >= before), "{before:?} {after:?}");
        assert!(after.iter().sum::<f64>() > before.iter().sum::<f64>());
    });
}

#[test]
fn jsma_moves_no_more_pixels_than_it_may() {
    for (gamma, rounds) in [(0.1, 10), (0.05, 1), (0.013, 3)] {
        let attack = with(&jsma::KIND, &[&format!("gamma={gamma}"), &format!("rounds={rounds}"), "theta=0.6"]);
        everywhere(&jsma::KIND, |target, x| {
            let labels = predicted(target, x).unwrap();
            let got = moved(&attack, target, x);
            for i in 0..SAMPLES.len() {
                let (before, after) = (list(&x.get(i).unwrap()), list(&got.get(i).unwrap()));
                let count = before.iter().zip(&after).filter(|(a, b)| a != b).count();
                assert!(count <= (gamma * before.len() as f64) as usize, "{count} of {}", before.len());
                assert!(after.iter().all(|v| (0.0..=1.0).contains(v)));
                let whole =
                    |(a, b): (&f32, &f32)| a == b || *b == 0.0 || *b == 1.0 || ((a - b).abs() - 0.6).abs() < 1e-6;
                assert!(before.iter().zip(&after).all(whole));
            }
            let sum = |x: &Tensor| losses_at(target, x, &labels).unwrap().iter().sum::<f64>();
            assert!(sum(&got) > sum(x), "{gamma} {rounds}");
        });
    }
}

#[test]
fn without_room_nothing_moves_and_nothing_flips() {
    for kind in ADVERSARIAL {
        let none: &[&str] = match kind.id {
            "jsma" => &["gamma=0"],
            "fgsm" => &["epsilon=0"],
            _ => &["epsilon=0", "restarts=2"],
        };
        let attack = with(kind, none);
        everywhere(kind, |target, input| {
            let got = moved(&attack, target, input);
            assert_eq!(list(&got), list(input), "{}", kind.id);
            assert_eq!(predicted(target, &got).unwrap(), predicted(target, input).unwrap(), "{}", kind.id);
        });
    }
}

#[test]
fn one_step_at_a_plain_model_is_the_table_s() {
    let pairs = models(&[]);
    let pair = pairs.iter().find(|pair| !pair.0.plan.defended()).unwrap();
    let target = view(pair, Changes::Image, false);
    let got = moved(&with(&fgsm::KIND, &["epsilon=0.1"]), &target, &images());
    assert_eq!(list(&got), list(&table::fgsm(&pair.0, &images(), 0.1).unwrap()));
}

/// Through the disguise and the client's layers to the stream that sees z as it is everything is piecewise linear: there the
/// way back is no stand-in.
#[test]
fn the_way_back_through_the_defence_is_its_derivative() {
    let pairs = models(&[&moved_by(0.3)]);
    let (model, _) = pairs.iter().find(|pair| pair.0.plan.defended()).unwrap();
    let x = Var::from_tensor(&images()).unwrap();
    let at = At::Ask { samples: &SAMPLES, draw: 0 };
    let value = |x: &Tensor| -> (Tensor, f64) {
        let logits = model.open(x, at).unwrap().swap_remove(0).1.narrow(1, 3, 1).unwrap().sum_all().unwrap();
        (logits.clone(), f64::from(logits.to_scalar::<f32>().unwrap()))
    };
    let gradient = list(value(&x).0.backward().unwrap().get(&x).unwrap());
    let largest = gradient.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    let (mut near, mut looked_at) = (0, 0);
    for i in (0..gradient.len()).step_by(97) {
        let stepped = |by: f32| {
            let mut values = list(&x);
            values[i] += by;
            value(&Tensor::from_vec(values, x.shape(), &Device::Cpu).unwrap()).1
        };
        let measured = (stepped(2e-3) - stepped(-2e-3)) / 4e-3;
        looked_at += 1;
        near += usize::from((measured - f64::from(gradient[i])).abs() < 0.03 * f64::from(largest));
    }
    // A step may cross a kink, of a relu or of the order of the map.
    assert!(looked_at > 40 && near * 10 >= looked_at * 9, "{near} of {looked_at}");
}

#[test]
fn what_the_defence_clips_gives_nothing_back_and_the_rest_does() {
    let pairs = models(&[&moved_by(1.0)]);
    let (model, _) = pairs.iter().find(|pair| pair.0.plan.defended()).unwrap();
    let x = Var::from_tensor(&images()).unwrap();
    let end = model.open(&x, At::ONCE).unwrap().swap_remove(0).1.sum_all().unwrap();
    let gradient = list(end.backward().unwrap().get(&x).unwrap());
    let sent = list(&model.hide(&x, At::ONCE).unwrap().outgoing.images);
    let clipped = |i: usize| sent[i] == 0.0 || sent[i] == 1.0;
    let zero = |i: &usize| gradient[*i] == 0.0;
    let (ends, others): (Vec<usize>, Vec<usize>) = (0..sent.len()).partition(|i| clipped(*i));
    assert!(ends.len() > 100 && ends.iter().all(zero));
    assert!(others.iter().filter(|i| zero(i)).count() * 2 < others.len());
}

/// The real answer and the one that is climbed are the same: only the way back is a stand-in.
#[test]
fn an_adaptive_view_answers_as_the_model_does() {
    for pair in &models(&[]) {
        let answer = pair.0.answer(&images(), At::ONCE).unwrap();
        let seen = view(pair, Changes::Image, true).streams(&images(), 0).unwrap();
        assert_eq!(seen.len(), answer.streams.len());
        for (seen, (name, logits)) in seen.iter().zip(&answer.streams) {
            let apart = farthest(&seen.logits, logits);
            assert!(apart < 1e-5, "{name} {apart}");
        }
        let shares = target::decided(&seen).unwrap();
        if !answer.is_plain() {
            let own = answer.scores.to_vec2::<f32>().unwrap();
            let apart = shares.iter().flatten().zip(own.iter().flatten()).map(|(a, b)| (a - f64::from(*b)).abs());
            assert!(apart.fold(0.0, f64::max) < 1e-5);
        }
    }
}

#[test]
fn over_draws_the_slope_is_the_mean() {
    let pairs = models(&[OFF, "defence=[{ name = \"dropout\" }]"]);
    let pair = pairs.iter().find(|pair| pair.0.plan.defended()).unwrap();
    let (x, labels) = (images(), [0u32; 6]);
    let several = View { draws: 3, ..view(pair, Changes::Image, true) };
    let all = list(&slope(&several, &x, &labels).unwrap().gradient);
    let of = |draw: usize| {
        let pulled = target::pull(&several, &x, draw, |streams| Ok([target::up(streams, &labels)?])).unwrap();
        let [gradient] = pulled.1;
        list(&gradient)
    };
    let each: Vec<Vec<f32>> = (0..3).map(of).collect();
    assert_ne!(each[0], each[1], "drawn anew");
    let sums: Vec<f32> = (0..all.len()).map(|i| each[0][i] + each[1][i] + each[2][i]).collect();
    assert!(all.iter().zip(&sums).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + a.abs())));
}

/// So sure that softmax leaves single precision nothing.
struct Sure;

impl Target for Sure {
    fn streams(&self, input: &Tensor, _: usize) -> Result<Vec<Stream>> {
        let x = input.flatten_from(1)?.narrow(1, 0, 3)?;
        let sure = (x * Tensor::new(&[[300f32, 1.0, 2.0]], &Device::Cpu)?.broadcast_as((input.dim(0)?, 3))?)?;
        Ok(vec![Stream { vote: 0.4, logits: sure }])
    }
}

#[test]
fn a_model_that_is_sure_is_climbed_all_the_same() {
    let found = slope(&Sure, &images(), &[0; 6]).unwrap();
    let gradient = list(&found.gradient.narrow(3, 0, 3).unwrap().narrow(2, 0, 1).unwrap().contiguous().unwrap());
    assert!(gradient.chunks(3).all(|row| row[0] < -100.0 && row[1] > 0.0 && row[2] > 0.0), "{gradient:?}");
    assert!(found.losses.iter().all(|loss| loss.is_finite()));
}

#[test]
fn every_card_has_its_words_and_settings_that_are_allowed() {
    for (i, kind) in ADVERSARIAL.iter().enumerate() {
        assert!([kind.id, kind.title, kind.about].iter().all(|text| !text.is_empty()));
        assert!(ADVERSARIAL[..i].iter().all(|other| other.id != kind.id));
        assert!(attacks().iter().all(|other| other.id != kind.id), "{}", kind.id);
        for setting in kind.settings {
            let default = setting.default.unwrap_or_else(|| panic!("{}.{}", kind.id, setting.key));
            assert_eq!(setting.kind.check(setting.key, &default.value()), Ok(()), "{}", kind.id);
            assert!(setting.help.ends_with('.'), "{}.{}", kind.id, setting.key);
        }
        let (words, size) = (kind.budget)(&Values::of(kind.settings)).unwrap();
        assert!(!words.is_empty() && size > 0.0);
    }
    let mut values = Values::of(pgd::KIND.settings);
    pgd::KIND.set(&mut values, "epsilon=0.1").unwrap();
    assert_eq!((pgd::KIND.budget)(&values).unwrap().1, 0.1);
    for (wrong, told) in [
        ("epsilon", "no KEY=VALUE"),
        ("epsilon=2", "epsilon"),
        ("steps=0", "steps"),
        ("steps=many", "no value"),
        ("gamma=0.1", "it has epsilon, step, steps, restarts"),
    ] {
        let error = pgd::KIND.set(&mut values, wrong).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

//! The mirror, asked about digits and brain planes.

use super::*;
use crate::experiment::fixture::{BRAIN, DIGITS, GAMMA};
use crate::live::attack_of;

fn last_scene(mirror: &mut Mirror, question: Question) -> Scene {
    mirror.ask(question).unwrap();
    let mut last = None;
    while let Some(scene) = mirror.advance(&|_| Next::Work).unwrap() {
        last = Some(scene);
    }
    last.unwrap()
}

fn psnr(scene: &Scene) -> f64 {
    crate::score::image::psnr(crate::score::image::mse(&scene.original.values, &scene.reconstruction.values))
}

#[test]
fn the_opening_steals_the_patient_from_an_untrained_client() {
    for preset in [DIGITS, BRAIN] {
        let mut question = Question::opening(&Experiment::preset(preset).unwrap(), None);
        question.spread = None;
        let scene = last_scene(&mut Mirror::default(), question);
        assert!(psnr(&scene) > 25.0, "{preset}: {}", psnr(&scene));
        assert_eq!(scene.lineup.as_ref().and_then(Lineup::correct), Some(true), "{preset}");
        assert_eq!((scene.stamp.defended, scene.stamp.trained), (false, None));
    }
}

#[test]
fn a_stroke_goes_on_from_what_the_attacker_has() {
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment = experiment.undefended();
    let mut mirror = Mirror::default();
    let ask = |picture: &Picture| Question { image: Shown::Own(picture.clone()), ..Question::new(experiment.clone()) };
    let mut drawn = Picture { shape: [1, 28, 28], values: vec![0.0; 784] };
    drawn.values[200..220].fill(1.0);
    last_scene(&mut mirror, ask(&drawn));
    drawn.values[228..232].fill(1.0);
    mirror.ask(ask(&drawn)).unwrap();
    mirror.advance(&|_| Next::Work).unwrap();
    let warm = mirror.advance(&|_| Next::Work).unwrap().unwrap();
    let cold = {
        let mut fresh = Mirror::default();
        fresh.ask(ask(&drawn)).unwrap();
        fresh.job.as_mut().unwrap().theft.as_mut().unwrap().advance().unwrap();
        fresh.job.as_ref().unwrap().scene().unwrap()
    };
    assert!(psnr(&warm) > psnr(&cold) + 3.0, "{} against {}", psnr(&warm), psnr(&cold));
}

#[test]
fn a_network_learns_once_and_serves_every_image() {
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment = experiment.undefended();
    let ask = |image: usize, experiment: &Experiment| Question {
        attack: attack_of(experiment, "inverse"),
        image: Shown::Patient(image),
        ..Question::new(experiment.clone())
    };
    let mut mirror = Mirror::default();
    let learnt = last_scene(&mut mirror, ask(0, &experiment));
    let progress = learnt.progress.as_ref().unwrap();
    assert_eq!((learnt.stamp.attack.as_str(), progress.attack.as_str()), ("inverse", "inverse"));
    assert!(progress.iteration == progress.planned && progress.planned >= 200, "{progress:?}");
    assert!(psnr(&learnt) > 12.0, "{}", psnr(&learnt));
    // Another image is stolen in one pass, and as well as if the network had learnt for it.
    mirror.ask(ask(1, &experiment)).unwrap();
    let at_once = mirror.advance(&|_| Next::Work).unwrap().unwrap();
    assert_eq!(at_once.progress.as_ref().unwrap().iteration, progress.planned);
    assert!(mirror.advance(&|_| Next::Work).unwrap().is_none());
    let alone = last_scene(&mut Mirror::default(), ask(1, &experiment));
    assert_eq!(at_once.reconstruction, alone.reconstruction);
    // To rMLE and back: nothing is learnt again. Other layers are.
    last_scene(&mut mirror, Question::new(experiment.clone()));
    mirror.ask(ask(0, &experiment)).unwrap();
    let back = mirror.advance(&|_| Next::Work).unwrap().unwrap();
    assert_eq!(back.reconstruction, learnt.reconstruction);
    experiment.model.cut = 2;
    mirror.ask(ask(0, &experiment)).unwrap();
    let first = mirror.advance(&|_| Next::Work).unwrap().unwrap();
    assert!(first.reconstruction.is_empty() && first.progress.unwrap().iteration == 0);
}

#[test]
fn learning_is_interrupted_at_once_and_goes_on_where_it_was() {
    let experiment = Experiment::preset("quick").unwrap();
    let ask = |gamma: f64, adaptive: bool| {
        let mut experiment = experiment.clone();
        experiment.set(&format!("{GAMMA}={gamma}")).unwrap();
        Question { attack: attack_of(&experiment, "inverse"), adaptive, ..Question::new(experiment) }
    };
    let mut mirror = Mirror::default();
    let iteration = |scene: &Scene| scene.progress.as_ref().unwrap().iteration;
    mirror.ask(ask(0.1, false)).unwrap();
    let mut reached = 0;
    while reached < 5 {
        reached = iteration(&mirror.advance(&|_| Next::Work).unwrap().unwrap());
    }
    assert!(mirror.advance(&|_| Next::Leave).unwrap().is_none(), "it gives way before its next step");
    // Who does not know the defence learns nothing of its strength; who does begins anew.
    mirror.ask(ask(0.2, false)).unwrap();
    assert!(iteration(&mirror.advance(&|_| Next::Work).unwrap().unwrap()) >= reached);
    mirror.ask(ask(0.2, true)).unwrap();
    assert_eq!(iteration(&mirror.advance(&|_| Next::Work).unwrap().unwrap()), 0);
}

#[test]
fn an_attack_that_cannot_be_shown_says_why_and_the_rest_is_shown() {
    let mut experiment = Experiment::preset("quick").unwrap();
    experiment.data.aux = 0.01;
    let mut question = Question { attack: attack_of(&experiment, "inverse"), ..Question::new(experiment) };
    let mut mirror = Mirror::default();
    mirror.ask(question.clone()).unwrap();
    // As if the share came to no image at all.
    question.image = Shown::Patient(1);
    let grounds = Arc::get_mut(mirror.grounds.as_mut().unwrap()).unwrap();
    grounds.auxiliary = grounds.auxiliary.take(1);
    mirror.kept.clear();
    mirror.job = None;
    mirror.ask(question).unwrap();
    let scene = mirror.advance(&|_| Next::Work).unwrap().unwrap();
    assert!(scene.reconstruction.is_empty() && scene.progress.is_none() && !scene.smashed.is_empty());
    let error = mirror.advance(&|_| Next::Work).unwrap_err().to_string();
    assert!(error.contains("two auxiliary images or more: raise data.aux"), "{error}");
    assert!(mirror.advance(&|_| Next::Work).unwrap().is_none());
}

#[test]
fn of_a_blank_canvas_nobody_is_picked() {
    let experiment = Experiment::preset("quick").unwrap();
    let blank = Picture { shape: [1, 28, 28], values: vec![0.0; 784] };
    let question = Question { image: Shown::Own(blank), ..Question::new(experiment) };
    let scene = last_scene(&mut Mirror::default(), question);
    assert!(!scene.reconstruction.is_empty() && scene.lineup.is_none());
    assert!(scene.original.score_of(&scene.reconstruction).is_none());
}

#[test]
fn the_defence_shows_its_disguise_and_its_strength_moves_it() {
    let mut experiment = Experiment::preset("quick").unwrap();
    let mut mirror = Mirror::default();
    let first = |mirror: &mut Mirror, experiment: &Experiment| {
        mirror.ask(Question::new(experiment.clone())).unwrap();
        mirror.advance(&|_| Next::Work).unwrap().unwrap()
    };
    let weak = first(&mut mirror, &experiment);
    experiment.set(&format!("{GAMMA}=0.4")).unwrap();
    let strong = first(&mut mirror, &experiment);
    let moved = |scene: &Scene| scene.original.values.iter().zip(&scene.sent.values).filter(|(a, b)| a != b).count();
    assert!(moved(&strong) > 2 * moved(&weak) && moved(&weak) > 0);
    assert_eq!(weak.opinion.as_ref().unwrap().streams.len(), 3);
    assert!(!weak.smashed.is_empty() && !weak.map.is_empty() && weak.reconstruction.is_empty());
}

#[test]
fn what_does_not_fit_is_told() {
    let experiment = Experiment::preset("quick").unwrap();
    let picture = Picture { shape: [3, 2, 2], values: vec![0.0; 12] };
    let question = Question { image: Shown::Own(picture), ..Question::new(experiment) };
    let error = Mirror::default().ask(question).unwrap_err().to_string();
    assert!(error.starts_with("the image is [3, 2, 2] (C, H, W)"), "{error}");
}

/// What the attackers of a gradient are asked about in a lesson, with attacks of so many steps at most.
fn gradient_question(attack: &str, batch: usize, steps: usize) -> Question {
    let lesson = crate::lesson::find("one-gradient").unwrap();
    let mut experiment = lesson.start.experiment().unwrap();
    for (key, value) in [("batch", batch), ("iterations", steps)] {
        experiment.set(&format!("attack.{attack}.{key}={value}")).unwrap();
    }
    Question { attack: attack_of(&experiment, attack), ..Question::new(experiment) }
}

#[test]
fn of_a_gradient_of_several_images_the_shown_one_is_found_with_the_labels_of_all() {
    let mut mirror = Mirror::default();
    for at in [0, 3] {
        let question = Question { image: Shown::Patient(at), ..gradient_question("idlg", 3, 30) };
        let scene = last_scene(&mut mirror, question);
        let patients = &mirror.grounds.as_ref().unwrap().patients;
        let truth: Vec<usize> = (at..at + 3).map(|i| patients.labels()[i] as usize).collect();
        assert_eq!(scene.label, Some(truth[0]));
        assert_eq!(scene.labels[0], truth[0], "the shown image's first");
        assert!(
            truth.iter().all(|label| scene.labels.contains(label)) && scene.labels.len() == 3,
            "{:?}",
            scene.labels
        );
        let below: Vec<usize> = (0..10).filter(|class| scene.classes[*class] < 0.0).collect();
        let mut sorted = truth.clone();
        sorted.sort_unstable();
        assert_eq!(below, sorted, "{:?}", scene.classes);
        assert!(psnr(&scene) > 25.0, "{}", psnr(&scene));
        // Which of the three it is was told by the original.
        assert!(scene.lineup.is_none() && scene.stamp.batch == 3);
    }
    let alone = last_scene(&mut mirror, gradient_question("dlg", 1, 30));
    assert!(psnr(&alone) > 25.0, "{}", psnr(&alone));
    assert_eq!((alone.labels.len(), alone.stamp.batch), (1, 1));
    assert_eq!(alone.lineup.as_ref().and_then(Lineup::correct), Some(true));
    mirror.ask(Question::new(Experiment::preset("quick").unwrap().undefended())).unwrap();
    mirror.advance(&|_| Next::Work).unwrap();
    let wire = mirror.advance(&|_| Next::Work).unwrap().unwrap();
    assert!(!wire.reconstruction.is_empty() && wire.labels.is_empty() && wire.classes.is_empty());
    assert_eq!(wire.stamp.batch, 0);
}

#[test]
fn a_batch_is_no_larger_than_there_are_images() {
    let mut question = gradient_question("idlg", 64, 1);
    question.experiment.set("data.test=20").unwrap();
    let mut mirror = Mirror::default();
    mirror.ask(question.clone()).unwrap();
    assert_eq!(mirror.job.as_ref().unwrap().batch.len(), 20);
    let picture = Picture { shape: [1, 28, 28], values: (0..784).map(|i| f32::from(u8::from(i % 5 == 0))).collect() };
    mirror.ask(Question { image: Shown::Own(picture), ..question }).unwrap();
    assert_eq!(mirror.job.as_ref().unwrap().batch.len(), 21);
}

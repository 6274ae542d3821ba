use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::*;
use crate::attack::fixture::{Tripled, images, known, seen, victim};
use crate::defence::imitation::Imitation;
use crate::model::wire::Smashed;

const FEW: Settings = Settings { steps: 6, iterations: 4, restarts: 3, prior: 1e-3, pixels: 3 };

fn finished(mut attack: Prior) -> Prior {
    let mut before = attack.progress();
    while !attack.done() {
        attack.advance().unwrap();
        let now = attack.progress();
        assert!(now.0 >= before.0 && now.0 <= now.1 && attack.done() == (now.0 == now.1), "{before:?} {now:?}");
        before = now;
    }
    attack
}

fn bits(t: &Tensor) -> Vec<u32> {
    t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn it_goes_on_from_any_slice_to_the_same_bytes() {
    let model = victim(100);
    let (seen, known) = (seen(&model, 2), known(&model, 24));
    let made = || Prior::new(&seen, &known, FEW).unwrap();
    let whole = finished(made());
    assert!(whole.pixels.is_some(), "the last stage is never reached: {:?}", whole.check);
    let wanted = bits(&whole.reconstruction().unwrap());
    let mut running = made();
    let mut slices = 0;
    while !running.done() {
        let mut other = made();
        other.load(&running.state().unwrap().unwrap()).unwrap();
        assert_eq!(other.progress(), running.progress(), "after {slices}");
        let other = finished(other);
        assert_eq!(bits(&other.reconstruction().unwrap()), wanted, "after {slices}");
        assert_eq!((other.doubt().unwrap(), other.loss().to_bits()), (whole.doubt().unwrap(), whole.loss().to_bits()));
        running.advance().unwrap();
        slices += 1;
    }
    // Six of the generator, one look, five on the latents and three on the pixels, twice.
    assert!(slices >= 18, "{slices}");
    let mut other = Prior::new(&seen, &known, Settings { iterations: 9, ..FEW }).unwrap();
    assert!(other.load(&running.state().unwrap().unwrap()).is_err(), "a state of other settings");
}

#[test]
fn the_lowest_loss_of_its_own_wins_and_more_restarts_never_raise_it() {
    let mut found = Found::from_starts(&Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap()).unwrap();
    for (row, loss, latent) in [(1, 0.5, [1.0; 3]), (1, 0.7, [2.0; 3]), (0, 0.9, [3.0; 3]), (1, 0.4, [4.0; 3])] {
        found.offer(row, loss, &latent);
    }
    assert_eq!((found.losses, found.latents), (vec![0.9, 0.4], vec![3.0, 3.0, 3.0, 4.0, 4.0, 4.0]));
    let model = victim(8);
    let (seen, known) = (seen(&model, 3), known(&model, 24));
    let losses = |restarts| {
        let settings = Settings { restarts, pixels: 0, iterations: 20, ..FEW };
        finished(Prior::new(&seen, &known, settings).unwrap()).found.unwrap().losses
    };
    let (one, six) = (losses(1), losses(6));
    assert!(six.iter().zip(&one).all(|(six, one)| *six <= one * 1.0001), "{six:?} {one:?}");
    assert!(six.iter().zip(&one).any(|(six, one)| *six < 0.99 * one), "{six:?} {one:?}");
}

#[test]
fn adaptive_it_searches_through_the_defence() {
    let model = victim(40);
    let sent = (seen(&model, 3).smashed().unwrap().tensor() * 3.0).unwrap();
    let seen = Evidence::new(Smashed::new(&sent)).unwrap();
    let settings = Settings { steps: 150, iterations: 60, restarts: 2, pixels: 0, ..FEW };
    let losses = |defence: Option<Arc<dyn Imitation>>| {
        let known = Knowledge { defence, ..known(&model, 40) };
        finished(Prior::new(&seen, &known, settings).unwrap()).found.unwrap().losses[..3].to_vec()
    };
    let (naive, adaptive) = (losses(None), losses(Some(Arc::new(Tripled))));
    assert!(adaptive.iter().zip(&naive).all(|(adaptive, naive)| *adaptive < 0.5 * naive), "{adaptive:?} {naive:?}");
}

#[test]
fn numbers_that_are_none_end_it_with_a_word() {
    let model = victim(8);
    let broken = (seen(&model, 2).smashed().unwrap().tensor() * f64::NAN).unwrap();
    let mut attack = Prior::new(&Evidence::new(Smashed::new(&broken)).unwrap(), &known(&model, 24), FEW).unwrap();
    let error = loop {
        if let Err(error) = attack.advance() {
            break error;
        }
    };
    assert!(matches!(&error, Error::Diverged(text) if text.starts_with("prior: the loss is NaN")), "{error}");
    let none = Knowledge { auxiliary: Some(Auxiliary::new(images(1, 0), &Device::Cpu)), ..known(&model, 2) };
    assert!(Prior::new(&seen(&model, 1), &none, FEW).is_err(), "one image is too few");
}

#[test]
fn larger_images_have_fewer_latents_at_once() {
    assert_eq!([[1, 28, 28], [3, 32, 32], [1, 64, 64], [1, 2000, 2000]].map(at_once), [64, 64, 16, 1]);
}

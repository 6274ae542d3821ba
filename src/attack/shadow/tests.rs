use std::sync::Arc;

use super::*;
use crate::attack::fixture::{Tripled, known, seen, victim};

fn settings(steps: usize, iterations: usize) -> Settings {
    let adam = AdamSettings { amsgrad: true, ..AdamSettings::new(0.1) };
    Settings {
        steps,
        moments: 1.0,
        search: rmle::Settings { iterations, adam, tv: 0.01, boxed: true, rehearse: false, settled: 0.0 },
    }
}

fn finished(mut attack: Shadow) -> Shadow {
    while !attack.done() {
        attack.advance().unwrap();
    }
    attack
}

fn bits(t: &Tensor) -> Vec<u32> {
    t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn it_goes_on_from_any_slice_to_the_same_bytes() {
    let model = victim(20);
    let (seen, known) = (seen(&model, 18), known(&model, 40).masked(KIND.knows));
    assert!(known.client.is_none() && known.check_oracle().is_err(), "it may not ask");
    let made = || Shadow::new(&seen, &known, settings(5, 3)).unwrap();
    let wanted = bits(&finished(made()).reconstruction().unwrap());
    let mut running = made();
    let mut slices = 0;
    while !running.done() {
        let mut other = made();
        other.load(&running.state().unwrap().unwrap()).unwrap();
        assert_eq!(other.progress(), running.progress(), "after {slices}");
        assert_eq!(bits(&finished(other).reconstruction().unwrap()), wanted, "after {slices}");
        running.advance().unwrap();
        slices += 1;
    }
    // Five of the shadow client, its change of hands, three on each of two batches.
    assert_eq!(slices, 12);
}

#[test]
fn the_shadow_client_learns_in_front_of_a_server_that_stays_as_it_is() {
    let model = victim(20);
    let known = known(&model, 60);
    let before = known.server().unwrap().snapshot().unwrap();
    let attack = finished(Shadow::new(&seen(&model, 3), &known, settings(300, 100)).unwrap());
    let (first, last) = (attack.losses[0], attack.losses[299]);
    assert!(last < 0.7 * first, "{first} {last}");
    assert!(attack.search.as_ref().unwrap().loss() < 0.5, "{}", attack.loss());
    let z = Tensor::ones((1, 20), candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
    let logits = |server: &Network| bits(&server.forward(&z).unwrap());
    assert_eq!(logits(known.server().unwrap()), logits(&before));
}

#[test]
fn adaptive_it_learns_and_searches_through_the_defence() {
    let model = victim(20);
    let end = |adaptive: bool| {
        let mut known = known(&model, 40);
        known.defence = adaptive.then(|| Arc::new(Tripled) as _);
        let attack = finished(Shadow::new(&seen(&model, 2), &known, settings(30, 40)).unwrap());
        (attack.losses.clone(), bits(&attack.reconstruction().unwrap()), attack)
    };
    let (naive, adaptive) = (end(false), end(true));
    assert!(naive.0[0] != adaptive.0[0] && naive.1 != adaptive.1);
    // Its search's loss is that of what the tripled shadow client sends.
    let image = adaptive.2.reconstruction().unwrap();
    let sent = (adaptive.2.client.frozen().forward(&image).unwrap() * 3.0).unwrap();
    let z = seen(&model, 2).smashed().unwrap().tensor().clone();
    let apart = (sent - z).unwrap().sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
    let loss = adaptive.2.search.as_ref().unwrap().loss();
    assert!(f64::from(apart) < loss + 0.05, "{apart} {loss}");
}

#[test]
fn what_the_shadow_client_sends_is_like_what_is_on_the_wire() {
    let model = victim(20);
    let (seen, known) = (seen(&model, 32), known(&model, 60));
    let wire = Moments::of(seen.smashed().unwrap().tensor()).unwrap();
    let apart = |moments: f64| {
        let attack = Shadow::new(&seen, &known, Settings { moments, ..settings(200, 1) }).unwrap();
        let client = finished(attack).client.frozen();
        let own = known.auxiliary().unwrap().range(0..60).unwrap();
        let sent = client.forward(&(known.entry.enter)(&own, None).unwrap()).unwrap();
        Moments::of(&sent).unwrap().apart(&wire).unwrap().to_scalar::<f32>().unwrap()
    };
    let (labels_alone, with_the_wire) = (apart(0.0), apart(10.0));
    assert!(with_the_wire < 0.2 * labels_alone, "{with_the_wire} {labels_alone}");
}

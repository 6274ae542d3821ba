//! What CEM does before epochs, in steps, and when it goes on.

use super::*;
use crate::data::{Images, Part};
use crate::defence::entry::AS_THEY_ARE;
use crate::model::adam::AdamSettings;
use crate::model::client::Client;
use crate::model::optimiser::OptimiserSettings;
use crate::random::Seed;
use crate::setting::Values;

const SMASHED: [usize; 3] = [2, 4, 4];

fn parties() -> (Client, Part) {
    let layers = [LayerSpec::Conv { channels: 2, kernel: 3, stride: 1, padding: 1, bias: true }];
    let plan = ClientPlan { layers: &layers, input: [1, 4, 4], smashed: &SMASHED, classes: 3, class_weights: None };
    let init = Init { seed: Seed(1), model: "m", device: &Device::Cpu };
    let client = Client::new(&plan, OptimiserSettings::Adam(AdamSettings::new(0.1)), init, |_| Ok(())).unwrap();
    let labels: Vec<u32> = (0..60).map(|i| i % 2).collect();
    let pixels = (0..60 * 16).map(|i| (i * 7919 % 251) as u8).collect();
    (client, Part::from(Images { shape: [1, 4, 4], pixels, labels }))
}

fn cem() -> Box<dyn Defence> {
    let mut cem = (KIND.make)(&Values::of(KIND.settings), Draws::new(Seed(1), "cem", 0)).unwrap();
    let plan = ClientPlan { layers: &[], input: [1, 4, 4], smashed: &SMASHED, classes: 3, class_weights: None };
    cem.equip(&plan, &mut Parameters::default(), Init { seed: Seed(1), model: "m", device: &Device::Cpu }).unwrap();
    cem
}

fn bits(state: &BTreeMap<String, Tensor>) -> Vec<(String, Vec<f32>)> {
    let numbers = |t: &Tensor| t.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    state.iter().map(|(name, t)| (name.clone(), numbers(t))).collect()
}

#[test]
fn centres_come_before_the_second_epoch_and_a_stop_between_changes_nothing() {
    let (mut client, images) = parties();
    let mut pass = Pass { client: &mut client, entry: &AS_THEY_ARE, images: &images, device: &Device::Cpu };
    let (mut whole, mut stopped) = (cem(), cem());
    let z = Seed(2).stream("z", 0).uniform_tensor(-1.0, 1.0, &[4, 2, 4, 4], &Device::Cpu).unwrap();
    let labels = Tensor::new(&[0u32, 1, 2, 1], &Device::Cpu).unwrap();
    let gradient = |cem: &mut Box<dyn Defence>| cem.own_gradient(&z, &Smashed::new(&z), &labels, At::ONCE).unwrap();
    assert!(whole.epoch(&mut pass, 0).unwrap());
    assert!(gradient(&mut whole).is_none(), "nothing in the first epoch");
    for epoch in 1..3 {
        while !whole.epoch(&mut pass, epoch).unwrap() {}
        // The other goes on from its state after each slice.
        while !stopped.epoch(&mut pass, epoch).unwrap() {
            let mut next = cem();
            let kept = stopped.state().unwrap();
            next.load(&kept).unwrap();
            // Within a class it begins that class again, so it has to be let finish one.
            let before = kept["done"].to_vec1::<u32>().unwrap();
            while next.state().unwrap()["done"].to_vec1::<u32>().unwrap() == before {
                next.epoch(&mut pass, epoch).unwrap();
            }
            stopped = next;
        }
        assert_eq!(bits(&whole.state().unwrap()), bits(&stopped.state().unwrap()));
    }
    // Nine centres of each class that has images; the third has none, and its sample gets no gradient.
    let state = whole.state().unwrap();
    assert_eq!((state["centres.0"].dims(), state.contains_key("centres.2")), (&[9, 32][..], false));
    let own = gradient(&mut whole).unwrap();
    let row = |i: usize| own.get(i).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(row(0).iter().any(|v| *v != 0.0) && row(2).iter().all(|v| *v == 0.0));
    // Against it smashed data come nearer to their centres.
    let centres = vec![vec![vec![0.0; 32]], vec![vec![0.0; 32]], Vec::new()];
    let at = |z: &Tensor| spread(z, &[0, 1, 2, 1], &centres, Measure::Log).unwrap();
    let moved = (&z - (at(&z).gradient * 1e-3).unwrap()).unwrap();
    assert!(at(&moved).value < at(&z).value);
    assert_eq!(at(&z).nearest, [Some(0), Some(0), None, Some(0)]);
}

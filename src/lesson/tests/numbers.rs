//! The numbers that lessons tell, beside what they are of.

use candle_core::Device;

use super::*;
use crate::model::spec::shapes;
use crate::random::Seed;
use crate::split::SplitModel;

#[test]
fn the_numbers_that_the_lessons_tell_are_those_of_the_network() {
    let lesson = find("how-deep-is-safe").unwrap();
    let layers = lesson.start.experiment().unwrap().layers(10).unwrap();
    let shapes = shapes(&[1, 28, 28], &layers).unwrap();
    let after = |layer: usize| shapes[layer - 1].as_slice();
    assert_eq!(layers.len(), 12, "twelve layers");
    assert_eq!([after(2), after(8), after(10), after(11)], [&[16, 28, 28][..], &[64, 7, 7], &[128], &[128]]);
    assert_eq!((16 * 28 * 28, 28 * 28, 12_544 / 784), (12_544, 784, 16));
    assert_eq!((64 * 7 * 7, 3136 / 784), (3136, 4));
    for name in ["disguise", "be-the-attacker"] {
        let psgl = find(name).unwrap().start.experiment().unwrap().psgl;
        assert_eq!((psgl.gamma, psgl.theta, (psgl.gamma * 784.0) as usize), (0.1, 1.0, 78), "{name}");
        // Recovered, fused and attacked stream, in the order of the setting.
        assert_eq!(psgl.weights, [0.5, 0.3, 0.2], "{name}");
    }
    let lesson = find("one-gradient").unwrap();
    let [_, plan] = lesson.start.experiment().unwrap().both_plans([1, 28, 28], 10, false).unwrap();
    let model = SplitModel::new(plan.unwrap(), Seed(0), &Device::Cpu).unwrap();
    let parties = [model.client.parameters(), model.server.parameters()];
    let weights: usize = parties.iter().flat_map(|party| party.iter()).map(|(_, var)| var.elem_count()).sum();
    assert_eq!((weights, 28 * 28, 8 * 28 * 28), (13_426, 784, 6272));
    let results = include_str!("../../../docs/results.md");
    for (said, told) in [
        ("97 of 100", "| vanilla, clean images | 97.5 | 97.3 | 97.1 | 97.3 ± 0.1 |"),
        ("About 15", "| 11.1 | 15.1 ± 2.2 |"),
        ("93 of 100", "| 92.7 ± 1.0 |"),
        ("98 of 100", "| 97.9 ± 1.0 |"),
        ("96.5 of 100", "| PSGL, fused decision | 96.5 | 96.8 | 96.2 | 96.5 ± 0.1 |"),
        ("from .97 without", "| .974 ± .002 |"),
        ("to .71", "→ .710 ± .022 |"),
    ] {
        assert!(LESSONS.iter().any(|lesson| lesson.text.contains(said)), "{said}");
        assert!(results.contains(told), "docs/results.md has no {told}");
    }
}

//! What rMLE minimises.

use super::Settings;
use crate::method::{Formula, Ink, Live, Place, Section, symbol};

pub(super) const SECTION: Section = Section {
    id: "rmle",
    title: "rMLE with total variation",
    source: "METHOD §4",
    text: include_str!("../../../assets/method/rmle.md"),
    formulas: &[Formula {
        id: "objective",
        title: "What rMLE minimises",
        place: Some(Place::Attacker),
        text: r"\min_{x^*} mean((f(x^*) − z)^2) + λ · TV^2 = ℓ",
        symbols: &[
            symbol("ℓ", "the attacker's own loss: all that it sees of its success", Ink::Attacker),
            symbol("λ", "the weight of smoothness", Ink::Attacker),
            symbol(
                "TV^2",
                "total variation: the mean squared difference of neighbours, down plus across",
                Ink::Attacker,
            ),
            symbol("f", "the client's layers, whose weights this attacker knows", Ink::Patient),
        ],
        live: |sight| {
            let settings = Settings::of(sight.values).ok()?;
            let mut all =
                vec![Live::real("λ", settings.tv), Live::told("rate", crate::method::number(settings.adam.rate))];
            if let Some(step) = sight.step {
                all.push(Live::real("ℓ", step.loss));
                all.push(Live::told("step", format!("{} of {}", step.done, step.planned)));
            }
            if let Some(variation) = total_variation(sight.stolen, sight.image) {
                all.push(Live::real("TV^2", variation));
            }
            Some(all)
        },
        ..Formula::BASE
    }],
};

/// Mean of squared vertical plus mean of squared horizontal neighbour differences of one image; none where there is none.
fn total_variation(image: &[f32], [channels, height, width]: [usize; 3]) -> Option<f64> {
    if image.is_empty() || image.len() != channels * height * width {
        return None;
    }
    let mean = |apart: usize, pairs: &dyn Fn(usize) -> bool| {
        let square = |i: usize| (f64::from(image[i + apart]) - f64::from(image[i])).powi(2);
        let (sum, count) =
            (0..image.len()).filter(|i| pairs(*i)).fold((0.0, 0), |(sum, n), i| (sum + square(i), n + 1));
        if count == 0 { 0.0 } else { sum / f64::from(count) }
    };
    Some(mean(width, &|i| i / width % height + 1 < height) + mean(1, &|i| i % width + 1 < width))
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn the_window_tells_the_variation_that_the_attack_minimises() {
        let values: Vec<f32> = (0..2 * 3 * 4).map(|i| (i * i % 7) as f32 / 7.0).collect();
        let tensor = Tensor::from_slice(&values, (1, 2, 3, 4), &Device::Cpu).unwrap();
        let wanted = f64::from(super::super::objective::total_variation(&tensor).unwrap().to_scalar::<f32>().unwrap());
        assert!((total_variation(&values, [2, 3, 4]).unwrap() - wanted).abs() < 1e-6);
        assert_eq!(total_variation(&[0.5], [1, 1, 1]), Some(0.0));
        assert_eq!(total_variation(&[], [1, 1, 1]), None);
    }
}

use super::*;
use crate::data::Images;
use crate::experiment::Experiment;

/// What the meters show at fresh models with these settings, the defended one first.
fn read(settings: &[&str]) -> Vec<Meters> {
    let mut experiment = Experiment::preset("quick").unwrap();
    for setting in settings {
        experiment.set(setting).unwrap();
    }
    let pixels = Seed(3).stream("images", 0).uniform_tensor(0.0, 1.0, &[20, 28 * 28], &Device::Cpu).unwrap();
    let pixels = pixels.to_vec2::<f32>().unwrap().concat().iter().map(|p| (p * 255.0) as u8).collect();
    let images: Part = Images { shape: [1, 28, 28], pixels, labels: vec![0; 20] }.into();
    let plans = experiment.split_plans([1, 28, 28], 10).unwrap();
    let of = |plan| {
        let model = SplitModel::new(plan, Seed(0), &Device::Cpu).unwrap();
        let mut meter = Meter::new(&model, &images, 1, true, Seed(0), &Device::Cpu).unwrap();
        loop {
            if let Some(meters) = meter.advance(&model).unwrap() {
                return meters;
            }
        }
    };
    plans.into_iter().map(of).collect()
}

#[test]
fn noise_on_the_wire_is_what_information_is_held_against() {
    let [one, two] = ["0.5", "1.0"].map(|sigma| {
        let meters = read(&[&format!("defence=[{{ name = \"gaussian\", sigma = {sigma} }}]")])[0];
        assert!(!meters.nominal);
        assert_eq!(meters.sigma, sigma.parse::<f64>().unwrap());
        meters
    });
    // The same weights: twice the noise, a quarter of the information.
    assert!((one.dfil / two.dfil - 4.0).abs() < 1e-3, "{} and {}", one.dfil, two.dfil);
    assert!(two.nats.unwrap() < one.nats.unwrap() && two.mse_floor > one.mse_floor);
    assert!(two.distance_correlation < one.distance_correlation);
}

#[test]
fn without_noise_it_is_a_hundredth_of_what_is_sent() {
    let meters = read(&["defence=[]"])[0];
    assert!(meters.nominal && meters.sigma > 0.0, "{meters:?}");
    assert!(meters.distance_correlation > 0.5 && meters.distance_correlation <= 1.0, "{meters:?}");
    assert_eq!(meters, read(&["defence=[]"])[0]);
}

#[test]
fn what_is_left_out_of_the_wire_is_left_out_of_the_information() {
    let [whole, few] = ["0.1", "0.9"].map(|p| read(&[&format!("defence=[{{ name = \"dropout\", p = {p} }}]")])[0]);
    let information = |meters: Meters| meters.dfil * meters.sigma.powi(2);
    assert!(information(few) != information(whole));
    assert!(few.distance_correlation < whole.distance_correlation);
}

use super::*;

#[test]
fn its_presets_are_the_published_ones_and_own_iterations_count_before_them() {
    for (preset, iterations, tv) in [("small", 4000, 1e-6), ("strong", 24_000, 1e-4), ("breaching", 24_000, 0.1)] {
        let mut values = Values::of(KIND.settings);
        values.put("preset", toml::Value::String(preset.to_owned())).unwrap();
        let got = settings(&values).unwrap();
        assert_eq!(
            (got.iterations, got.tv, got.distance, got.searches_labels),
            (iterations, tv, Distance::Cosine, false)
        );
        assert_eq!(got.way, Way::Adam { rate: 0.1, signed: true, boxed: true });
        values.put("iterations", toml::Value::Integer(7)).unwrap();
        assert_eq!(settings(&values).unwrap().iterations, 7);
    }
}

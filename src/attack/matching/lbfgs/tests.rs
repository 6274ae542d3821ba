use super::*;

fn rosenbrock(x: &[f64]) -> Vec<f64> {
    let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
    vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b]
}

/// The points after these numbers of steps from (−1.2, 1) were computed by the rules of PyTorch's `torch.optim.LBFGS`, rate
/// 1, 20 inner iterations, written out in Python.
#[test]
fn it_walks_through_rosenbrocks_valley_as_pytorchs_does() {
    let wanted = [
        (1, [-0.489_855_072, 1.289_855_072]),
        (2, [-0.821_671_099, 1.068_275_396]),
        (3, [-1.365_541_639, 0.937_976_055]),
        (11, [-0.660_167_483, 0.451_851_358]),
        (21, [-0.203_756_440, -0.001_529_692]),
        (36, [0.234_264_912, 0.060_564_674]),
    ];
    let (mut x, mut lbfgs) = ([-1.2, 1.0], Lbfgs::new(1.0));
    for step in 1..=36 {
        let gradient = rosenbrock(&x);
        assert!(lbfgs.step(&mut x, &gradient));
        if let Some((_, wanted)) = wanted.iter().find(|(at, _)| *at == step) {
            assert!(x.iter().zip(wanted).all(|(x, wanted)| (x - wanted).abs() < 1e-6), "{step}: {x:?}");
        }
    }
    for _ in 0..60 {
        let gradient = rosenbrock(&x);
        if !lbfgs.step(&mut x, &gradient) {
            break;
        }
    }
    assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-4), "{x:?}");
    let flat = rosenbrock(&[1.0, 1.0]);
    assert!(!lbfgs.step(&mut x, &flat), "where it is flat there is no step");
}

#[test]
fn it_goes_on_from_its_state_to_the_bit() {
    let walk = |from: &mut [f64; 2], lbfgs: &mut Lbfgs, steps: usize| {
        for _ in 0..steps {
            let gradient = rosenbrock(from);
            lbfgs.step(from, &gradient);
        }
    };
    let (mut x, mut lbfgs) = ([-1.2, 1.0], Lbfgs::new(1.0));
    walk(&mut x, &mut lbfgs, 7);
    let mut state = State::default();
    lbfgs.put_in(&mut state).unwrap();
    let (mut again, mut y) = (Lbfgs::new(1.0), x);
    again.load(&state, 2).unwrap();
    walk(&mut x, &mut lbfgs, 9);
    walk(&mut y, &mut again, 9);
    assert_eq!(x.map(f64::to_bits), y.map(f64::to_bits));
    assert!(again.load(&state, 3).is_err() && again.load(&State::default(), 2).is_err());
    // Before the first step too.
    let (mut state, mut fresh) = (State::default(), Lbfgs::new(1.0));
    fresh.put_in(&mut state).unwrap();
    fresh.load(&state, 2).unwrap();
    assert!(fresh.before.is_none());
}

//! PSGL with settings that no document has.

use cutlayer::defence::Stack;
use cutlayer::defence::psgl::{Options, PsglSpec};

/// A stack of PSGL alone; without options an empty one.
pub fn stack(psgl: Option<Options>) -> Stack {
    let spec = |o: Options| PsglSpec {
        enabled: true,
        gamma: o.strength.gamma,
        theta: o.strength.theta,
        apply: o.strength.apply,
        mirror: o.mirror,
        jacobian: o.jacobian,
        mu: f64::from(o.recovery.mu),
        iterations: o.recovery.iterations,
        image_iterations: o.image_recovery.iterations,
        map_norm: o.recovery.map_norm,
        fuse_relu: o.fuse_relu,
        weights: o.weights.in_order(),
        weights_from: o.weights_from,
        send: o.inference,
        attack: o.attack,
        server: o.server,
    };
    Stack::new(psgl.map(|o| spec(o).setup().unwrap())).unwrap()
}

//! PSGL in a model in Python with PyTorch; the Python is in `torch.py`.

use std::fmt::Write as _;

use super::recovery::MapNorm;
use super::strength::Apply;
use super::{Answering, Inference, Jacobian, Options};
use crate::defence::kind::Torch;

/// The module's part of PSGL, with the weights of its votes.
pub(super) fn torch(options: &Options, votes: Option<&[f64]>) -> Torch {
    let settings = settings(options, votes.unwrap_or(&options.weights.in_order()));
    Torch { title: "A model under proximal gradient split learning", settings, party: include_str!("torch.py") }
}

/// PSGL's choices, a line each.
fn settings(options: &Options, votes: &[f64]) -> String {
    let Options {
        strength,
        mirror,
        jacobian,
        recovery,
        fuse_relu,
        weights: _,
        weights_from: _,
        inference,
        image_recovery: _,
        attack,
        server,
    } = *options;
    let word = |yes: bool| if yes { "True" } else { "False" };
    let apply = match strength.apply {
        Apply::Sparse => "sparse",
        Apply::Dense => "dense",
    };
    let jacobian = match jacobian {
        Jacobian::Head => "head",
        Jacobian::Server => "server",
    };
    let norm = match recovery.map_norm {
        MapNorm::L1 => "l1",
        MapNorm::Nuclear => "nuclear",
    };
    let inference = match inference {
        Inference::Attacked if attack => "attacked",
        Inference::Attacked | Inference::Clean => "clean",
    };
    let server = match server {
        Answering::Streams => "streams",
        Answering::Unrecovered => "unrecovered",
        Answering::Unfused => "unfused",
        Answering::Large | Answering::Plain => "one",
    };
    let mut lines = String::new();
    for (name, value, why) in [
        ("APPLY", format!("\"{apply}\""), "sparse: the strongest pixels of the map move; dense: all"),
        ("GAMMA", format!("{:?}", strength.gamma), "share of the pixels that move where it is sparse"),
        ("THETA", format!("{:?}", strength.theta), "how far they move"),
        ("MIRROR", word(mirror).to_owned(), "also where beta < 0 < alpha"),
        ("JACOBIAN", format!("\"{jacobian}\""), "head: of the client's own head; server: of the fused stream"),
        ("MU", format!("{:?}", recovery.mu), "the recovery's last threshold"),
        ("ITERATIONS", recovery.iterations.to_string(), ""),
        ("MAP_NORM", format!("\"{norm}\""), "l1 or nuclear"),
        ("FUSE_RELU", word(fuse_relu).to_owned(), ""),
        (
            "WEIGHTS",
            format!("({})", votes.iter().map(|vote| format!("{vote:?}")).collect::<Vec<_>>().join(", ")),
            "of the recovered, the fused and the attacked stream's decision",
        ),
        (
            "SERVER",
            format!("\"{server}\""),
            "streams: three; unrecovered, unfused: without that part; one: a single stream",
        ),
        ("INFERENCE", format!("\"{inference}\""), "attacked: images are disguised; clean: they are sent as they are"),
    ] {
        // Writing to a string cannot fail.
        let _ = if why.is_empty() {
            writeln!(lines, "{name} = {value}")
        } else {
            writeln!(lines, "{name} = {value}  # {why}")
        };
    }
    lines
}

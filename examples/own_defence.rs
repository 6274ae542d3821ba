//! A defence of one's own, in a program that has all the others too: the client adds Gaussian noise to what it sends.
//! `cargo run --release --example own_defence -- run quick --out my-run`

use std::process::ExitCode;
use std::sync::Arc;

use candle_core::Tensor;
use cutlayer::defence::imitation::{Imitation, Imitator, Known, Own, Study};
use cutlayer::defence::kind::Draws;
use cutlayer::defence::{Defence, Kind, Lever};
use cutlayer::error::Result;
use cutlayer::random::{At, Seed, Stream};
use cutlayer::setting::{Plain, Setting, real};

/// Its card.
pub static OWN: Kind = Kind {
    id: "own",
    title: "noise",
    about: "The client adds Gaussian noise to each number that it sends, drawn anew each time.",
    settings: &[Setting::new("sigma", "Noise", "", real(0.0, 10.0), "Its standard deviation; 0 is no defence.")
        .default(Plain::Real(0.2))],
    symbol: "σ",
    strength: |values| values.real("sigma"),
    levers: &[Lever { key: "sigma", symbol: "σ", words: "noise", range: [0.0, 2.0] }],
    make: |values, draws| Ok(Box::new(Noise { sigma: values.real("sigma")?, draws })),
    imitation: |values| Ok(Arc::new(Declared { sigma: values.real("sigma")? })),
    ..Kind::BASE
};

/// At work: what is drawn for a sample depends on the sample and the moment, not on its batch.
#[derive(Debug)]
struct Noise {
    sigma: f64,
    draws: Draws,
}

impl Defence for Noise {
    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        noisy(&z, self.sigma, |i| self.draws.stream("noise", at, i))
    }
}

/// z (N, …) with noise on every number, of each sample from a stream of its own.
fn noisy(z: &Tensor, sigma: f64, stream: impl Fn(usize) -> Stream) -> Result<Tensor> {
    let (n, size) = (z.dim(0)?, z.elem_count() / z.dim(0)?.max(1));
    let mut noise = Vec::with_capacity(n * size);
    for i in 0..n {
        let mut stream = stream(i);
        noise.extend((0..size).map(|_| (sigma * stream.normal()) as f32));
    }
    Ok((z + Tensor::from_vec(noise, z.shape(), z.device())?)?)
}

/// What an attacker makes of knowing it. One that searches needs nothing: on average the noise is 0.
#[derive(Debug)]
struct Declared {
    sigma: f64,
}

impl Imitation for Declared {
    fn study(&self, own: &Own<'_>) -> Result<Box<dyn Study>> {
        Ok(Box::new(Known(Arc::new(Imitated { sigma: self.sigma, seed: own.seed, name: own.name.to_owned() }))))
    }
}

/// One that learns adds noise to its own smashed data.
struct Imitated {
    sigma: f64,
    seed: Seed,
    name: String,
}

impl Imitator for Imitated {
    fn up(&self, z: Tensor, at: At<'_>) -> Result<Tensor> {
        noisy(&z, self.sigma, |i| at.stream(self.seed, &self.name, i))
    }
}

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|command| command == "run") {
        let settings = ["--set", "psgl.enabled=false", "--set", "defence=[{ name = \"own\" }]"];
        arguments.extend(settings.map(Into::into));
    }
    cutlayer::workbench().defence(&OWN).main_with(arguments)
}

//! Single kernels at the shapes of the default experiment, and a frame of the window.
//!
//! ```sh
//! CANDLE_NUM_THREADS=1 cargo bench --bench kernels               # all, with criterion's statistics
//! CANDLE_NUM_THREADS=1 cargo bench --bench kernels -- linear     # those with "linear" in their name
//! cargo bench --bench kernels -- --test                          # each once, to see that it works
//! ```
//!
//! candle's own threads are kept off the cores by the variable, as the program does itself; `RAYON_NUM_THREADS` sets
//! the kernels' own threads. A batch is 64 images; sizes are (N, C, H, W).

#[cfg(feature = "gui")]
mod window;

use std::hint::black_box;

use candle_core::{Device, Result, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use cutlayer::defence::psgl::recovery::{MapNorm, Recovery};
use cutlayer::engine::conv::{Finish, conv2d_input_gradient, conv2d_then, conv2d_weight_gradient};
use cutlayer::engine::linear::linear;
use cutlayer::engine::loss::cross_entropy;
use cutlayer::engine::pool::{Pool, pool};
use cutlayer::engine::shuffle::depth_to_space;
use cutlayer::model::adam::{Adam, AdamSettings};
use cutlayer::random::Seed;

/// The program's own, so that memory costs the same here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 64;

/// Numbers in [−½, ½): half of them are negative, as before a relu.
fn random(shape: &[usize], index: u64) -> Result<Tensor> {
    let tensor = Seed(0).stream("bench", index).uniform_tensor(-0.5, 0.5, shape, &Device::Cpu);
    tensor.map_err(candle_core::Error::wrap)
}

fn convolutions(c: &mut Criterion) -> Result<()> {
    const SIDE: usize = 14;
    for (inputs, outputs) in [(16, 32), (32, 64)] {
        let shape = format!("64x{inputs}x14x14 to {outputs}");
        let mut group = c.benchmark_group("convolution");
        let x = random(&[BATCH, inputs, SIDE, SIDE], 0)?;
        let weight = random(&[outputs, inputs, 3, 3], 1)?;
        let bias = random(&[outputs], 2)?;
        let grad = random(&[BATCH, outputs, SIDE, SIDE], 3)?;
        for (finish, words) in [(Finish::Plain, "plain"), (Finish::Relu, "relu"), (Finish::ReluPool, "relu and pool")] {
            group.bench_function(format!("forward, {words}, {shape}"), |b| {
                b.iter(|| conv2d_then(black_box(&x), &weight, &bias, (1, 1), finish));
            });
        }
        group.bench_function(format!("input gradient, {shape}"), |b| {
            b.iter(|| conv2d_input_gradient(black_box(&grad), &weight, (BATCH, inputs, SIDE, SIDE), 1, 1));
        });
        group.bench_function(format!("weight gradient, {shape}"), |b| {
            b.iter(|| conv2d_weight_gradient(black_box(&grad), &x, 3, 1, 1));
        });
        group.finish();
    }
    Ok(())
}

fn layers(c: &mut Criterion) -> Result<()> {
    let (x, weight, bias) = (random(&[BATCH, 3136], 0)?, random(&[128, 3136], 1)?, random(&[128], 2)?);
    c.bench_function("linear/forward, 64x3136 to 128", |b| b.iter(|| linear(black_box(&x), &weight, &bias)));
    let vars = [&x, &weight, &bias].map(Var::from_tensor);
    let [x, weight, bias] = vars;
    let (x, weight, bias) = (x?, weight?, bias?);
    c.bench_function("linear/forward and all gradients, 64x3136 to 128", |b| {
        b.iter(|| linear(black_box(&x), &weight, &bias)?.sum_all()?.backward());
    });

    let planes = random(&[BATCH, 32, 14, 14], 3)?;
    c.bench_function("pooling/forward, 64x32x14x14", |b| b.iter(|| pool(black_box(&planes), Pool::Max, 2)));
    let planes = Var::from_tensor(&planes)?;
    c.bench_function("pooling/forward and gradient, 64x32x14x14", |b| {
        b.iter(|| pool(black_box(&planes), Pool::Max, 2)?.sum_all()?.backward());
    });
    let blocks = random(&[BATCH, 128, 14, 14], 4)?;
    c.bench_function("shuffle/64x128x14x14 to 64x32x28x28", |b| b.iter(|| depth_to_space(black_box(&blocks))));

    let logits = Var::from_tensor(&random(&[BATCH, 10], 4)?)?;
    let labels = Tensor::from_vec((0..BATCH as u32).map(|i| i % 10).collect(), BATCH, &Device::Cpu)?;
    c.bench_function("cross-entropy/forward and gradient, 64x10", |b| {
        b.iter(|| cross_entropy(black_box(&logits), &labels)?.backward());
    });
    Ok(())
}

/// One step of all of a small network's 420,000 weights.
fn optimiser(c: &mut Criterion) -> Result<()> {
    let shapes: [&[usize]; 5] = [&[16, 1, 3, 3], &[32, 16, 3, 3], &[64, 32, 3, 3], &[128, 3136], &[10, 128]];
    let mut vars = Vec::new();
    let mut loss = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu)?;
    for (i, shape) in shapes.into_iter().enumerate() {
        let var = Var::from_tensor(&random(shape, i as u64)?)?;
        loss = (loss + var.sqr()?.sum_all()?)?;
        vars.push((i.to_string(), var));
    }
    let gradients = loss.backward()?;
    for amsgrad in [false, true] {
        let mut adam = Adam::of(vars.clone(), AdamSettings { amsgrad, ..AdamSettings::new(1e-3) });
        let words = if amsgrad { "with AMSGrad, " } else { "" };
        c.bench_function(&format!("Adam/{words}424,000 weights"), |b| b.iter(|| adam.step(black_box(&gradients))));
    }
    Ok(())
}

/// What the server does to a batch of smashed data under PSGL.
fn recovery(c: &mut Criterion) -> Result<()> {
    let values: Vec<f32> = random(&[BATCH, 32, 196], 0)?.abs()?.flatten_all()?.to_vec1()?;
    let recovery = Recovery { mu: 0.55, iterations: 12, map_norm: MapNorm::L1 };
    c.bench_function("recovery/64 of 32x196, 12 iterations", |b| {
        b.iter(|| recovery.solve(black_box(&values), 32, 196));
    });
    Ok(())
}

/// Criterion's groups return nothing: what cannot be set up ends the program with its reason.
fn all(c: &mut Criterion) {
    for group in [convolutions, layers, optimiser, recovery] {
        if let Err(error) = group(c) {
            panic!("a benchmark cannot be set up: {error}");
        }
    }
    #[cfg(feature = "gui")]
    window::frames(c);
}

criterion_group!(kernels, all);
criterion_main!(kernels);

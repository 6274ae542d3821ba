//! How time grows with the size of the problem: a training step with batch, image and classes, the recovery with its
//! matrices. Prints tables.
//!
//! ```sh
//! CANDLE_NUM_THREADS=1 cargo bench --bench growth
//! ```
//!
//! Under `cargo test --benches`, which does not pass `--bench`, each size gets a single step.

use std::error::Error;
use std::time::{Duration, Instant};

use cutlayer::bench::{small_plan, training_step};
use cutlayer::defence::psgl::recovery::{MapNorm, Recovery};
use cutlayer::random::Seed;

/// The program's own, so that memory costs the same here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time for each row.
const LONG: Duration = Duration::from_millis(800);
/// Steps for each row, at most.
const STEPS: usize = 30;
/// By how much the time per unit of work may rise before a row is called worse.
const SLACK: f64 = 1.15;
/// Images in a batch where the batch is not what grows.
const BATCH: usize = 64;
/// Matrices that are recovered at once, and steps of each: few, so that wide ones end soon.
const MATRICES: usize = 16;
const ITERATIONS: usize = 4;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// One size.
struct Row {
    size: String,
    ms: f64,
    /// Floating-point operations.
    work: f64,
}

fn main() -> Outcome<()> {
    if std::env::var("CANDLE_NUM_THREADS").as_deref() != Ok("1") {
        cutlayer::cli::tell(
            "CANDLE_NUM_THREADS is not 1: candle's threads spin on cores that the kernels want, unlike in the program",
        );
    }
    let long = if std::env::args().any(|argument| argument == "--bench") { LONG } else { Duration::ZERO };
    // Inside the pool of threads, as `cutlayer bench`.
    rayon::scope(|_| all(long))
}

fn all(long: Duration) -> Outcome<()> {
    let batches = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map(|batch| (batch.to_string(), (batch, 28, 10)));
    table("batch", "a training step, 1×28×28, 10 classes", batches, |size| training(size, long))?;
    let sides = [28, 56, 64, 96, 128].map(|side| (format!("{side}×{side}"), (BATCH, side, 10)));
    table("image", "a training step, batch 64, 10 classes", sides, |size| training(size, long))?;
    let classes = [2, 10, 100].map(|classes| (classes.to_string(), (BATCH, 28, classes)));
    table("classes", "a training step, batch 64, 1×28×28", classes, |size| training(size, long))?;
    let square = [16, 32, 64, 128, 256].map(|n| (format!("{n}×{n}"), (n, n)));
    table("matrix", "recovery of 16 square matrices, 4 iterations", square, |size| recovery(size, long))?;
    let wide = [16, 32, 64, 128, 196, 256].map(|n| (format!("32×{n}"), (32, n)));
    table("matrix", "recovery of 16 matrices of 32 rows, 4 iterations", wide, |size| recovery(size, long))
}

/// Prints one table, and under it which rows are worse than the work grows.
fn table<S, const N: usize>(
    what: &str,
    title: &str,
    sizes: [(String, S); N],
    time: impl Fn(S) -> Outcome<(f64, f64)>,
) -> Outcome<()> {
    println!("\n**{title}**\n\n| {what} | ms a step | work | time | time / work |\n| --- | --- | --- | --- | --- |");
    let mut rows: Vec<Row> = Vec::new();
    for (size, shape) in sizes {
        let (ms, work) = time(shape)?;
        rows.push(Row { size, ms, work });
        let (first, row) = (&rows[0], &rows[rows.len() - 1]);
        let (work, time) = (row.work / first.work, row.ms / first.ms);
        println!("| {} | {:.3} | {work:.2} | {time:.2} | {:.2} |", row.size, row.ms, time / work);
    }
    let worse = worse(&rows);
    let which = if worse.is_empty() { "none".to_owned() } else { worse.join(", ") };
    println!(
        "\nWorse than the work grows, that is more than {:.0} % more time per unit of work than a smaller size above: {which}.",
        100.0 * (SLACK - 1.0)
    );
    Ok(())
}

/// The sizes at which a unit of work takes longer than at some smaller one.
fn worse(rows: &[Row]) -> Vec<&str> {
    let mut least = f64::INFINITY;
    let mut worse = Vec::new();
    for row in rows {
        let each = row.ms / row.work;
        if each > SLACK * least {
            worse.push(row.size.as_str());
        }
        least = least.min(each);
    }
    worse
}

/// Milliseconds of a training step, and its multiplications and additions: those of the convolutions and linear layers,
/// three times over but for the first layer's input, and about ten for each weight that Adam moves.
fn training((batch, side, classes): (usize, usize, usize), long: Duration) -> Outcome<(f64, f64)> {
    let step = training_step(small_plan(side, classes), batch, &candle_core::Device::Cpu)?;
    let convolution = |inputs: usize, outputs: usize, side: usize| 9 * inputs * outputs * side * side;
    let features = 64 * (side / 4) * (side / 4);
    let linear = features * 128 + 128 * classes;
    let first = convolution(1, 16, side);
    let forward = first + convolution(16, 32, side / 2) + convolution(32, 64, side / 4) + linear;
    let weights = 9 * (16 + 16 * 32 + 32 * 64) + linear;
    Ok((median_ms(step, long)?, (2 * batch * (3 * forward - first) + 10 * weights) as f64))
}

/// Milliseconds of a recovery, and its floating-point operations: of an m×n matrix with m ≤ n each iteration takes two
/// products of m·m·n, one of m³, and about 9·m³ for the eigenvectors (Golub & Van Loan, §8.3).
fn recovery((rows, cols): (usize, usize), long: Duration) -> Outcome<(f64, f64)> {
    let mut stream = Seed(0).stream("bench", 0);
    let values: Vec<f32> = (0..MATRICES * rows * cols).map(|_| stream.uniform(0.0, 1.0) as f32).collect();
    let recovery = Recovery { mu: 0.55, iterations: ITERATIONS, map_norm: MapNorm::L1 };
    let step = || {
        std::hint::black_box(recovery.solve(&values, rows, cols));
        Ok(())
    };
    let (m, n) = (rows.min(cols), rows.max(cols));
    Ok((median_ms(step, long)?, (MATRICES * ITERATIONS * (4 * m * m * n + 11 * m * m * m)) as f64))
}

/// The median of single steps, after one that is not counted.
///
/// Few steps: a single image is learnt by heart within a hundred, and its gradients then are below float32's normal numbers,
/// which makes a step fourteen times slower on some processors.
fn median_ms(mut step: impl FnMut() -> cutlayer::error::Result<()>, long: Duration) -> Outcome<f64> {
    step()?;
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.is_empty() || (begin.elapsed() < long && times.len() < STEPS) {
        let start = Instant::now();
        step()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(1e3 * times[times.len() / 2])
}

//! `cutlayer bench`: how fast the hot paths are here.

use std::time::Duration;

use super::{BenchArgs, print, set_threads};
use crate::bench::{CASES, Case, Timing};
use crate::error::{Error, Result};

pub(super) fn bench(args: &BenchArgs) -> Result<()> {
    if !(args.secs.is_finite() && (0.0..=3600.0).contains(&args.secs)) {
        return Err(Error::input(format!("--secs {}: allowed is a number from 0 to 3600", args.secs)));
    }
    set_threads(args.threads);
    let names: Vec<&str> =
        if args.cases.is_empty() { CASES.to_vec() } else { args.cases.iter().map(String::as_str).collect() };
    // A wrong name is told of before any work.
    let cases = names.into_iter().map(Case::named).collect::<Result<Vec<_>>>()?;
    for case in cases {
        let timing = case.time(Duration::from_secs_f64(args.secs))?;
        let line = if args.json {
            serde_json::to_string(&timing).map_err(|e| Error::Internal(format!("bench: {e}")))?
        } else {
            let Timing { case, rate, unit, median_ms, best_ms } = timing;
            format!("{case:<12} {rate:>10.1} {unit:<13} {median_ms:>8.3} ms a step, best {best_ms:>8.3}")
        };
        print(&format!("{line}\n"))?;
    }
    Ok(())
}

//! `cutlayer bench`: how fast the hot paths are here.

use std::time::Duration;

use serde::Serialize;

use super::{BenchArgs, print, set_threads};
use crate::bench::{CASES, Case, LARGE, Share, TOGETHER, Timing, Together};
#[cfg(feature = "gui")]
use crate::bench::{FRAMES, FrameTimes, Frames};
use crate::engine::lead;
use crate::error::{Error, Result};
use crate::setting::MOST_THREADS;

/// What was asked for, ready to be timed.
enum Asked {
    Case(Case),
    Together,
    #[cfg(feature = "gui")]
    Frames,
}

impl Asked {
    fn named(name: &str, on: &candle_core::Device) -> Result<Self> {
        match name {
            TOGETHER => Ok(Self::Together),
            #[cfg(feature = "gui")]
            FRAMES => Ok(Self::Frames),
            _ => Case::named(name, on).map(Self::Case),
        }
    }
}

pub(super) fn bench(args: &BenchArgs) -> Result<()> {
    if !(args.secs.is_finite() && (0.0..=3600.0).contains(&args.secs)) {
        return Err(Error::input(format!("--secs {}: allowed is a number from 0 to 3600", args.secs)));
    }
    if args.threads > MOST_THREADS {
        return Err(Error::input(format!("--threads {}: allowed is a number from 0 to {MOST_THREADS}", args.threads)));
    }
    set_threads(args.threads);
    let _team = lead();
    let on = args.device.open()?;
    let all = CASES.into_iter().chain(LARGE.into_iter().filter(|_| !on.is_cpu()));
    let names: Vec<&str> =
        if args.cases.is_empty() { all.collect() } else { args.cases.iter().map(String::as_str).collect() };
    // A wrong name is told of before any work.
    let asked = names.into_iter().map(|name| Asked::named(name, &on)).collect::<Result<Vec<_>>>()?;
    let long = Duration::from_secs_f64(args.secs);
    for asked in asked {
        let line = match asked {
            Asked::Case(case) => {
                let timing = case.time(long)?;
                if args.json { json(&timing)? } else { timing_line(timing) }
            }
            Asked::Together => {
                let together = Together::measure(long)?;
                if args.json { json(&together)? } else { together_lines(&together) }
            }
            #[cfg(feature = "gui")]
            Asked::Frames => {
                let frames = Frames::measure(long)?;
                if args.json { json(&frames)? } else { frames_lines(&frames) }
            }
        };
        print(&format!("{line}\n"))?;
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Internal(format!("bench: {e}")))
}

fn timing_line(Timing { case, rate, unit, median_ms, best_ms }: Timing) -> String {
    format!("{case:<18} {rate:>10.1} {unit:<13} {median_ms:>8.3} ms a step, best {best_ms:>8.3}")
}

fn together_lines(Together { training, attack, .. }: &Together) -> String {
    let line = |name: &str, Share { alone, together, unit, share }: &Share| {
        format!("{name:<12} {together:>10.1} {unit:<13} of {alone:>8.1} alone: {:.0} %", 100.0 * share)
    };
    format!("{TOGETHER}\n{}\n{}", line("  training", training), line("  attack", attack))
}

#[cfg(feature = "gui")]
fn frames_lines(Frames { frames, processor, passed, .. }: &Frames) -> String {
    let line = |name: &str, FrameTimes { median_ms, p99_ms, most_ms }: &FrameTimes| {
        format!("{name:<12} {median_ms:>8.3} ms in the middle, 99 % under {p99_ms:>8.3}, longest {most_ms:>8.3}")
    };
    let processor = processor.as_ref().map(|times| format!("\n{}", line("  processor", times))).unwrap_or_default();
    format!("{FRAMES:<12} {frames:>10} while a run trains{processor}\n{}", line("  passed", passed))
}

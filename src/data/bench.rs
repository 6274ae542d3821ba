//! How fast a set is there: opened, and read in batches as training reads it.

use std::ffi::OsStr;
use std::time::Instant;

use candle_core::Device;

use super::{Ask, Feed, reader, recognise};
use crate::error::Result;
use crate::random::Seed;

/// Images of a batch.
const BATCH: usize = 64;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bench {
    /// Training images, all of which were read once.
    pub images: usize,
    /// Seconds until the set was open.
    pub open_secs: f64,
    /// Seconds from the beginning until the first batch of 64 was there.
    pub first_batch_secs: f64,
    /// Images per second over one pass in a drawn order, nothing being done with them.
    pub images_per_sec: f64,
    /// Most memory that the process ever had, in bytes; none where the system does not say.
    pub peak_bytes: Option<u64>,
}

/// Opens a set and reads its training images once, in batches of 64 and a drawn order.
///
/// # Errors
/// Returns an error if the set cannot be opened or an image cannot be read, or
/// [`Error::Stopped`](crate::error::Error::Stopped).
pub fn bench(name_or_path: impl AsRef<OsStr>, ask: &Ask<'_>, readers: &[&'static reader::Kind]) -> Result<Bench> {
    let start = Instant::now();
    let set = recognise::load(name_or_path, ask, readers)?;
    let open_secs = start.elapsed().as_secs_f64();
    let images = set.train.len();
    let order = Seed(0).stream("bench", 0).permutation(images);
    let batches: Vec<&[usize]> = order.chunks(BATCH).collect();
    let mut feed = Feed::new(set.train)?;
    let mut first_batch_secs = None;
    ask.progress.begin(images);
    let pass = Instant::now();
    for (i, batch) in batches.iter().enumerate() {
        feed.batch(batch, batches.get(i + 1).copied().unwrap_or_default(), &Device::Cpu)?;
        first_batch_secs.get_or_insert_with(|| start.elapsed().as_secs_f64());
        batch.iter().try_for_each(|_| ask.progress.step())?;
    }
    let images_per_sec = images as f64 / pass.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
    let first_batch_secs = first_batch_secs.unwrap_or(open_secs);
    Ok(Bench { images, open_secs, first_batch_secs, images_per_sec, peak_bytes: peak_bytes() })
}

/// `VmHWM` of Linux.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Progress, READERS_HERE, Wanted};

    #[test]
    fn every_training_image_is_read_once() {
        let (wanted, progress) = (Wanted::default(), Progress::default());
        let ask = Ask { wanted: &wanted, progress: &progress };
        let found = bench("brainmri", &ask, READERS_HERE).unwrap();
        assert_eq!((found.images, progress.seen()), (202, (202, 202)));
        assert!(found.open_secs <= found.first_batch_secs && found.images_per_sec > 0.0, "{found:?}");
        assert!(!cfg!(target_os = "linux") || found.peak_bytes.is_some_and(|bytes| bytes > 1 << 20), "{found:?}");
        progress.stop();
        assert!(matches!(bench("brainmri", &ask, READERS_HERE), Err(crate::error::Error::Stopped)));
    }

    /// For who measures: `CUTLAYER_BENCH_DATA=FOLDER cargo test --release -- --ignored --nocapture measured`.
    #[test]
    #[ignore = "measures, and checks nothing"]
    fn measured() {
        let Some(path) = std::env::var_os("CUTLAYER_BENCH_DATA") else { return };
        let (wanted, progress) = (Wanted::default(), Progress::default());
        let ask = Ask { wanted: &wanted, progress: &progress };
        println!("{:?}", bench(path, &ask, READERS_HERE).unwrap());
    }
}

//! Batches for training: where images stay on disk, the next batch is read while the last one is worked on.

use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::Part;
use crate::error::{Error, Result};

/// The images of a part, in the order in which training asks for them. What comes of a batch depends on its indices
/// alone; the thread that reads ahead changes when it is there.
#[derive(Debug)]
pub struct Feed {
    part: Part,
    /// Reads ahead, where reading means waiting.
    ahead: Option<Ahead>,
    /// The last batch: training asks for it more than once.
    last: Option<(Vec<usize>, Tensor)>,
    waited: Duration,
}

impl Feed {
    /// Of a part. Its thread ends with it.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub fn new(part: Part) -> Result<Self> {
        let ahead = if part.streams() { Some(Ahead::new(part.clone())?) } else { None };
        Ok(Self { part, ahead, last: None, waited: Duration::ZERO })
    }

    /// The images at `indices` (float32, N × C × H × W, in \[0, 1\]) and their labels (u32, N). Those at `next` are
    /// prepared meanwhile; empty where it is not known what comes.
    ///
    /// # Errors
    /// Returns an error if an image cannot be read, or the device does not take it.
    ///
    /// # Panics
    /// Panics if an index is not below the number of images.
    pub fn batch(&mut self, indices: &[usize], next: &[usize], device: &Device) -> Result<(Tensor, Tensor)> {
        let Some(ahead) = &mut self.ahead else { return self.part.batch(indices, device) };
        let labels = self.part.select(indices).label_tensor(device)?;
        if let Some((_, images)) = self.last.as_ref().filter(|last| last.0 == indices) {
            return Ok((images.clone(), labels));
        }
        let start = Instant::now();
        let values = ahead.take(indices)?;
        self.waited += start.elapsed();
        if !next.is_empty() {
            ahead.ask(next);
        }
        let [c, h, w] = self.part.shape();
        let images = Tensor::from_vec(values, (indices.len(), c, h, w), device)?;
        self.last = Some((indices.to_vec(), images.clone()));
        Ok((images, labels))
    }

    /// How long batches were waited for; none where the images are in memory.
    pub fn waited(&self) -> Option<Duration> {
        self.ahead.as_ref().map(|_| self.waited)
    }
}

/// A thread that reads one batch ahead.
#[derive(Debug)]
struct Ahead {
    orders: Option<Sender<Vec<usize>>>,
    batches: Receiver<Result<Vec<f32>>>,
    /// What it was asked for and has not handed over.
    asked: Option<Vec<usize>>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    fn new(part: Part) -> Result<Self> {
        let (orders, asked) = bounded::<Vec<usize>>(1);
        let (sender, batches) = bounded(1);
        let work = move || {
            for indices in asked {
                if sender.send(part.values_of(&indices)).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new().name("cutlayer-images".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Error::Internal(format!("the system gives no thread: {error}")))?;
        Ok(Self { orders: Some(orders), batches, asked: None, thread: Some(thread) })
    }

    /// Asks for what comes next. At most one order is under way, so nobody waits here.
    fn ask(&mut self, indices: &[usize]) {
        if let Some(orders) = &self.orders {
            self.asked = orders.send(indices.to_vec()).ok().map(|()| indices.to_vec());
        }
    }

    /// The values of what was asked for, or of something else.
    fn take(&mut self, indices: &[usize]) -> Result<Vec<f32>> {
        let lost = |_| Error::Internal("the thread that reads images was lost".to_owned());
        if let Some(asked) = self.asked.take() {
            let batch = self.batches.recv().map_err(lost)?;
            if asked == indices {
                return batch;
            }
        }
        self.ask(indices);
        self.asked = None;
        self.batches.recv().map_err(lost)?
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // Without orders to come it ends, after the batch that it is reading.
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // It has no result, and a panic of its own was told.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::data::{Images, Source};

    /// Images that are slow to read, and of which one cannot be.
    #[derive(Debug)]
    struct Slow {
        images: Images,
        broken: usize,
        reads: AtomicUsize,
    }

    impl Source for Slow {
        fn shape(&self) -> [usize; 3] {
            self.images.shape
        }

        fn len(&self) -> usize {
            self.images.len()
        }

        fn labels(&self) -> &[u32] {
            self.images.labels()
        }

        fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
            std::thread::sleep(Duration::from_millis(2));
            self.reads.fetch_add(1, Ordering::Relaxed);
            if i == self.broken { Err(Error::input("this one is broken")) } else { self.images.read(i, out) }
        }

        fn streams(&self) -> bool {
            true
        }
    }

    fn slow(broken: usize) -> Arc<Slow> {
        let images = Images { shape: [1, 1, 2], pixels: (0..80).collect(), labels: (0..40).collect() };
        Arc::new(Slow { images, broken, reads: AtomicUsize::new(0) })
    }

    fn bits(batch: &(Tensor, Tensor)) -> (Vec<f32>, Vec<u32>) {
        (batch.0.flatten_all().unwrap().to_vec1().unwrap(), batch.1.to_vec1().unwrap())
    }

    #[test]
    fn batches_are_those_that_are_asked_for_whatever_was_foretold() {
        let source = slow(usize::MAX);
        let memory = Part::from(source.images.clone());
        let mut feed = Feed::new(Part::all(source.clone())).unwrap();
        let order = crate::random::Seed(1).stream("order", 0).permutation(40);
        let batches: Vec<&[usize]> = order.chunks(6).collect();
        for (i, batch) in batches.iter().enumerate() {
            // Told the truth, a lie, and nothing.
            let next = [batches.get(i + 1).copied().unwrap_or_default(), &[3, 3], &[]][i % 3];
            // A step asks more than once.
            for _ in 0..3 {
                let got = bits(&feed.batch(batch, next, &Device::Cpu).unwrap());
                assert_eq!(got, bits(&memory.batch(batch, &Device::Cpu).unwrap()), "{i}");
            }
        }
        let lies = 2;
        drop(feed.ahead.take());
        assert_eq!(source.reads.load(Ordering::Relaxed), 40 + 2 * lies, "each batch is read once");
        assert_eq!(Arc::strong_count(&source), 2, "the thread is gone");
    }

    #[test]
    fn what_is_prepared_meanwhile_is_not_waited_for() {
        let source = slow(usize::MAX);
        let mut feed = Feed::new(Part::all(source.clone())).unwrap();
        let all: Vec<usize> = (0..40).collect();
        feed.batch(&all[..20], &all[20..], &Device::Cpu).unwrap();
        let first = feed.waited().unwrap();
        assert!(first >= Duration::from_millis(40), "{first:?}");
        while source.reads.load(Ordering::Relaxed) < 40 {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(100));
        feed.batch(&all[20..], &[], &Device::Cpu).unwrap();
        let both = feed.waited().unwrap();
        assert!(both < 2 * first, "{first:?}, {both:?}");
        assert_eq!(Feed::new(Part::from(slow(0).images.clone())).unwrap().waited(), None);
    }

    #[test]
    fn an_image_that_cannot_be_read_ends_its_batch_alone() {
        let mut feed = Feed::new(Part::all(slow(9))).unwrap();
        assert!(feed.batch(&[0, 1], &[8, 9], &Device::Cpu).is_ok());
        assert_eq!(feed.batch(&[8, 9], &[10], &Device::Cpu).unwrap_err().to_string(), "this one is broken");
        assert!(feed.batch(&[10, 11], &[9], &Device::Cpu).is_ok());
        // It is left with an error under way.
        drop(feed);
    }
}

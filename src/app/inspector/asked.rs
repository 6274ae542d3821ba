//! A client looked into on a thread of its own: it takes a pass through its layers, and the window does not wait.

use std::sync::Arc;
use std::thread::Builder;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use crate::engine::alone;
use crate::model::inside::{Inside, Opened};
use crate::run::control::guarded;

/// What was asked, and the latest answer.
#[derive(Default)]
pub struct Asked {
    asking: Option<(Arc<Inside>, Receiver<Answer>)>,
    answer: Option<(Arc<Inside>, Answer)>,
    number: u64,
}

/// The client, or why there is no looking into it.
type Answer = Result<Arc<Opened>, String>;

impl Asked {
    /// Asks for a client, if it is another than that of the answer; one question at a time, the latest after it.
    pub fn ask(&mut self, inside: &Arc<Inside>, ctx: &Context) {
        self.hear();
        let known = self.answer.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, inside));
        if known || self.asking.is_some() {
            return;
        }
        let (sender, answer) = bounded(1);
        let (its, ctx) = (inside.clone(), ctx.clone());
        let open = move || {
            alone();
            let opened = guarded(|| its.open()).map(Arc::new).map_err(|error| error.to_string());
            // Nobody listens any more where the window was closed meanwhile.
            let _ = sender.send(opened);
            ctx.request_repaint();
        };
        match Builder::new().name("cutlayer-inspect".to_owned()).spawn(open) {
            Ok(_) => self.asking = Some((inside.clone(), answer)),
            Err(error) => self.answer = Some((inside.clone(), Err(format!("no thread to look into it: {error}")))),
        }
    }

    fn hear(&mut self) {
        let Some((inside, receiver)) = self.asking.take() else { return };
        match receiver.try_recv() {
            Ok(answer) => {
                self.answer = Some((inside, answer));
                self.number += 1;
            }
            Err(TryRecvError::Empty) => self.asking = Some((inside, receiver)),
            Err(TryRecvError::Disconnected) => {
                self.answer = Some((inside, Err("the client could not be looked into".to_owned())));
            }
        }
    }

    /// Whether an answer is to come.
    pub fn waits(&self) -> bool {
        self.asking.is_some()
    }

    /// The latest answer; while another client is looked into it is the last one's.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref().map(|(_, answer)| answer)
    }

    /// How many answers there were: what was made of another one is made anew.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The client, where it could be looked into.
    pub fn opened(&self) -> Option<&Arc<Opened>> {
        self.answer()?.as_ref().ok()
    }

    /// Whether the answer is of this client, and not of one before it.
    pub fn is_of(&self, inside: Option<&Arc<Inside>>) -> bool {
        self.answer.as_ref().zip(inside).is_some_and(|((of, _), inside)| Arc::ptr_eq(of, inside))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use candle_core::{DType, Device, Tensor};

    use super::*;
    use crate::model::spec::LayerSpec;

    #[test]
    fn a_client_is_looked_into_once_and_what_cannot_be_says_why() {
        let one = |shape: &[usize]| Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
        let conv = [LayerSpec::Conv { channels: 1, kernel: 1, stride: 1, padding: 0, bias: false }];
        let (name, weight, x) = ("client.0.weight".to_owned(), one(&[1, 1, 1, 1]), one(&[1, 1, 2, 2]));
        let good = Arc::new(Inside::of(&conv, [(&name, &weight)], &x).unwrap());
        let bad = Arc::new(Inside::of(&conv, [], &x).unwrap());
        let (ctx, mut asked) = (Context::default(), Asked::default());
        let mut answered = |inside: &Arc<Inside>| {
            let deadline = Instant::now() + Duration::from_mins(1);
            while !asked.is_of(Some(inside)) {
                assert!(Instant::now() < deadline);
                asked.ask(inside, &ctx);
                std::thread::sleep(Duration::from_millis(1));
            }
            asked.ask(inside, &ctx);
            assert!(!asked.waits(), "it is known");
            asked.answer().unwrap().as_ref().map(|opened| opened.first.is_some()).map_err(Clone::clone)
        };
        assert_eq!(answered(&good), Ok(true));
        assert!(answered(&bad).unwrap_err().contains("there is no weight called client.0.weight"));
    }
}

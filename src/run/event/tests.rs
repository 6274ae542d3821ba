//! The stream of events: merged, bounded, and no news lost.

use super::*;
use crate::run::scene::Picture;

fn steps(model: usize, step: usize) -> Event {
    let acc_vanilla = (model == 1).then_some(50.0);
    Event::Steps(vec![MetricRow { epoch: 1, step, acc_vanilla, ..MetricRow::default() }])
}

fn progress(done: usize) -> Event {
    Event::Progress(Progress { phase: "training".to_owned(), done, total: 0, seconds_left: None, untold: Vec::new() })
}

/// Everything until the end, from a reader that has woken up.
fn all(sink: &mut Sink, receiver: &Receiver<Event>) -> Vec<Event> {
    let mut events = Vec::new();
    while !matches!(events.last(), Some(Event::Stopped)) {
        match receiver.try_recv() {
            Ok(event) => events.push(event),
            Err(_) => assert!(!sink.flush() || !receiver.is_empty(), "the last event never came"),
        }
    }
    events
}

fn rows(events: &[Event]) -> Vec<&MetricRow> {
    events.iter().flat_map(|event| if let Event::Steps(rows) = event { rows.as_slice() } else { &[] }).collect()
}

#[test]
fn a_reader_that_sleeps_a_while_loses_no_step_and_blocks_nobody() {
    let (mut sink, receiver, _) = stream();
    for step in 0..5000 {
        sink.emit(steps(0, step));
        sink.emit(progress(step));
    }
    sink.emit(Event::Stopped);
    let events = all(&mut sink, &receiver);
    assert_eq!(rows(&events).iter().map(|row| row.step).collect::<Vec<_>>(), (0..5000).collect::<Vec<_>>());
    assert!(!events.iter().any(|event| matches!(event, Event::Missed(_))));
}

#[test]
fn a_reader_that_sleeps_for_hours_finds_little_waiting_and_nothing_but_steps_and_pictures_missing() {
    let (mut sink, receiver, _) = stream();
    let (epochs, per_epoch) = (20, 4000);
    let (mut most, mut galleries) = (0, 0);
    for epoch in 1..=epochs {
        for step in 0..per_epoch {
            let step = (epoch - 1) * per_epoch + step;
            for model in 0..2 {
                sink.emit(steps(model, step));
                sink.emit(progress(step));
            }
            if step % 100 == 0 {
                sink.emit(Event::Saved);
                sink.emit(Event::Gallery(Box::default()));
                galleries += 1;
            }
            most = most.max(sink.waiting_rows());
        }
        let (model, [attacked, recovered, fused_stream]) = ("dropout".to_owned(), [Some(50.0); 3]);
        let row = EpochRow { model, epoch, attacked, recovered, fused_stream, accuracy: 50.0, ..EpochRow::default() };
        sink.emit(Event::Epoch(row));
        sink.emit(Event::Warning(format!("after {epoch}")));
    }
    sink.emit(Event::Stopped);
    assert!(most <= WAITING_ROWS, "{most} rows");
    let held = sink.backlog.len();
    assert!(held < 5 * epochs + 2 * WAITING_GALLERIES, "{held} events wait");
    let events = all(&mut sink, &receiver);
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Epoch(_))), epochs);
    assert_eq!(count(|event| matches!(event, Event::Warning(_))), epochs);
    let told: Vec<Missed> = events
        .iter()
        .filter_map(|event| if let Event::Missed(missed) = event { Some(*missed) } else { None })
        .collect();
    let got = rows(&events);
    assert_eq!(told.iter().map(|missed| missed.rows).sum::<usize>() + got.len(), 2 * epochs * per_epoch);
    let shown = count(|event| matches!(event, Event::Gallery(_)));
    assert_eq!(told.iter().map(|missed| missed.galleries).sum::<usize>() + shown, galleries);
    // Curves from beginning to end for both models, in order.
    for model in [false, true] {
        let own: Vec<usize> = got.iter().filter(|r| r.acc_vanilla.is_some() == model).map(|r| r.step).collect();
        assert!(own.is_sorted() && own.len() > WAITING_ROWS / 8, "{} rows", own.len());
        assert!(own[0] == 0 && own[own.len() - 1] + 4 > epochs * per_epoch, "{:?}", own.last());
    }
    assert!(sink.flush() && receiver.is_empty());
}

#[test]
fn for_a_reader_that_has_gone_nothing_is_kept() {
    let (mut sink, receiver, _) = stream();
    for step in 0..5000 {
        sink.emit(steps(0, step));
    }
    drop(receiver);
    sink.emit(Event::Stopped);
    assert!(sink.flush() && sink.backlog.is_empty());
}

#[test]
fn only_the_latest_picture_is_kept() {
    let pictures = Pictures::default();
    assert!(pictures.newer_than(0).is_none());
    pictures.put(Scene::default());
    pictures.put(Scene { sent: Picture { shape: [1, 1, 1], values: vec![0.5] }, ..Scene::default() });
    let (number, scene) = pictures.newer_than(0).unwrap();
    assert_eq!((number, scene.sent.values), (2, vec![0.5]));
    assert!(pictures.newer_than(2).is_none() && pictures.wanted() && !Pictures::default().wanted());
}

use std::path::PathBuf;

use super::*;

fn there() -> There {
    There::open(experiment::Device::Cpu).unwrap()
}

#[test]
fn steps_with_reference_values_keep_to_operations_that_another_device_has() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let lines = reference::references(&golden, &there());
    let wrong: Vec<&Line> = lines.iter().filter(|line| !line.good()).collect();
    assert!(wrong.is_empty() && lines.len() > 30, "{} of {}: {wrong:?}", wrong.len(), lines.len());
    let gone = reference::references(&golden.join("none"), &there());
    assert!(gone.len() == 2 && gone.iter().all(|line| !line.good()), "{gone:?}");
}

#[test]
fn what_differs_and_what_fails_is_not_good() {
    let cast = |a: &[candle_core::Tensor]| {
        // What a kernel gives here and another device does not.
        let here = crate::engine::own::own_kernels(a[0].device());
        Ok((&a[0] * if here { 1.0 } else { 1.001 })?)
    };
    let line = compared(&Trial::new("off by a little", &[&[3]], cast), &there());
    assert!(!line.good() && line.gap.is_some_and(|gap| gap > 9e-4) && line.note.is_some(), "{line:?}");
    let failing = |_: &[candle_core::Tensor]| Err(crate::error::Error::Stopped);
    let line = compared(&Trial::new("failing", &[&[3]], failing), &there());
    assert!(!line.good() && line.note.as_deref() == Some("stopped"), "{line:?}");
}

//! What other devices compute is what the kernels compute, as far as the processor can tell.

use candle_core::Device;

use super::*;
use crate::engine::own::{composed, on_host};
use crate::engine::pool::{Pool, pool};

#[test]
fn every_operation_and_its_gradients_are_the_same_composed() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for trial in trials().into_iter().chain(crate::workbench::trials()) {
        let ours = trial.on(&Device::Cpu).unwrap_or_else(|e| panic!("{}: {e}", trial.name));
        let theirs = match composed(|| trial.on(&Device::Cpu)) {
            Ok(theirs) => theirs,
            Err(error) => {
                wrong.push(format!("{}: {error}", trial.name));
                continue;
            }
        };
        let whats = |all: &[Came]| all.iter().map(|came| came.what.clone()).collect::<Vec<_>>();
        assert_eq!(whats(&ours), whats(&theirs), "{}", trial.name);
        assert!(ours.iter().any(|came| came.numbers.iter().any(|v| *v != 0.0)), "{}: nothing but zeros", trial.name);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let gap = gap(&theirs.numbers, &ours.numbers);
            compared += 1;
            if gap > 1e-4 {
                wrong.push(format!("{}: {} {gap:.2e}", trial.name, ours.what));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 250, "{compared}");
}

#[test]
fn a_kernel_refuses_where_there_is_another_device_and_works_where_the_host_is_meant() {
    let x = Var::from_tensor(&Tensor::ones((1, 1, 2, 2), DType::F32, &Device::Cpu).unwrap()).unwrap();
    let kernel = || crate::engine::tape::apply1(&x, Wrong);
    assert!(kernel().is_ok() && composed(|| on_host(kernel)).is_ok());
    let error = composed(kernel).unwrap_err().to_string();
    assert!(error.contains("a test's: a kernel for the CPU met a tensor on another device"), "{error}");
    // The scope ends with it, also where its work does not end well.
    assert!(std::panic::catch_unwind(|| composed(|| panic!("a test's"))).is_err() && kernel().is_ok());
    // What was composed goes back by candle's operations, also outside.
    let pooled = composed(|| pool(&x, Pool::Max, 2)).unwrap();
    assert!(pooled.backward().unwrap().get(&x).is_some());
}

#[test]
fn numbers_that_are_none_are_far_apart() {
    assert_eq!(gap(&[1.0, 2.0], &[1.0, 4.0]), 0.5);
    assert!(gap(&[1.0], &[1.0, 2.0]).is_infinite() && gap(&[f64::NAN], &[1.0]).is_infinite());
    assert_eq!(gap(&[0.0], &[0.0]), 0.0);
}

struct Wrong;

impl candle_core::CustomOp1 for Wrong {
    fn name(&self) -> &'static str {
        "a test's"
    }

    fn cpu_fwd(
        &self,
        storage: &candle_core::CpuStorage,
        layout: &candle_core::Layout,
    ) -> candle_core::Result<(candle_core::CpuStorage, candle_core::Shape)> {
        Ok((storage.clone(), layout.shape().clone()))
    }
}

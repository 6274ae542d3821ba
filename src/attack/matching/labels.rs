//! Classes from a gradient: by the last layer alone (Zhao et al. 2020; for batches Wainakh et al. 2022).

use candle_core::Tensor;

use crate::error::{Error, Result};

/// What a gradient says of each class (K): that by the last layer's bias (K), one of the last two of all gradients.
///
/// ∂loss/∂bias is the mean of p − y over the batch: only the classes that occur can be negative, by 1/n for each time. Of a
/// layer without a bias the rows of the gradient by its weight (K, …) are summed up, which have the bias' signs where what
/// enters the layer is not negative.
///
/// # Errors
/// Returns an error if the last layer is not of these classes.
pub fn by_class(server: &[Tensor], classes: usize) -> Result<Vec<f32>> {
    let last = last_layer(server, classes)?;
    Ok(last.flatten_from(0)?.reshape((classes, ()))?.sum(1)?.to_vec1()?)
}

fn last_layer(server: &[Tensor], classes: usize) -> Result<&Tensor> {
    let last = server.iter().rev().take(2).find(|part| part.dims().first() == Some(&classes));
    last.ok_or_else(|| Error::input("the last layer's gradient does not tell the classes apart"))
}

/// The classes of a batch of `n`, the smallest first: those of which the gradient says least ([`by_class`]), one after the
/// other.
///
/// # Errors
/// Returns an error if the last layer is not of these classes.
pub fn restored(server: &[Tensor], classes: usize, n: usize) -> Result<Vec<u32>> {
    let (last, mut left) = (last_layer(server, classes)?, by_class(server, classes)?);
    // By rows, what a sample takes from its class is not known but for the sum of all that is negative.
    let share = if last.rank() == 1 { 1.0 } else { -left.iter().filter(|sum| **sum < 0.0).sum::<f32>() } / n as f32;
    let mut found: Vec<u32> = (0..n)
        .map(|_| {
            let least = (0..classes).min_by(|a, b| left[*a].total_cmp(&left[*b])).unwrap_or(0);
            left[least] += share;
            least as u32
        })
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// A row for each class, 1 at it and 0 elsewhere (N, K).
///
/// # Errors
/// Returns an error if there is no memory left.
pub fn one_hot(labels: &[u32], classes: usize, like: &Tensor) -> Result<Tensor> {
    let mut rows = vec![0f32; labels.len() * classes];
    for (row, label) in rows.chunks_mut(classes).zip(labels) {
        if let Some(place) = row.get_mut(*label as usize) {
            *place = 1.0;
        }
    }
    Ok(Tensor::from_vec(rows, (labels.len(), classes), like.device())?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn rows(values: &[&[f32]]) -> Tensor {
        let (n, k) = (values.len(), values[0].len());
        Tensor::from_vec(values.concat(), (n, k), &Device::Cpu).unwrap()
    }

    #[test]
    fn classes_come_back_from_the_last_bias_and_from_rows() {
        // p uniform over four classes: p − y of one sample of class 2, and the mean over classes 0, 3 and 3.
        let bias = |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
        let weight = rows(&[&[0.1, 0.2], &[0.1, 0.1], &[-0.5, -0.4], &[0.2, 0.2]]);
        assert_eq!(restored(&[weight.clone(), bias(&[0.25, 0.25, -0.75, 0.25])], 4, 1).unwrap(), [2]);
        let three = bias(&[0.25 - 1.0 / 3.0, 0.25, 0.25, 0.25 - 2.0 / 3.0]);
        assert_eq!(restored(&[weight.clone(), three], 4, 3).unwrap(), [0, 3, 3]);
        assert_eq!(restored(&[weight], 4, 1).unwrap(), [2]);
        assert!(restored(&[bias(&[0.0; 3])], 4, 1).is_err());
        let like = bias(&[0.0]);
        assert_eq!(one_hot(&[1, 0], 3, &like).unwrap().to_vec2::<f32>().unwrap(), [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]);
    }
}

//! The two sets inside the program, so that it works without a network or a download.

use std::io::Cursor;
use std::path::Path;

use crate::data::cache::{Stamp, once};
use crate::data::reader::{Contents, Parts};
use crate::data::readers::{idx, npz};
use crate::data::{Dataset, Wanted, about_path};
use crate::error::{Error, Result};

type Make = fn() -> Result<Dataset>;

const SETS: [(&str, Make); 2] = [("mnist", mnist), ("brainmri", brainmri)];

/// Names of the sets that come with the program.
pub const BUILT_IN: [&str; 2] = [SETS[0].0, SETS[1].0];

/// One of the sets that come with the program.
///
/// ```
/// let digits = cutlayer::data::built_in("mnist")?;
/// assert_eq!((digits.train.len(), digits.shape()), (8000, [1, 28, 28]));
/// # Ok::<(), cutlayer::error::Error>(())
/// ```
///
/// # Errors
/// Returns an error if there is no such set.
pub fn built_in(name: &str) -> Result<Dataset> {
    let known = SETS.iter().find(|set| set.0 == name);
    let (name, make) = known.ok_or_else(|| Error::input(format!("no set of the program is called {name:?}")))?;
    once(Some(Stamp::BuiltIn(name)), make)
}

/// 10,000 of MNIST's digits: 8,000 for training, 2,000 for testing, 28 × 28.
fn mnist() -> Result<Dataset> {
    let path = Path::new("built-in mnist");
    let train = [
        include_bytes!("../../assets/mnist/train-images-idx3-ubyte.gz").as_slice(),
        include_bytes!("../../assets/mnist/train-labels-idx1-ubyte.gz"),
    ];
    let test = [
        include_bytes!("../../assets/mnist/t10k-images-idx3-ubyte.gz").as_slice(),
        include_bytes!("../../assets/mnist/t10k-labels-idx1-ubyte.gz"),
    ];
    let about = "10,000 of MNIST's handwritten digits, 28 × 28; Y. LeCun and C. Cortes, CC BY-SA 3.0";
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    idx::read_pairs([train, test])
        .and_then(|contents| set("mnist", about, &digits, contents))
        .map_err(|problem| about_path(&problem, path))
}

/// 284 slices of an averaged head, 64 × 64: 202 for training, 28 for validation, 54 for testing.
fn brainmri() -> Result<Dataset> {
    let path = Path::new("built-in brainmri");
    let file = Cursor::new(include_bytes!("../../assets/brainmri/mni152_planes64.npz").as_slice());
    let about = "284 brain MRI slices in three planes, 64 × 64: a stand-in, the average of 152 adults (MNI ICBM 152), \
                 no patient; © McGill University, free to use with its notice";
    let planes = ["axial", "coronal", "sagittal"];
    npz::read(file, &Wanted::default(), None)
        .and_then(|contents| set("brainmri", about, &planes, contents))
        .map_err(|problem| about_path(&problem, path))
}

/// A set whose classes have names.
fn set(name: &str, about: &str, classes: &[&str], contents: Contents) -> Result<Dataset, String> {
    let Parts::Given(parts) = contents.parts else {
        return Err("it does not say which images are for what".to_owned());
    };
    let set = Dataset::new(name, about, Some(classes.iter().map(ToString::to_string).collect()), parts)?;
    Ok(Dataset { findings: contents.findings.into(), ..set })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{split, targets};
    use crate::random::Seed;

    #[test]
    fn digits_are_those_of_the_licence_file() -> Result<()> {
        let digits = mnist()?;
        assert_eq!((digits.train.len(), digits.validation.len(), digits.test.len()), (8000, 0, 2000));
        assert_eq!(digits.shape(), [1, 28, 28]);
        assert_eq!(digits.train.class_counts(10), [801, 902, 793, 826, 784, 690, 811, 856, 755, 782]);
        assert_eq!(digits.test.class_counts(10), [200, 225, 198, 206, 196, 173, 203, 214, 189, 196]);
        assert!((digits.majority() - 11.25).abs() < 1e-9);
        let parts = split(&digits, 0.125, Seed(0));
        assert_eq!((parts.victim.len(), parts.aux.len()), (7000, 1000));
        let chosen = digits.test.select(&targets(&digits.test, 10, 60, Seed(0)));
        assert_eq!(chosen.class_counts(10), [6; 10]);
        Ok(())
    }

    #[test]
    fn planes_are_those_of_the_licence_file() -> Result<()> {
        let planes = brainmri()?;
        assert_eq!(planes.shape(), [1, 64, 64]);
        assert_eq!(planes.classes, ["axial", "coronal", "sagittal"]);
        assert_eq!(planes.train.class_counts(3), [70, 91, 41]);
        assert_eq!(planes.validation.class_counts(3), [10, 13, 5]);
        assert_eq!(planes.test.class_counts(3), [19, 25, 10]);
        assert_eq!((planes.train.len(), planes.validation.len(), planes.test.len()), (202, 28, 54));
        Ok(())
    }
}

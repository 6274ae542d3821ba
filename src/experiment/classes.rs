//! Classes as an experiment names them: which one is the positive one, and which a second table merges.

use super::document::{AUTO, EvaluateSpec, NONE};
use crate::error::{Error, Result};

/// Fewer classes made of those that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Their names.
    pub names: Vec<String>,
    /// The new class of each of the old ones.
    pub to: Vec<u32>,
}

impl EvaluateSpec {
    /// The class that sensitivity is of, where there are two: by its name or number, the second by default.
    ///
    /// # Errors
    /// Names the classes where there is no such one.
    pub fn positive(&self, classes: &[String]) -> Result<usize> {
        if self.positive == AUTO {
            return Ok(1);
        }
        class(&self.positive, classes).ok_or_else(|| {
            Error::input(format!(
                "evaluate.positive = \"{}\": allowed is \"auto\" or a class, by name or number: {}",
                self.positive,
                classes.join(", ")
            ))
        })
    }

    /// The classes of the second table; none where there is none. It is written `abnormal = benign + malignant`, several with
    /// semicolons between them; other classes stay as they are.
    ///
    /// # Errors
    /// Says what is allowed, with the classes that there are.
    pub fn merged(&self, classes: &[String]) -> Result<Option<Merge>> {
        if self.merge == NONE {
            return Ok(None);
        }
        let wrong = || {
            Error::input(format!(
                "evaluate.merge = \"{}\": allowed is \"none\", or a new name and the classes in it, as in \"abnormal = benign + \
                 malignant\"; the classes are {}",
                self.merge,
                classes.join(", ")
            ))
        };
        let mut groups: Vec<Option<String>> = vec![None; classes.len()];
        for part in self.merge.split(';') {
            let (name, members) = part.split_once('=').ok_or_else(wrong)?;
            for member in members.split('+') {
                let group = class(member.trim(), classes).and_then(|at| groups.get_mut(at)).ok_or_else(wrong)?;
                if name.trim().is_empty() || group.is_some() {
                    return Err(wrong());
                }
                *group = Some(name.trim().to_owned());
            }
        }
        let mut names: Vec<String> = Vec::new();
        let to = groups.into_iter().zip(classes).map(|(group, own)| {
            let name = group.unwrap_or_else(|| own.clone());
            let at = names.iter().position(|known| *known == name).unwrap_or(names.len());
            if at == names.len() {
                names.push(name);
            }
            at as u32
        });
        let to: Vec<u32> = to.collect();
        if names.len() < 2 { Err(wrong()) } else { Ok(Some(Merge { names, to })) }
    }
}

/// A class by name or number.
fn class(word: &str, classes: &[String]) -> Option<usize> {
    let by_number = || word.parse().ok().filter(|number| *number < classes.len());
    classes.iter().position(|name| name == word).or_else(by_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Vec<String> {
        ["normal", "benign", "malignant"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_class_is_found_by_name_or_number() {
        let of = |positive: &str| EvaluateSpec { positive: positive.to_owned(), ..EvaluateSpec::default() };
        assert_eq!([of("auto"), of("malignant"), of("0")].map(|one| one.positive(&classes()).unwrap()), [1, 2, 0]);
        let told = of("3").positive(&classes()).unwrap_err().to_string();
        assert!(told.starts_with("evaluate.positive = \"3\"") && told.ends_with("normal, benign, malignant"), "{told}");
    }

    #[test]
    fn classes_are_merged_as_they_are_written() {
        let of = |merge: &str| EvaluateSpec { merge: merge.to_owned(), ..EvaluateSpec::default() }.merged(&classes());
        assert_eq!(of("none").unwrap(), None);
        let two = of("abnormal = benign + malignant").unwrap().unwrap();
        assert_eq!((two.names, two.to), (vec!["normal".to_owned(), "abnormal".to_owned()], vec![0, 1, 1]));
        assert_eq!(of("x=0+2").unwrap().unwrap().to, [0, 1, 0]);
        for wrong in ["abnormal", "a = b", "a = benign + benign", "= benign", "a = 0 + 1 + 2", ""] {
            assert!(of(wrong).unwrap_err().to_string().contains("evaluate.merge"), "{wrong}");
        }
    }
}

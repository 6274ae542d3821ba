//! How many runs are ticked to be compared: by that commands are offered or not.

/// How many runs are ticked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ticked {
    /// None.
    #[default]
    None,
    /// One, which is compared with nothing.
    One,
    /// As many as can be compared.
    Several,
}

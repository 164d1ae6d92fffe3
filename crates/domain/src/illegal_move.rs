//! The refusal of a move that a table of moves does not hold. It names both states, whatever moves.

/// A move that the table does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {what} cannot move from {from} to {to}")]
pub struct IllegalMove {
    /// What moves: `job`, `migration`.
    pub what: &'static str,
    /// The state it is in.
    pub from: &'static str,
    /// The state that was asked for.
    pub to: &'static str,
}

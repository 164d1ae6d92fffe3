//! The few kinds of refusal that every protocol can say; mapped once to HTTP and once to gRPC.

/// What sort of "no" an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be understood or breaks a rule that the caller can see.
    Invalid,
    /// It is not known who is calling.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing for this caller.
    NotFound,
    /// The thing is in a state that does not allow this.
    Conflict,
    /// A limit on rate or number was reached; later may work.
    RateLimited,
    /// A part that is needed cannot be reached now; later may work.
    Unavailable,
    /// A fault of ours.
    Internal,
}

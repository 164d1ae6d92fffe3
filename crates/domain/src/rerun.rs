//! A new run of a migration that is over, at a person's wish: why, where it begins, and how often it may be asked for.
//!
//! What earlier runs did and stored is taken over as far as it still holds; nothing is done or paid for twice.

use crate::{failure::Reason, job::UnknownState, phase::Phase};
use serde::Serialize;
use std::{fmt, str::FromStr, time::Duration};

/// So many new runs of one migration may be asked for with one reason.
pub const MOST_PER_REASON: u32 = 3;
/// So long after one wish for a new run the next one is refused, whatever its reason.
pub const COOLDOWN: Duration = Duration::from_secs(60);
/// The phase that depends on the brief: a new one makes a new plan.
pub const DEPENDS_ON_THE_BRIEF: Phase = Phase::Plan;
/// The phase that depends on the plan: an edited one makes a new project.
pub const DEPENDS_ON_THE_PLAN: Phase = Phase::Transform;

/// Why somebody wants a new run. Stored and printed in lower snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Nothing failed, or it does not matter what did.
    UserRequest,
    /// Because of a failure of this sort.
    Failed(Reason),
}

impl Why {
    /// The name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserRequest => "user_request",
            Self::Failed(reason) => reason.as_str(),
        }
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once(Self::UserRequest).chain(Reason::ALL.map(Self::Failed)).map(Self::as_str)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Why {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FromStr for Why {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == Self::UserRequest.as_str() {
            Ok(Self::UserRequest)
        } else {
            text.parse().map(Self::Failed)
        }
    }
}

/// What decides where a new run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The phase that was asked for.
    pub from: Option<Phase>,
    /// Are seed and stored results to be taken over?
    pub reuse_seeds: bool,
    /// Is there a new brief?
    pub new_brief: bool,
    /// Was the plan edited since the run before used it?
    pub edited_plan: bool,
}

/// A phase was asked for that comes behind one without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{asked} cannot come first: {missing} has no result yet")]
pub struct NotReached {
    /// What was asked for.
    pub asked: Phase,
    /// The first phase without a result: a new run begins there at the latest.
    pub missing: Phase,
}

impl Wish {
    /// The first phase that is done anew; none if every result is taken over.
    ///
    /// `completed` are the phases with a result; `same_tools` says whether those results were made by tools that this
    /// release understands. Without a wish for a phase, a run that takes over what there is goes on where it ended, and
    /// one that does not begins with the first. What a new brief, an edited plan or other tools make void is done anew in any
    /// case.
    pub fn first_phase(&self, completed: &[Phase], same_tools: bool) -> Result<Option<Phase>, NotReached> {
        let missing = Phase::ALL.into_iter().find(|phase| !completed.contains(phase));
        let asked = match (self.from, missing) {
            (Some(asked), Some(missing)) if asked > missing => return Err(NotReached { asked, missing }),
            (Some(asked), _) => Some(asked),
            (None, missing) if self.reuse_seeds => missing,
            (None, _) => Some(Phase::Analyze),
        };
        let void = [
            (!same_tools).then_some(Phase::Analyze),
            self.new_brief.then_some(DEPENDS_ON_THE_BRIEF),
            self.edited_plan.then_some(DEPENDS_ON_THE_PLAN),
        ];
        Ok(asked.into_iter().chain(void.into_iter().flatten()).min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Phase::*;
    use rstest::rstest;

    #[test]
    fn names_read_back() {
        for name in Why::names() {
            assert_eq!(name.parse::<Why>().map(Why::as_str), Ok(name));
        }
        assert_eq!(Why::names().count(), 12);
        assert!("because".parse::<Why>().is_err());
    }

    /// From, reuse, brief; how many phases are complete; the same tools? Where it begins.
    #[rstest]
    #[case(None, true, false, 3, true, Ok(Some(Verify)))] // goes on where it failed
    #[case(None, true, false, 5, true, Ok(None))] // everything is there
    #[case(None, true, false, 0, true, Ok(Some(Analyze)))]
    #[case(None, false, false, 5, true, Ok(Some(Analyze)))] // everything anew
    #[case(Some(Transform), true, false, 5, true, Ok(Some(Transform)))]
    #[case(Some(Transform), false, false, 5, true, Ok(Some(Transform)))]
    #[case(Some(Transform), true, false, 2, true, Ok(Some(Transform)))] // the one that failed
    #[case(Some(Deploy), true, false, 2, true, Err(NotReached { asked: Deploy, missing: Transform }))]
    #[case(Some(Deploy), true, true, 5, true, Ok(Some(Plan)))] // a new brief makes a new plan
    #[case(Some(Analyze), true, true, 5, true, Ok(Some(Analyze)))]
    #[case(None, true, true, 5, true, Ok(Some(Plan)))]
    #[case(None, true, true, 0, true, Ok(Some(Analyze)))]
    #[case(None, true, false, 5, false, Ok(Some(Analyze)))] // other tools made those results
    fn where_a_new_run_begins(
        #[case] from: Option<Phase>,
        #[case] reuse_seeds: bool,
        #[case] new_brief: bool,
        #[case] complete: usize,
        #[case] same_tools: bool,
        #[case] begins: Result<Option<Phase>, NotReached>,
    ) {
        let wish = Wish { from, reuse_seeds, new_brief, edited_plan: false };
        assert_eq!(wish.first_phase(&Phase::ALL[..complete], same_tools), begins);
    }

    #[rstest]
    #[case(None, 5, Some(Transform))] // nothing is missing, but what was written follows the plan before
    #[case(Some(Deploy), 5, Some(Transform))]
    #[case(None, 2, Some(Transform))]
    #[case(Some(Plan), 5, Some(Plan))] // the edit is dropped with the plan
    fn what_follows_from_an_edited_plan_is_written_anew(
        #[case] from: Option<Phase>,
        #[case] complete: usize,
        #[case] begins: Option<Phase>,
    ) {
        let wish = Wish { from, reuse_seeds: true, new_brief: false, edited_plan: true };
        assert_eq!(wish.first_phase(&Phase::ALL[..complete], true), Ok(begins));
    }
}

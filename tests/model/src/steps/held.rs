//! What a worker does under a lease: renews it, says what it has to say, asks for the effect.

use super::trust;
use crate::{
    record::Fenced,
    terms::{Flaw, Half, Terms},
    worker::{Ending, Hold, Stage, Worker},
    world::World,
};

impl World {
    pub(super) fn ask_to_renew(&mut self, terms: &Terms, worker: usize) -> bool {
        let Some(epoch) = self.workers[worker].hold().map(|hold| hold.epoch) else { return false };
        if self.workers[worker].beat.is_some() {
            return false; // one question at a time
        }
        self.workers[worker].beat = Some(self.renew(worker, epoch));
        if terms.half == Half::Bell {
            self.hear_renewal(terms, worker);
        }
        true
    }

    pub(super) fn hear_renewal(&mut self, terms: &Terms, worker: usize) -> bool {
        let one = &mut self.workers[worker];
        let Some(beat) = one.beat.take() else { return false };
        let Some(hold) = one.hold_mut() else { return false };
        let ending = matches!(hold.stage, Stage::End(_));
        if beat.kept {
            hold.trust = trust(terms, beat.age);
            if beat.cancel_requested && !ending {
                hold.stage = Stage::End(Ending::Cancel);
            }
        } else if !ending {
            one.drop_job(); // who is ending hears of it from its own last write
        }
        true
    }

    pub(super) fn write(&mut self, terms: &Terms, worker: usize, heard: bool) -> bool {
        let before = self.record.clone();
        let Some(hold) = self.workers[worker].hold() else { return false };
        let (epoch, stage) = (hold.epoch, hold.stage);
        let next = match stage {
            Stage::Begin => self.begin(terms, epoch).map(|()| Some(Stage::EnterPhase)),
            Stage::EnterPhase => self
                .enter_phase(terms, epoch)
                .map(|complete| Some(if complete { Stage::End(Ending::Complete) } else { Stage::Work })),
            Stage::Work | Stage::Awaits => return false,
            Stage::KeepResult => self.keep_result(terms, epoch).map(|()| Some(Stage::End(Ending::Complete))),
            Stage::End(ending) => self.end(terms, epoch, ending, hold.end_written).map(|()| None),
        };
        if heard {
            self.hear(worker, stage, next);
            return true;
        }
        // Only an answer that would have said something new can be missed.
        if let Some(hold) = self.workers[worker].hold_mut() {
            hold.end_written |= matches!(stage, Stage::End(_));
        }
        self.record != before
    }

    pub(super) fn hear(&mut self, worker: usize, said: Stage, answer: Fenced<Option<Stage>>) {
        match answer {
            Fenced::Done(Some(stage)) => {
                if let Some(hold) = self.workers[worker].hold_mut() {
                    hold.stage = stage;
                }
            }
            Fenced::Done(None) | Fenced::Stale if said == Stage::End(Ending::HandBack) => self.die(worker),
            Fenced::Done(None) | Fenced::Stale => self.workers[worker].drop_job(),
        }
    }

    pub(super) fn ask(&mut self, terms: &Terms, worker: usize) -> bool {
        let Some(hold) = self.workers[worker].hold_mut() else { return false };
        if hold.stage != Stage::Work || hold.trust == 0 {
            return false;
        }
        hold.stage = Stage::Awaits;
        let epoch = hold.epoch;
        let lease = self.record.lease.as_ref();
        let holds = lease.is_some_and(|lease| lease.holder == Some(worker) && lease.epoch == epoch);
        let excused = self.hung & (1 << epoch) != 0 || terms.half == Half::Bell; // where trust is not looked at
        self.breaches.effect_of_a_stranger |= !holds && !excused;
        self.outside.on_the_way |= 1 << epoch;
        if terms.half == Half::Bell {
            self.arrive(terms, epoch);
            return self.record.up && self.write(terms, worker, true); // keeps the result
        }
        true
    }

    pub(super) fn arrive(&mut self, terms: &Terms, epoch: u8) -> bool {
        if self.outside.on_the_way & (1 << epoch) == 0 {
            return false;
        }
        self.outside.on_the_way &= !(1 << epoch);
        self.outside.keys |= if terms.has(Flaw::EffectsKeyedByAttempt) { 1 << epoch } else { 1 };
        self.breaches.second_effect |= self.outside.keys.count_ones() > 1;
        let asked = |hold: &&mut Hold| hold.epoch == epoch && hold.stage == Stage::Awaits;
        for hold in self.workers.iter_mut().filter_map(Worker::hold_mut).filter(asked) {
            hold.stage = Stage::KeepResult;
        }
        true
    }

    pub(super) fn fail(&mut self, worker: usize) -> bool {
        let Some(hold) = self.workers[worker].hold_mut() else { return false };
        let works = matches!(hold.stage, Stage::Work | Stage::Awaits);
        if works {
            hold.stage = Stage::End(Ending::Fail);
        }
        works
    }

    pub(super) fn stop(&mut self, worker: usize) -> bool {
        match self.workers[worker].hold_mut() {
            Some(hold) if matches!(hold.stage, Stage::End(_)) => return false,
            Some(hold) => hold.stage = Stage::End(Ending::HandBack),
            None => return false, // with nothing in its hands a stop is a crash
        }
        true
    }
}

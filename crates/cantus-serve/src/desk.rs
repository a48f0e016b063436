//! The desk: a few threads that hear, a short queue before them, and what becomes of those for whom there is no place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::answer::{Answer, Question, Unanswered};
use super::exhibit::Exhibit;
use super::limits::Limits;
use super::problem::{Kind, Problem};
use super::sound::Sound;
use cantus::{Error, Predictor};

/// Where recordings are handed in.
#[derive(Debug)]
pub(super) struct Desk {
    places: Arc<Semaphore>,
    jobs: mpsc::Sender<Job>,
    limits: Limits,
}

/// A place among those who are heard or wait for it; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "held, and never looked at")] OwnedSemaphorePermit);

/// What a thread has to do.
struct Job {
    /// Number of the model.
    exhibit: usize,
    sound: Sound,
    overview: bool,
    /// Kept until the work is done or dropped, so that no more than the limit is in memory.
    _place: Place,
    reply: oneshot::Sender<Result<Answer, Problem>>,
}

impl Desk {
    /// Opens the desk. Its threads end when it is gone.
    pub(super) fn open(exhibits: &Arc<[Exhibit]>, limits: Limits) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..limits.at_once {
            let (exhibits, queue) = (Arc::clone(exhibits), Arc::clone(&queue));
            thread::Builder::new().name("hearing".to_owned()).spawn(move || {
                // Should a recording ever make a thread panic, its sender is told, and the thread goes on with fresh plans.
                while catch_unwind(AssertUnwindSafe(|| work(&exhibits, &queue, limits.audio_s))).is_err() {}
            })?;
        }
        let places = Arc::new(Semaphore::new(limits.at_once + limits.waiting));
        Ok(Self { places, jobs, limits })
    }

    /// A place for a request, if there is one.
    pub(super) fn place(&self) -> Result<Place, Problem> {
        Arc::clone(&self.places).try_acquire_owned().map(Place).map_err(|_| {
            let Limits { at_once, waiting, .. } = self.limits;
            Problem::new(
                Kind::Busy,
                format!("{at_once} recordings are being heard and {waiting} wait already"),
            )
        })
    }

    /// What the model says of a recording. Dropped before there is an answer, it frees the thread and the place.
    pub(super) async fn hear(
        &self,
        exhibit: usize,
        sound: Sound,
        overview: bool,
        place: Place,
    ) -> Result<Answer, Problem> {
        let (reply, answer) = oneshot::channel();
        let gone = |_| Problem::new(Kind::Internal, "hearing it failed unexpectedly");
        let job = Job { exhibit, sound, overview, _place: place, reply };
        self.jobs.send(job).map_err(|_| Problem::new(Kind::Internal, "nobody hears any longer"))?;
        match tokio::time::timeout(self.limits.time, answer).await {
            Ok(answer) => answer.map_err(gone)?,
            Err(_) => {
                let s = self.limits.time.as_secs_f64();
                Err(Problem::new(Kind::AnswerTooSlow, format!("there was no answer after {s} s")))
            }
        }
    }
}

/// Hears one recording after another, until the desk is gone.
fn work(exhibits: &[Exhibit], queue: &Mutex<mpsc::Receiver<Job>>, audio_s: f64) {
    let mut predictors: Vec<Option<Predictor<'_>>> = exhibits.iter().map(|_| None).collect();
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(Job { exhibit, sound, overview, _place, reply }) = next() {
        let is_abandoned = || reply.is_closed();
        if is_abandoned() {
            continue;
        }
        let question = Question { overview, audio_s, is_abandoned: &is_abandoned };
        let exhibited = &exhibits[exhibit];
        let answer = planned(&mut predictors[exhibit], exhibited)
            .map_err(Unanswered::from)
            .and_then(|predictor| question.answer(sound, exhibited.name(), predictor));
        match answer {
            Err(Unanswered::Abandoned) => {}
            // Whoever waited may have gone this very moment.
            Ok(answer) => drop(reply.send(Ok(answer))),
            Err(Unanswered::Because(problem)) => drop(reply.send(Err(problem))),
        }
    }
}

/// The thread's own plan for a model, made when it is first asked for.
fn planned<'a, 'model>(
    predictor: &'a mut Option<Predictor<'model>>,
    exhibit: &'model Exhibit,
) -> Result<&'a mut Predictor<'model>, Error> {
    match predictor {
        Some(predictor) => Ok(predictor),
        None => Ok(predictor.insert(exhibit.model().predictor()?)),
    }
}

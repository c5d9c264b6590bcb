//! A Mac does not fall asleep while bytes move.

use pipeline::{Activity, Event, Listener, Occurrence};
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Holds a power assertion while anything moves. It is macOS's own `caffeinate` that holds it, which ends with this process
/// whatever becomes of it; a library for it would be unsafe code for one call.
pub struct Awake {
    /// The program and its arguments; `None` where machines do not fall asleep by themselves.
    keeper: Option<(PathBuf, Vec<String>)>,
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    moving: HashSet<u64>,
    child: Option<Child>,
}

impl Awake {
    /// What this system needs.
    pub fn of_this_system() -> Self {
        Self::with(cfg!(target_os = "macos").then(|| caffeinate(std::process::id())))
    }

    fn with(keeper: Option<(PathBuf, Vec<String>)>) -> Self {
        Self { keeper, next: AtomicU64::new(0), state: Mutex::default() }
    }

    /// Hears one recipe, and keeps the machine awake while bytes of it move.
    pub fn sleepless(self: &Arc<Self>) -> Sleepless {
        Sleepless { awake: Arc::clone(self), number: self.next.fetch_add(1, Ordering::Relaxed) }
    }

    fn moves(&self, number: u64) {
        let Some((program, arguments)) = &self.keeper else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.moving.insert(number) && state.child.is_none() {
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            // A machine that falls asleep goes on when it wakes; this is not worth failing for.
            state.child = command.spawn().ok();
        }
    }

    fn rests(&self, number: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.moving.remove(&number);
        if state.moving.is_empty()
            && let Some(mut child) = state.child.take()
        {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// No idle sleep, and none while on mains power; until this process ends.
fn caffeinate(process: u32) -> (PathBuf, Vec<String>) {
    let arguments = ["-i", "-s", "-w", &process.to_string()].map(str::to_owned);
    ("/usr/bin/caffeinate".into(), arguments.into())
}

impl Drop for Awake {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = state.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Hears the events of one recipe.
pub struct Sleepless {
    awake: Arc<Awake>,
    number: u64,
}

impl Listener for Sleepless {
    fn on(&self, event: &Event) {
        match &event.what {
            Occurrence::Progress(progress) => match progress.activity {
                // Between the deletion of the old file and the completion of the new one more than ever.
                Activity::Hashing | Activity::Uploading | Activity::Downloading | Activity::Committing => {
                    self.awake.moves(self.number);
                }
                Activity::Verifying => {}
            },
            Occurrence::StepPlanned { .. }
            | Occurrence::StepFinished { .. }
            | Occurrence::StepFailed { .. }
            | Occurrence::RecipeFinished => self.awake.rests(self.number),
            _ => {}
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use pipeline::Progress;

    fn event(what: Occurrence) -> Event {
        Event { recipe: "App".into(), step: None, what }
    }

    fn moving(activity: Activity) -> Event {
        event(Occurrence::Progress(Progress { activity, done: 1, total: 2 }))
    }

    #[test]
    fn the_machine_is_kept_awake_while_bytes_of_any_recipe_move() {
        let awake = Arc::new(Awake::with(Some(("/bin/sleep".into(), vec!["600".into()]))));
        let child = || awake.state.lock().unwrap().child.as_ref().map(Child::id);
        let (one, two) = (awake.sleepless(), awake.sleepless());
        one.on(&moving(Activity::Verifying));
        assert_eq!(child(), None);
        one.on(&moving(Activity::Uploading));
        let keeper = child();
        assert!(keeper.is_some());
        two.on(&moving(Activity::Hashing));
        one.on(&event(Occurrence::RecipeFinished));
        assert_eq!(child(), keeper, "the other one still moves");
        two.on(&event(Occurrence::StepFailed { message: "no".into() }));
        assert_eq!(child(), None);
    }

    /// As `man caffeinate` has it; it ends with the process, whatever becomes of that.
    #[test]
    fn a_mac_is_kept_awake_by_its_own_program() {
        let (program, arguments) = caffeinate(4711);
        assert_eq!(
            (program.to_str(), arguments.join(" ").as_str()),
            (Some("/usr/bin/caffeinate"), "-i -s -w 4711")
        );
        assert_eq!(Awake::of_this_system().keeper.is_some(), cfg!(target_os = "macos"));
    }

    #[test]
    fn a_keeper_that_is_not_there_is_done_without() {
        let awake = Arc::new(Awake::with(Some(("/no/such/program".into(), Vec::new()))));
        awake.sleepless().on(&moving(Activity::Uploading));
        awake.sleepless().on(&event(Occurrence::RecipeFinished));
    }
}

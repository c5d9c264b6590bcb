use crate::chronicle::{Reached, Tried};
use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use crate::settings::Settings;
use pipeline::{Access, Boundary, Context, Silent, causes};
use std::io::Write as _;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `pkgferry notify`: a test message to everybody who would be told of a run.
pub async fn notify(settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let boundary = Arc::new(Boundary::new(Access::ReadOnly));
    // What fails is told once, beside its address.
    let cx = Context::new(Arc::new(SystemClock), boundary, Arc::new(Silent), cancel.clone());
    let tried = settings.notices.try_out(&settings.process.host(), &settings.secrets, &cx).await;
    if tried.is_empty() {
        return Err(Error::Nobody);
    }
    let mut out = std::io::stdout().lock();
    out.write_all(tried.iter().map(shown).collect::<String>().as_bytes())?;
    if cancel.is_cancelled() {
        return Err(Error::Interrupted);
    }
    let failed = tried.iter().find_map(|tried| tried.outcome.as_ref().err());
    Ok(failed.map_or(Exit::Done, Error::exit))
}

fn shown(Tried { label, outcome }: &Tried) -> String {
    let (word, about, hint) = match outcome {
        Ok(Reached::Told) => ("told", "has taken a test message".to_owned(), None),
        Ok(Reached::NotAsked) => {
            ("not asked", "can be used; a ping would count as a run, so none was sent".to_owned(), None)
        }
        Err(error) => ("fail", causes(error).collect::<Vec<_>>().join(": "), error.hint()),
    };
    let hint = hint.map(|hint| format!("{:<13}hint: {hint}\n", "")).unwrap_or_default();
    format!("  {word:<9}  {label}: {about}\n{hint}")
}

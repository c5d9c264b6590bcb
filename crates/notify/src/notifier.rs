use crate::Error;
use crate::policy::NotifyOn;
use crate::sender::{Config, Delivery, Sender};
use crate::summary::Summary;
use crate::webhook::Webhook;
use pipeline::{Context, Diagnose as _};

/// What became of one webhook.
#[derive(Debug)]
pub struct Announced {
    /// The webhook's label.
    pub label: String,
    /// How it went.
    pub outcome: Result<Delivery, Error>,
}

/// Tells every webhook of a run, if the run is worth it.
#[derive(Debug)]
pub struct Notifier {
    webhooks: Vec<Webhook>,
    on: NotifyOn,
    sender: Sender,
}

impl Notifier {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(webhooks: Vec<Webhook>, on: NotifyOn, config: &Config) -> Self {
        Self { webhooks, on, sender: Sender::new(config) }
    }

    /// Tells all webhooks, side by side; what fails is a warning to the listeners, too. `cx` has a boundary made by
    /// [`gate`](crate::gate). That a run was cancelled before does not keep the news of it back; a cancellation that comes
    /// meanwhile ends the sending.
    pub async fn announce(&self, cx: &Context, summary: &Summary) -> Vec<Announced> {
        let telling = self.webhooks.iter().map(|webhook| async {
            let outcome = match self.on.wants(summary) {
                true => {
                    let letter = webhook.letter(summary);
                    self.sender.send(cx, webhook.label(), webhook.address(), &letter).await
                }
                false => Ok(Delivery::NotDue),
            };
            if let Err(error) = &outcome {
                warn(cx, "the run was not announced", error);
            }
            Announced { label: webhook.label().to_owned(), outcome }
        });
        futures_util::future::join_all(telling).await
    }
}

/// One warning with everything that a person needs.
pub(crate) fn warn(cx: &Context, what: &str, error: &Error) {
    let why = pipeline::causes(error).collect::<Vec<_>>().join(": ");
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    cx.warn(format!("{what}: {why}{hint}"));
}

use crate::Error;
use crate::address::Address;
use crate::client::Letter;
use crate::notifier::warn;
use crate::sender::{Config, Delivery, Sender};
use bytes::Bytes;
use pipeline::{Context, ExposeSecret as _, Secret, Shard};
use reqwest::Method;

/// What stands in an address for the shard that a run takes.
///
/// Runs that divide the packages among them and ping one address cover for each other: the silence of one is not noticed. So
/// `https://hc-ping.com/KEY/nightly-{shard}` becomes an address of each.
const PLACE: &str = "{shard}";

/// How a service wants to be pinged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeartbeatStyle {
    /// As healthchecks.io and what speaks like it (healthchecks.io/docs/http_api): `/start` is put behind the address when
    /// the run starts, the exit code when it fails; the address alone is success. A few lines go with it.
    #[default]
    Signals,
    /// The address alone, after a success; silence is the alarm. For services that know no other (Uptime Kuma's push,
    /// Dead Man's Snitch).
    SuccessOnly,
}

/// What a ping says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The run starts.
    Start,
    /// The run ended with this exit code; 0 is success. A code for which nobody shall be alarmed, such as that of pending
    /// changes, is to be given as 0.
    Exit(u8),
}

/// An address that is pinged when a run starts and when it ends. A run that dies, or never starts, does not ping: so silence
/// is noticed.
#[derive(Debug)]
pub struct Heartbeat {
    label: String,
    address: Address,
    style: HeartbeatStyle,
    sender: Sender,
}

impl Heartbeat {
    /// `label` is what messages call it, such as the name of the setting that it comes from. Wherever the address
    /// has `{shard}`, that becomes `2-of-4`, or `all` where one run takes all packages.
    ///
    /// # Errors
    /// When the address is none that may be asked.
    pub fn new(
        label: impl Into<String>,
        address: &Secret,
        shard: Shard,
        style: HeartbeatStyle,
        config: &Config,
    ) -> Result<Self, Error> {
        let label = label.into();
        match Address::parse(&address_of(shard, address)) {
            Ok(address) => Ok(Self { label, address, style, sender: Sender::new(config) }),
            Err(reason) => Err(Error::Address { label, reason }),
        }
    }

    /// Pings. `note` goes with it where the service takes it; [`note`](crate::note) makes one. A ping that fails is a warning
    /// to the listeners, and `None`: no run fails for it. The rest is as with [`announce`](crate::Notifier::announce).
    ///
    /// A service that does not answer takes its time, up to [`Limits::total`](crate::Limits::total). So the first ping is to
    /// run beside the work, and to be waited for before the last one: what arrives the other way round looks like a run that
    /// never ended.
    pub async fn ping(&self, cx: &Context, signal: Signal, note: &str) -> Option<Delivery> {
        let Some((address, letter)) = self.letter(signal, note) else { return Some(Delivery::NotDue) };
        match self.sender.send(cx, &self.label, &address, &letter).await {
            Ok(delivery) => Some(delivery),
            Err(error) => {
                warn(cx, "the heartbeat was not heard", &error);
                None
            }
        }
    }

    fn letter(&self, signal: Signal, note: &str) -> Option<(Address, Letter)> {
        let address = match (self.style, signal) {
            (HeartbeatStyle::Signals, Signal::Start) => self.address.below("start"),
            (HeartbeatStyle::Signals, Signal::Exit(code @ 1..)) => self.address.below(&code.to_string()),
            (_, Signal::Exit(0)) => self.address.clone(),
            (HeartbeatStyle::SuccessOnly, _) => return None,
        };
        let letter = match self.style {
            HeartbeatStyle::Signals => {
                let body = (!note.is_empty()).then(|| Bytes::copy_from_slice(note.as_bytes()));
                Letter { method: Method::POST, body: body.map(|body| ("text/plain; charset=utf-8", body)) }
            }
            HeartbeatStyle::SuccessOnly => Letter { method: Method::GET, body: None },
        };
        Some((address, letter))
    }
}

/// The address with this shard in its place. The only one of one has all packages, whatever the scheduler calls it.
fn address_of(shard: Shard, address: &Secret) -> Secret {
    let share = match shard {
        Shard::WHOLE => "all".to_owned(),
        shard => format!("{}-of-{}", shard.index(), shard.count()),
    };
    Secret::from(address.expose_secret().replace(PLACE, &share))
}

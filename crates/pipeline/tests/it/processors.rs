//! A processor behind `dyn AnyProcessor`, as a registry holds it.

use pipeline::{
    Access, AnyProcessor, Applied, Boundary, Change, Context, Default as DefaultValue, Env, EnvError, Event,
    Failure, Input, Key, Kind, Listener, Need, Occurrence, Origin, Outcome, Output, Phase, Plan, Processor,
    SimulatedClock, Spec, StepRef, Subject, Value, Verb, Warning,
};
use std::sync::{Arc, Mutex};

const GREETING: Key<String> = Key::new("greeting");
const TIMES: Key<u32> = Key::new("times");
const SAID: Key<String> = Key::new("said");

/// Says something a number of times; nothing to do for 0.
#[derive(Default)]
struct Greet {
    said: Mutex<Vec<String>>,
}

static SPEC: Spec = Spec {
    name: "greet",
    summary: "says hello",
    docs: "",
    writes: true,
    inputs: &[
        Input::required(GREETING, "what to say").also(&["hello", "words"]),
        Input::with_default(TIMES, DefaultValue::Number(1), "how often").at_apply(),
    ],
    outputs: &[Output::planned(TIMES, "how often"), Output::applied(SAID, "what was said")],
};

impl Processor for Greet {
    type Work = Vec<String>;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<Vec<String>>, Failure> {
        let words = env.need(GREETING)?;
        let times = env.get(TIMES)?.unwrap_or(1);
        if times == 0 {
            return Ok(Plan::skipped("nobody is there").with(TIMES, 0));
        }
        let work: Vec<_> = (0..times).map(|_| words.clone()).collect();
        let changes = work.iter().map(|words| Change::new(Verb::Create, Subject::Record, words)).collect();
        Ok(Plan::changes(changes, work).with(TIMES, times).with_some(SAID, None))
    }

    async fn apply(&self, work: Vec<String>, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        cx.info("about to speak");
        let said = env.get(SAID)?.unwrap_or_default() + &work.join(" ");
        self.said.lock().unwrap().extend(work);
        Ok(Applied::warned(Warning::Other, "said it", "listen").with(SAID, said).with_some(GREETING, None))
    }
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

impl Listener for Recorder {
    fn on(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

fn context(recorder: Arc<Recorder>) -> Context {
    let clock = SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap());
    Context::new(Arc::new(clock), Arc::new(Boundary::new(Access::ReadWrite)), recorder, Default::default())
}

fn env(times: u32) -> Env {
    let mut env = Env::new();
    env.set(GREETING, "ahoy".to_owned(), Origin::Argument(1));
    env.set(TIMES, times, Origin::Argument(1));
    env
}

#[tokio::test]
async fn planned_work_finds_its_way_back_to_its_processor() {
    let greet = Arc::new(Greet::default());
    let any: Arc<dyn AnyProcessor> = Arc::new(Arc::clone(&greet));
    let recorder = Arc::new(Recorder::default());
    let cx = context(Arc::clone(&recorder));
    let cx = cx.for_recipe("App.yaml").for_step(StepRef { number: 3, processor: "greet".into() });

    let plan = any.plan(&env(2), &cx).await.unwrap();
    let Plan::Pending { changes, outputs, work } = plan else { panic!("there is something to do") };
    assert_eq!(changes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["create record ahoy"; 2]);
    assert_eq!(outputs.from_step(3).need(TIMES), Ok(2));
    assert!(!outputs.from_step(3).contains(SAID.name()), "no value, no entry");
    assert!(greet.said.lock().unwrap().is_empty(), "planning does nothing");
    assert!(recorder.0.lock().unwrap().is_empty());

    // What a step between the two halves has added is there when the work is done.
    let mut later = env(2);
    later.set(SAID, "hello ".to_owned(), Origin::Output(2));
    // The registry may be gone by then: the work holds on to its processor.
    drop(any);
    let applied = work.apply(&later, &cx).await.unwrap();
    assert_eq!(*greet.said.lock().unwrap(), ["ahoy", "ahoy"]);
    let outputs = applied.outputs.from_step(3);
    assert_eq!(outputs.need(SAID).unwrap(), "hello ahoy ahoy");
    assert_eq!(outputs.entry("said").unwrap().origin(), &Origin::Output(3));
    let warned =
        Outcome::Warned { warning: Warning::Other, message: "said it".into(), hint: Some("listen".into()) };
    assert_eq!(applied.outcome, warned);

    let heard = recorder.0.lock().unwrap();
    let [event] = heard.as_slice() else { panic!("one notice: {heard:?}") };
    assert_eq!((event.recipe.as_str(), event.step.as_ref().unwrap().number), ("App.yaml", 3));
    assert!(matches!(&event.what, Occurrence::Notice { message, .. } if message == "about to speak"));
}

#[tokio::test]
async fn a_plan_without_work_stays_settled() {
    let any: Arc<dyn AnyProcessor> = Arc::new(Arc::new(Greet::default()));
    let plan = any.plan(&env(0), &context(Arc::default())).await.unwrap();
    assert_eq!(plan.outputs().from_step(1).need(TIMES), Ok(0));
    let Plan::Settled { outcome, .. } = plan else { panic!("nothing to do") };
    assert_eq!(outcome, Outcome::Skipped { reason: "nobody is there".into() });
}

#[tokio::test]
async fn a_failure_comes_through_with_its_kind() {
    let any: Arc<dyn AnyProcessor> = Arc::new(Arc::new(Greet::default()));
    let Err(failure) = any.plan(&Env::new(), &context(Arc::default())).await else {
        panic!("greeting is missing")
    };
    assert_eq!(failure.kind(), pipeline::FailureKind::Recipe);
    assert_eq!(failure.error().downcast_ref::<EnvError>(), Some(&EnvError::Missing("greeting")));
}

#[test]
fn a_spec_is_data() {
    let any: Arc<dyn AnyProcessor> = Arc::new(Arc::new(Greet::default()));
    let spec = any.spec();
    assert_eq!(spec.input("words").unwrap().name, "greeting", "by an alias");
    assert_eq!(spec.input("times").unwrap().name, "times", "by its name");
    assert!(spec.input("said").is_none(), "an output is no input");

    let [greeting, times] = spec.inputs else { panic!("two inputs") };
    assert_eq!((greeting.kind, greeting.need, greeting.when), (Kind::String, Need::Required, Phase::Plan));
    assert_eq!((times.kind, times.when), (Kind::Integer, Phase::Apply));
    let Need::Default(default) = times.need else { panic!("it has a default") };
    assert_eq!(times.check(&default.to_value()), Ok(()), "a default is of the input's type");
    assert_eq!(times.check(&Value::String("10".into())), Ok(()));
    insta::assert_snapshot!(times.check(&Value::String("ten".into())).unwrap_err(), @r#"string "ten" is not a whole number from 0 to 4294967295"#);
    let phases: Vec<_> = spec.outputs.iter().map(|output| (output.name, output.kind, output.when)).collect();
    assert_eq!(phases, [("times", Kind::Integer, Phase::Plan), ("said", Kind::String, Phase::Apply)]);
}

#[test]
fn outcomes_in_words() {
    let warned = |warning| Outcome::Warned { warning, message: "it is odd".into(), hint: None };
    assert_eq!(Applied::settled(warned(Warning::Other)).outcome, warned(Warning::Other));
    let outcomes = [
        Outcome::Done { message: "sent".into() },
        warned(Warning::Unverified),
        warned(Warning::Other),
        Outcome::Skipped { reason: "it is there".into() },
    ];
    insta::assert_snapshot!(outcomes.map(|outcome| outcome.to_string()).join("\n"), @r"
    sent
    unverified: it is odd
    warning: it is odd
    skipped: it is there
    ");
}

use crate::rehearsal::{Rehearsal, clock};
use pipeline::{Env, Origin, keys};
use sandbox::{Config, Error, Sandbox};

#[tokio::test]
async fn a_second_start_finds_what_the_first_left() {
    let first = Rehearsal::start().await;
    first.sandbox.put_category("Applications");
    first.upload("App.pkg", b"uploaded").await;
    let xml = "<package><name>App</name><filename>App.pkg</filename><send_notification>true</send_notification></package>";
    first.send_xml(reqwest::Method::POST, "/JSSResource/packages/id/0", xml).await;
    first.sandbox.put_file("Late.pkg", b"put after the last request");
    let (packages, files) = (first.sandbox.packages(), first.sandbox.files());
    let Rehearsal { sandbox, folder, .. } = first;
    let secret = sandbox.connection().client_secret.clone();
    drop(sandbox);

    let second = Sandbox::start(Config::new(folder.path().to_owned(), clock())).await.unwrap();
    assert_eq!((second.packages(), second.files()), (packages, files));
    assert_eq!(second.bytes_of("App.pkg").unwrap(), b"uploaded");
    assert_eq!(second.put_category("Next"), 2, "ids are not given twice");
    assert_ne!(second.connection().client_secret, secret);
}

#[tokio::test]
async fn dropping_it_closes_its_doors() {
    let rehearsal = Rehearsal::start().await;
    let url = rehearsal.url("/api/v1/health-check");
    let Rehearsal { sandbox, .. } = rehearsal;
    drop(sandbox);
    tokio::task::yield_now().await;
    let fresh = reqwest::Client::builder().no_proxy().build().unwrap();
    let refused = async || fresh.get(&url).send().await.is_err();
    for _ in 0..100 {
        if refused().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("still served");
}

#[tokio::test]
async fn the_connection_is_an_environment() {
    let rehearsal = Rehearsal::start().await;
    let here = rehearsal.sandbox.connection();
    let env: Env = rehearsal.sandbox.env();
    assert_eq!(env.need(keys::JSS_URL).unwrap(), here.jss_url);
    assert_eq!(env.need(keys::S3_ENDPOINT).unwrap(), here.s3_endpoint);
    let secret = env.entry(keys::CLIENT_SECRET.name()).unwrap();
    assert!(secret.is_secret() && *secret.origin() == Origin::Sandbox);
    assert_eq!(env.entry(keys::API_PASSWORD.name()), None);
}

#[tokio::test]
async fn cannot_start_on_what_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |change: &dyn Fn(&mut Config)| {
        let mut config = Config::new(folder.path().to_owned(), clock());
        change(&mut config);
        Sandbox::start(config).await.err().unwrap()
    };
    let no_version = start(&|config| config.version = "latest".to_owned()).await;
    insta::assert_snapshot!(no_version, @r#""latest" is not a version of Jamf Pro: it takes numbers like 11.30.1"#);

    std::fs::write(folder.path().join("world.json"), "{").unwrap();
    let broken = start(&|_| {}).await;
    assert!(matches!(&broken, Error::Data { path, .. } if path.ends_with("world.json")), "{broken}");
    std::fs::remove_file(folder.path().join("world.json")).unwrap();

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = start(&|config| config.jamf = taken.local_addr().unwrap()).await;
    assert!(matches!(busy, Error::Listen { .. }), "{busy}");
}

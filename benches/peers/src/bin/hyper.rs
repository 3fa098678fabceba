//! Sends the messages with hyper and hyper-util's pool, http only: form and serde.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use peers::work::{Message, PATH};
use peers::{Answer, Peer};

#[derive(Clone)]
struct Hyper {
    client: Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
}

impl Peer for Hyper {
    async fn send(&self, message: &Message) -> bool {
        let form =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(message.form()).finish();
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(USER_AGENT, "bench-hyper")
            .body(Full::from(form))
            .expect("the request is valid");
        let response = self.client.request(request).await.expect("it is answered");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("the answer is whole").to_bytes();
        let answer: Answer = serde_json::from_slice(&body).expect("it is answered in JSON");
        answer.was_sent(status)
    }
}

fn main() {
    peers::main(async |args| {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let uri = format!("{}{PATH}", args.url).parse().expect("the URL is valid");
        peers::run(&args, Hyper { client, uri }, "1").await;
    });
}

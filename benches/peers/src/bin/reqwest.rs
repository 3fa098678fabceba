//! Sends the messages with reqwest, in its own process: one client, one thread, form and serde.

use peers::work::{Message, PATH};
use peers::{Answer, Peer};

#[derive(Clone)]
struct Reqwest {
    client: reqwest::Client,
    url: String,
}

impl Peer for Reqwest {
    async fn send(&self, message: &Message) -> bool {
        let request = self.client.post(&self.url).form(&message.form());
        let response = request.send().await.expect("it is answered");
        let status = response.status().as_u16();
        let answer: Answer = response.json().await.expect("it is answered in JSON");
        answer.was_sent(status)
    }
}

fn main() {
    peers::main(async |args| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("nobody else installs one");
        let ca = args.ca.iter().flat_map(|path| {
            let pem = std::fs::read(path).expect("the certificates can be read");
            reqwest::Certificate::from_pem_bundle(&pem).expect("they are certificates")
        });
        let client = reqwest::Client::builder()
            .user_agent("bench-reqwest")
            .no_proxy()
            .timeout(std::time::Duration::from_secs(10))
            .tls_certs_only(ca)
            .build()
            .expect("a client can be made");
        let url = format!("{}{PATH}", args.url);
        peers::run(&args, Reqwest { client, url }, "0.13").await;
    });
}

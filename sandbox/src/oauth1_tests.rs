use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../tests/vectors/oauth1.json");

struct Case {
    vector: Value,
}

impl Case {
    fn get(&self, name: &str) -> &str {
        self.vector[name].as_str().expect(name)
    }

    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            consumer_key: self.get("consumer_key"),
            consumer_secret: self.get("consumer_secret"),
            token: self.get("token"),
            token_secret: self.get("token_secret"),
        }
    }

    fn now(&self) -> u64 {
        self.get("timestamp").parse().expect("a timestamp")
    }

    fn params(&self) -> Vec<(String, String)> {
        self.with_query("body_sent")
    }

    /// The parameters of the query and of the form under `name`.
    fn with_query(&self, name: &str) -> Vec<(String, String)> {
        let query = self.get("request_url").split_once('?').map_or("", |(_, query)| query);
        let mut params = form::pairs(query).expect("a query");
        params.extend(form::pairs(self.get(name)).expect("a form"));
        params
    }

    fn verify(&self, verifier: &mut Verifier, now: u64, url: &str) -> Result<(), Refusal> {
        let header = self.get("authorization_header");
        let urls = [url.to_owned()];
        verifier.verify(&self.credentials(), now, "POST", &urls, Some(header), &self.params())
    }
}

fn cases() -> Vec<Case> {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).expect("vectors are JSON");
    assert_eq!(vectors.len(), 47);
    vectors.into_iter().map(|vector| Case { vector }).collect()
}

#[test]
fn accepts_every_vector() {
    for case in cases() {
        let url = case.get("base_string_uri");
        let verdict = case.verify(&mut Verifier::default(), case.now(), url);
        assert_eq!(verdict, Ok(()), "{}", case.get("id"));
    }
}

#[test]
fn makes_the_same_base_strings() {
    for case in cases() {
        let mut params = header_params(case.get("authorization_header")).expect("a header");
        params.retain(|(name, _)| name != "oauth_signature");
        params.extend(case.with_query("body_alternative_pct20"));
        let url = match case.get("id") {
            // The URL as requested, so that its port and letter case are put right here.
            "edge_port_and_case" => case.get("request_url"),
            _ => case.get("base_string_uri"),
        };
        assert_eq!(
            base_string("post", url, &params),
            case.get("base_string"),
            "{}",
            case.get("id")
        );
    }
}

#[test]
fn takes_the_parameters_from_the_form_too() {
    for case in cases() {
        let mut params = header_params(case.get("authorization_header")).expect("a header");
        params.extend(case.params());
        let urls = [case.get("base_string_uri").to_owned()];
        let verdict = Verifier::default().verify(
            &case.credentials(),
            case.now(),
            "POST",
            &urls,
            None,
            &params,
        );
        assert_eq!(verdict, Ok(()), "{}", case.get("id"));
    }
}

#[test]
fn names_the_expected_base_string() {
    let case = &cases()[0];
    let url = "http://127.0.0.1:8025/fanfou/direct_messages/new.json";
    let Err(Refusal::Signature { expected }) =
        case.verify(&mut Verifier::default(), case.now(), url)
    else {
        panic!("another URL must not be accepted");
    };
    assert!(expected.starts_with("POST&http%3A%2F%2F127.0.0.1%3A8025%2Ffanfou%2F"), "{expected}");
}

#[test]
fn any_change_breaks_the_signature() {
    for case in cases() {
        let url = case.get("base_string_uri").to_owned();
        let mut params = case.params();
        params[1].1.push('!');
        let verdict = Verifier::default().verify(
            &case.credentials(),
            case.now(),
            "POST",
            &[url],
            Some(case.get("authorization_header")),
            &params,
        );
        assert!(matches!(verdict, Err(Refusal::Signature { .. })), "{}", case.get("id"));
    }
}

#[test]
fn timestamps_may_be_300_seconds_off() {
    let case = &cases()[0];
    let url = case.get("base_string_uri");
    for now in [case.now() - 300, case.now() + 300] {
        assert_eq!(case.verify(&mut Verifier::default(), now, url), Ok(()));
    }
    for now in [case.now() - 301, case.now() + 301] {
        let verdict = case.verify(&mut Verifier::default(), now, url);
        assert_eq!(verdict, Err(Refusal::Timestamp));
    }
}

#[test]
fn a_nonce_serves_once() {
    let case = &cases()[0];
    let url = case.get("base_string_uri");
    let mut verifier = Verifier::default();
    let wrong = case.verify(&mut verifier, case.now(), "http://elsewhere/");
    assert!(matches!(wrong, Err(Refusal::Signature { .. })));
    assert_eq!(case.verify(&mut verifier, case.now() - 300, url), Ok(()));
    // The timestamp stays acceptable for 600 seconds after that; so long is the nonce known.
    assert_eq!(case.verify(&mut verifier, case.now() + 300, url), Err(Refusal::Nonce));
}

#[test]
fn refuses_what_is_missing_twice_or_foreign() {
    let case = &cases()[0];
    let url = [case.get("base_string_uri").to_owned()];
    let verify = |header: &str, params: &[(String, String)]| {
        let credentials = case.credentials();
        let mut verifier = Verifier::default();
        verifier.verify(&credentials, case.now(), "POST", &url, Some(header), params)
    };
    let good = case.get("authorization_header");
    let params = case.params();
    assert_eq!(verify(good, &params), Ok(()));
    assert_eq!(verify(&format!("{good}, realm=\"x\""), &params), Ok(()), "a realm is not signed");

    let edited = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        verify(&good.replace(from, to), &params)
    };
    let missing = |name: &str| Err(Refusal::Parameter(name.to_owned()));
    assert_eq!(edited(case.get("consumer_key"), "x"), Err(Refusal::Consumer));
    assert_eq!(edited(case.get("token"), "x"), Err(Refusal::Token));
    assert_eq!(edited("HMAC-SHA1", "PLAINTEXT"), Err(Refusal::Method("PLAINTEXT".into())));
    assert_eq!(edited("\"1.0\"", "\"2.0\""), Err(Refusal::Version("2.0".into())));
    assert_eq!(edited("oauth_nonce", "oauth_once"), missing("oauth_nonce"));
    assert_eq!(edited("oauth_signature=", "oauth_sign="), missing("oauth_signature"));
    assert_eq!(edited("oauth_timestamp", "x"), missing("oauth_timestamp"));
    assert_eq!(verify("OAuth oauth_token", &params), missing("authorization header"));
    assert_eq!(verify("Bearer abc", &params), missing("authorization header"));
    let twice = format!("{good}, oauth_nonce=\"other\"");
    assert_eq!(verify(&twice, &params), missing("oauth_nonce"));
}

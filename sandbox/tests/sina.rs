//! Sina, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const PATH: &str = "/sina/direct_messages/new.json";
const SOURCE: &str = "/sina/direct_messages/new.json?source=1852823608";
/// When the document's JSON sample was sent.
const SAMPLE_S: u64 = 1_291_605_691;

/// Sends by Basic authentication.
fn send(sandbox: &Sandbox, target: &str, form: &str) -> Reply {
    let headers = [("Authorization", BASIC), ("Content-Type", FORM)];
    request(sandbox, "POST", target, &headers, form)
}

/// The HTTP status and the code of a refusal, whose shape is checked.
fn refusal(reply: &Reply) -> (u16, u64) {
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    let body = reply.json();
    let names: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["request", "error_code", "error"]);
    assert_eq!(body["error_code"], reply.status.to_string());
    assert_eq!(body["request"], "/direct_messages/new.json");
    let (code, words) = body["error"].as_str().expect("words").split_once(':').expect("a code");
    assert!(!words.is_empty());
    (reply.status, code.parse().expect("a number"))
}

#[test]
fn answers_the_documents_sample() {
    let (sandbox, _) = start_at(SAMPLE_S);
    let reply = send(&sandbox, SOURCE, "id=11051&text=Wow~~~Congratulations!");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    let expected: Value =
        serde_json::from_str(include_str!("vectors/sina_message.json")).expect("JSON");
    assert_eq!(reply.json(), expected);

    let delivered = sandbox.messages();
    assert_eq!(delivered.len(), 1);
    for (name, value) in [
        ("service", json!("sina")),
        ("account", json!("zhangwei217245")),
        ("recipient", json!("11051")),
        ("text", json!("Wow~~~Congratulations!")),
        ("id", json!("722715041")),
        ("time", json!(SAMPLE_S)),
    ] {
        assert_eq!(delivered[0][name], value, "{name}");
    }
    assert_eq!(delivered[0]["request"]["path"], SOURCE);
    let next = send(&sandbox, PATH, "source=1852823608&id=11051&text=hi").json();
    assert_eq!(next["id"], 722_715_042);
}

#[test]
fn answers_in_xml() {
    let (sandbox, _) = start_at(SAMPLE_S);
    let target = SOURCE.replace("json", "xml");
    let reply = send(&sandbox, &target, "id=11051&text=%3Cb%3E+%26+%E9%A5%AD");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/xml;charset=UTF-8"));
    // Its unlike parts aside, the answer is the document's to the byte.
    let expected = include_str!("vectors/sina_message.xml")
        .replace("Congratulations!", "&lt;b&gt; &amp; 饭")
        .replace("722704713", "722715041")
        .replace("11:19:09", "11:21:31");
    assert_eq!(reply.text(), expected);

    let refused = send(&sandbox, &target, "id=1000040017&text=hi");
    assert_eq!(refused.status, 400);
    assert_eq!(refused.header("content-type"), Some("application/xml;charset=UTF-8"));
    assert_eq!(
        refused.text(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hash>\n  \
         <request>/direct_messages/new.xml</request>\n  <error_code>400</error_code>\n  \
         <error>40017:Error: can't send direct message to user who is not your follower!</error>\n\
         </hash>\n"
    );
}

#[test]
fn finds_recipients_by_id_and_by_nickname() {
    let (sandbox, _) = start();
    let platform = escape("微博开放平台");
    let cases = [
        ("id=11051", "11051"),
        ("id=1000011051", "1000011051"),
        (&format!("id={platform}"), "11051"),
        (&format!("screen_name={platform}"), "11051"),
        ("user_id=11051", "11051"),
        ("screen_name=11051", "1000011051"),
        ("id=11051&screen_name=11051", "1000011051"),
        ("id=11051&user_id=11051", "11051"),
        ("id=1&user_id=11051&screen_name=11051", "11051"),
    ];
    for (at, (to, recipient)) in cases.into_iter().enumerate() {
        let reply = send(&sandbox, SOURCE, &format!("{to}&text={at}"));
        assert_eq!(reply.status, 200, "{to}: {}", reply.text());
        let message = reply.json();
        assert_eq!(message["recipient_id"].to_string(), recipient, "{to}");
        assert_eq!(message["recipient"]["id"], message["recipient_id"]);
        assert_eq!(sandbox.messages()[at]["recipient"], recipient);
    }
}

#[test]
fn refuses_what_it_cannot_send() {
    let (sandbox, _) = start();
    let scalars = |count: usize| form(&[("id", "11051"), ("text", &"😀".repeat(count))]);
    for (form, code) in [
        ("id=11051", 40012),
        ("id=11051&text=", 40012),
        (&scalars(301), 40013),
        ("text=hi", 40026),
        ("id=&text=hi", 40026),
        ("id=1&text=hi", 40023),
        ("screen_name=nobody&text=hi", 40023),
        ("user_id=stranger&text=hi", 40023),
        ("id=1000040017&text=hi", 40017),
        ("id=stranger&text=hi", 40017),
        ("id=1658122963&text=hi", 40017),
        ("id=closed&text=hi", 40028),
        ("id=11051&text=%ff", 40001),
    ] {
        assert_eq!(refusal(&send(&sandbox, SOURCE, form)), (400, code), "{form}");
    }
    let closed = send(&sandbox, SOURCE, "id=1000040028&text=hi").json();
    assert!(closed["error"].as_str().expect("words").contains("不能进行此操作"));
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
    assert_eq!(send(&sandbox, SOURCE, &scalars(300)).status, 200);
}

#[test]
fn refuses_the_latest_text_once_more() {
    let (sandbox, clock) = start();
    let code = |form: &str| {
        let reply = send(&sandbox, SOURCE, form);
        if reply.status == 200 { 0 } else { refusal(&reply).1 }
    };
    assert_eq!(code("id=11051&text=hi"), 0);
    clock.advance(86_400_000);
    assert_eq!(code("id=11051&text=hi"), 40025);
    assert_eq!(code("id=1000011051&text=hi"), 0, "another recipient");
    assert_eq!(code("id=11051&text=ho"), 0);
    assert_eq!(code("id=11051&text=hi"), 0, "not the latest any more");
    assert_eq!(sandbox.messages().len(), 4);
    let repeated = send(&sandbox, SOURCE, "id=11051&text=hi").json();
    assert!(repeated["error"].as_str().expect("words").contains("repeated"));
}

#[test]
fn basic_needs_a_source_and_the_right_credentials() {
    let (sandbox, _) = start();
    let send = |target: &str, headers: &[(&str, &str)]| {
        let headers = [headers, &[("Content-Type", FORM)]].concat();
        request(&sandbox, "POST", target, &headers, "id=11051&text=hi")
    };
    for (target, headers, expected) in [
        (PATH, &[("Authorization", BASIC)] as &[_], (400, 40022)),
        (&format!("{PATH}?source="), &[("Authorization", BASIC)], (400, 40022)),
        (&format!("{PATH}?source=1"), &[("Authorization", BASIC)], (400, 40022)),
        (PATH, &[], (400, 40022)),
        (SOURCE, &[], (403, 40302)),
        (SOURCE, &[("Authorization", "Basic dGVzdDpQV0Q=")], (403, 40302)),
        (SOURCE, &[("Authorization", "Bearer dGVzdDpwd2Q=")], (403, 40302)),
    ] {
        assert_eq!(refusal(&send(target, headers)), expected, "{target} {headers:?}");
    }
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
}

const PARAMS: &[(&str, &str)] = &[("id", "11051"), ("text", "你好 & a+b~")];

fn signed(sandbox: &Sandbox, url: &str, nonce: &str, edit: (&str, &str)) -> Reply {
    let header = oauth1_header(&oauth1_of("sina", "POST", url, PARAMS, nonce, NOW_S));
    assert!(header.contains(edit.0), "{edit:?}");
    let header = header.replace(edit.0, edit.1);
    let host = format!("127.0.0.1:{}", sandbox.port());
    let headers = [("Authorization", header.as_str()), ("Content-Type", FORM), ("Host", &host)];
    request(sandbox, "POST", PATH, &headers, &form(PARAMS))
}

#[test]
fn checks_signatures() {
    let (sandbox, clock) = start();
    let own = format!("{}{PATH}", sandbox.url());
    let real = "http://api.t.sina.com.cn/direct_messages/new.json";
    assert_eq!(signed(&sandbox, &own, "n1", ("", "")).status, 200);
    assert_eq!(sandbox.messages()[0]["text"], PARAMS[1].1);
    // The signature is good: it is the text that is refused.
    assert_eq!(refusal(&signed(&sandbox, real, "n2", ("", ""))), (400, 40025));

    for (url, nonce, edit, code) in [
        (own.as_str(), "n1", ("", ""), 40105),
        (&own.replace("http:", "https:"), "n3", ("", ""), 40107),
        (&real.replace("json", "xml"), "n3", ("", ""), 40107),
        (&own, "n3", ("sina-consumer-key", "x"), 40108),
        (&own, "n3", ("\"sina-token", "\"x"), 40113),
        (&own, "n3", ("HMAC-SHA1", "PLAINTEXT"), 40106),
        (&own, "n3", ("\"1.0\"", "\"2.0\""), 40101),
        (&own, "n3", ("oauth_nonce", "oauth_once"), 40102),
    ] {
        let reply = signed(&sandbox, url, nonce, edit);
        assert_eq!(refusal(&reply), (401, code), "{url} {edit:?}");
        assert!(reply.json()["error"].as_str().expect("words").contains(":Oauth Error: "));
    }
    clock.advance(301_000);
    assert_eq!(refusal(&signed(&sandbox, &own, "n4", ("", ""))), (401, 40104));
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn signatures_cover_the_query_and_may_stand_in_the_form() {
    let (sandbox, _) = start();
    let url = "http://sandbox.test/sina/direct_messages/new.json";
    let headers = [("Content-Type", FORM)];
    let all = [PARAMS, &[("source", "1852823608")]].concat();
    let oauth = oauth1_of("sina", "POST", url, &all, "n1", NOW_S);
    let oauth: Vec<_> = oauth.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let body = form(&[PARAMS, &oauth].concat());
    assert_eq!(refusal(&request(&sandbox, "POST", PATH, &headers, &body)), (401, 40107));
    assert_eq!(request(&sandbox, "POST", SOURCE, &headers, &body).status, 200);
}

#[test]
fn knows_its_path_method_and_formats() {
    let (sandbox, _) = start();
    for path in ["/sina", "/sina/direct_messages/new", "/sina/statuses/update.json"] {
        assert_eq!(request(&sandbox, "POST", path, &[], "").status, 404, "{path}");
    }
    let reply = get(&sandbox, PATH);
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    let reply = send(&sandbox, "/sina/direct_messages/new.rss", "id=11051&text=hi");
    assert_eq!(reply.status, 400);
    assert!(reply.json()["error"].as_str().expect("words").starts_with("40007:"));
}

#[test]
fn rate_limits_and_drops_are_its_own() {
    let (sandbox, _) = start();
    for (kind, code) in [("rate_limit", 40011), ("drop", 40076)] {
        fault(&sandbox, json!({"service": "sina", "kind": kind, "times": 2}));
        assert_eq!(refusal(&send(&sandbox, SOURCE, "id=11051&text=hi")), (400, code));
        let xml = send(&sandbox, &SOURCE.replace("json", "xml"), "id=11051&text=hi");
        assert!(xml.text().contains(&format!("<error>{code}:")), "{}", xml.text());
    }
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
}

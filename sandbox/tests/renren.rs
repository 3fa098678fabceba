//! Renren, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const PATH: &str = "/renren/v2/share/talk/put";
const BEARER: (&str, &str) = ("Authorization", "Bearer renren-token");
const MESSAGE: &str = "messageType=TEXT&resourceTitle=title&text=hi&userIds=1,2";

/// The HTTP status and the code of a refusal, whose shape is checked.
fn refusal(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    let body = reply.json();
    let code = body["error"]["code"].as_str().expect("a code").to_owned();
    let message = body["error"]["message"].clone();
    assert!(message.as_str().is_some_and(|words| !words.is_empty()));
    assert_eq!(body, json!({"error": {"code": code, "message": message}}));
    (reply.status, code)
}

fn authorization(code: &str) -> (u16, String) {
    (401, format!("invalid_authorization.{code}"))
}

#[test]
fn answers_exactly_as_documented() {
    let (sandbox, _) = start();
    let reply = request(&sandbox, "POST", &format!("{PATH}?{MESSAGE}"), &[BEARER], "");
    assert_eq!((reply.status, reply.text()), (200, r#"{"response":1}"#));
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    let delivered = sandbox.messages();
    assert_eq!(delivered.len(), 1);
    for (name, value) in [
        ("service", json!("renren")),
        ("account", json!("test")),
        ("recipient", json!("1,2")),
        ("text", json!("hi")),
        ("id", Value::Null),
        ("time", json!(NOW_S)),
    ] {
        assert_eq!(delivered[0][name], value, "{name}");
    }
    assert_eq!(delivered[0]["request"]["path"], format!("{PATH}?{MESSAGE}"));
}

#[test]
fn takes_every_documented_parameter_in_the_query_or_the_form() {
    let (sandbox, _) = start();
    let all = form(&[
        ("text", "你好 & a+b~"),
        ("packageName", "com.example"),
        ("gameExtInfo", "{\"level\":1}"),
        ("headSrc", "http://example.com/small.png"),
        ("longitude", "116.3"),
        ("messageType", "TEXT"),
        ("resourceTitle", "标题"),
        ("latitude", "39.9"),
        ("discussIds", "5"),
        ("poiAddress", "北京"),
        ("originalSrc", "http://example.com/big.png"),
        ("groupIds", "3,4"),
        ("scheme", "example"),
        ("userIds", "1,2"),
        ("resourceDescription", "…"),
        ("resourceLink", "http://example.com/?a=1&b=2"),
    ]);
    let in_query = request(&sandbox, "POST", &format!("{PATH}?{all}"), &[BEARER], "");
    let headers = [BEARER, ("Content-Type", FORM)];
    let in_form = request(&sandbox, "POST", PATH, &headers, &all);
    let messages = sandbox.messages();
    for (at, reply) in [in_query, in_form].iter().enumerate() {
        assert_eq!((reply.status, reply.text()), (200, r#"{"response":1}"#));
        assert_eq!(messages[at]["recipient"], "1,2,3,4,5");
        assert_eq!(messages[at]["text"], "你好 & a+b~");
    }
    // Neither a text nor a recipient is required; nor is anything wrong with more.
    let least = format!("{PATH}?messageType=TEXT&resourceTitle=title&ugcId=7");
    assert_eq!(request(&sandbox, "POST", &least, &[BEARER], "").status, 200);
    let least = &sandbox.messages()[2];
    assert_eq!((&least["recipient"], &least["text"]), (&json!(""), &json!("")));
}

#[test]
fn refuses_what_it_cannot_send() {
    let (sandbox, _) = start();
    for query in [
        "",
        "resourceTitle=title&text=hi",
        "messageType=&resourceTitle=title",
        "messageType=TEXT&text=hi",
        "messageType=TEXT&resourceTitle=title&userIds=1,,2",
        "messageType=TEXT&resourceTitle=title&groupIds=1,",
        "messageType=TEXT&resourceTitle=title&discussIds=,",
        "messageType=TEXT&resourceTitle=%ff",
    ] {
        let reply = request(&sandbox, "POST", &format!("{PATH}?{query}"), &[BEARER], "");
        let expected = (400, "invalid_request.INVALID_PARAMETER".to_owned());
        assert_eq!(refusal(&reply), expected, "{query}");
    }
    // A body that is no form has no parameters.
    let headers = [BEARER, ("Content-Type", "text/plain")];
    assert_eq!(request(&sandbox, "POST", PATH, &headers, MESSAGE).status, 400);
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
}

#[test]
fn bearer_tokens_are_checked() {
    let (sandbox, _) = start();
    let send = |query: &str, headers: &[(&str, &str)]| {
        request(&sandbox, "POST", &format!("{PATH}?{MESSAGE}{query}"), headers, "")
    };
    for (query, headers, code) in [
        ("", &[] as &[_], "INVALID-AUTHORIZATION-PARAMETERS"),
        ("", &[("Authorization", BASIC)], "INVALID-AUTHORIZATION-PARAMETERS"),
        ("", &[("Authorization", "MAC")], "INVALID-AUTHORIZATION-PARAMETERS"),
        ("", &[("Authorization", "Bearer")], "INVALID-TOKEN"),
        ("", &[("Authorization", "Bearer other")], "INVALID-TOKEN"),
        ("", &[("Authorization", "Bearer renren-mac-token")], "INVALID-TOKEN"),
        ("&access_token=other", &[], "INVALID-TOKEN"),
        ("&access_token=renren-token", &[("Authorization", "Bearer other")], "INVALID-TOKEN"),
    ] {
        assert_eq!(refusal(&send(query, headers)), authorization(code), "{query} {headers:?}");
    }
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
    assert_eq!(send("", &[("Authorization", "bearer renren-token")]).status, 200);
    assert_eq!(send("&access_token=renren-token", &[]).status, 200);
    let headers = [("Content-Type", FORM)];
    let body = format!("{MESSAGE}&access_token=renren-token");
    assert_eq!(request(&sandbox, "POST", PATH, &headers, &body).status, 200);
}

/// A MAC header over `uri` at `host` and `port`, after `edit`.
fn mac(uri: &str, host: &str, port: u16, nonce: &str, edit: (&str, &str)) -> String {
    let text = format!("{NOW_S}\n{nonce}\nPOST\n{uri}\n{host}\n{port}\n\n");
    let mac = hmac_sha1("renren-mac-key", &text);
    let header = format!(r#"MAC id="renren-mac-token",ts="{NOW_S}",nonce="{nonce}",mac="{mac}""#);
    assert!(header.contains(edit.0), "{edit:?}");
    header.replace(edit.0, edit.1)
}

fn signed(sandbox: &Sandbox, target: &str, header: &str, body: &str) -> Reply {
    let host = format!("127.0.0.1:{}", sandbox.port());
    let headers = [("Authorization", header), ("Content-Type", FORM), ("Host", &host)];
    request(sandbox, "POST", target, &headers, body)
}

#[test]
fn macs_are_checked_over_the_query_as_sent() {
    let (sandbox, clock) = start();
    let (host, port) = ("127.0.0.1", sandbox.port());
    let target = format!("{PATH}?{MESSAGE}&resourceLink=%7e%7E+%20~");
    let header = mac(&target, host, port, "n1", ("", ""));
    assert_eq!(signed(&sandbox, &target, &header, "").text(), r#"{"response":1}"#);
    let used = signed(&sandbox, &target, &header, "");
    assert_eq!(refusal(&used), authorization("ALREADY-USED-NONCE"));

    // The service's own address, for a client that is told to sign for it.
    let own = &target["/renren".len()..];
    for (nonce, port) in [("n2", 80), ("n3", 443)] {
        let header = mac(own, "api.renren.com", port, nonce, ("", ""));
        assert_eq!(signed(&sandbox, &target, &header, "").status, 200, "{port}");
    }
    // A form is not covered.
    let header = mac(PATH, host, port, "n4", ("", ""));
    assert_eq!(signed(&sandbox, PATH, &header, MESSAGE).status, 200);
    assert_eq!(sandbox.messages().len(), 4);

    for (uri, host, port) in [
        (target.replace("%20", "+"), host, port),
        (target.replace("%7e", "%7E"), host, port),
        (PATH.to_owned(), host, port),
        (target.clone(), "localhost", port),
        (target.clone(), host, 80),
        (target.clone(), "api.renren.com", 80),
    ] {
        let reply = signed(&sandbox, &target, &mac(&uri, host, port, "n5", ("", "")), "");
        assert_eq!(refusal(&reply), authorization("INVALID-SIGNATURE"), "{uri} {host} {port}");
    }
    for (edit, code) in [
        (("nonce=", "once="), "INVALID-AUTHORIZATION-PARAMETERS"),
        (("\",ts", "\" ts"), "INVALID-AUTHORIZATION-PARAMETERS"),
        (("renren-mac-token", "renren-token"), "INVALID-TOKEN"),
        (("n5", "n6"), "INVALID-SIGNATURE"),
    ] {
        let reply = signed(&sandbox, &target, &mac(&target, host, port, "n5", edit), "");
        assert_eq!(refusal(&reply), authorization(code), "{edit:?}");
    }
    clock.advance(301_000);
    let late = signed(&sandbox, &target, &mac(&target, host, port, "n5", ("", "")), "");
    assert_eq!(refusal(&late), authorization("EXPIRED-TIMESTAMP"));
    assert_eq!(sandbox.messages().len(), 4);
}

#[test]
fn knows_its_path_and_method() {
    let (sandbox, _) = start();
    let reply = request(&sandbox, "POST", "/renren/v2/share/put", &[BEARER], "");
    assert_eq!(reply.status, 404);
    assert_eq!(reply.header("content-type"), Some("text/html;charset=utf-8"));
    assert!(reply.text().contains("The requested resource () is not available"));
    let reply = get(&sandbox, PATH);
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
}

#[test]
fn rate_limits_and_drops_are_its_own() {
    let (sandbox, _) = start();
    fault(&sandbox, json!({"service": "renren", "kind": "rate_limit"}));
    fault(&sandbox, json!({"service": "renren", "kind": "drop"}));
    let send = || request(&sandbox, "POST", &format!("{PATH}?{MESSAGE}"), &[BEARER], "");
    assert_eq!(refusal(&send()), (403, "forbidden.APP_OVER_INVOCATION_LIMIT".to_owned()));
    assert_eq!(refusal(&send()), (400, "invalid_request.CONTENT_PROHIBITED".to_owned()));
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
}

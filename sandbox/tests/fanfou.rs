//! Fanfou, over real sockets.

mod common;

use common::*;
use serde_json::{Value, json};

const PATH: &str = "/fanfou/direct_messages/new.json";

fn sample() -> Value {
    serde_json::from_str(include_str!("vectors/fanfou_message.json")).expect("JSON")
}

#[test]
fn answers_the_documents_sample() {
    let (sandbox, _) = start();
    let reply = fanfou(&sandbox, "user=lisztli&text=test_direct_message&in_reply_to_id=2077");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("date"), Some("Thu, 17 Nov 2011 03:45:20 GMT"));
    assert!(reply.body.is_ascii(), "the sample escapes everything else");
    let mut message = reply.json();
    let id = message["id"].as_str().expect("an id").to_owned();
    assert_eq!(id.len(), 11);
    let mut expected = sample();
    message["id"] = expected["id"].clone();
    assert_eq!(message, expected);

    let delivered = sandbox.messages();
    assert_eq!(delivered.len(), 1);
    let delivered = &delivered[0];
    assert_eq!(delivered["service"], "fanfou");
    assert_eq!(delivered["account"], "test");
    assert_eq!(delivered["recipient"], "lisztli");
    assert_eq!(delivered["text"], "test_direct_message");
    assert_eq!(delivered["id"], id);
    assert_eq!(delivered["time"], NOW_S);
    assert_eq!(delivered["request"]["method"], "POST");
    assert_eq!(delivered["request"]["path"], PATH);
    assert_eq!(delivered["request"]["headers"]["authorization"], BASIC);
    let body = "user=lisztli&text=test_direct_message&in_reply_to_id=2077";
    assert_eq!(delivered["request"]["body"], body);
    assert_eq!(get(&sandbox, "/_/messages").json(), json!([delivered]));

    // Without a reply there is no original; and what was sent can be replied to, one level deep.
    expected.as_object_mut().expect("an object").shift_remove("in_reply_to");
    let mut plain = fanfou(&sandbox, "user=lisztli&text=test_direct_message").json();
    assert_ne!(plain["id"], id.as_str());
    plain["id"] = expected["id"].clone();
    assert_eq!(plain, expected);
    let unknown = fanfou(&sandbox, "user=lisztli&text=hi&in_reply_to_id=unknown").json();
    assert_eq!(unknown.get("in_reply_to"), None);
    let reply = fanfou(&sandbox, &format!("user=test&text=hi&in_reply_to_id={id}")).json();
    assert_eq!(reply["in_reply_to"]["id"], id);
    assert_eq!(reply["in_reply_to"].get("in_reply_to"), None);
}

#[test]
fn lite_users_have_no_profile() {
    let (sandbox, _) = start();
    let body = "user=lisztli&text=hi&in_reply_to_id=2077&mode=lite";
    let message = fanfou(&sandbox, body).json();
    for user in ["/sender", "/recipient", "/in_reply_to/sender", "/in_reply_to/recipient"] {
        let user = message.pointer(user).and_then(Value::as_object).expect("a user");
        assert!(user.keys().all(|name| !name.starts_with("profile_")), "{user:?}");
        assert_eq!(user.len(), 17);
    }
    let message = fanfou(&sandbox, "user=lisztli&text=hi&mode=default").json();
    assert_eq!(message["sender"], sample()["sender"]);
}

#[test]
fn a_callback_wraps_json_only() {
    let (sandbox, _) = start();
    let reply = fanfou(&sandbox, "user=lisztli&text=hi&callback=ns.cb_1");
    assert_eq!(reply.header("content-type"), Some("text/javascript; charset=utf-8"));
    let text = reply.text();
    let inner = text.strip_prefix("ns.cb_1(").and_then(|text| text.strip_suffix(");"));
    let message: Value = serde_json::from_str(inner.expect("a call")).expect("JSON");
    assert_eq!(message["text"], "hi");
    let reply = fanfou(&sandbox, "user=lisztli&text=hi&callback=alert(1)//");
    assert_eq!(reply.status, 400);
    let headers = [("Authorization", BASIC), ("Content-Type", FORM)];
    let path = "/fanfou/direct_messages/new.xml";
    let reply = request(&sandbox, "POST", path, &headers, "user=lisztli&text=hi&callback=cb");
    assert!(reply.text().starts_with("<?xml"));
}

#[test]
fn answers_in_xml_and_rss() {
    let (sandbox, _) = start();
    let headers = [("Authorization", BASIC), ("Content-Type", FORM)];
    let send = |ending: &str, body: &str| {
        let path = format!("/fanfou/direct_messages/new.{ending}");
        request(&sandbox, "POST", &path, &headers, body)
    };
    let body = "user=lisztli&text=%3Cb%3E+%26+%E9%A5%AD&in_reply_to_id=2077";
    let xml = send("xml", body);
    assert_eq!(
        (xml.status, xml.header("content-type")),
        (200, Some("application/xml; charset=utf-8"))
    );
    let text = xml.text();
    for part in [
        "<direct_message><id>",
        "<text>&lt;b&gt; &amp; 饭</text>",
        "<sender_id>test</sender_id>",
        "<created_at>Thu Nov 17 03:45:20 +0000 2011</created_at>",
        "<sender><id>test</id>",
        "<recipient><id>lisztli</id>",
        "<protected>true</protected>",
        "<followers_count>162</followers_count>",
        "<in_reply_to><id>2077</id>",
    ] {
        // Line breaks between elements mean nothing.
        assert!(text.replace(">\n", ">").contains(part), "{part} in {text}");
    }
    assert!(text.ends_with("</direct_message>\n"));

    let rss = send("rss", body);
    assert_eq!(rss.header("content-type"), Some("application/rss+xml; charset=utf-8"));
    for part in
        ["<rss version=\"2.0\">", "<channel>", "<title>&lt;b&gt; &amp; 饭</title>", "</rss>"]
    {
        assert!(rss.text().contains(part), "{part}");
    }

    for ending in ["xml", "rss"] {
        let refused = send(&format!("{ending}?a=1&b=2"), "user=nobody&text=hi");
        assert_eq!(refused.status, 404);
        let text = refused.text();
        let echo = format!("<request>/fanfou/direct_messages/new.{ending}?a=1&amp;b=2</request>");
        assert!(text.contains(&echo) && text.contains("<error>No such user</error>"), "{text}");
    }
    assert_eq!(sandbox.messages().len(), 2);
}

#[test]
fn refuses_what_it_cannot_send() {
    let (sandbox, _) = start();
    let longest = "饭".repeat(140);
    let scalars = |count: usize| form(&[("user", "lisztli"), ("text", &"😀".repeat(count))]);
    for (body, status, words) in [
        ("text=hi", 400, "user is required"),
        ("user=&text=hi", 400, "user is required"),
        ("user=lisztli", 400, "text is required"),
        ("user=lisztli&text=", 400, "text is required"),
        (&scalars(141), 400, "text is too long"),
        ("user=nobody&text=hi", 404, "No such user"),
        ("user=protected&text=hi", 403, "You are not allowed to send a message to this user"),
        ("user=lisztli&text=%ff", 400, "Invalid parameter encoding"),
    ] {
        let reply = fanfou(&sandbox, body);
        assert_eq!(reply.status, status, "{body}");
        assert_eq!(reply.json(), json!({"request": PATH, "error": words}));
    }
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
    assert_eq!(fanfou(&sandbox, &scalars(140)).status, 200);
    assert_eq!(fanfou(&sandbox, &form(&[("user", "lisztli"), ("text", &longest)])).status, 200);
    assert_eq!(sandbox.messages()[1]["text"], longest);

    // A body that is no form has no parameters.
    let headers = [("Authorization", BASIC), ("Content-Type", "text/plain")];
    let reply = request(&sandbox, "POST", PATH, &headers, "user=lisztli&text=hi");
    assert_eq!(reply.json()["error"], "user is required");
}

#[test]
fn knows_its_path_and_method() {
    let (sandbox, _) = start();
    for path in ["/fanfou", "/fanfou/", "/fanfou/direct_messages/new", "/fanfou/x.json", "/x"] {
        assert_eq!(request(&sandbox, "POST", path, &[], "").status, 404, "{path}");
    }
    let html = request(&sandbox, "POST", "/fanfou/direct_messages/new.html", &[], "");
    assert_eq!(html.status, 404);
    let reply = get(&sandbox, PATH);
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
}

#[test]
fn basic_needs_the_right_credentials() {
    let (sandbox, _) = start();
    let send = |headers: &[(&str, &str)]| {
        request(&sandbox, "POST", &format!("{PATH}?x=1"), headers, "user=lisztli&text=hi")
    };
    for headers in [
        &[("Content-Type", FORM)] as &[_],
        &[("Content-Type", FORM), ("Authorization", "Basic dGVzdDpwd2Q")],
        &[("Content-Type", FORM), ("Authorization", "Basic dGVzdDpQV0Q=")],
        &[("Content-Type", FORM), ("Authorization", "Basic")],
        &[("Content-Type", FORM), ("Authorization", "Bearer dGVzdDpwd2Q=")],
    ] {
        let reply = send(headers);
        assert_eq!(reply.status, 401, "{headers:?}");
        assert!(reply.header("www-authenticate").is_some());
        assert_eq!(reply.json()["request"], format!("{PATH}?x=1"));
    }
    assert_eq!(
        send(&[("Content-Type", FORM), ("Authorization", "basic dGVzdDpwd2Q=")]).status,
        200
    );
}

const PARAMS: &[(&str, &str)] = &[("user", "lisztli"), ("text", "你好 & a+b~")];

fn signed(sandbox: &hongyan_sandbox::Sandbox, url: &str, nonce: &str, at: u64) -> Reply {
    let header = oauth1_header(&oauth1("POST", url, PARAMS, nonce, at));
    let host = format!("127.0.0.1:{}", sandbox.port());
    let headers = [("Authorization", header.as_str()), ("Content-Type", FORM), ("Host", &host)];
    request(sandbox, "POST", PATH, &headers, &form(PARAMS))
}

#[test]
fn accepts_signatures_over_its_own_and_the_services_address() {
    let (sandbox, _) = start();
    let own = format!("{}{PATH}", sandbox.url());
    assert_eq!(signed(&sandbox, &own, "n1", NOW_S).status, 200);
    let real = "http://api.fanfou.com/direct_messages/new.json";
    assert_eq!(signed(&sandbox, real, "n2", NOW_S).status, 200);
    assert_eq!(sandbox.messages()[1]["text"], PARAMS[1].1);

    for wrong in [
        real.replace("http:", "https:"),
        real.replace("json", "xml"),
        own.replace("http:", "https:"),
    ] {
        let reply = signed(&sandbox, &wrong, "n3", NOW_S);
        assert_eq!(reply.status, 401, "{wrong}");
        let error = reply.json()["error"].as_str().expect("words").to_owned();
        let start = "Invalid signature. Expected basestring is POST&http%3A%2F%2F127.0.0.1%3A";
        assert!(error.starts_with(start), "{error}");
        assert!(
            error.contains("%26text%3D%25E4%25BD%25A0%25E5%25A5%25BD%2520%2526%2520a"),
            "{error}"
        );
    }
    assert_eq!(sandbox.messages().len(), 2);
}

#[test]
fn accepts_oauth_parameters_in_the_form_and_in_the_query() {
    let (sandbox, _) = start();
    let url = "http://sandbox.test/fanfou/direct_messages/new.json";
    let headers = [("Content-Type", FORM)];
    let oauth = oauth1("POST", url, PARAMS, "n1", NOW_S);
    let oauth: Vec<_> = oauth.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let body = format!("{}&{}", form(PARAMS), form(&oauth));
    assert_eq!(request(&sandbox, "POST", PATH, &headers, &body).status, 200);
    let oauth = oauth1("POST", url, PARAMS, "n2", NOW_S);
    let oauth: Vec<_> = oauth.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let target = format!("{PATH}?{}", form(&oauth));
    assert_eq!(request(&sandbox, "POST", &target, &headers, &form(PARAMS)).status, 200);
}

#[test]
fn refuses_old_timestamps_used_nonces_and_strangers() {
    let (sandbox, clock) = start();
    let url = format!("{}{PATH}", sandbox.url());
    let error = |reply: Reply| (reply.status, reply.json()["error"].as_str().unwrap().to_owned());
    assert_eq!(signed(&sandbox, &url, "n1", NOW_S).status, 200);
    let used = error(signed(&sandbox, &url, "n1", NOW_S));
    assert_eq!(used, (401, "Nonce already used".to_owned()));
    clock.advance(301_000);
    let expired = error(signed(&sandbox, &url, "n2", NOW_S));
    assert_eq!(expired, (401, "Expired timestamp".to_owned()));
    assert_eq!(signed(&sandbox, &url, "n2", NOW_S + 301).status, 200);

    let with = |from: &str, to: &str| {
        let header = oauth1_header(&oauth1("POST", &url, PARAMS, "n3", NOW_S + 301));
        let header = header.replace(from, to);
        let headers = [("Authorization", header.as_str()), ("Content-Type", FORM)];
        error(request(&sandbox, "POST", PATH, &headers, &form(PARAMS)))
    };
    assert_eq!(with("fanfou-consumer-key", "x"), (401, "Invalid consumer".to_owned()));
    assert_eq!(with("fanfou-token", "x"), (401, "Invalid access token".to_owned()));
    let (status, words) = with("HMAC-SHA1", "PLAINTEXT");
    assert_eq!((status, words.contains("PLAINTEXT")), (401, true));
}

#[test]
fn allows_1500_calls_an_hour() {
    let (sandbox, clock) = start();
    for _ in 0..1500 {
        assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    }
    let reply = fanfou(&sandbox, "user=lisztli&text=hi");
    assert_eq!(reply.status, 429);
    sandbox.limits(false);
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    sandbox.limits(true);
    clock.advance(3_599_999);
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 429);
    clock.advance(1);
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    let messages = sandbox.messages();
    assert_eq!(messages.len(), 1502);
    let ids: std::collections::HashSet<_> =
        messages.iter().map(|message| message["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 1502);
}

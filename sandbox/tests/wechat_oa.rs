//! WeChat's official accounts, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const ANNA: &str = "oAnna6_hongyan0123456789abcd";
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn token(sandbox: &Sandbox, more: Value) -> Value {
    let mut body = json!({"grant_type": "client_credential", "appid": "wx0123456789abcdef",
        "secret": "0123456789abcdef0123456789abcdef"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let path = "/wechat_oa/cgi-bin/stable_token";
    request(sandbox, "POST", path, &[JSON], &body.to_string()).json()
}

fn live(sandbox: &Sandbox) -> String {
    token(sandbox, json!({}))["access_token"].as_str().expect("a token").to_owned()
}

fn send(sandbox: &Sandbox, token: &str, path: &str, body: &Value) -> Value {
    let path = format!("/wechat_oa/cgi-bin/message/{path}?access_token={token}");
    request(sandbox, "POST", &path, &[JSON], &body.to_string()).json()
}

fn text(user: &str) -> Value {
    json!({"touser": user, "msgtype": "text", "text": {"content": "hi"}})
}

#[test]
fn a_stable_token_lives_beside_the_next_and_an_old_one_does_not() {
    let (sandbox, clock) = start();
    for (more, code) in [
        (json!({"grant_type": "x"}), 40002),
        (json!({"appid": "x"}), 40013),
        (json!({"secret": "x"}), 40125),
        (json!({"secret": ""}), 41004),
    ] {
        assert_eq!(token(&sandbox, more)["errcode"], code);
    }
    let first = live(&sandbox);
    assert_eq!(live(&sandbox), first);
    clock.advance(7_000_000);
    let second = live(&sandbox);
    assert_ne!(second, first);
    for (token, code) in [(&*first, 0), (&second, 0), ("x", 40001), ("", 41001)] {
        assert_eq!(send(&sandbox, token, "custom/send", &text(ANNA))["errcode"], code);
    }
    clock.advance(200_000);
    assert_eq!(send(&sandbox, &first, "custom/send", &text(ANNA))["errcode"], 42001);
    let old = || {
        let path = "/wechat_oa/cgi-bin/token?grant_type=client_credential&appid=wx0123456789abcdef\
                    &secret=0123456789abcdef0123456789abcdef";
        let token = request(&sandbox, "GET", path, &[], "").json();
        token["access_token"].as_str().expect("a token").to_owned()
    };
    let (third, fourth) = (old(), old());
    assert_eq!(send(&sandbox, &third, "custom/send", &text(ANNA))["errcode"], 40001);
    assert_eq!(send(&sandbox, &fourth, "custom/send", &text(ANNA))["errcode"], 0);
}

fn upload(sandbox: &Sandbox, token: &str, kind: &str, name: &str, bytes: &str) -> Value {
    let path = format!("/wechat_oa/cgi-bin/media/upload?access_token={token}&type={kind}");
    let form = ("Content-Type", "multipart/form-data; boundary=b");
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"{name}\"\r\n\
         Content-Type: image/png\r\n\r\n{bytes}\r\n--b--\r\n"
    );
    request(sandbox, "POST", &path, &[form], &body).json()
}

#[test]
fn a_file_is_sent_as_what_it_went_up_as_for_three_days() {
    let (sandbox, clock) = start();
    let token = live(&sandbox);
    let long = "x".repeat((64 << 10) + 1);
    for (token, kind, name, bytes, code) in [
        ("x", "image", "a.png", "PNG", 40001),
        (&*token, "file", "a.pdf", "PDF", 40004),
        (&token, "image", "a.txt", "text", 40005),
        (&token, "image", "a.png", "", 44001),
        (&token, "thumb", "a.jpg", &long, 45001),
    ] {
        let answer = upload(&sandbox, token, kind, name, bytes);
        assert_eq!(answer["errcode"], code, "{kind} {name}");
    }
    let media = upload(&sandbox, &token, "image", "a.png", "PNG");
    assert_eq!((&media["errcode"], &media["type"]), (&json!(0), &json!("image")));
    let send = |kind: &str| {
        let body = json!({"touser": ANNA, "msgtype": kind, kind: {"media_id": media["media_id"]}});
        send(&sandbox, &live(&sandbox), "custom/send", &body)["errcode"].clone()
    };
    assert_eq!((send("image"), send("image"), send("voice")), (0.into(), 0.into(), 40007.into()));
    let shown = &sandbox.messages()[1];
    assert_eq!((&shown["text"], &shown["attachments"][0]["name"]), (&json!(""), &json!("a.png")));
    clock.advance(3 * 86_400_000);
    assert_eq!(send("image"), 40007);
}

#[test]
fn each_interface_has_its_own_rules() {
    let (sandbox, _) = start();
    let token = live(&sandbox);
    let template = |user: &str, id: &str, more: Value| {
        let mut body =
            json!({"touser": user, "template_id": id, "data": {"thing1": {"value": "90 %"}}});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        body
    };
    let silent = "oSilent_hongyan0123456789abc";
    for (path, body, code) in [
        ("custom/send", text(silent), 45015),
        ("custom/send", text("oLeft_hongyan0123456789abcde"), 43004),
        ("custom/send", text("x"), 40003),
        ("custom/send", json!({"touser": ANNA, "msgtype": "dance"}), 40008),
        ("template/send", template(silent, "tpl-disk", json!({})), 0),
        ("template/send", template(ANNA, "x", json!({})), 40037),
        (
            "template/send",
            template(ANNA, "tpl-disk", json!({"data": {"thing1": {"value": "x".repeat(21)}}})),
            47003,
        ),
        ("subscribe/bizsend", template(ANNA, "tpl-sub", json!({})), 0),
        ("subscribe/bizsend", template(silent, "tpl-sub", json!({})), 43101),
        ("template/subscribe", template(ANNA, "tpl-once", json!({"title": "T"})), 0),
        ("template/subscribe", template(ANNA, "tpl-once", json!({"title": "x".repeat(16)})), 45003),
    ] {
        assert_eq!(send(&sandbox, &token, path, &body)["errcode"], code, "{path} {body}");
    }
    assert_eq!(sandbox.messages().len(), 3);
    let escaped = format!("/wechat_oa/cgi-bin/message/custom/send?access_token={token}");
    let body = text(ANNA).to_string().replace("hi", "\\u9e3f");
    assert_eq!(request(&sandbox, "POST", &escaped, &[JSON], &body).json()["errcode"], 40033);
    let known = template(ANNA, "tpl-disk", json!({"client_msg_id": "c1"}));
    let ids = [(); 2].map(|()| send(&sandbox, &token, "template/send", &known)["msgid"].clone());
    assert_eq!((&ids[0], sandbox.messages().len()), (&ids[1], 4));
}

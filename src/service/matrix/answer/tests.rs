use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.into(), ..Answer::default() }
}

fn shown(reading: Reading) -> String {
    match reading {
        Reading::Sent { id, .. } => id.unwrap_or_default(),
        Reading::Refused { code, wait, .. } => match wait {
            Some(wait) => format!("{code} {}", wait.as_millis()),
            None => code,
        },
        Reading::Contradiction(_) => "contradiction".to_owned(),
        _ => "unreadable".to_owned(),
    }
}

fn either(read: Result<String, Reading>) -> String {
    read.unwrap_or_else(shown)
}

#[test]
fn an_event_s_id_is_the_proof() {
    for (status, body, meant) in [
        (200, r#"{"event_id":"$a"}"#, "$a"),
        (200, r#"{"event_id":"$a:hs","x":1}"#, "$a:hs"),
        (200, r#"{"event_id":"a"}"#, "unreadable"),
        (200, r#"{"event_id":"$"}"#, "unreadable"),
        (200, r#"{"event_id":"$a b"}"#, "unreadable"),
        (200, r#"{"event_id":7}"#, "unreadable"),
        (200, r#"{"event_id":"$a","event_id":"$b"}"#, "unreadable"),
        (200, "{}", "unreadable"),
        (206, r#"{"event_id":"$a"}"#, "unreadable"),
        (500, r#"{"event_id":"$a"}"#, "contradiction"),
        (200, r#"{"event_id":"$a","errcode":"M_UNKNOWN"}"#, "contradiction"),
        (200, r#"{"errcode":"M_FORBIDDEN","error":"no"}"#, "unreadable"),
        (403, r#"{"errcode":"M_FORBIDDEN","error":"no"}"#, "M_FORBIDDEN"),
        (403, r#"{"errcode":"M_FORBIDDEN"}"#, "M_FORBIDDEN"),
        (403, r#"{"errcode":"M_FORBIDDEN","error":{}}"#, "unreadable"),
        (403, r#"{"errcode":"Forbidden","error":"no"}"#, "unreadable"),
        (403, r#"{"errcode":"ORG.EXAMPLE_NO","error":"no"}"#, "ORG.EXAMPLE_NO"),
        (400, r#"{"errcode":"M_UNKNOWN","error":"no"}"#, "400"),
        (500, r#"{"errcode":"M_UNKNOWN","error":"Internal server error"}"#, "500"),
        (500, r#"{"errcode":"M_NEW","error":"no"}"#, "500"),
        (418, r#"{"errcode":"M_NEW","error":"no"}"#, "M_NEW"),
        (
            429,
            r#"{"errcode":"M_LIMIT_EXCEEDED","error":"no","retry_after_ms":412}"#,
            "M_LIMIT_EXCEEDED 412",
        ),
        (
            429,
            r#"{"errcode":"M_LIMIT_EXCEEDED","error":"no","retry_after_ms":-1}"#,
            "M_LIMIT_EXCEEDED",
        ),
        (
            429,
            r#"{"errcode":"M_LIMIT_EXCEEDED","error":"no","retry_after_ms":1e300}"#,
            "M_LIMIT_EXCEEDED 172800000",
        ),
        (502, "<html>", "unreadable"),
    ] {
        assert_eq!(shown(sent(&answer(status, body))), meant, "{status} {body}");
    }
}

#[test]
fn what_steps_ask_for_has_the_form_of_it() {
    assert_eq!(either(room(&answer(200, r##"{"room_id":"!a","servers":[]}"##))), "!a");
    assert_eq!(either(room(&answer(200, r##"{"room_id":"#a:hs"}"##))), "unreadable");
    assert_eq!(either(user(&answer(200, r#"{"user_id":"@a:hs"}"#))), "@a:hs");
    assert_eq!(either(media(&answer(200, r#"{"content_uri":"mxc://hs/a"}"#))), "mxc://hs/a");
    assert_eq!(either(media(&answer(200, r#"{"content_uri":"https://hs/a"}"#))), "unreadable");
    assert_eq!(either(direct(&answer(200, r#"{"@a:hs":["!r"]}"#))), r#"{"@a:hs":["!r"]}"#);
    assert_eq!(either(direct(&answer(404, r#"{"errcode":"M_NOT_FOUND","error":"no"}"#))), "{}");
    assert_eq!(either(direct(&answer(404, "<html>"))), "unreadable");
    assert_eq!(either(direct(&answer(200, "[]"))), "unreadable");
}

#[test]
fn a_direct_room_is_one_with_both_in_it() {
    let event = |who: &str, how: &str| serde_json::json!({"type": "m.room.member", "state_key": who, "content": {"membership": how}});
    for (me, user, both) in [
        ("join", "join", true),
        ("join", "invite", true),
        ("join", "leave", false),
        ("leave", "join", false),
        ("invite", "join", false),
        ("join", "ban", false),
    ] {
        let chunk = [event("@me:hs", me), event("@a:hs", user)];
        let body = serde_json::json!({"chunk": chunk}).to_string();
        let read = are_in(&answer(200, &body), "@me:hs", "@a:hs");
        assert_eq!(read.map_err(shown), Ok(both), "{me} {user}");
    }
    let forbidden = answer(403, r#"{"errcode":"M_FORBIDDEN","error":"no"}"#);
    assert_eq!(are_in(&forbidden, "@me:hs", "@a:hs").map_err(shown), Ok(false));
    let none = are_in(&answer(200, "{}"), "@me:hs", "@a:hs");
    assert_eq!(none.map_err(shown), Err("unreadable".to_owned()));
}

#[test]
fn only_the_server_s_own_words_say_that_a_room_is_not_encrypted() {
    let read = |status, body| match encryption(&answer(status, body)) {
        Ok(Room::Plain) => "plain".to_owned(),
        Ok(Room::Encrypted) => "encrypted".to_owned(),
        Ok(Room::Outside(_)) => "outside".to_owned(),
        Err(reading) => shown(reading),
    };
    for (status, body, meant) in [
        (200, r#"{"algorithm":"m.megolm.v1.aes-sha2"}"#, "encrypted"),
        (200, r#"{"algorithm":"another"}"#, "encrypted"),
        (200, "{}", "encrypted"),
        (200, "", "unreadable"),
        (200, "<html>", "unreadable"),
        (404, r#"{"errcode":"M_NOT_FOUND","error":"Event not found."}"#, "plain"),
        (404, "<html>", "unreadable"),
        (404, r#"{"errcode":"M_UNRECOGNIZED","error":"no"}"#, "M_UNRECOGNIZED"),
        (404, r#"{"error":"M_NOT_FOUND"}"#, "unreadable"),
        (403, r#"{"errcode":"M_FORBIDDEN","error":"no"}"#, "outside"),
        (500, r#"{"errcode":"M_NOT_FOUND","error":"no"}"#, "M_NOT_FOUND"),
    ] {
        assert_eq!(read(status, body), meant, "{status} {body}");
    }
}

#[test]
fn a_token_is_taken_from_a_whole_answer_only() {
    let read = |status, body: &str| match login(&answer(status, body), Duration::from_secs(9)) {
        Granted::Token { secret, expires } => {
            format!("{} {}", secret.expose(), expires.as_millis())
        }
        Granted::Refused { code, .. } => code,
        Granted::Unreadable(why) => {
            assert!(!why.contains("t0k3n"), "{why}");
            "unreadable".to_owned()
        }
    };
    for (status, body, meant) in [
        (200, r#"{"access_token":"t0k3n","device_id":"D","user_id":"@a:hs"}"#, "t0k3n 9000"),
        (200, r#"{"access_token":"t0k3n","expires_in_ms":300000}"#, "t0k3n 300000"),
        (200, r#"{"access_token":"t0k3n","expires_in_ms":-1}"#, "unreadable"),
        (200, r#"{"access_token":"t0k3n","access_token":"u"}"#, "unreadable"),
        (200, r#"{"access_token":"t0k3n\n"}"#, "unreadable"),
        (200, r#"{"access_token":"t0k3n","errcode":"M_FORBIDDEN"}"#, "unreadable"),
        (200, "{}", "unreadable"),
        (500, r#"{"access_token":"t0k3n"}"#, "unreadable"),
        (403, r#"{"errcode":"M_FORBIDDEN","error":"Invalid username or password"}"#, "M_FORBIDDEN"),
    ] {
        assert_eq!(read(status, body), meant, "{status} {body}");
    }
}

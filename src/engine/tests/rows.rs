//! Every row of every verdict table, through an answer in every shape its service uses.

use serde_json::{Value, json};

use super::{World, answer, fanfou, name_of, tencent};
use crate::model::error::ErrorCode;
use crate::model::receipt::Delivery;
use crate::service::verdict::{Class, Code, Row};
use crate::service::{find, tables};

/// How many requests a message gets whose every answer is this row's.
fn expected_requests(class: Class, delivery: Delivery, dedupe: bool) -> usize {
    match (delivery, class) {
        (Delivery::MaybeSent, _) if dedupe => 4,
        (Delivery::MaybeSent | Delivery::Sent, _) | (_, Class::Never | Class::Quota) => 1,
        (_, Class::Resign | Class::Reauthenticate) => 2,
        (_, Class::Backoff | Class::Wait | Class::WaitFor(_)) => 4,
    }
}

/// A code that a row is for.
fn code_of(row: &Row) -> String {
    match row.code {
        Code::Is(code) => code.to_owned(),
        Code::Range(from, _) => from.to_string(),
        Code::Any => "999999".to_owned(),
    }
}

#[test]
fn every_row_of_tencent_s_table_is_the_verdict_of_its_code() {
    let rows = tables("tencent_im");
    assert_eq!(rows.len(), 135, "a row is missing");
    for row in rows {
        let code = code_of(row);
        let body = match code.parse::<i64>() {
            Ok(0) => json!({"ActionStatus": "OK", "ErrorCode": 0}),
            Ok(number) => {
                json!({"ActionStatus": "FAIL", "ErrorCode": number, "ErrorInfo": row.text})
            }
            Err(_) => json!({"ActionStatus": "OK", "ErrorCode": 0, "MsgDropReason": code}),
        };
        let world = World::new([answer(200, &body.to_string())]);
        let receipt = world.send(tencent(json!({})));
        let expected = row.name.map_or("ok", ErrorCode::name);
        assert_eq!((name_of(&receipt), receipt.delivery), (expected, row.delivery), "{code}");
        let requests = expected_requests(row.class, row.delivery, true);
        assert_eq!(world.requests().len(), requests, "requests for {code}");
        if row.name.is_some() {
            assert_eq!(receipt.error.as_ref().and_then(|e| e.service_code()), Some(code.as_str()));
        }
    }
}

#[test]
fn every_row_of_fanfou_s_table_is_the_verdict_of_its_status_in_every_shape() {
    let rows = tables("fanfou");
    assert_eq!(rows.len(), 14, "a row is missing");
    for row in rows {
        let status = match row.code {
            Code::Any => 418,
            _ => code_of(row).parse().expect("a status"),
        };
        let words = format!("no: {}", row.text);
        let message = |sent: bool| match sent {
            true => [
                r#"{"id":"a"}"#.to_owned(),
                "<direct_message><id>a</id></direct_message>".to_owned(),
            ],
            false => [
                json!({"request": "/x", "error": words}).to_string(),
                format!("<hash><request>/x</request><error>{words}</error></hash>"),
            ],
        };
        let sent = row.name.is_none();
        let shapes = ["ff", "ffx"]
            .into_iter()
            .flat_map(|a| message(sent).map(|body| (a, body)))
            .collect::<Vec<_>>();
        // An error comes in either format, a success in the one that was asked for.
        for (account, body) in
            shapes.into_iter().filter(|(a, body)| !sent || (*a == "ffx") == body.starts_with('<'))
        {
            let world = World::new([answer(status, &body)]);
            let receipt = world.send(fanfou(account));
            let expected = row.name.map_or("ok", ErrorCode::name);
            assert_eq!(
                (name_of(&receipt), receipt.delivery),
                (expected, row.delivery),
                "{status} {body}"
            );
            let requests = expected_requests(row.class, row.delivery, false);
            assert_eq!(world.requests().len(), requests, "requests for {status} {body}");
        }
    }
}

/// Walks a table: each row's code, in each shape of answer, is its row's verdict.
fn walk(service: &str, rows: usize, message: &Value, shapes: impl Fn(&Row) -> Vec<(u16, String)>) {
    let table = tables(service);
    assert_eq!(table.len(), rows, "a row is missing");
    let dedupe = find(service).is_some_and(|service| service.info.dedupe_ms.is_some());
    for row in table {
        for (status, body) in shapes(row) {
            let world = World::new([answer(status, &body)]).replies(|request| {
                match request.url.path() {
                    "/token" => Some(r#"{"code":0,"msg":"ok","token":"t","expire":7200}"#),
                    "/channels" => Some(r#"{"ok":true,"note":"","id":"c1"}"#),
                    _ => None,
                }
                .map(|body| answer(200, body))
            });
            let receipt = world.send(message.clone());
            let expected = row.name.map_or("ok", ErrorCode::name);
            assert_eq!(
                (name_of(&receipt), receipt.delivery),
                (expected, row.delivery),
                "{status} {body}"
            );
            let requests = expected_requests(row.class, row.delivery, dedupe);
            let prepares = ["/token", "/channels"].map(|path| world.requests_for(path).len());
            let sends = world.requests().len() - prepares.iter().sum::<usize>();
            assert_eq!(sends, requests, "requests for {status} {body}");
        }
    }
}

#[test]
fn every_row_of_sina_s_table_is_the_verdict_of_its_number_in_every_shape() {
    let message = json!({"v": 1, "account": "sina", "to": {"user": "11051"}, "text": "hello"});
    walk("sina", 68, &message, |row| {
        let number = match row.code {
            Code::Range(..) if !row.text.is_empty() => "40099".to_owned(),
            Code::Any => "49999".to_owned(),
            _ => code_of(row),
        };
        let error = format!("{number}:Error: {}!", row.text);
        let xml = format!(
            "<hash><request>/x</request><error_code>400</error_code><error>{error}</error></hash>"
        );
        let json = json!({"request": "/x", "error_code": "400", "error": error}).to_string();
        let mut shapes = vec![
            (400, json.clone()),
            (403, json.clone()),
            (200, json),
            (400, xml.clone()),
            (500, xml),
        ];
        if row.code == Code::Any {
            shapes.push((
                400,
                json!({"error_code": "400", "error": format!("Error: {}", row.text)}).to_string(),
            ));
        }
        shapes
    });
}

#[test]
fn every_row_of_weibo_s_table_is_the_verdict_of_its_code_in_every_shape() {
    let message =
        json!({"v": 1, "account": "weibo", "to": {"user": "2125034703"}, "text": "hello"});
    walk("weibo", 97, &message, |row| {
        let code = if row.code == Code::Any { "99999".to_owned() } else { code_of(row) };
        let number: u64 = code.parse().expect("a number");
        let envelope = |code: Value| {
            json!({"request": "/2/x", "error_code": code, "error": row.text}).to_string()
        };
        let (number, text) = (envelope(json!(number)), envelope(json!(code)));
        vec![
            (400, number.clone()),
            (403, text.clone()),
            (200, number.clone()),
            (200, text),
            (500, number),
        ]
    });
}

#[test]
fn every_row_of_renren_s_table_is_the_verdict_of_its_code_however_it_is_spelt() {
    const COMMON: [&str; 7] = [
        "SERVICE_UNAVAILABLE",
        "SERVICE_BUSY",
        "EXPIRED_TOKEN",
        "INVALID_TOKEN",
        "EXPIRED_TIMESTAMP",
        "INVALID_SIGNATURE",
        "NO_ACCESS",
    ];
    let extra = json!({"messageType": "x", "resourceTitle": "t"});
    let message = json!({"v": 1, "account": "renren", "text": "hello", "extra": extra});
    walk("renren", 40, &message, |row| {
        let code = code_of(row);
        let envelope = |code: &str| json!({"error": {"code": code, "message": "why"}}).to_string();
        let full = envelope(&format!("invalid_request.{code}"));
        let dashed = envelope(&format!("forbidden.{}", code.replace('_', "-").to_lowercase()));
        let mut shapes =
            vec![(400, full.clone()), (401, dashed.clone()), (500, full), (200, dashed)];
        // Without its kind a code is the service's own only where nobody else would have it.
        if row.code != Code::Any && !COMMON.contains(&&*code) {
            shapes.extend([(403, envelope(&code)), (500, envelope(&code))]);
        }
        shapes
    });
}

#[test]
fn a_sixth_service_is_judged_by_its_table_like_the_others() {
    let message = json!({"v": 1, "account": "robot", "text": "hello"});
    walk("chatroom", 4, &message, |row| {
        let code: u32 = code_of(row).parse().expect("a number");
        vec![(200, json!({"errcode": code, "errmsg": "why"}).to_string())]
    });
    let world = World::new([answer(502, "<html>proxy</html>")]);
    assert_eq!(world.send(message).delivery, Delivery::MaybeSent);
}

#[test]
fn every_row_of_dingtalk_s_robot_is_the_verdict_of_its_code() {
    let message = json!({"v": 1, "account": "dingtalk_bot", "text": "hello"});
    walk("dingtalk_bot", 33, &message, |row| match code_of(row).parse::<i64>() {
        Ok(0) => vec![(200, r#"{"errcode":0,"errmsg":"ok"}"#.to_owned())],
        Ok(1111) => vec![(200, r#"{"status":1111,"punish":"deny","uuid":"x"}"#.to_owned())],
        code => {
            let code = code.expect("a number");
            let body = json!({"errcode": code, "errmsg": row.text}).to_string();
            let as_text = json!({"errcode": code.to_string(), "errmsg": row.text}).to_string();
            let mut shapes = vec![(200, body.clone()), (200, as_text)];
            shapes.extend((code > 0).then_some((400, body)));
            shapes
        }
    });
}

#[test]
fn every_row_of_telegram_s_table_is_the_verdict_of_its_code_in_every_status() {
    let message = json!({"v": 1, "account": "tg", "to": {"chat": "4711"}, "text": "hello"});
    walk("telegram", 49, &message, |row| {
        let code: u16 = match row.code {
            Code::Any => 499,
            _ => code_of(row).parse().expect("a number"),
        };
        if row.name.is_none() {
            return vec![(200, json!({"ok": true, "result": {"message_id": 57}}).to_string())];
        }
        let words = format!("Bad Request: {}", row.text);
        let body = json!({"ok": false, "error_code": code, "description": words}).to_string();
        vec![(code, body.clone()), (200, body.clone()), (502, body)]
    });
}

#[test]
fn every_row_of_wecom_s_robot_is_the_verdict_of_its_code() {
    let message = json!({"v": 1, "account": "wecom_bot", "text": "hello"});
    walk("wecom_bot", 41, &message, |row| {
        let code: i64 = code_of(row).parse().expect("a number");
        let body = json!({"errcode": code, "errmsg": row.text}).to_string();
        let mut shapes = vec![(200, body.clone())];
        shapes.extend((code > 0).then_some((400, body)));
        shapes
    });
}

#[test]
fn services_with_tokens_and_with_steps_are_judged_by_their_tables() {
    let message = json!({"v": 1, "account": "corp", "to": {"user": "u1"}, "text": "hello"});
    walk("corpchat", 10, &message, |row| {
        let code: u32 = match row.code {
            Code::Any => 99_999_999,
            _ => code_of(row).parse().expect("a number"),
        };
        let body = match code {
            0 => json!({"code": 0, "msg": "ok", "message_id": "m1"}),
            _ => json!({"code": code, "msg": "no"}),
        };
        let status = if code == 0 { vec![200] } else { vec![200, 400, 500] };
        status.into_iter().map(|status| (status, body.to_string())).collect()
    });
    let message = json!({"v": 1, "account": "team", "to": {"user": "u1"}, "text": "hello"});
    walk("teamchat", 6, &message, |row| {
        let code = if row.code == Code::Any { "some_thing".to_owned() } else { code_of(row) };
        let body = json!({"ok": false, "note": "no", "error": code}).to_string();
        vec![(200, body.clone()), (403, body)]
    });
}

#[test]
fn every_row_of_the_webhook_s_table_is_the_verdict_of_its_status() {
    let message = json!({"v": 1, "account": "hook", "text": "hello"});
    for row in tables("webhook") {
        let status: u16 = match row.code {
            Code::Any => continue,
            _ => code_of(row).parse().expect("a status"),
        };
        let (account, body) = match (status, row.text) {
            (409, "") => ("signed", ""),
            (409, _) => ("hook", "no"),
            _ => ("hook", ""),
        };
        let mut message = message.clone();
        message["account"] = account.into();
        let world = World::new([answer(status, body)]);
        let receipt = world.send(message);
        // That the receiver has it already is no error.
        let expected = row.name.filter(|_| row.delivery != Delivery::Sent);
        let expected = expected.map_or("ok", ErrorCode::name);
        assert_eq!((name_of(&receipt), receipt.delivery), (expected, row.delivery), "{status}");
        assert_eq!(receipt.deduplicated, account == "signed", "{status}");
        let requests = expected_requests(row.class, row.delivery, false);
        assert_eq!(world.requests().len(), requests, "requests for {status}");
    }
}

#[test]
fn what_is_signed_is_sent_again_under_the_same_id() {
    for key in [None, Some("order-7")] {
        let message = json!({"v": 1, "account": "signed", "text": "hello", "key": key});
        let world = World::new([answer(500, ""), answer(502, ""), answer(200, "")]);
        let receipt = world.send(message);
        assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 3), "{receipt:?}");
        let id = key.unwrap_or(&receipt.id);
        for request in world.requests() {
            let header = |name: &str| {
                let found = request.headers.iter().find(|(own, _)| *own == name);
                found.map(|(_, value)| value.to_owned()).unwrap_or_default()
            };
            assert_eq!(header("webhook-id"), id);
            assert!(header("webhook-signature").starts_with("v1,"));
        }
    }
    // Nobody knows it again who is not told its id.
    let world = World::new([answer(500, "")]);
    let receipt = world.send(json!({"v": 1, "account": "hook", "text": "hello", "key": "k"}));
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::MaybeSent, 1));
}

#[test]
fn every_row_of_slack_s_table_is_the_verdict_of_its_word() {
    let status = |row: &Row| match row.code {
        Code::Is("429") => 429,
        Code::Range(..) => 503,
        _ => 200,
    };
    let word = |row: &Row| match row.code {
        Code::Is("429") | Code::Range(..) => None,
        Code::Any => Some("goose_not_found".to_owned()),
        Code::Is(word) => Some(word.to_owned()),
    };
    let message = json!({"v": 1, "account": "slack", "to": {"channel": "C1"}, "text": "hello"});
    walk("slack", 107, &message, |row| match word(row) {
        Some(word) => vec![(status(row), json!({"ok": false, "error": word}).to_string())],
        None => vec![(status(row), "<html></html>".to_owned())],
    });
    let message = json!({"v": 1, "account": "slack_hook", "text": "hello"});
    walk("slack", 107, &message, |row| match word(row) {
        Some(word) => vec![(400, word)],
        None => vec![(status(row), "<html></html>".to_owned())],
    });
}

#[test]
fn every_row_of_feishu_s_robot_is_the_verdict_of_its_code_in_either_envelope() {
    let message = json!({"v": 1, "account": "feishu_bot", "text": "hello"});
    walk("feishu_bot", 21, &message, |row| {
        let code: u32 = code_of(row).parse().expect("a number");
        let words = if code == 0 { "success" } else { row.text };
        let body = json!({"code": code, "data": {}, "msg": words}).to_string();
        let both = json!({"StatusCode": 0, "StatusMessage": "", "code": code, "msg": words});
        let older = json!({"StatusCode": code, "StatusMessage": words}).to_string();
        let mut shapes = vec![(200, body.clone()), (200, both.to_string()), (200, older)];
        shapes.extend((code > 0).then_some((400, body)));
        shapes
    });
}

#[test]
fn every_row_of_discord_s_table_is_the_verdict_of_its_code() {
    let shapes = |row: &Row| match row.code {
        Code::Is("200") => vec![(200, r#"{"id":"1","channel_id":"2"}"#.to_owned())],
        Code::Is(code @ ("429" | "global")) => {
            let is_global = code == "global";
            let body = json!({"message": "no", "retry_after": 0.5, "global": is_global});
            vec![(429, body.to_string())]
        }
        Code::Is(status) if status.len() == 3 => {
            let words = format!("{status}: no");
            let body = json!({"message": words, "code": 0}).to_string();
            vec![(status.parse().expect("a status"), body)]
        }
        Code::Range(..) => vec![(500, r#"{"message":"500: no","code":0}"#.to_owned())],
        _ => {
            let code: u32 = code_of(row).parse().expect("a number");
            let body = json!({"code": code, "message": "no"}).to_string();
            vec![(400, body.clone()), (429, body.clone()), (502, body)]
        }
    };
    let message = json!({"v": 1, "account": "discord", "to": {"channel": "2"}, "text": "hello"});
    walk("discord", 87, &message, shapes);
    // A webhook has nothing that a message is known by.
    let message = json!({"v": 1, "account": "discord_hook", "text": "hello"});
    let world = World::new([answer(500, r#"{"message":"500: no","code":0}"#)]);
    assert_eq!(world.send(message).delivery, Delivery::MaybeSent);
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn every_row_of_mattermost_s_table_is_the_verdict_of_its_id() {
    const ID: &str = "8xyzabcdefghijklmnopqrstu1";
    let fault = |id: &str, status: u16| {
        let body = json!({"id": id, "message": "no", "detailed_error": "", "request_id": ID,
            "status_code": status});
        (status, body.to_string())
    };
    let shapes = |row: &Row| match row.code {
        Code::Is("200" | "201") => {
            vec![(201, json!({"id": ID, "channel_id": ID, "create_at": 1}).to_string())]
        }
        Code::Is(id) if id.contains('.') => vec![fault(id, 400), fault(id, 500)],
        Code::Any => vec![fault("api.something.app_error", 418)],
        _ => vec![fault("api.something.app_error", code_of(row).parse().expect("a status"))],
    };
    let message = json!({"v": 1, "account": "mattermost", "to": {"channel": ID}, "text": "hello"});
    walk("mattermost", 36, &message, shapes);
    // Nothing is known again of what a webhook sent.
    let message = json!({"v": 1, "account": "mattermost_hook", "text": "hello"});
    let (status, body) = fault("api.something.app_error", 500);
    let world = World::new([answer(status, &body)]);
    assert_eq!(world.send(message.clone()).delivery, Delivery::MaybeSent);
    assert_eq!(world.requests().len(), 1);
    assert_eq!(World::new([answer(200, "ok")]).send(message).delivery, Delivery::Sent);
}

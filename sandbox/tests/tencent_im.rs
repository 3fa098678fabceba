//! Tencent Chat, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

fn code(answer: &Value) -> u64 {
    let expected = if answer["ErrorCode"] == 0 { "OK" } else { "FAIL" };
    assert_eq!(answer["ActionStatus"], expected);
    assert_ne!(answer["ErrorInfo"].as_str().expect("text").is_empty(), expected == "FAIL");
    answer["ErrorCode"].as_u64().expect("a number")
}

fn with(field: &str, value: Value) -> Value {
    let mut message = group_message(1, "hi");
    message[field] = value;
    message
}

fn without(field: &str) -> Value {
    let mut message = group_message(1, "hi");
    message.as_object_mut().expect("an object").shift_remove(field).expect(field);
    message
}

fn element(kind: &str, content: Value) -> Value {
    with("MsgBody", json!([{"MsgType": kind, "MsgContent": content}]))
}

#[test]
fn answers_the_documents_sample() {
    let (sandbox, clock) = start();
    let message = json!({
        "GroupId": GROUP,
        "Random": 8912345,
        "MsgPriority": "High",
        "MsgBody": [
            {"MsgType": "TIMTextElem", "MsgContent": {"Text": "red packet"}},
            {"MsgType": "TIMFaceElem", "MsgContent": {"Index": 6, "Data": "abc\u{0}\u{1}"}},
        ],
        "From_Account": "leckie",
        "CloudCustomData": "your cloud custom data",
        "SupportMessageExtension": 0,
        "SendMsgControl": ["NoLastMsg"],
        "ForbidCallbackControl": ["ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"],
        "GroupAtInfo": [
            {"GroupAtAllFlag": 1},
            {"GroupAtAllFlag": 0, "GroupAt_Account": "tommy"},
        ],
        "To_Account": ["brennanli2", "brennanli3"],
        "OfflinePushInfo": {
            "PushFlag": 0,
            "Desc": "Content to push offline",
            "Ext": "Passthrough content",
            "AndroidInfo": {"Sound": "android.mp3"},
            "ApnsInfo": {"Sound": "apns.mp3", "BadgeMode": 1, "Title": "apns title"},
        },
    });
    let sent = json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "MsgTime": NOW_S,
                      "MsgSeq": 1});
    assert_eq!(tencent(&sandbox, &message), sent);
    clock.advance(1000);
    assert_eq!(tencent(&sandbox, &group_message(2, "second"))["MsgSeq"], 2);
    let mut other = group_message(2, "elsewhere");
    other["GroupId"] = json!("@TGS#12DEVUDHQ");
    assert_eq!(tencent(&sandbox, &other)["MsgSeq"], 1, "each group counts by itself");

    let messages = sandbox.messages();
    assert_eq!(messages.len(), 3);
    let first = &messages[0];
    assert_eq!(first["service"], "tencent_im");
    assert_eq!(first["account"], "administrator", "who signed, whoever it is from");
    assert_eq!(first["recipient"], GROUP);
    assert_eq!(first["text"], "red packet");
    assert_eq!(first["id"], "1");
    assert_eq!(first["time"], NOW_S);
    assert_eq!(first["request"]["body"], message.to_string());
    assert_eq!(messages[1]["time"], NOW_S + 1);
}

#[test]
fn topics_count_by_themselves() {
    let (sandbox, _) = start();
    let mut message = with("GroupId", json!("@TGS#_COMMUNITY"));
    assert_eq!(tencent(&sandbox, &message)["MsgSeq"], 1);
    message["TopicId"] = json!("@TGS#_COMMUNITY@TOPIC#_T1");
    assert_eq!(tencent(&sandbox, &message)["MsgSeq"], 1);
    assert_eq!(sandbox.messages().len(), 2);
    message["TopicId"] = json!("@TGS#_COMMUNITY@TOPIC#_T2");
    assert_eq!(code(&tencent(&sandbox, &message)), 110_013);
    assert_eq!(code(&tencent(&sandbox, &with("TopicId", json!("T")))), 10007);
}

#[test]
fn checks_the_query() {
    let (sandbox, clock) = start();
    let body = group_message(1, "hi").to_string();
    let good = usersig("administrator", 1_400_000_000, KEY, NOW_S, 60);
    let send = |sdkappid: &str, identifier: &str, usersig: &str, random: &str, kind: &str| {
        let target = tencent_query(&[
            ("sdkappid", sdkappid),
            ("identifier", identifier),
            ("usersig", usersig),
            ("random", random),
            ("contenttype", kind),
        ]);
        let reply = request(&sandbox, "POST", &target, &[], &body);
        assert_eq!(reply.status, 200);
        code(&reply.json())
    };
    let (app, admin) = ("1400000000", "administrator");
    assert_eq!(send("", admin, &good, "0", "json"), 60012);
    assert_eq!(send("x", admin, &good, "0", "json"), 60025);
    assert_eq!(send(app, "", &good, "0", "json"), 60025);
    assert_eq!(send(app, admin, "", "0", "json"), 60025);
    assert_eq!(send(app, admin, &good, "0", ""), 60025);
    assert_eq!(send(app, admin, &good, "0", "xml"), 60025);
    assert_eq!(send(app, admin, &good, "", "json"), 60002);
    assert_eq!(send(app, admin, &good, "4294967296", "json"), 60002);
    assert_eq!(send("1400000001", admin, &good, "0", "json"), 70020);
    assert_eq!(send(app, admin, "garbage", "0", "json"), 70003);
    assert_eq!(send(app, "leckie", &good, "0", "json"), 70013);
    let leckie = usersig("leckie", 1_400_000_000, KEY, NOW_S, 60);
    assert_eq!(send(app, "leckie", &leckie, "0", "json"), 60010);
    let other_app = usersig(admin, 1_400_000_001, KEY, NOW_S, 60);
    assert_eq!(send(app, admin, &other_app, "0", "json"), 70014);
    let other_key = usersig(admin, 1_400_000_000, "other", NOW_S, 60);
    assert_eq!(send(app, admin, &other_key, "0", "json"), 70009);
    assert_eq!(sandbox.messages(), [Value::Null; 0]);

    assert_eq!(send(app, admin, &good, "0", "json"), 0);
    clock.advance(61_000);
    assert_eq!(send(app, admin, &good, "0", "json"), 70001);
}

#[test]
fn knows_its_path_and_method() {
    let (sandbox, _) = start();
    let target = tencent_target();
    for path in ["/tencent_im", "/tencent_im/v4", "/tencent_im/v5/group_open_http_svc/x"] {
        assert_eq!(request(&sandbox, "POST", path, &[], "{}").status, 404, "{path}");
    }
    let reply = get(&sandbox, &target);
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    let other = target.replace("send_group_msg", "send_group_mgs");
    assert_eq!(code(&request(&sandbox, "POST", &other, &[], "{}").json()), 10003);
}

#[test]
fn checks_the_body_field_by_field() {
    let (sandbox, _) = start();
    for body in ["", "[]", "{", "\"x\""] {
        let reply = request(&sandbox, "POST", &tencent_target(), &[], body);
        assert_eq!(code(&reply.json()), 60003, "{body}");
    }
    let texts = |count: usize| json!(vec!["x"; count]);
    let mentions = |count| json!(vec![json!({"GroupAtAllFlag": 1}); count]);
    let custom = json!({"MsgType": "TIMCustomElem", "MsgContent": {"Data": "x"}});
    let online = |field: &str, value: Value| {
        let mut message = with("OnlineOnlyFlag", json!(1));
        message[field] = value;
        message
    };
    for (expected, message) in [
        (10004, without("GroupId")),
        (10015, with("GroupId", json!(1))),
        (10015, with("GroupId", json!(""))),
        (10010, with("GroupId", json!("@TGS#UNKNOWN"))),
        (10017, with("GroupId", json!("@TGS#MUTED"))),
        (10007, with("GroupId", json!("@TGS#FORBIDDEN"))),
        (10004, without("Random")),
        (10004, with("Random", json!("1"))),
        (10004, with("Random", json!(-1))),
        (10004, with("Random", json!(4_294_967_296_u64))),
        (10004, without("MsgBody")),
        (90002, with("MsgBody", json!({}))),
        (90002, with("MsgBody", json!([]))),
        (90010, with("MsgBody", json!(["x"]))),
        (90010, with("MsgBody", json!([{"MsgType": "TIMTextElem"}]))),
        (90010, with("MsgBody", json!([{"MsgContent": {"Text": "x"}}]))),
        (90010, element("TIMTextElem", json!({"Text": 1}))),
        (90010, element("TIMTextElem", json!({"text": "x"}))),
        (90010, element("TIMTxtElem", json!({"Text": "x"}))),
        (90010, element("TIMGroupTipElem", json!({}))),
        (90010, element("TIMFaceElem", json!({"Index": "6"}))),
        (90010, element("TIMLocationElem", json!({"Desc": "x", "Latitude": 1.5}))),
        (90010, element("TIMCustomElem", json!({"Desc": "x"}))),
        (90010, element("TIMSoundElem", json!({"Url": "u", "UUID": "i", "Download_Flag": 1}))),
        (90010, element("TIMImageElem", json!({"UUID": "i", "ImageInfoArray": []}))),
        (90010, element("TIMFileElem", json!({"Url": "u", "Download_Flag": 2}))),
        (90010, element("TIMVideoFileElem", json!({"VideoUrl": "u"}))),
        (10004, with("MsgBody", json!([custom.clone(), custom.clone()]))),
        (10004, with("MsgPriority", json!("high"))),
        (10004, with("OnlineOnlyFlag", json!("1"))),
        (10004, with("SendMsgControl", json!(["NoUnreads"]))),
        (10004, with("ForbidCallbackControl", json!("ForbidBeforeSendMsgCallback"))),
        (10004, with("CloudCustomData", json!({}))),
        (10004, online("SendMsgControl", json!(["NoLastMsg"]))),
        (10004, with("To_Account", texts(51))),
        (10004, with("To_Account", json!("x"))),
        (10004, with("To_Account", json!([""]))),
        (10053, with("GroupAtInfo", mentions(31))),
        (10004, with("GroupAtInfo", json!([{"GroupAtAllFlag": 0}]))),
        (10004, with("GroupAtInfo", json!([{"GroupAtAllFlag": 1, "GroupAt_Account": "x"}]))),
        (90043, with("OfflinePushInfo", json!("x"))),
        (90043, with("OfflinePushInfo", json!({"PushFlag": 2}))),
        (90043, with("OfflinePushInfo", json!({"AndroidInfo": {"Sound": 1}}))),
        (10019, with("From_Account", json!("stranger"))),
        (10017, with("From_Account", json!("muted"))),
    ] {
        assert_eq!(code(&tencent(&sandbox, &message)), expected, "{message}");
    }
    assert_eq!(sandbox.messages(), [Value::Null; 0]);

    let fine = [
        with("To_Account", texts(50)),
        with("GroupAtInfo", mentions(30)),
        with("MsgBody", json!([custom])),
        online("CloudCustomData", json!("x")),
        element("TIMLocationElem", json!({"Desc": "x", "Latitude": 1, "Longitude": -1.5})),
        with("Unknown", json!(1)),
    ];
    for (at, message) in fine.iter().enumerate() {
        let mut message = message.clone();
        message["Random"] = json!(at);
        assert_eq!(code(&tencent(&sandbox, &message)), 0, "{message}");
    }
    assert_eq!(sandbox.messages().len(), fine.len());
}

#[test]
fn some_options_are_not_for_every_type() {
    let (sandbox, _) = start();
    let verdict = |group: &str, field: &str, value: Value| {
        let mut message = with(field, value);
        message["GroupId"] = json!(group);
        message["Random"] = json!(group.len() + field.len());
        code(&tencent(&sandbox, &message))
    };
    let no_unread = || json!(["NoUnread"]);
    assert_eq!(verdict("@TGS#MEETING", "SendMsgControl", no_unread()), 10004);
    assert_eq!(verdict("@TGS#AVCHATROOM", "SendMsgControl", no_unread()), 10004);
    assert_eq!(verdict(GROUP, "SendMsgControl", no_unread()), 0);
    assert_eq!(verdict("@TGS#AVCHATROOM", "OnlineOnlyFlag", json!(1)), 10004);
    assert_eq!(verdict("@TGS#MEETING", "OnlineOnlyFlag", json!(1)), 0);
    assert_eq!(verdict("@TGS#AVCHATROOM", "To_Account", json!(["x"])), 10004);
    assert_eq!(verdict("@TGS#_COMMUNITY", "To_Account", json!(["x"])), 10004);
    assert_eq!(verdict("@TGS#MEETING", "To_Account", json!(["x"])), 0);
}

#[test]
fn bounds_the_serialised_body() {
    let (sandbox, _) = start();
    let empty = group_message(1, "")["MsgBody"].to_string().len();
    let fits = "x".repeat(12 * 1024 - empty);
    assert_eq!(code(&tencent(&sandbox, &group_message(1, &fits))), 0);
    assert_eq!(code(&tencent(&sandbox, &group_message(2, &format!("{fits}x")))), 80002);
}

#[test]
fn the_same_random_and_content_is_one_message_for_five_minutes() {
    let (sandbox, clock) = start();
    let first = tencent(&sandbox, &group_message(7, "hi"));
    clock.advance(299_999);
    assert_eq!(tencent(&sandbox, &group_message(7, "hi")), first);
    assert_eq!(sandbox.messages().len(), 1);
    assert_eq!(tencent(&sandbox, &group_message(8, "hi"))["MsgSeq"], 2, "another Random");
    let mut elsewhere = group_message(7, "hi");
    elsewhere["GroupId"] = json!("@TGS#12DEVUDHQ");
    assert_eq!(tencent(&sandbox, &elsewhere)["MsgSeq"], 1, "another group");
    clock.advance(1);
    assert_eq!(tencent(&sandbox, &group_message(7, "hi"))["MsgSeq"], 3, "long ago");
    assert_eq!(tencent(&sandbox, &group_message(7, "ho"))["MsgSeq"], 4, "another content");
    assert_eq!(tencent(&sandbox, &group_message(7, "ho"))["MsgSeq"], 4);
    assert_eq!(sandbox.messages().len(), 5);
}

fn burst(sandbox: &Sandbox, group: &str, count: u64) -> Vec<u64> {
    let send = |random| {
        let mut message = group_message(random, group);
        message["GroupId"] = json!(group);
        code(&tencent(sandbox, &message))
    };
    (0..count).map(send).collect()
}

#[test]
fn allows_40_messages_a_second_and_group() {
    let (sandbox, clock) = start();
    let codes = burst(&sandbox, GROUP, 41);
    assert!(codes[..40].iter().all(|code| *code == 0));
    assert_eq!(codes[40], 10023);
    assert_eq!(burst(&sandbox, "@TGS#12DEVUDHQ", 1), [0]);
    clock.advance(999);
    assert_eq!(burst(&sandbox, GROUP, 1), [10023]);
    clock.advance(1);
    assert_eq!(burst(&sandbox, GROUP, 1), [0]);
}

#[test]
fn allows_200_requests_a_second_and_app() {
    let (sandbox, clock) = start();
    // Refused requests are requests: this group does not exist.
    let codes = burst(&sandbox, "@TGS#UNKNOWN", 201);
    assert!(codes[..200].iter().all(|code| *code == 10010));
    assert_eq!(codes[200], 60007);
    sandbox.limits(false);
    assert_eq!(burst(&sandbox, GROUP, 41), [0; 41]);
    sandbox.limits(true);
    clock.advance(1000);
    assert_eq!(burst(&sandbox, GROUP, 1), [0]);
}

/// A message to users by this command.
fn to_users(sandbox: &Sandbox, command: &str, more: Value) -> Value {
    let mut body = json!({"MsgRandom": 7, "MsgSeq": 9,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let target = tencent_target().replace("group_open_http_svc/send_group_msg", command);
    let reply = request(sandbox, "POST", &target, &[], &body.to_string());
    assert_eq!(reply.status, 200);
    reply.json()
}

#[test]
fn a_user_gets_a_message_once_within_two_minutes() {
    let (sandbox, clock) = start();
    let send = || to_users(&sandbox, "openim/sendmsg", json!({"To_Account": "leckie"}));
    let first = send();
    assert_eq!((code(&first), first["MsgKey"].is_string()), (0, true));
    assert_eq!((send(), sandbox.messages().len()), (first, 1));
    clock.advance(120_000);
    assert_eq!((code(&send()), sandbox.messages().len()), (0, 2));
    for (more, expected) in [
        (json!({"To_Account": "nobody"}), 90012),
        (json!({"To_Account": ["leckie"]}), 90003),
        (json!({"To_Account": "leckie", "MsgRandom": -1}), 90005),
        (json!({"To_Account": "leckie", "MsgLifeTime": 604_801}), 90026),
        (json!({"To_Account": "leckie", "SyncOtherMachine": 3}), 90031),
        (json!({"To_Account": "leckie", "From_Account": "muted"}), 20012),
    ] {
        assert_eq!(code(&to_users(&sandbox, "openim/sendmsg", more)), expected);
    }
}

#[test]
fn several_users_are_told_of_one_by_one() {
    let (sandbox, _) = start();
    let send = |to: Value| to_users(&sandbox, "openim/batchsendmsg", json!({"To_Account": to}));
    let answer = send(json!(["leckie", "nobody", "tommy"]));
    assert_eq!(code(&answer), 0);
    assert_eq!(answer["ErrorList"], json!([{"To_Account": "nobody", "ErrorCode": 70107}]));
    assert_eq!(sandbox.messages().len(), 2);
    assert!(send(json!(["leckie"]))["ErrorList"].is_null());
    assert_eq!(code(&send(json!([]))), 90029);
    assert_eq!(code(&send(json!("leckie"))), 90028);
    assert_eq!(code(&send(json!(vec!["leckie"; 501]))), 90011);
}

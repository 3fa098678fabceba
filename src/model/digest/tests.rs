use super::*;

fn message(json: &str) -> Message {
    Message::from_json(json).expect(json)
}

fn hex(digest: [u8; 32]) -> String {
    digest.map(|byte| format!("{byte:02x}")).concat()
}

/// Computed by another program from the table at the head of the module; these never change.
#[test]
fn digests_are_those_of_every_version() {
    for (json, expected) in [
        (
            r#"{"v":1,"account":"ff"}"#,
            "d584bf163b16d627e0d15b9f4d6bb3869a3c9c9a42755552fcfcddec855015fe",
        ),
        (
            r#"{"v":1,"account":"ff","to":{"user":"lisztli"},"text":"hi"}"#,
            "d9ab44ba6d066c09bf0c772dd26c78676488b11c184cc36bcc9472554ad8fac5",
        ),
        (
            r#"{"v":1,"account":"ff","to":{"user":"lisztli","name":"b"},"text":"\"引号\" \\ \n \u0000 é e\u0301 \u200b",
                "reply_to":"x","extra":{"mode":"lite"}}"#,
            "3612d2e4ea33f3d75307c55abd1ab1bdce7968e270587a43871f295061f94843",
        ),
        (
            r#"{"v":1,"account":"im","to":{"group":"@TGS#1","topic":"t","members":["a","b"]},"parts":[
                {"type":"text","text":"a"},{"type":"mention","user":"u"},{"type":"mention","user":"u","name":"n"},
                {"type":"mention","all":true},{"type":"face","index":-3,"data":"d"},{"type":"face","index":1},
                {"type":"location","latitude":0.1,"longitude":-120.25,"address":"x"},
                {"type":"location","latitude":1,"longitude":-0.0},{"type":"custom","data":"x","sound":"s"},
                {"type":"custom","data":"x","desc":"d","ext":"e"},
                {"type":"raw","value":{"b":1.10,"a":[123456789012345678901234,"\u4e2d",null,true]}}],
                "extra":{"Random":4294967295,"OfflinePushInfo":{"PushFlag":0,"Ext":null,"x":-1,"y":1.5,"z":1e300,
                "l":[],"o":{},"q":"\"","b":false}}}"#,
            "877d24f120bc3422176db8cee434fe235c7873a931f03a8b59ec2c0831848113",
        ),
        (
            r#"{"v":1,"account":"rr","to":{"users":["1"],"groups":["2","3"],"discussions":["4"]},"parts":[
                {"type":"link","url":"http://a","title":"t"},
                {"type":"link","url":"http://a","description":"d","thumbnail":"th","image":"i"}]}"#,
            "9ca1ac4c1d143a2b509fd344383a46384362e6b3428f5683e10bca6e72d70afd",
        ),
    ] {
        assert_eq!(hex(digest(&message(json))), expected, "{json}");
    }
    for (to, expected) in [
        ("{}", "1:36374a52ac243429a88a5b5ddae46ab5f4d1ec15b912a632362edc011d1196ba"),
        (
            r#"{"user":"lisztli"}"#,
            "1:ca2667b6522fe5398ea3a256734c1728c84a405f03a6398eadcea42b26914a5b",
        ),
        (
            r#"{"members":["a","b"],"topic":"t","group":"@TGS#1"}"#,
            "1:54cfdd91467004cb376aa2d6994493ece1a3e3d7203b13aa91ffb05f3ebc5e61",
        ),
    ] {
        let to = message(&format!(r#"{{"v":1,"account":"im","to":{to}}}"#)).to;
        assert_eq!(recipient(&to), expected);
    }
}

/// Messages that say the same, each in several ways.
#[test]
fn what_says_the_same_has_one_digest() {
    for same in [
        &[
            r#"{"v":1,"account":"a","text":"x"}"#,
            r#"{"v":1,"account":"other","key":"k","ordered":true,"deadline_ms":5,"not_before_ms":7,"text":"x"}"#,
            r#"{"v":1,"account":"a","text":"x","to":null,"parts":null,"reply_to":null,"extra":null}"#,
            r#"{"v":1,"account":"a","text":"x","extra":{}}"#,
            r#"{"v":1,"account":"a","text":"x","extra":{"Random":null}}"#,
            r#"{"extra":{"a":null,"b":null},"text":"\u0078","account":"a","v":1}"#,
            r#"{"v":1,"account":"a","text":"x","to":{"user":null}}"#,
        ][..],
        &[
            r#"{"v":1,"account":"a","to":{"group":"g","topic":"t"},"extra":{"A":1,"B":{"c":[1,{"d":2,"e":3}],"f":null}}}"#,
            r#"{"v":1,"account":"a","extra":{"B":{"f":null,"c":[1,{"e":3,"d":2}]},"C":null,"A":1},"to":{"topic":"t","group":"g","user":null}}"#,
        ],
        &[
            r#"{"v":1,"account":"a","parts":[{"type":"raw","value":{"MsgType":"T","MsgContent":{"a":"\u00e9","b":[{"x":1,"y":2}]}}}]}"#,
            r#"{"v":1,"account":"a","parts":[{"value":{"MsgContent": {"b": [ {"y":2, "x":1} ], "a":"é"}, "MsgType":"T"},"type":"raw"}]}"#,
        ],
        &[
            r#"{"v":1,"account":"a","parts":[{"type":"mention","user":"u","name":null},{"type":"face","index":1}]}"#,
            r#"{"v":1,"account":"a","parts":[{"user":"u","all":false,"type":"mention"},{"data":null,"index":1,"type":"face"}]}"#,
        ],
    ] {
        let first = digest(&message(same[0]));
        same.iter().for_each(|json| assert_eq!(digest(&message(json)), first, "{json}"));
    }
}

#[test]
fn what_says_something_else_has_another_digest() {
    let fields = [
        r#""text":"""#,
        r#""text":"x""#,
        r#""text":"x ""#,
        r#""reply_to":"x""#,
        r#""parts":[{"type":"text","text":"x"}]"#,
        r#""parts":[{"type":"text","text":"x"},{"type":"text","text":""}]"#,
        r#""parts":[{"type":"text","text":""},{"type":"text","text":"x"}]"#,
        r#""parts":[{"type":"mention","user":"x"}]"#,
        r#""parts":[{"type":"mention","all":true}]"#,
        r#""parts":[{"type":"custom","data":"x"}]"#,
        r#""parts":[{"type":"custom","data":"x","desc":""}]"#,
        r#""parts":[{"type":"custom","data":"","desc":"x"}]"#,
        r#""parts":[{"type":"face","index":1}]"#,
        r#""parts":[{"type":"face","index":1,"data":"1"}]"#,
        r#""parts":[{"type":"location","latitude":1,"longitude":2}]"#,
        r#""parts":[{"type":"location","latitude":2,"longitude":1}]"#,
        r#""parts":[{"type":"raw","value":{}}]"#,
        r#""parts":[{"type":"raw","value":{"a":null}}]"#,
        r#""parts":[{"type":"raw","value":{"a":1}}]"#,
        r#""parts":[{"type":"raw","value":{"a":1.0}}]"#,
        r#""parts":[{"type":"raw","value":{"a":"1"}}]"#,
        r#""parts":[{"type":"raw","value":{"a":true}}]"#,
        r#""parts":[{"type":"raw","value":{"a":[1,2]}}]"#,
        r#""parts":[{"type":"raw","value":{"a":[2,1]}}]"#,
        r#""parts":[{"type":"raw","value":{"a":[[1],2]}}]"#,
        r#""to":{"user":"x"}"#,
        r#""to":{"name":"x"}"#,
        r#""to":{"users":["x"]}"#,
        r#""to":{"users":["x","y"]}"#,
        r#""to":{"users":["y","x"]}"#,
        r#""to":{"users":["xy"]}"#,
        r#""to":{"users":["x"],"groups":["y"]}"#,
        r#""extra":{"text":"x"}"#,
        r#""extra":{"a":1}"#,
        r#""extra":{"a":1.0}"#,
        r#""extra":{"a":-1}"#,
        r#""extra":{"a":"1"}"#,
        r#""extra":{"a":{}}"#,
        r#""extra":{"a":[]}"#,
        r#""extra":{"a":[null]}"#,
        r#""extra":{"a":{"b":null}}"#,
        r#""extra":{"a":{"b":1},"c":2}"#,
        r#""extra":{"a":{"b":1,"c":2}}"#,
    ];
    let mut seen = std::collections::HashMap::new();
    for fields in fields {
        let message = message(&format!(r#"{{"v":1,"account":"a",{fields}}}"#));
        if let Some(other) = seen.insert(digest(&message), fields) {
            panic!("{other} and {fields} have one digest");
        }
    }
}

#[test]
fn what_stands_in_a_file_is_compared_by_its_version() {
    let (one, other) = (
        Content::of(&message(r#"{"v":1,"account":"a","text":"x"}"#)),
        Content::of(&message(r#"{"v":1,"account":"a","text":"y"}"#)),
    );
    assert!(one.is(&one.stored()) && !one.is(&other.stored()));
    let legacy = |content: &Content| content.legacy.expect("it could be said before");
    assert!(one.is(&legacy(&one)) && !one.is(&legacy(&other)));
    // Of a version that is not known yet, or damaged: the key was used.
    let newer = [VERSION + 1; 33];
    assert!(one.is(&newer) && one.is(b"") && one.is(&[0; 16]));
}

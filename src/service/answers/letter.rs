//! Tests of what is almost a success: JSON and XML are read to the letter, in the format asked for.

use super::{FEED, XML_MESSAGE, is_xml, senders};
use crate::model::receipt::Delivery;

#[test]
fn a_success_in_another_format_than_was_asked_for_is_no_success() {
    let senders = senders();
    for sender in &senders {
        for other in senders.iter().filter(|other| is_xml(other.success) != is_xml(sender.success))
        {
            sender.doubts(other.success);
        }
        let is_feed = sender.success == FEED;
        for body in [FEED, XML_MESSAGE].into_iter().filter(|_| is_xml(sender.success)) {
            if (body == FEED) != is_feed {
                sender.doubts(body);
            }
        }
    }
}

#[test]
fn json_is_read_to_the_letter() {
    for sender in senders().iter().filter(|sender| !is_xml(sender.success)) {
        let (service, success) = (sender.service, sender.success);
        let spaced = format!(" \t\r\n{success}\n\t \r");
        assert_eq!(sender.decode(200, &spaced).delivery, Delivery::Sent, "{service}");
        for around in [
            "\u{a0}", "\u{3000}", "\u{feff}", "\u{85}", "\u{2028}", "\u{2003}", "\u{200b}",
            "\u{b}", "\u{c}", "\0", ",", "x", "//\n", "/**/", "\u{1a}", ";", "0", "{}", "[", "\"",
        ] {
            sender.doubts(format!("{around}{success}"));
            sender.doubts(format!("{success}{around}"));
            sender.doubts(format!(" {success} {around} "));
        }
        sender.doubts(format!("[{success}]"));
        if !success.is_empty() {
            sender.doubts(format!("{success}\n{success}"));
        }
        sender.doubts([success.as_bytes(), b"\xff"].concat());
        let members = success.trim_end_matches('}');
        for member in [
            ",",
            ",\"x\"",
            ",\"x\":",
            ",x:1",
            ",'x':1",
            ",\"x\":'y'",
            ",\"x\":01",
            ",\"x\":+1",
            ",\"x\":.5",
            ",\"x\":1.",
            ",\"x\":1e",
            ",\"x\":0x1",
            ",\"x\":-",
            ",\"x\":--1",
            ",\"x\":NaN",
            ",\"x\":True",
            ",\"x\":nul",
            ",\"x\":undefined",
            ",\"x\":\"\n\"",
            ",\"x\":\"\t\"",
            ",\"x\":\"\0\"",
            ",\"x\":\"\\x41\"",
            ",\"x\":\"\\u12\"",
            ",\"x\":\"\\",
            ",\"x\":[1,]",
            ",\"x\":{\"y\":1,}",
            ",\"x\":[}",
            ",\"x\":{]",
            ",\"x\":1,",
            ",\"x\":1 2",
            ",\u{a0}\"x\":1",
            ",\"x\"\u{3000}:1",
            ",\"x\":\u{feff}1",
            ",\"\u{1}\":1",
        ] {
            sender.doubts(format!("{members}{member}}}"));
        }
        let latin = [members.as_bytes(), b",\"x\":\"\xe9\"}"].concat();
        sender.doubts(latin);
        let surrogate = [members.as_bytes(), b",\"x\":\"\xed\xa0\x80\"}"].concat();
        sender.doubts(surrogate);
    }
}

#[test]
fn json_that_contradicts_itself_is_no_success() {
    for sender in senders().iter().filter(|sender| !is_xml(sender.success)) {
        let members = sender.success.trim_end_matches('}');
        for beside in &sender.contradictions {
            sender.doubts(format!("{members},{beside}}}"));
            sender.doubts(format!("{{{beside},{}", &sender.success[1..]));
        }
    }
}

#[test]
fn an_id_that_is_none_is_no_success() {
    for sender in senders() {
        if is_xml(sender.success) || !sender.success.contains("\"id\"") {
            continue;
        }
        for id in [
            "1.0",
            "1.5",
            "-1",
            "-0",
            "1e3",
            "1E0",
            "01",
            "+1",
            "true",
            "false",
            "null",
            "[]",
            "{}",
            "[1]",
            "\"\"",
            "\" \"",
            "\"\\ud800\"",
            "\"\\u0020\"",
            "NaN",
            "0x1",
            "",
        ] {
            sender.doubts(format!("{{\"id\":{id},\"text\":\"hello\"}}"));
        }
    }
}

#[test]
fn xml_is_read_to_the_letter() {
    for sender in senders().iter().filter(|sender| is_xml(sender.success)) {
        let (declaration, root) = sender.success.split_once('\n').expect("a declaration");
        let sent = |body: &str| {
            let delivery = sender.decode(200, body).delivery;
            assert_eq!(delivery, Delivery::Sent, "{} {body:?}", sender.service);
        };
        let (before, end) = root.rsplit_once("</").expect("an end tag");
        let inside = |inside: &str| format!("{before}{inside}</{end}");
        for body in [
            root.to_owned(),
            format!("\u{feff}{root}"),
            format!("\u{feff}{declaration}{root}"),
            format!(" \t\r\n{root}\n<!-- c --><?pi?> "),
            format!("<?xml version='1.0' ?>{root}"),
            inside("<!-- c --><x y=\"&lt;&#10;\" z='\"'/>&amp;&#x20AC;<![CDATA[<&]]>"),
        ] {
            sent(&body);
        }
        for body in [
            format!(" {declaration}{root}"),
            format!("\n{declaration}{root}"),
            format!("<!-- c -->{declaration}{root}"),
            format!("{declaration}{declaration}{root}"),
            format!("{root}{declaration}"),
            format!("<?xml version=\"9\"?>{root}"),
            format!("<?xml version=\"1.1\"?>{root}"),
            format!("<?xml?>{root}"),
            format!("<?xml encoding=\"UTF-8\"?>{root}"),
            format!("<?xml version=\"1.0\" encoding=\"GBK\"?>{root}"),
            format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{root}"),
            format!("<?xml version=\"1.0\" standalone=\"perhaps\"?>{root}"),
            format!("<!DOCTYPE x>{root}"),
            format!("<!DOCTYPE x [<!ENTITY e 'f'>]>{root}"),
            format!("{root}{root}"),
            format!("{root}x"),
            format!("{root}&#32;"),
            format!("{root}\0"),
            format!("{root}<!-- -- -->"),
            format!("{root}<"),
            format!("x{root}"),
            format!("\u{a0}{root}"),
            format!("{root}\u{a0}"),
            format!("\u{feff}\u{feff}{root}"),
        ] {
            sender.doubts(body);
        }
        for wrong in [
            "&nbsp;",
            "&x;",
            "&",
            "&#1;",
            "&#0;",
            "&#xD800;",
            "&#xFFFF;",
            "&#x110000;",
            "]]>",
            "<x>",
            "</x>",
            "<x y='&nbsp;'/>",
            "<x y='&#1;'/>",
            "<x y='<'/>",
            "<x y='1' y='2'/>",
            "<x y=1/>",
            "<x y/>",
            "<x y='1'z='2'/>",
            "<1/>",
            "<x/ >",
            "<!-- -- -->",
            "<!-- --->",
            "<!-- ",
            "<?xml x?>",
            "<?XML?>",
            "<![CDATA[",
            "<!x>",
            "\u{1}",
            "\u{b}",
            "\u{ffff}",
        ] {
            sender.doubts(inside(wrong));
        }
        sender.doubts([before.as_bytes(), b"\xe9</", end.as_bytes()].concat());
    }
}

#[test]
fn xml_that_contradicts_itself_is_no_success() {
    for sender in senders().iter().filter(|sender| is_xml(sender.success)) {
        let (before, end) = sender.success.rsplit_once("</").expect("an end tag");
        for beside in [
            "<error>no</error>",
            "<error/>",
            "<error_code>400</error_code>",
            "<error_code>0</error_code>",
            "<error_code/>",
            "<errors/>",
            "<message>no</message>",
            "<code>502</code>",
            "<errors><error>no</error></errors>",
            "<error_code>400</error_code><error>40017:Error: no</error>",
            "<request>/x</request><error>no</error>",
        ] {
            sender.doubts(format!("{before}{beside}</{end}"));
        }
        if sender.success != FEED {
            for wrong in ["<id>1</id>", "<id/>"] {
                sender.doubts(format!("{before}{wrong}</{end}"));
            }
            for id in ["", " ", "<b/>", "<b>1</b>", "<!-- 1 -->", "&#32;"] {
                sender.doubts(sender.success.replace("2077", id));
            }
            sender.doubts(sender.success.replace("direct_message", "status"));
        }
    }
}

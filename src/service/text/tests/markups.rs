use super::*;

const MARKDOWN: &str = "\
# Head *it*

**bold *both*** `co*de` ~~gone~~ [link](https://e.com/a_b?x=1&y=2)
1 < 2 & 3

- a
  1. x

> quote

```rust
fn main() {}
```

| h1 | h2 |
|----|----|
| c1 | **c2** |
";

fn formatted(markup: Markup) -> String {
    one(json!({"title": "T", "text": MARKDOWN, "format": "markdown"}), markup).text
}

#[test]
fn plain_text_has_no_markup() {
    let text = "T\nHead it\n\nbold both co*de gone link (https://e.com/a_b?x=1&y=2)\n1 < 2 & 3\n\n\
        - a\n  1. x\n\n> quote\n\nfn main() {}\n\nh1\th2\nc1\tc2";
    assert_eq!(formatted(Markup::Plain), text);
    let piece = one(json!({"text": MARKDOWN, "format": "markdown"}), Markup::Plain);
    let notes: Vec<_> = piece.notes().into_iter().map(|note| note.name).collect();
    assert_eq!(notes, ["converted"]);
    assert!(!piece.marked);
    let html = "<p>a&nbsp;<b>b</b><br>c <a href=https://e.com>https://e.com</a> <a href='/x'>y</a></p>\n \
        <ul>\n<li>one <li>two</ul><script>no</script>&copy;";
    let text = one(json!({"text": html, "format": "html"}), Markup::Plain).text;
    assert_eq!(text, "a\u{a0}b\nc https://e.com y (/x)\n\n- one\n- two\n\n©");
}

#[test]
fn every_markup_has_its_own_marks() {
    assert_eq!(
        formatted(Markup::SlackMrkdwn),
        "*T*\n*Head _it_*\n\n*bold _both_* `co*de` ~gone~ <https://e.com/a_b?x=1&amp;y=2|link>\n\
         1 &lt; 2 &amp; 3\n\n- a\n  1. x\n\n> quote\n\n```\nfn main() {}\n```\n\nh1\th2\nc1\t*c2*"
    );
    assert_eq!(
        formatted(Markup::Discord),
        "**T**\n# Head *it*\n\n**bold *both*** `co*de` ~~gone~~ [link](https://e.com/a_b?x=1&y=2)\n\
         1 \\< 2 & 3\n\n- a\n  1. x\n\n> quote\n\n```rust\nfn main() {}\n```\n\nh1\th2\nc1\t**c2**"
    );
    assert_eq!(
        formatted(Markup::CommonMark),
        "**T**\n\n# Head *it*\n\n**bold *both*** `co*de` ~~gone~~ [link](https://e.com/a_b?x=1&y=2)\n\
         1 &lt; 2 & 3\n\n- a\n  1. x\n\n> quote\n\n```rust\nfn main() {}\n```\n\n\
         | h1 | h2 |\n| --- | --- |\n| c1 | **c2** |"
    );
    assert_eq!(
        formatted(Markup::MatrixHtml),
        "<p><strong>T</strong></p><h1>Head <em>it</em></h1><p><strong>bold <em>both</em></strong> \
         <code>co*de</code> <del>gone</del> <a href=\"https://e.com/a_b?x=1&amp;y=2\">link</a>\n\
         1 &lt; 2 &amp; 3</p><ul><li>a<ol><li>x</li></ol></li></ul><blockquote><p>quote</p></blockquote>\
         <pre><code class=\"language-rust\">fn main() {}</code></pre><table><tr><td>h1</td><td>h2</td></tr>\
         <tr><td>c1</td><td><strong>c2</strong></td></tr></table>"
    );
    let wecom =
        "**T**\n# Head it\n\n**bold both** `co*de` gone [link](https://e.com/a_b?x=1&y=2)\n";
    assert!(formatted(Markup::WeCom).starts_with(wecom));
    let html = one(json!({"text": MARKDOWN, "format": "markdown"}), Markup::Html);
    assert!(html.plain.starts_with("Head it\n\nbold both"), "{}", html.plain);
}

#[test]
fn telegram_is_told_what_is_formatted_beside_the_text() {
    let text = "👍 **bold 字** [l](https://e.com) `c`\n\n> q **b**\n\n```rust\nx\n```";
    let piece = one(json!({"text": text, "format": "markdown"}), Markup::TelegramEntities);
    assert_eq!(piece.text, "👍 bold 字 l c\n\nq b\n\nx");
    let entities: Vec<_> =
        piece.entities.iter().map(|e| (e.kind, e.offset, e.length, &*e.value)).collect();
    assert_eq!(
        entities,
        [
            ("bold", 3, 6, ""),
            ("text_link", 10, 1, "https://e.com"),
            ("code", 12, 1, ""),
            ("blockquote", 15, 3, ""),
            ("bold", 17, 1, ""),
            ("pre", 20, 1, "rust"),
        ]
    );
}

#[test]
fn a_feishu_post_is_lines_of_elements() {
    let parts = json!([
        {"type": "text", "text": "**a** [b](https://e.com)\n\n"},
        {"type": "mention", "user": "ou_1", "name": "Bo"},
        {"type": "mention", "all": true},
    ]);
    let post = one(json!({"parts": parts, "format": "markdown"}), Markup::FeishuPost);
    assert_eq!(
        serde_json::from_str::<Value>(&post.text).expect("JSON"),
        json!([
            [
                {"tag": "text", "text": "a", "style": ["bold"]},
                {"tag": "text", "text": " "},
                {"tag": "a", "text": "b", "href": "https://e.com"},
            ],
            [],
            [{"tag": "at", "user_id": "ou_1"}, {"tag": "at", "user_id": "all"}],
        ])
    );
}

#[test]
fn what_is_native_is_sent_as_it_is() {
    for (format, markup, text) in [
        ("markdown", Markup::CommonMark, "a *b*  _c_\n====\n"),
        ("html", Markup::Html, "<P>a<custom>b"),
    ] {
        let piece = one(json!({"text": text, "format": format}), markup);
        assert_eq!((piece.text.as_str(), piece.converted), (text, false));
    }
    let plain = json!({"text": "*a* <b> @all\n"});
    for markup in [Markup::Plain, Markup::TelegramEntities] {
        assert_eq!(one(plain.clone(), markup).text, "*a* <b> @all\n");
    }
}

#[test]
fn plain_text_is_no_markup_and_calls_nobody() {
    let text = "*a* _b_ `c` <@U1> <!channel> @all [x](y) a_b https://e.com/a_b_c";
    for (markup, sent) in [
        (
            Markup::SlackMrkdwn,
            "*a* _b_ `c` &lt;@U1&gt; &lt;!channel&gt; @all [x](y) a_b https://e.com/a_b_c",
        ),
        (
            Markup::Discord,
            "\\*a\\* \\_b\\_ \\`c\\` \\<@U1> \\<!channel> @all \\[x](y) a\\_b https://e.com/a_b_c",
        ),
        (
            Markup::CommonMark,
            "\\*a\\* \\_b\\_ \\`c\\` &lt;@\u{200b}U1> &lt;!channel> @\u{200b}all \\[x\\](y) a\\_b \
             <https://e.com/a_b_c>",
        ),
        (
            Markup::Zulip,
            "&#42;a&#42; _b_ &#96;c&#96; &lt;@U1> &lt;!channel> @all [x&#93;(y) a_b \
             https://e.com/a_b_c",
        ),
        (
            Markup::WeCom,
            "*\u{200a}a* _b_ `\u{200a}c` <\u{200a}@U1> <\u{200a}!channel> @all [x]\u{200a}(y) a_b \
             https://e.com/a_b_c",
        ),
        (
            Markup::MatrixHtml,
            "*a* _b_ `c` &lt;@U1&gt; &lt;!channel&gt; @all [x](y) a_b https://e.com/a_b_c",
        ),
    ] {
        let piece = one(json!({"text": text}), markup);
        assert_eq!(piece.text, sent, "{markup:?}");
        assert!(!piece.marked);
    }
    // What begins a line.
    let lines = json!({"text": "# a\n- b\n1. c\n> d\n    e\n==="});
    assert_eq!(
        one(lines, Markup::CommonMark).text,
        "\\# a  \n\\- b  \n1\\. c  \n\\> d  \n\u{a0}\u{a0}\u{a0}\u{a0}e  \n\\==="
    );
}

#[test]
fn what_no_backslash_keeps_from_being_markup_is_written_by_its_number() {
    let text = "/me @**all** ~~s~~ $$y$$ :tada: 10:30 &amp; | a^b\n___\n# h\n- i\n1. n\n    c";
    assert_eq!(
        one(json!({"text": text}), Markup::Zulip).text,
        "&#47;me @&#42;&#42;all&#42;&#42; &#126;&#126;s&#126;&#126; &#36;$y&#36;$ &#58;tada: 10:30 \
         &amp;amp; &#124; a&#94;b\n&#95;__\n&#35; h\n&#45; i\n1&#46; n\n\u{a0}\u{a0}\u{a0}\u{a0}c"
    );
    for (html, sent) in [
        ("<a href=https://e.com>[a]</a>!<a href=https://f.com>b</a>", {
            "[&#91;a&#93;](https://e.com)&#33;[b](https://f.com)"
        }),
        ("<h2>a #</h2>\\<code>b`</code>", "## a &#35;\n\n&#92;`` b` ``"),
        ("<b>a*</b><i>b</i>", "**a&#42;**\u{200a}*b*"),
    ] {
        assert_eq!(one(json!({"text": html, "format": "html"}), Markup::Zulip).text, sent);
    }
    assert_eq!(link(Markup::Zulip, "a[1]\n.png", "/x/a(1).png"), {
        "[a&#91;1&#93; .png](/x/a%281%29.png)"
    });
    // Rocket.Chat has an escape for few characters only.
    let lines = json!({"text": "# a\n- b\n1. c\n> d\n* e"});
    assert_eq!(
        one(lines, Markup::RocketChat).text,
        "\\# a\n\u{200b}- b\n1\\. c\n\u{200b}> d\n\\* e"
    );
}

#[test]
fn the_name_of_an_emoji_between_colons_stands_for_itself() {
    let text = "a :tada: b:100:c 10:30:45 k: v https://e.com:80:x:";
    for (markup, sent) in [
        (Markup::Kook, "a \\:tada: b\\:100:c 10:30:45 k: v https://e.com:80:x:"),
        (Markup::Zulip, "a &#58;tada: b&#58;100:c 10:30:45 k: v https://e.com:80:x:"),
    ] {
        assert_eq!(one(json!({"text": text}), markup).text, sent, "{markup:?}");
    }
}

#[test]
fn kook_has_marks_of_its_own_for_underlined_words() {
    let html = "<u>a(b</u> <b><u>c</u></b>";
    let piece = one(json!({"text": html, "format": "html"}), Markup::Kook);
    assert_eq!(piece.text, "(ins)a\\(b(ins) **(ins)c(ins)**");
}

#[test]
fn a_mention_of_zulip_s_stands_behind_a_blank() {
    for (before, sent) in [
        ("x", "x @**Bob|42**"),
        ("x:", "x: @**Bob|42**"),
        ("(", "(@**Bob|42**"),
        ("[", "[ @**Bob|42**"),
        ("x\n", "x\n@**Bob|42**"),
    ] {
        let mention = json!({"type": "mention", "user": "42", "name": "Bob"});
        let parts = json!([{"type": "text", "text": before}, mention]);
        assert_eq!(one(json!({"parts": parts}), Markup::Zulip).text, sent, "{before:?}");
    }
}

#[test]
fn marks_are_kept_apart_where_they_would_show() {
    for (markup, text, sent) in [
        (Markup::CommonMark, "<b>你好。</b>世界", "**你好。**\u{200a}世界"),
        (Markup::CommonMark, "<b>a</b><i>b</i>", "**a**\u{200a}*b*"),
        (Markup::CommonMark, "x<b> a </b>y", "x **a** y"),
        (Markup::CommonMark, "<b>a<br>b</b>", "**a**  \n**b**"),
        (Markup::CommonMark, "a!<a href=https://e.com>b</a>", "a\\![b](https://e.com)"),
        (Markup::SlackMrkdwn, "a<b>b</b>c", "a\u{200b}*b*\u{200b}c"),
        (Markup::SlackMrkdwn, "<b>a<br>b</b>", "*a*\n*b*"),
        (Markup::Discord, "<code>a`b</code>", "`` a`b ``"),
        (Markup::SlackMrkdwn, "<code>a`b</code>", "a`b"),
        (Markup::CommonMark, "<b><i>a</b>b</i>", "***a***\u{200a}*b*"),
        (
            Markup::CommonMark,
            "<a href=\"https://e.com/(x y)\">[a]</a>",
            "[\\[a\\]](https://e.com/%28x%20y%29)",
        ),
        (Markup::CommonMark, "<a href=\"javascript:x\">a</a>", "a (javascript:x)"),
        (
            Markup::MatrixHtml,
            "<a href=\"https://e.com/&quot;>\">a</a>",
            "<a href=\"https://e.com/%22%3E\">a</a>",
        ),
        (Markup::CommonMark, "<pre>a\n```\nb</pre>", "````\na\n```\nb\n````"),
    ] {
        assert_eq!(one(json!({"text": text, "format": "html"}), markup).text, sent, "{text}");
    }
}

#[test]
fn mentions_are_written_as_the_service_reads_them() {
    let parts = json!([
        {"type": "text", "text": "hi"},
        {"type": "mention", "user": "42", "name": "Bob"},
        {"type": "text", "text": "go *x*"},
    ]);
    for (markup, sent) in [
        (Markup::Plain, "hi @Bob go *x*"),
        (Markup::PlainById, "hi @42 go *x*"),
        (Markup::Marked, "hi\u{fdd1}ugo *x*"),
        (Markup::TelegramEntities, "hiBobgo *x*"),
        (Markup::SlackMrkdwn, "hi<@42>go *\u{200a}x*"),
        (Markup::Discord, "hi<@42>go \\*x\\*"),
        (Markup::CommonMark, "hi @Bob go \\*x\\*"),
        (Markup::RocketChat, "hi @Bob go \\*x\\*"),
        (Markup::GoogleChat, "hi<users/42>go *\u{200a}x*"),
        (Markup::Zulip, "hi @**Bob|42**go &#42;x&#42;"),
        (Markup::Kook, "hi(met)42(met)go \\*x\\*"),
        (Markup::Qq, "hi<qqbot-at-user id=\"42\" />go \\*x\\*"),
        (Markup::DingTalk, "hi @42 go \\*x\\*"),
        (Markup::WeCom, "hi<@42>go *\u{200a}x*"),
        (Markup::AdaptiveCard, "hi<at>Bob</at>go \\*x\\*"),
        (Markup::MatrixHtml, "hi<a href=\"https://matrix.to/#/42\">Bob</a>go *x*"),
    ] {
        let piece = one(json!({"parts": parts}), markup);
        assert_eq!(piece.text, sent, "{markup:?}");
        assert_eq!(piece.mentions, [("42".to_owned(), Some("Bob".to_owned()))]);
        assert!(!piece.mentions_all);
    }
    let all = json!({"parts": [{"type": "mention", "all": true}]});
    let piece = one(all.clone(), Markup::SlackMrkdwn);
    assert_eq!((&*piece.text, piece.mentions_all), ("<!channel>", true));
    let error = compose(&message(all), &rules(Markup::TelegramEntities)).unwrap_err();
    assert_eq!((error.code(), error.path()), (ErrorCode::Unsupported, Some("parts[0]")));
    let face = json!({"parts": [{"type": "text", "text": "x"}, {"type": "face", "index": 1}]});
    let error = compose(&message(face), &rules(Markup::Discord)).unwrap_err();
    assert_eq!((error.code(), error.path()), (ErrorCode::Unsupported, Some("parts[1]")));
    let forged = json!({"parts": [{"type": "mention", "user": "U1> <!channel"}]});
    let error = compose(&message(forged), &rules(Markup::SlackMrkdwn)).unwrap_err();
    assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some("parts[0].user")));
    let lost = json!({"format": "html", "parts": [
        {"type": "text", "text": "<!-- "},
        {"type": "mention", "user": "U1"},
        {"type": "text", "text": " -->"},
    ]});
    let error = compose(&message(lost), &rules(Markup::SlackMrkdwn)).unwrap_err();
    assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some("parts")));
}

use super::*;

#[test]
fn a_title_is_the_first_line() {
    let both = json!({"title": "T", "text": "x"});
    let rules = Rules { unit: Unit::Bytes, most: 3, ..rules(Markup::Plain) };
    assert_eq!(texts(both.clone(), &rules), ["T\nx"]);
    assert_eq!(texts(both, &Rules { title: Title::Own, ..rules }), ["x"]);
    let two_lines = json!({"title": "T\nU", "text": "  x"});
    assert_eq!(texts(two_lines, &Rules { most: 9, ..rules }), ["T U\n  x"]);
    assert_eq!(texts(json!({"title": "T"}), &rules), ["T"]);
}

#[test]
fn what_is_too_long_is_refused_cut_or_split() {
    let long = |overflow: &str| json!({"text": "ab cd 👍🏽 ef", "overflow": overflow});
    let points = |most| Rules { most, ..rules(Markup::Plain) };
    let error = compose(&message(long("refuse")), &points(10)).unwrap_err();
    assert_eq!((error.code(), error.path()), (ErrorCode::TooLarge, Some("text")));
    assert_eq!(error.words(), "the text has 11 characters; the service takes 10");
    assert_eq!(texts(long("refuse"), &points(11)), ["ab cd 👍🏽 ef"]);
    assert_eq!(texts(long("truncate"), &points(10)), ["ab cd 👍🏽…"]);
    assert_eq!(texts(long("truncate"), &points(8)), ["ab cd…"]);
    assert_eq!(texts(long("truncate"), &points(1)), ["…"]);
    assert_eq!(texts(long("split"), &points(8)), ["ab cd 👍🏽", "ef"]);
    assert_eq!(texts(long("split"), &points(7)), ["ab cd", "👍🏽 ef"]);
    let error = compose(&message(long("split")), &points(1)).unwrap_err();
    assert_eq!(error.words(), "the text has 11 characters; the service takes 1");
    let truncated = composed(long("truncate"), &points(8)).remove(0);
    assert_eq!(truncated.notes().iter().map(|note| &*note.name).collect::<Vec<_>>(), ["truncated"]);
}

#[test]
fn pieces_end_where_readers_pause() {
    let split = |text: &str, most: usize| {
        let fields = json!({"text": text, "overflow": "split"});
        texts(fields, &Rules { most, ..rules(Markup::Plain) })
    };
    assert_eq!(split("one two\n\nthree four\nfive six", 20), ["one two", "three four\nfive six"]);
    assert_eq!(split("one two three\nfour five", 18), ["one two three", "four five"]);
    assert_eq!(split("one two three", 9), ["one two", "three"]);
    assert_eq!(split("天地玄黄，宇宙洪荒。日月盈昃", 7), ["天地玄黄，", "宇宙洪荒。", "日月盈昃"]);
    assert_eq!(split("x\n\n\n  y", 4), ["x", "  y"]);
    assert_eq!(split("abcdefgh", 3), ["abc", "def", "gh"]);
    // Nothing but blanks is left between pieces.
    assert_eq!(split("abc\u{1} \u{1}de", 4), ["abc\u{1}", "\u{1}de"]);
    // A paragraph that is not much of a piece is not one.
    assert_eq!(split(&format!("ab\n\n{}", "x".repeat(50)), 40)[0].len(), 40);
    assert_eq!(split("👩‍👩‍👧👩‍👩‍👧", 6), ["👩‍👩‍👧", "👩‍👩‍👧"]);
    let url = format!("see https://e.com/{} now", "x".repeat(25));
    assert_eq!(split(&url, 40), ["see", &url[4..43], "now"]);
}

#[test]
fn a_piece_never_ends_within_a_link_or_a_mention() {
    let text = "aa **bb [cc dd ee](https://e.com) ff** gg";
    let fields = json!({"text": text, "format": "markdown", "overflow": "split"});
    let pieces = texts(fields, &Rules { most: 34, ..rules(Markup::Discord) });
    assert_eq!(pieces, ["aa **bb**", "**[cc dd ee](https://e.com) ff**", "gg"]);
    let parts = json!([
        {"type": "text", "text": "xxxx "},
        {"type": "mention", "user": "1234567890"},
        {"type": "text", "text": " yyy"},
    ]);
    let fields = json!({"parts": parts, "overflow": "split"});
    let pieces = composed(fields.clone(), &Rules { most: 14, ..rules(Markup::SlackMrkdwn) });
    let texts: Vec<_> = pieces.iter().map(|piece| &*piece.text).collect();
    assert_eq!(texts, ["xxxx", "<@1234567890>", "yyy"]);
    let called: Vec<_> = pieces.iter().map(|piece| piece.mentions.len()).collect();
    assert_eq!(called, [0, 1, 0]);
    let error = compose(&message(fields), &Rules { most: 8, ..rules(Markup::SlackMrkdwn) });
    assert_eq!(error.unwrap_err().code(), ErrorCode::TooLarge);
}

#[test]
fn formatting_is_closed_and_begins_anew() {
    let text = "> **one two**\n\n```rust\nthree\nfour\n```\n\n3. five six\n4. seven";
    let fields = json!({"text": text, "format": "markdown", "overflow": "split"});
    let pieces = texts(fields.clone(), &Rules { most: 20, ..rules(Markup::CommonMark) });
    assert_eq!(
        pieces,
        ["> **one two**", "```rust\nthree\n```", "```rust\nfour\n```", "3. five six\n4. seven"]
    );
    let pieces = texts(fields, &Rules { most: 66, ..rules(Markup::MatrixHtml) });
    assert_eq!(pieces[0], "<blockquote><p><strong>one two</strong></p></blockquote>");
    assert_eq!(pieces.last().map(String::as_str), Some("<ol start=\"4\"><li>seven</li></ol>"));
}

/// A text of 64 KiB that some parser might take long for, or too deep.
fn hostile() -> Vec<(&'static str, String)> {
    let fill = |unit: &str| unit.repeat((1 << 16) / unit.len());
    let half = |unit: &str| unit.repeat((1 << 15) / unit.len());
    let markdown = [
        "[",
        "![",
        "](",
        "[a](",
        "*a ",
        "**a",
        "_a",
        "*a_ ",
        "`",
        "`a``",
        "~",
        "~~a",
        "<",
        "<a ",
        "<!--",
        "&",
        "> ",
        ">",
        "- ",
        "1. ",
        "# ",
        "|",
        "a|b\n",
        "\\",
        "\n",
        " ",
        "\t",
        "a\n\n",
        "- a\n",
        "[a]: b\n",
        "<b>",
        "<div>\n\n",
        "https://",
        "a@b.c ",
        "[^a]",
        "<?",
        "![[",
        "``` \n",
        "x\u{fdd1}",
        "\u{0}",
        "e\u{301}",
        "\u{301}",
        "👩\u{200d}",
        "字",
        "[[]()](",
    ];
    let html = [
        "<b>",
        "<b><i>",
        "<p>",
        "<div>",
        "<ul><li>",
        "<table><tr><td>",
        "<table>",
        "</b>",
        "<a href=x>",
        "<",
        "<a ",
        "<!--",
        "&amp;",
        "&",
        "<pre>",
        "<br>",
        " ",
        "<h1>",
        "<blockquote>",
        "<script>",
        "<b a=\"",
        "<img alt=x src=y>",
        "<span class=\"tg-spoiler\">x",
        "<textarea>",
    ];
    let mut texts = Vec::new();
    texts.extend(markdown.iter().map(|unit| ("markdown", fill(unit))));
    texts.extend(html.iter().map(|unit| ("html", fill(unit))));
    texts.extend(markdown.iter().take(16).map(|unit| ("plain", fill(unit))));
    texts.push(("markdown", half("[") + &half("]")));
    texts.push(("markdown", half("*") + &half("a*")));
    texts.push((
        "markdown",
        format!("{}\n{}\n{}", "|a".repeat(1 << 12), "|-".repeat(1 << 12), "a\n".repeat(1 << 13)),
    ));
    texts.push(("markdown", (0..4000).map(|n| "`".repeat(n % 250) + "a").collect()));
    texts.push(("html", half("<b>") + &half("</b>")));
    texts.push(("html", half("<b><p>") + &half("x</b>")));
    texts
}

#[test]
fn a_hostile_text_is_neither_slow_nor_too_deep() {
    // A small stack shows what is nested; a test that hangs shows what is slow.
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(|| {
        for (format, text) in hostile() {
            for (markup, overflow, most) in [
                (Markup::TelegramEntities, "truncate", 4096),
                (Markup::CommonMark, "truncate", 16_000),
                (Markup::MatrixHtml, "truncate", 60_000),
            ] {
                let mut message =
                    message(json!({"title": "T", "format": format, "overflow": overflow}));
                message.text = Some(text.clone());
                let pieces = compose(&message, &Rules { most, ..rules(markup) });
                let is_within = |piece: &Piece| piece.text.chars().count() <= most;
                assert!(pieces.is_ok_and(|pieces| pieces.iter().all(is_within)), "{text:.20}");
            }
        }
    });
    thread.expect("a thread").join().expect("no text is too much");
}

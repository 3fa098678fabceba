use super::*;

/// Texts of these characters, in which no markup can be read, or hardly.
const LETTERS: [char; 24] = [
    'a', 'Z', '7', '0', ' ', ' ', ' ', ',', '?', '\'', '字', '，', '。', '、', '！', '？', '（',
    '）', '「', '」', 'é', 'ß', 'я', 'ا',
];
/// And of these, which the writer has to look at.
const OTHERS: [char; 14] = [
    '.', '*', '_', '<', '@', '#', '\n', '\t', '\u{a0}', '\u{3000}', '\u{200b}', '-', '👍',
    '\u{301}',
];

/// The characters of a text of this number: any number has another.
fn text(mut number: u64, letters: &[char]) -> String {
    let mut text = String::new();
    while number > 0 {
        text.push(letters[(number % letters.len() as u64) as usize]);
        number /= letters.len() as u64;
    }
    text
}

#[test]
fn what_is_taken_for_harmless_the_writer_would_write_no_other_way() {
    let all: Vec<_> = LETTERS.into_iter().chain(OTHERS).collect();
    let mut taken = 0;
    for markup in ALL {
        let rules = rules(markup);
        for n in 0..3000_u64 {
            let number = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (n % 48);
            for letters in [&LETTERS[..], &all] {
                let message = message(json!({"text": format!("x{}", text(number, letters))}));
                let Some(text) = harmless(&message, &rules) else { continue };
                let pieces = written(&message, &rules).expect("there is no limit");
                let [piece] = pieces.as_slice() else { panic!("{} pieces", pieces.len()) };
                assert_eq!(piece.text, text, "{markup:?}");
                assert!(
                    !piece.marked && !piece.converted && piece.plain.is_empty(),
                    "{markup:?}: {text:?}"
                );
                taken += 1;
            }
        }
    }
    assert!(taken > 3000, "{taken} texts only were taken for harmless");
}

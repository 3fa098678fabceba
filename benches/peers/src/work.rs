//! The messages that every client sends: those of benches/c/work.h.

use std::sync::OnceLock;

/// What is sent before measuring begins.
pub const WARM_UP: u64 = 600;
/// Every such message is refused.
pub const REFUSED_EVERY: u64 = 50;
/// The code of the refusal.
pub const REFUSAL: u64 = 20301;
/// Where the messages go, below the base URL.
pub const PATH: &str = "/2/direct_messages/send.json";

const PROSE: &str = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。\
                     闰余成岁，律吕调阳。云腾致雨，露结为霜。金生丽水，玉出昆冈。\
                     剑号巨阙，珠称夜光。果珍李柰，菜重芥姜。海咸河淡，鳞潜羽翔。\
                     龙师火帝，鸟官人皇。始制文字，乃服衣裳。推位让国，有虞陶唐。";
const LENGTHS: [[usize; 3]; 2] = [[8, 24, 70], [10, 140, 290]];

/// Characters of prose in the texts, by BENCH_TEXTS in the environment.
fn lengths() -> &'static [usize; 3] {
    static CHOSEN: OnceLock<&[usize; 3]> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let long = std::env::var("BENCH_TEXTS").is_ok_and(|texts| texts == "long");
        &LENGTHS[usize::from(long)]
    })
}

/// One message.
pub struct Message {
    /// The credentials of its account.
    pub token: String,
    /// Its recipient.
    pub uid: String,
    /// Its text.
    pub text: String,
}

impl Message {
    /// The message of this number.
    pub fn new(number: u64) -> Message {
        let mut prose = lengths()[(number % 3) as usize] * 3;
        let mut text = format!("{number} ");
        while prose > 0 {
            let piece = prose.min(PROSE.len());
            text.push_str(&PROSE[..piece]);
            prose -= piece;
        }
        let uid = if number % REFUSED_EVERY == REFUSED_EVERY - 1 {
            "5000020301".to_owned()
        } else {
            (2_125_034_703 + number % 100).to_string()
        };
        Message { token: format!("2.00BENCHmarkTokenOfAccount{}", number % 4), uid, text }
    }

    /// Its fields, in the order in which they go.
    pub fn form(&self) -> [(&'static str, &str); 3] {
        [("access_token", &self.token), ("text", &self.text), ("uid", &self.uid)]
    }
}

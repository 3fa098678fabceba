//! What must hold for any input; the fuzz targets and the test over the stored inputs share it.
//!
//! Each check takes the bytes of one input and panics where the library broke a promise. An answer
//! that the library takes for `sent` is judged a second time here, by code that shares nothing with
//! the library's.

mod answers;
mod compose;
mod inputs;
mod markup;
mod object;
mod success;

pub use answers::{decode_fanfou, decode_renren, decode_sina, decode_tencent_im, decode_weibo};
pub use compose::compose;
pub use inputs::{config_json, message_json};
pub use object::object;

/// A check of one input.
pub type Check = fn(&[u8]);

/// Every check by the name of its target, which is the name of its corpus too.
pub const CHECKS: [(&str, Check); 9] = [
    ("compose", compose),
    ("config_json", config_json),
    ("decode_fanfou", decode_fanfou),
    ("decode_renren", decode_renren),
    ("decode_sina", decode_sina),
    ("decode_tencent_im", decode_tencent_im),
    ("decode_weibo", decode_weibo),
    ("message_json", message_json),
    ("object", object),
];

//! Floor 5: the C ABI. Every function here stands in `include/hongyan.h`, generated from this text.
//!
//! The functions are thin: they check pointers, pass one guard (fork, re-entrance, a counted entry,
//! panics), call [`crate::Client`] and turn what comes back into handles.
#![allow(unsafe_code, non_camel_case_types, clippy::missing_safety_doc)]

mod client;
mod error;
mod guard;
mod input;
mod log;
mod message;
mod queue;
mod result;
mod send;
mod text;
mod unwind;

pub use client::*;
pub use error::*;
pub use log::*;
pub use message::*;
pub use queue::*;
pub use result::*;
pub use send::*;

#[cfg(test)]
mod tests {
    use crate::model::error::ErrorCode;

    /// Each code of the library is a macro of the header, with its number.
    #[test]
    fn every_code_is_in_the_header() {
        let header = include_str!("../include/hongyan.h");
        for code in ErrorCode::ALL {
            let line = format!("#define HY_E_{} {}\n", code.name().to_uppercase(), code.number());
            assert!(header.contains(&line), "{line}");
        }
        assert!(header.contains(&format!("#define HY_VERSION \"{}\"\n", crate::VERSION)));
    }
}

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hongyan_fuzz::message_json(data));

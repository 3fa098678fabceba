//! SQLite's write-ahead log as it stands on the disk, before SQLite reads it: whether all that was
//! committed to it is still there.
//!
//! SQLite reads the log up to the first frame whose checksum is wrong and takes the rest for what a
//! power cut left of a commit that never returned. After such a cut that is right, since a commit is
//! synced before the next one is written: of what follows the torn frame nothing was committed. Where a
//! whole commit follows it, or the owner has noted that there was more, the frame was damaged later, and
//! to go on without the rest would lose messages and send others twice.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The head of the log, and of each frame.
const HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

const MAGIC: u32 = 0x377f_0682;

/// How far the log reached when its owner looked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::store) struct Mark {
    /// They change whenever the log begins anew.
    pub(in crate::engine::store) salts: u64,
    /// How many frames it had.
    pub(in crate::engine::store) frames: u32,
}

/// A page as some commit wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Which page.
    pub(super) page: u32,
    /// Of the last frame of a commit: how many pages the file has then; else 0.
    pub(super) commit: u32,
    /// It is as it was written.
    pub(super) whole: bool,
    salted: bool,
    stored: Sum,
    /// Its checksum, if that of the frame before were zero.
    own: Sum,
}

/// All of the log that was committed.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) page_size: usize,
    pub(super) frames: Vec<Frame>,
    /// SQLite would not read all of these.
    pub(super) damaged: bool,
    /// There were more, of which nothing is left.
    pub(super) cut: bool,
}

impl Log {
    /// Reads the log at this path; nothing if there is none. `page_size`: that of the database.
    pub(super) fn read(path: &Path, page_size: usize, mark: Option<Mark>) -> io::Result<Log> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Log::default()),
            file => file?,
        };
        let length = file.metadata()?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut head = [0; HEAD];
        if length < (HEAD + FRAME_HEAD) as u64 {
            return Ok(Log::default());
        }
        file.read_exact(&mut head)?;
        let head = Head::read(&head, page_size);
        let step = FRAME_HEAD + head.page_size;
        let count = (length - HEAD as u64) / step as u64;
        let mut raw = vec![0; step];
        let mut salts = head.sound.then_some(head.salts).or(mark.map(|mark| mark.salts));
        let mut frames = Vec::new();
        for _ in 0..count {
            file.read_exact(&mut raw)?;
            let own = u64_at(&raw, 8);
            // Without a head to say it, the first frame has the salts of all.
            let salted = own == *salts.get_or_insert(own);
            frames.push(Frame {
                page: u32_at(&raw, 0),
                commit: u32_at(&raw, 4),
                whole: false,
                salted,
                stored: Sum::stored(&raw[16..24]),
                own: Sum::default().and(&raw[..8], head.big).and(&raw[FRAME_HEAD..], head.big),
            });
        }
        let mark = mark.filter(|mark| Some(mark.salts) == salts);
        let log = Log { page_size: head.page_size, frames, damaged: false, cut: false };
        Ok(log.judged(&head, mark))
    }

    /// Cuts off what was never committed, and finds what is damaged.
    fn judged(mut self, head: &Head, mark: Option<Mark>) -> Log {
        let pass = Pass::over(self.page_size + 8);
        let frames = &mut self.frames;
        let follows = |before: Sum, frame: &Frame| pass.after(before, frame.own) == frame.stored;
        let mut readable = 0;
        let mut last = head.sum;
        for (i, frame) in frames.iter().enumerate() {
            if !(head.sound && frame.salted && follows(last, frame)) {
                break;
            }
            last = frame.stored;
            if frame.commit != 0 {
                readable = i + 1;
            }
        }
        // A frame that is whole agrees with the one before it. Where that one's checksum is damaged, it
        // agrees with what the checksum must have been.
        let mut before = head.sum;
        for i in 0..frames.len() {
            let must_be = pass.after(before, frames[i].own);
            let next_agrees = frames.get(i + 1).is_some_and(|next| follows(must_be, next));
            frames[i].whole = must_be == frames[i].stored || next_agrees;
            before = if next_agrees { must_be } else { frames[i].stored };
        }
        let committed = |i: usize| {
            let next = frames.get(i + 1).is_some_and(|next| next.salted && next.whole);
            frames[i].salted && frames[i].commit != 0 && next
        };
        let noted = mark.map_or(0, |mark| mark.frames as usize);
        let lost = noted > readable
            || (readable..frames.len()).any(committed)
            || !head.sound && frames.iter().any(|frame| frame.commit != 0 && frame.whole);
        let end = match lost {
            false => readable,
            true => {
                let ends = |i: &usize| {
                    let frame = &frames[*i];
                    i + 1 == noted
                        || frame.commit != 0 && (*i < noted || frame.salted && frame.whole)
                };
                (0..frames.len()).rev().find(ends).map_or(0, |i| i + 1).max(readable)
            }
        };
        frames.truncate(end);
        (self.damaged, self.cut) = (lost, noted > end);
        self
    }

    /// Where the page of this frame stands in the log.
    pub(super) fn offset(&self, frame: usize) -> u64 {
        (HEAD + frame * (FRAME_HEAD + self.page_size) + FRAME_HEAD) as u64
    }
}

/// The salts of the log at this path.
pub(super) fn salts(path: &Path) -> io::Result<u64> {
    let mut head = [0; HEAD];
    File::open(path)?.read_exact(&mut head)?;
    Ok(u64_at(&head, 16))
}

struct Head {
    sound: bool,
    big: bool,
    page_size: usize,
    salts: u64,
    sum: Sum,
}

impl Head {
    /// Of a head that is damaged only what the database tells as well is taken.
    fn read(head: &[u8; HEAD], page_size: usize) -> Head {
        let magic = u32_at(head, 0);
        let big = magic == MAGIC | 1;
        let sum = Sum::stored(&head[24..]);
        let own_size = u32_at(head, 8) as usize;
        let sized = own_size.is_power_of_two() && (512..=65536).contains(&own_size);
        let sound = magic | 1 == MAGIC | 1 && sized && Sum::default().and(&head[..24], big) == sum;
        let page_size = if sound { own_size } else { page_size };
        Head { sound, big: sound && big, page_size, salts: u64_at(head, 16), sum }
    }
}

/// A checksum of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum(u32, u32);

impl Sum {
    fn stored(bytes: &[u8]) -> Sum {
        Sum(u32_at(bytes, 0), u32_at(bytes, 4))
    }

    /// Goes on over these bytes, which are a multiple of eight.
    fn and(self, bytes: &[u8], big: bool) -> Sum {
        let (pairs, _) = bytes.as_chunks::<8>();
        pairs.iter().fold(self, |Sum(a, b), pair| {
            let word = |at: usize| {
                let bytes = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
            };
            let a = a.wrapping_add(word(0)).wrapping_add(b);
            Sum(a, b.wrapping_add(word(4)).wrapping_add(a))
        })
    }
}

/// What becomes of a checksum over a frame of a certain length: the frame's own part, and a multiple
/// of the checksum before. So that each frame is read once, whatever the one before it says.
struct Pass([Sum; 2]);

impl Pass {
    fn over(length: usize) -> Pass {
        let zeros = vec![0; length];
        Pass([Sum(1, 0).and(&zeros, false), Sum(0, 1).and(&zeros, false)])
    }

    fn after(&self, before: Sum, own: Sum) -> Sum {
        let part = |of: fn(&Sum) -> u32| {
            let [first, second] = &self.0;
            before.0.wrapping_mul(of(first)).wrapping_add(before.1.wrapping_mul(of(second)))
        };
        Sum(own.0.wrapping_add(part(|sum| sum.0)), own.1.wrapping_add(part(|sum| sum.1)))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().copied().map_or(0, u32::from_be_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().copied().map_or(0, u64::from_be_bytes)
}

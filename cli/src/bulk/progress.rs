//! How far a run is: a bar on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::When;
use crate::output::diagnose;

/// How often the bar's clock moves although nothing ends.
const TICK: Duration = Duration::from_millis(500);

/// A run's progress.
pub struct Progress {
    /// Counts and estimates also where it is hidden.
    bar: ProgressBar,
    /// Lines are written instead of a bar.
    lines: bool,
    /// The last tenth that a line was written of.
    tenth: u64,
}

impl Progress {
    /// Of so many messages, some of which are done already.
    pub fn new(when: When, all: u64, done: u64) -> Progress {
        let terminal = stderr().is_terminal();
        let visible = when == When::Always || when == When::Auto && terminal;
        let target = match visible && terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(all), target).with_position(done);
        bar.reset_eta();
        if visible && terminal {
            let style = "{wide_bar} {pos} of {len}, {per_sec}, {eta} left";
            // The pattern is ours; without it the bar only looks otherwise.
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
        }
        Progress { bar, lines: visible && !terminal, tenth: 0 }
    }

    /// One more has ended.
    pub fn one(&mut self) {
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let tenth = done * 10 / all.max(1);
        if self.lines && tenth > self.tenth {
            self.tenth = tenth;
            let (rate, left) = (self.bar.per_sec(), HumanDuration(self.bar.eta()));
            diagnose(&format!("hongyan: {done} of {all}, {rate:.0} a second, {left} left"));
        }
    }

    /// The run is over.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

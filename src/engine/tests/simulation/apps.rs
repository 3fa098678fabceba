//! Apps with tokens that end, and channels that are made first, in the random world.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Seen, World, body};
use crate::net::{Alarm, Clock as _, Failure, Way};
use crate::service::api::{Answer, HttpRequest};

/// How long nothing is sent with an account that was stopped.
const STOPPED: Duration = Duration::from_secs(60);

/// What an app with tokens has done.
#[derive(Default)]
pub struct Apps {
    /// Tokens, and when they end.
    tokens: HashMap<String, Duration>,
    /// Requests for a token under way, and the most that ever were.
    asking: usize,
    most_asking: usize,
    /// When a request began and had the answer that the app is disabled; when its account was set anew.
    pub disabled: Vec<(Duration, Duration)>,
    pub set: Vec<Duration>,
}

impl Apps {
    /// True if a token was asked for and given.
    pub fn were_asked(&self) -> bool {
        self.most_asking == 1 && !self.tokens.is_empty()
    }

    /// Nobody asked for a token beside another, and nothing went with an account that was stopped.
    pub fn check<'a>(&self, seed: u64, requests: impl Iterator<Item = &'a Seen> + Clone) {
        assert!(self.most_asking <= 1, "seed {seed}: {} asked for a token", self.most_asking);
        for (began, at) in &self.disabled {
            // What was sent with the account as it was before says nothing of what it was set to.
            let set = self.set.iter().find(|set| *set >= began);
            let until = set.copied().unwrap_or(Duration::MAX).min(*at + STOPPED);
            let late = requests.clone().find(|seen| seen.at > *at && seen.at < until);
            assert!(
                late.is_none(),
                "seed {seed}: a request at {:?} after a stop at {at:?}",
                late.map(|s| s.at)
            );
        }
    }
}

/// A request for a token, under way while this lives.
struct Asking(Arc<World>);

impl Asking {
    fn new(world: &Arc<World>) -> Asking {
        let mut record = world.lock();
        record.apps.asking += 1;
        record.apps.most_asking = record.apps.most_asking.max(record.apps.asking);
        Asking(Arc::clone(world))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.lock().apps.asking -= 1;
    }
}

impl World {
    /// A request that sends nothing: for a token, for a channel.
    pub async fn prepare(
        self: Arc<World>,
        request: HttpRequest,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Result<Answer, Failure> {
        let is_token = request.url.path() == "/token";
        let _asking = is_token.then(|| Asking::new(&self));
        let (fate, latency, mut rng) = {
            let mut rng = self.rng.lock().expect("no panic inside");
            (rng.u32(0..100), Duration::from_millis(rng.u64(0..900)), rng.fork())
        };
        begun.store(true, Ordering::Release);
        self.clock.sleep_until(self.clock.now() + latency).await;
        let answer = |status, body: String| {
            Ok(Answer { status, body: body.into_bytes(), ..Answer::default() })
        };
        let lost = |way| Err(Failure { way, words: "simulated".to_owned() });
        match fate {
            0..4 => lost(Way::Network),
            4..7 => {
                time_out.await;
                lost(Way::TimedOut)
            }
            7..10 => answer([200, 404, 502][rng.usize(0..3)], "<html>proxy</html>".to_owned()),
            10..13 if is_token => answer(200, json!({"code": 10_014_000, "msg": "no"}).to_string()),
            10..13 => answer(200, json!({"ok": false, "note": "", "error": "no_way"}).to_string()),
            _ if is_token => {
                let (token, lasts) = (format!("token-{}", rng.u64(..)), rng.u64(0..30));
                let ends = self.clock.now() + Duration::from_secs(lasts);
                self.lock().apps.tokens.insert(token.clone(), ends);
                let told = json!({"code": 0, "msg": "ok", "token": token, "expire": lasts});
                answer(200, told.to_string())
            }
            _ => {
                let asked: Value = serde_json::from_str(&body(&request)).expect("JSON");
                let id = format!("channel-of-{}", asked["user"].as_str().expect("a user"));
                answer(200, json!({"ok": true, "note": "", "id": id}).to_string())
            }
        }
    }

    /// What a request with such a token is answered, if it is not taken for that.
    pub fn barred(&self, request: &HttpRequest, rng: &mut Rng) -> Option<Answer> {
        let token = request.headers.authorization.as_deref()?.strip_prefix("Bearer ")?;
        let ends = *self.lock().apps.tokens.get(token).expect("a token that was given");
        let now = self.clock.now();
        // One that ends on the way may be taken all the same.
        let is_over = ends + Duration::from_secs(3) < now;
        assert!(ends + Duration::from_secs(30) >= now, "a token was used long after its end");
        let code = match rng.u32(0..400) {
            0 => 99_991_662,
            1..4 => 99_991_663,
            _ if is_over => 99_991_663,
            _ => return None,
        };
        let body = json!({"code": code, "msg": "no"}).to_string().into_bytes();
        Some(Answer { status: 200, body, ..Answer::default() })
    }
}

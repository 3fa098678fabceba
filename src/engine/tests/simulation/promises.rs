//! The promises that no world may see broken.

use std::collections::HashMap;
use std::time::Duration;

use super::*;

fn most_in_any<'a>(times: impl Iterator<Item = &'a Seen>, per: Duration) -> usize {
    let times: Vec<Duration> = times.map(|seen| seen.at).collect();
    let (mut first, mut most) = (0, 0);
    for (i, at) in times.iter().enumerate() {
        while times[first] + per <= *at {
            first += 1;
        }
        most = most.max(i - first + 1);
    }
    most
}

/// How often a key began anew, by when its messages were accepted and had their verdicts: it is
/// forgotten ten minutes after the first of them, and a twin may wait longer than that to be accepted
/// while the client is full.
fn lives_of_key(told: &[(Duration, Duration)]) -> usize {
    let mut told = told.to_vec();
    told.sort_unstable();
    let Some(&(_, mut first_ended)) = told.first() else { return 1 };
    let mut lives = 1;
    for (accepted, ended) in told {
        if first_ended + REMEMBERED <= accepted {
            (lives, first_ended) = (lives + 1, ended);
        }
    }
    lives
}

/// What is true of every world.
pub fn check(seed: u64, sent: &[Sent], results: &[(Duration, Receipt)], record: &Record) {
    // Exactly one result each.
    let mut tokens: Vec<u64> = results.iter().map(|(_, receipt)| receipt.token).collect();
    tokens.sort_unstable();
    assert!(
        tokens.iter().copied().eq(0..sent.len() as u64),
        "seed {seed}: one result for each send"
    );

    // The verdict is true.
    let mut seen_of: HashMap<usize, Vec<&Seen>> = HashMap::new();
    record.seen.iter().for_each(|seen| seen_of.entry(seen.message).or_default().push(seen));
    for (at, receipt) in results {
        let own = &sent[usize::try_from(receipt.token).expect("an index")];
        let taken = record.taken.get(&own.number).copied().unwrap_or(0);
        let name = receipt.error.as_ref().map(|e| e.code());
        let told =
            format!("seed {seed}: message {} is {:?} {name:?}", own.number, receipt.delivery);
        if own.is_circular {
            record.circulars.check(own.number, receipt, &told);
        }
        match receipt.delivery {
            _ if own.is_circular => {}
            Delivery::Sent => assert!(taken > 0, "{told}, but was never taken"),
            // A twin that was freed may have been followed by another attempt of its key.
            Delivery::NotSent if !own.number.is_multiple_of(10) => {
                assert_eq!(taken, 0, "{told}, but was taken");
                let doubted =
                    seen_of.get(&own.number).is_some_and(|all| all.iter().any(|s| s.doubt));
                assert!(!doubted, "{told} after a doubt");
            }
            Delivery::NotSent | Delivery::MaybeSent => {}
            Delivery::PartlySent => panic!("{told}, with one recipient"),
        }
        if name == Some(ErrorCode::Expired) {
            assert_eq!((receipt.delivery, receipt.attempts), (Delivery::NotSent, 0), "{told}");
        }
        if let Some(deadline) = own.deadline {
            assert!(*at <= own.accepted + deadline + TICK, "{told}: the deadline was overrun");
        }
        assert!(receipt.error.is_none() == (receipt.delivery == Delivery::Sent), "{told}");
    }

    // Nothing is doubled, and no doubt is resent but byte for byte where that is recognised.
    let mut told_of: HashMap<usize, Vec<(Duration, Duration)>> = HashMap::new();
    for (at, receipt) in results.iter().filter(|(_, r)| r.delivery != Delivery::NotSent) {
        let own = &sent[usize::try_from(receipt.token).expect("an index")];
        told_of.entry(own.number).or_default().push((own.accepted, *at));
    }
    for (number, all) in &seen_of {
        let taken = record.taken.get(number).copied().unwrap_or(0);
        // A key whose message was refused is free for the next one, which may then be taken.
        let most = told_of.get(number).map_or(1, |told| lives_of_key(told));
        assert!(taken <= most, "seed {seed}: message {number} was taken {taken} times");
        for pair in all.windows(2).filter(|pair| pair[0].doubt && !number.is_multiple_of(10)) {
            assert!(pair[0].known.is_some(), "seed {seed}: message {number} was resent in doubt");
            assert_eq!(
                (&pair[0].body, &pair[0].known),
                (&pair[1].body, &pair[1].known),
                "seed {seed}: message {number} was resent changed"
            );
        }
    }

    // Every service had its part in it.
    let was_closed = |receipt: &Receipt| {
        receipt.error.as_ref().is_some_and(|error| error.words().contains("was closed"))
    };
    if sent.len() > 500 && !results.iter().any(|(_, receipt)| was_closed(receipt)) {
        for service in ["fanfou", "weibo", "tencent_im", "corpchat", "teamchat"] {
            let all = record.seen.iter().filter(|seen| seen.service == service).count();
            assert!(all > 0, "seed {seed}: no requests for {service}");
        }
        assert!(record.apps.were_asked(), "seed {seed}: no tokens");
    }

    // No window was ever exceeded.
    let of = |service: &'static str| record.seen.iter().filter(move |seen| seen.service == service);
    assert!(most_in_any(of("weibo"), RATE.1) <= RATE.0, "seed {seed}: Weibo's window");
    for app in ["1", "2"] {
        let own = of("tencent_im").filter(|seen| seen.app == app);
        assert!(most_in_any(own, PER_APP.1) <= PER_APP.0, "seed {seed}: the window of app {app}");
    }
    for (app, group) in ["1", "2"].iter().flat_map(|app| ["g0", "g1", "g2", "g3"].map(|g| (app, g)))
    {
        let own = of("tencent_im").filter(|seen| seen.app == *app && seen.group == group);
        assert!(most_in_any(own, PER_GROUP.1) <= PER_GROUP.0, "seed {seed}: the window of {group}");
    }
    assert!(most_in_any(of("corpchat"), PER_CORP.1) <= PER_CORP.0, "seed {seed}: the app's window");
    for user in ["c0", "c1", "c2", "c3"] {
        for (count, per) in PER_USER {
            let own = of("corpchat").filter(|seen| seen.group == user);
            assert!(most_in_any(own, per) <= count, "seed {seed}: the window of {user}");
        }
    }
    for user in ["channel-of-t0", "channel-of-t1", "channel-of-t2", "n0", "n1", "n2"] {
        let own = of("teamchat").filter(|seen| seen.group == user);
        assert!(most_in_any(own, PER_CHANNEL.1) <= PER_CHANNEL.0, "seed {seed}: of {user}");
    }

    record.apps.check(seed, of("corpchat"));
}

//! Whatever a message says, the service reads the same: any text, any parameter, any credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hongyan::{Client, Delivery, ErrorCode, Receipt, SendOptions};
use hongyan_sandbox::{Options, Sandbox};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult, TestRunner};
use serde_json::{Map, Value, json};

/// Cases of each property and account.
const CASES: u32 = 48;

/// Runs a property; nothing is written into the source tree where it fails.
fn for_all<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> TestCaseResult) {
    let config =
        ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    if let Err(error) = TestRunner::new(config).run(&strategy, property) {
        panic!("{error}");
    }
}

/// A sandbox without rate limits, and what its accounts are.
struct Services {
    sandbox: Sandbox,
    accounts: Map<String, Value>,
}

impl Services {
    /// Every account in every format and way to speak that its service has.
    fn start() -> Services {
        let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
        sandbox.limits(false);
        let config = sandbox.config();
        let mut accounts = config["accounts"].as_object().expect("accounts").clone();
        assert!(accounts.len() >= 8, "accounts are missing: {:?}", accounts.keys());
        for (name, account) in accounts.clone() {
            // Nothing here is about the pace.
            accounts[&name]["rate"] = Value::Null;
            let ways: &[(&str, &str)] = match service(&account) {
                "fanfou" => &[("/format", "xml"), ("/format", "rss")],
                "sina" => &[("/format", "xml")],
                "weibo" => &[("/auth/send", "header")],
                "renren" => &[("/params", "form")],
                _ => &[],
            };
            for (pointer, value) in ways {
                let (object, field) = pointer.rsplit_once('/').expect("a pointer");
                let mut account = account.clone();
                account["rate"] = Value::Null;
                account.pointer_mut(object).expect("an object")[field] = json!(value);
                accounts.insert(format!("{name}-{value}"), account);
            }
        }
        Services { sandbox, accounts }
    }

    fn of(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        let of = move |(_, account): &(&String, &Value)| service(account) == name;
        let found = self.accounts.iter().filter(of);
        assert!(
            found.clone().count() > 1 || ["tencent_im", "telegram"].contains(&name),
            "accounts of {name}"
        );
        found
    }

    fn client(&self, account: &Value) -> Client {
        let config = json!({"v": 1, "accounts": {"a": account}, "retry": {"max_attempts": 1}});
        Client::from_json(&config.to_string()).expect("a valid configuration")
    }

    /// Sends the one message that the sandbox then has, and tells what it has.
    fn deliver(&self, client: &Client, message: &Value) -> Result<Value, TestCaseError> {
        self.sandbox.clear();
        let receipt = send(client, message);
        prop_assert_eq!(receipt.delivery, Delivery::Sent, "{:?}", receipt.error);
        let mut messages = self.sandbox.messages();
        prop_assert_eq!(messages.len(), 1);
        let delivered = messages.remove(0);
        // A feed tells no id.
        if receipt.message_id.is_some() {
            prop_assert_eq!(delivered["id"].as_str(), receipt.message_id.as_deref());
        }
        Ok(delivered)
    }
}

fn service(account: &Value) -> &str {
    account["service"].as_str().expect("a service")
}

fn send(client: &Client, message: &Value) -> Receipt {
    client.send(message.to_string().as_bytes(), SendOptions::default()).expect("accepted")
}

/// A message to a recipient that the service knows.
fn message(service: &str, text: &str) -> Value {
    let (to, extra) = match service {
        "fanfou" => (json!({"user": "lisztli"}), json!({})),
        "sina" => (json!({"user": "11051"}), json!({})),
        "weibo" => (json!({"user": "2125034703"}), json!({})),
        "tencent_im" => (json!({"group": "@TGS#2C5SZEAEF"}), json!({})),
        "telegram" => (json!({"chat": "4711"}), json!({})),
        "webhook" => (json!({"user": "u"}), json!({})),
        "renren" => (json!({"users": ["1"]}), json!({"messageType": "m", "resourceTitle": "t"})),
        // The sandbox's accounts of all others say whom a message is for that does not say it.
        _ => (json!({}), json!({})),
    };
    json!({"v": 1, "account": "a", "to": to, "text": text, "extra": extra})
}

/// Any text of at most so many characters, control characters among them.
fn any_text(most: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), 1..=most).prop_map(String::from_iter)
}

/// Any text without NUL, which forms cannot carry.
fn form_text(most: usize) -> impl Strategy<Value = String> {
    any_text(most).prop_filter("NUL", |text| !text.contains('\0'))
}

/// True for what JSON writes by its number, which WeCom does not take.
fn unwritable(c: char) -> bool {
    c < ' ' && !matches!(c, '\n' | '\r' | '\t' | '\u{8}' | '\u{c}')
}

/// The most characters that fit a service with two characters before them, however wide they are.
fn most(service: &str) -> usize {
    match service {
        "fanfou" => 140,
        "sina" => 298,
        "weibo" => 140,
        "bark" | "wecom_app" | "wecom_bot" => 500,
        "mastodon" => 450,
        _ => 1000,
    }
}

#[test]
fn any_text_arrives_as_it_was_given() {
    let services = Services::start();
    for (name, account) in &services.accounts {
        let service = service(account);
        let client = services.client(account);
        let latest = std::cell::Cell::new('a');
        let property = |mut text: String| {
            // These two refuse a text that is the same as the one before.
            if matches!(service, "sina" | "weibo") {
                latest.set(if latest.get() == 'a' { 'b' } else { 'a' });
                text.insert(0, latest.get());
            }
            // Blanks around a text are taken off here, or are no text by themselves.
            if matches!(
                service,
                "bark"
                    | "gotify"
                    | "mastodon"
                    | "ntfy"
                    | "pushover"
                    | "pushplus"
                    | "qq_bot"
                    | "smtp"
                    | "telegram"
                    | "twilio"
                    | "wxpusher"
            ) {
                text = format!("a{text}b");
            }
            let delivered = services.deliver(&client, &message(service, &text))?;
            let got = delivered["text"].as_str();
            // A direct message begins with whom it is to.
            let got = match service {
                "mastodon" => got.and_then(|got| got.strip_prefix("@anna@social.example ")),
                _ => got,
            };
            prop_assert_eq!(got, Some(text.as_str()), "{}", name);
            Ok(())
        };
        match service {
            // Blanks around a text are taken off, entities are read, and XML carries no control characters.
            "statusnet" => {
                let text = form_text(most(service)).prop_map(|text| {
                    format!("a{}b", text.replace(|c: char| c == '&' || c.is_control(), ""))
                });
                for_all(text, property);
            }
            // An `@` would call somebody.
            "mastodon" => {
                let text = any_text(most(service)).prop_map(|text| text.replace('@', ""));
                for_all(text, property);
            }
            "tencent_im" | "telegram" | "dingtalk_bot" | "webhook" | "ntfy" | "gotify"
            | "pushover" | "bark" => for_all(any_text(most(service)), property),
            // Every end of a line is one to mail.
            "smtp" => {
                for_all(any_text(most(service)).prop_map(|text| text.replace('\r', "")), property)
            }
            // What would be markup is escaped, and blanks alone are no text.
            "discord" | "googlechat" | "kook" | "mattermost" | "rocketchat" | "serverchan"
            | "slack" | "teams" | "whatsapp_cloud" | "zulip" => {
                let text = form_text(most(service)).prop_map(|text| {
                    let plain =
                        |c: char| !c.is_whitespace() && !"\\*_~`|<[]()>@#-+:/&=$^".contains(c);
                    format!("a{}", text.replace(|c| !plain(c), ""))
                });
                for_all(text, property);
            }
            // Blanks alone are no text here.
            "pushplus" => {
                let is_text = |text: &String| !text.trim().is_empty();
                for_all(form_text(most(service)).prop_filter("blanks alone", is_text), property);
            }
            "wechat_oa" | "wecom_app" | "wecom_bot" => {
                let taken = |text: &String| !text.contains("<@") && !text.contains(unwritable);
                let text = any_text(most(service)).prop_filter("not taken", taken);
                for_all(text, property);
            }
            _ => for_all(form_text(most(service)), property),
        }
    }
}

#[test]
fn a_local_limit_is_the_services_own() {
    let services = Services::start();
    for (service, most) in
        [("fanfou", 140), ("sina", 300), ("weibo", 300), ("telegram", 4096), ("discord", 2000)]
    {
        let (_, account) = services.of(service).next().expect("an account");
        let client = services.client(account);
        // Wide characters, which count one with every service.
        let wide = vec(prop::char::range('\u{4e00}', '\u{9fff}'), most - 1..=most + 1);
        for_all(wide.prop_map(String::from_iter), |text| {
            services.sandbox.clear();
            let receipt = send(&client, &message(service, &text));
            let code = receipt.error.as_ref().map(hongyan::Error::code);
            let too_long = text.chars().count() > most;
            prop_assert_eq!(code == Some(ErrorCode::TooLarge), too_long, "{:?}", receipt.error);
            prop_assert_eq!(services.sandbox.messages().is_empty(), too_long);
            Ok(())
        });
    }
}

/// The parameters of a request that the sandbox kept, decoded.
fn params(delivered: &Value) -> Vec<(String, String)> {
    let request = &delivered["request"];
    let target = request["path"].as_str().expect("a path");
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let body = request["body"].as_str().expect("a body");
    let pairs = |text: &str| url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    [query, body].iter().flat_map(|text| -> Vec<(String, String)> { pairs(text) }).collect()
}

#[test]
fn any_parameter_is_signed_and_arrives_at_fanfou() {
    let services = Services::start();
    for (name, account) in services.of("fanfou") {
        let client = services.client(account);
        let is_json = !name.ends_with("xml") && !name.ends_with("rss");
        let callback = "[a-zA-Z_$][a-zA-Z0-9_$]{0,8}(\\.[a-zA-Z_$][a-zA-Z0-9_$]{0,8}){0,2}";
        for_all((form_text(60), form_text(140), callback), |(id, text, callback)| {
            let mut message = message("fanfou", &text);
            message["reply_to"] = json!(id);
            message["extra"] = json!({"mode": "lite"});
            if is_json {
                message["extra"]["callback"] = json!(callback);
            }
            let params = params(&services.deliver(&client, &message)?);
            let mut expected = vec![("user", "lisztli"), ("text", &text), ("in_reply_to_id", &id)];
            expected.push(("mode", "lite"));
            expected.extend(is_json.then_some(("callback", callback.as_str())));
            let params: Vec<_> = params.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            prop_assert_eq!(params, expected, "{}", name);
            Ok(())
        });
    }
}

#[test]
fn any_parameter_is_signed_and_arrives_at_renren() {
    let services = Services::start();
    // A blank one is refused.
    let is_id = |id: &String| !id.contains(',') && id.contains(char::is_alphanumeric);
    let id = || form_text(20).prop_filter("no id", is_id);
    for (name, account) in services.of("renren") {
        let client = services.client(account);
        let ids = (vec(id(), 1..4), vec(id(), 0..3));
        let texts = (form_text(40), form_text(40), form_text(40));
        for_all((ids, texts), |((users, groups), (kind, title, info))| {
            let extra = json!({"messageType": kind, "resourceTitle": title, "gameExtInfo": info,
                "packageName": "", "scheme": info});
            let message = json!({"v": 1, "account": "a", "extra": extra,
                "to": {"users": users, "groups": Some(&groups).filter(|g| !g.is_empty())}});
            let delivered = services.deliver(&client, &message)?;
            let params = params(&delivered);
            let one = |name: &str| {
                let mut values = params.iter().filter(|(own, _)| own == name).map(|(_, v)| v);
                (values.next().map(String::as_str), values.count())
            };
            let groups = Some(groups.join(",")).filter(|groups| !groups.is_empty());
            for (parameter, value) in [
                ("messageType", Some(kind.as_str())),
                ("resourceTitle", Some(&title)),
                ("gameExtInfo", Some(&info)),
                ("scheme", Some(&info)),
                ("packageName", Some("")),
                ("userIds", Some(&users.join(","))),
                ("groupIds", groups.as_deref()),
                ("text", None),
            ] {
                prop_assert_eq!(one(parameter), (value, 0), "{} of {}", parameter, name);
            }
            Ok(())
        });
    }
}

#[test]
fn adjacent_texts_and_mentions_read_as_one() {
    let services = Services::start();
    let (_, account) = services.of("tencent_im").next().expect("an account");
    let client = services.client(account);
    let pieces = vec((any_text(30), prop::option::of(any_text(10))), 1..6);
    for_all(pieces, |pieces| {
        let mut text = String::new();
        let mut parts = Vec::new();
        for (words, name) in &pieces {
            text.push_str(words);
            parts.push(json!({"type": "text", "text": words}));
            if let Some(name) = name {
                text.push_str(&format!("@{name} "));
                parts.push(json!({"type": "mention", "user": "tommy", "name": name}));
            }
        }
        let message = json!({"v": 1, "account": "a", "to": {"group": "@TGS#2C5SZEAEF"},
            "parts": parts});
        let delivered = services.deliver(&client, &message)?;
        prop_assert_eq!(delivered["text"].as_str(), Some(text.as_str()));
        Ok(())
    });
}

/// The secrets of each kind of credentials; whoever has not got them is refused. Of a webhook that is not
/// signed none is: another URL is another robot's, or nobody's.
fn secrets(auth: &Value) -> &'static [&'static str] {
    match auth["type"].as_str().expect("a kind") {
        "webhook" if auth["secret"].is_string() => &["secret"],
        "webhook" | "none" => &[],
        "basic" | "password" => &["password"],
        "app" => &["secret"],
        "oauth1" => &["consumer_secret", "token_secret", "token", "consumer_key"],
        "oauth2" | "xoauth2" | "bearer" | "bot" | "token" => &["token"],
        "key" if auth["secret"].is_string() => &["secret"],
        "key" => &["key"],
        "mac" => &["mac_key", "token"],
        "usersig" => &["secret_key"],
        "header" => &["value"],
        "standard_webhooks" => &["secret"],
        other => panic!("the secrets of {other} are missing here"),
    }
}

#[test]
fn no_other_credentials_are_taken_for_the_right_ones() {
    let services = Services::start();
    for (name, account) in &services.accounts {
        let message = message(service(account), "hello");
        let secrets = secrets(&account["auth"]);
        if secrets.is_empty() {
            continue;
        }
        let secret = prop::sample::select(secrets);
        // What every kind can carry: printable ASCII without quotes.
        for_all((secret, "[!#-\\[\\]-~]{1,40}"), |(secret, other)| {
            let mut account = account.clone();
            // What has not the form of its service is refused here already.
            let other = match account["auth"]["type"].as_str() {
                Some("standard_webhooks") => format!("whsec_{}", STANDARD.encode(other)),
                Some("bot") => {
                    format!("110201543:A{}", other.replace(|c: char| !c.is_alphanumeric(), "-"))
                }
                Some("key") if secret == "key" => {
                    format!("SCT{}", other.replace(|c: char| !c.is_alphanumeric(), "-"))
                }
                _ => other,
            };
            prop_assume!(account["auth"][secret] != json!(other));
            account["auth"][secret] = json!(other.replace("${", "$${"));
            services.sandbox.clear();
            let receipt = send(&services.client(&account), &message);
            let code = receipt.error.as_ref().map(hongyan::Error::code);
            // The key of a device is whom its notices are for.
            let is_address = service(&account) == "bark";
            let refused = if is_address { ErrorCode::NotFound } else { ErrorCode::Auth };
            prop_assert_eq!(code, Some(refused), "{}: {:?}", name, receipt.error);
            prop_assert_eq!(receipt.delivery, Delivery::NotSent);
            prop_assert!(services.sandbox.messages().is_empty(), "{} took it", name);
            Ok(())
        });
    }
}

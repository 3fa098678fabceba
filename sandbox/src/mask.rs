//! Credentials in requests, hidden where people look at them.

use serde_json::Value;

use crate::services::Service;

/// What stands for a credential.
const HIDDEN: &str = "••••";
/// Shorter ones, such as `pwd`, are words that texts have too.
const SHORTEST: usize = 6;

/// The secrets of the accounts that `service` accepts.
pub(crate) fn secrets(service: &dyn Service) -> Vec<String> {
    let mut secrets = Vec::new();
    for (_, account) in service.accounts() {
        let Some(auth) = account.get("auth").and_then(Value::as_object) else { continue };
        for (name, value) in auth {
            let Some(value) = value.as_str() else { continue };
            match name.as_str() {
                "type" | "username" | "user_id" | "identifier" | "id" | "corp_id" | "name" => {}
                "url" => secrets.extend(parts(value)),
                _ => secrets.push(value.to_owned()),
            }
        }
    }
    secrets.retain(|secret| secret.len() >= SHORTEST);
    // The longest first: one may be a part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// The last part of a URL's path, and the values of its query.
fn parts(url: &str) -> Vec<String> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let last = path.rsplit('/').next().into_iter();
    let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
    last.chain(values).map(str::to_owned).collect()
}

/// Hides the credentials of a request that is shown.
pub(crate) fn request(request: &Value, secrets: &[String]) -> Value {
    let mut shown = request.clone();
    for part in ["path", "body"] {
        if let Some(text) = shown[part].as_str() {
            shown[part] = hide(text, secrets).into();
        }
    }
    if let Some(path) = shown["path"].as_str() {
        shown["path"] = query(path).into();
    }
    if let Some(headers) = shown["headers"].as_object_mut() {
        for (name, value) in headers {
            let text = value.as_str().unwrap_or_default();
            *value = match is_credential(name) {
                // The scheme is worth seeing.
                true => match text.split_once(' ') {
                    Some((scheme, _)) => format!("{scheme} {HIDDEN}"),
                    None => HIDDEN.to_owned(),
                },
                false => hide(text, secrets),
            }
            .into();
        }
    }
    shown
}

/// Hides in the path of a request that was refused what looks like a credential that nobody knows.
pub(crate) fn guess(mut request: Value) -> Value {
    let Some(target) = request["path"].as_str() else { return request };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let looks_secret = |part: &str| {
        let has = |kind: fn(&char) -> bool| part.chars().any(|c| kind(&c));
        part.len() >= 20 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
    };
    let parts: Vec<_> =
        path.split('/').map(|part| if looks_secret(part) { HIDDEN } else { part }).collect();
    let question = if query.is_empty() { "" } else { "?" };
    request["path"] = format!("{}{question}{query}", parts.join("/")).into();
    request
}

fn hide(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| match text.contains(secret.as_str()) {
        true => text.replace(secret.as_str(), HIDDEN),
        false => text,
    })
}

/// Whether a header field or a value of a query of this name is a credential.
fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    const WHOLE: [&str; 6] = ["authorization", "cookie", "key", "sign", "sig", "usersig"];
    const ENDS: [&str; 6] = ["token", "secret", "password", "-key", "_key", "_signature"];
    // What a service knows a message again by is none.
    let repeated = name.contains("retry") || name.contains("idempotency");
    !repeated && (WHOLE.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end)))
}

/// Hides the values of a query whose names say that they are credentials.
fn query(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_credential(name) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    };
    let pairs: Vec<_> = query.split('&').map(pair).collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_hidden_wherever_they_stand() {
        let whole = json!({
            "method": "POST",
            "path": "/bot123:secret-token/send?access_token=abc&a=b&sign=x",
            "headers": {
                "authorization": "Bearer other-token", "x-gotify-key": "k", "host": "h",
                "x-line-retry-key": "uuid", "user-agent": "123:secret-token",
            },
            "body": "{\"token\":\"123:secret-token\",\"text\":\"hi\"}",
        });
        let shown = request(&whole, &["123:secret-token".to_owned()]);
        assert_eq!(shown["path"], "/bot••••/send?access_token=••••&a=b&sign=••••");
        assert_eq!(shown["headers"]["authorization"], "Bearer ••••");
        assert_eq!(shown["headers"]["x-gotify-key"], "••••");
        assert_eq!(shown["headers"]["x-line-retry-key"], "uuid");
        assert_eq!(shown["headers"]["user-agent"], "••••");
        assert_eq!(shown["body"], "{\"token\":\"••••\",\"text\":\"hi\"}");
        assert_eq!(shown["headers"]["host"], "h");
    }

    #[test]
    fn a_path_that_was_refused_may_hold_a_real_token() {
        let shown = |path: &str| guess(json!({"path": path}))["path"].clone();
        let token = "/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage?a=b";
        assert_eq!(shown(token), "/••••/sendMessage?a=b");
        assert_eq!(
            shown("/services/T0123456/B0123456/abcdefghij0123456789"),
            "/services/T0123456/B0123456/••••"
        );
        assert_eq!(shown("/api/files.getUploadURLExternal"), "/api/files.getUploadURLExternal");
    }

    #[test]
    fn secrets_are_those_of_the_accounts() {
        let of = |name: &str| {
            let services = crate::services::all();
            let service = services.iter().find(|service| service.name() == name);
            secrets(service.expect("a service").as_ref())
        };
        assert_eq!(of("weibo"), ["weibo-token"]);
        assert!(of("tencent_im").iter().all(|secret| secret.len() == 64));
        assert!(of("fanfou").contains(&"fanfou-token-secret".to_owned()));
        let url = "https://h.example/services/T/B/hook-secret?key=query-secret&v=1";
        assert_eq!(parts(url), ["hook-secret", "query-secret", "1"]);
    }
}

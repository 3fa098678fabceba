//! Tencent Cloud SMS: templates to numbers, each of which has a verdict of its own.

mod answer;
mod verdicts;

use serde_json::{Map, Value};
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Header, HttpRequest, Opened, Reading, ScopeKey, Seed,
    Service, Stamp,
};
use super::auth::cloud_key::{CloudKey, Request, host_of};
use super::check::check;
use super::extra;
use super::info::{Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::phones;
use super::text::{Markup, Rules, Title, Unit, plain_draft};
use super::wire::json::{CONTENT_TYPE, Members as _};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::model::secret::Secret;

const HOST: &str = "https://sms.tencentcloudapi.com";
const ACTION: &str = "SendSms";
const VERSION: &str = "2021-01-11";
const REGION: &str = "ap-guangzhou";
/// The most numbers of a request.
const MOST: u32 = 200;

const RULES: Rules = Rules {
    unit: Unit::CodePoints,
    most: usize::MAX,
    markup: Markup::Plain,
    title: Title::FirstLine,
};

static INFO: Info = Info {
    name: "tencent_sms",
    title: "Tencent Cloud SMS",
    auth: &[CloudKey::AUTH],
    fields: &[
        Field::required("sdk_app_id", FieldKind::NumberOrText, "the SMS application's SdkAppId"),
        Field::optional(
            "sign_name",
            FieldKind::Credential,
            "the signature of messages, as it was approved; within China it is needed",
        ),
        Field::optional(
            "template",
            FieldKind::NumberOrText,
            "the template of messages that name none as `TemplateId` in `extra`",
        ),
        Field::optional("region", FieldKind::Token, "`ap-guangzhou` by default"),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "instead of `https://sms.tencentcloudapi.com`",
        ),
    ],
    to: &["phones"],
    needs_content: false,
    extra: &[
        "TemplateId",
        "TemplateParamSet",
        "SignName",
        "ExtendCode",
        "SessionContext",
        "SenderId",
    ],
    limits: &[Limit { what: "numbers of a request", most: MOST }],
    rates: &[
        Rate { scope: Scope::Account, count: 3000, per_ms: 1000, codes: &OWN_LIMITS },
        Rate {
            scope: Scope::Recipient,
            count: 1,
            per_ms: 30_000,
            codes: &[
                "LimitExceeded.PhoneNumberThirtySecondLimit",
                "LimitExceeded.PhoneNumberOneHourLimit",
                "LimitExceeded.DeliveryFrequencyLimit",
            ],
        },
    ],
    message_id: true,
    document: "cloud.tencent.com, document 382/55981, SendSms, 2021-01-11",
    ..Info::PLAIN
};

/// The codes that speak of an account's own pace.
const OWN_LIMITS: [&str; 5] = [
    "RequestLimitExceeded",
    "RequestLimitExceeded.IPLimitExceeded",
    "RequestLimitExceeded.UinLimitExceeded",
    "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
    "LimitExceeded.GlobalSmsSendingRateLimit",
];

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Tencent {
    key: CloudKey,
    url: Url,
    host: String,
    region: String,
    sdk_app_id: String,
    sign_name: Option<String>,
    template: Option<String>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let key = CloudKey::open(&mut opening);
    let url = opening.endpoint(HOST, "", false)?;
    let region = opening.optional_secret("region");
    let region = region.map_or_else(|| REGION.to_owned(), |region| region.expose().to_owned());
    let account = Tencent {
        host: host_of(&url),
        url: url.clone(),
        region,
        sdk_app_id: opening.required("sdk_app_id"),
        sign_name: opening.text("sign_name"),
        template: opening.text("template"),
        key,
    };
    let identity = account.key.id.clone();
    let sender = format!("{identity} {}", account.sdk_app_id);
    Ok(Opened { sender, ..opening.opened(url, &identity, account) })
}

/// True for an `extra` that is there.
fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

#[cold]
#[inline(never)]
fn wrong<T>(path: &str, words: &str) -> Result<T> {
    Err(Error::new(ErrorCode::Message, words).at(path))
}

impl Tencent {
    fn draft(&self, message: &Message, request: &phones::Request, text: &str) -> Result<Draft> {
        let mut body = Map::new();
        let numbers: Vec<_> = request.numbers.iter().map(|digits| format!("+{digits}")).collect();
        body.put("PhoneNumberSet", numbers);
        body.put("SmsSdkAppId", self.sdk_app_id.as_str());
        for (name, own) in [("SignName", &self.sign_name), ("TemplateId", &self.template)] {
            if let (Some(own), None) = (own, given(message, name)) {
                body.put(name, own.as_str());
            }
        }
        if !text.is_empty() {
            body.put("TemplateParamSet", vec![text]);
        }
        extra::merge(&mut body, message, &INFO)?;
        if body.get("TemplateId").and_then(Value::as_str).is_none_or(str::is_empty) {
            let words = "Tencent sends templates: give the id of one, as text, here or as \"template\" of the account";
            return wrong("extra.TemplateId", words);
        }
        let is_list =
            |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        if body.get("TemplateParamSet").is_some_and(|set| !is_list(set)) {
            return wrong(
                "extra.TemplateParamSet",
                "the parameters of a template are a list of texts",
            );
        }
        let key = |digits: &String| ScopeKey {
            scope: Scope::Recipient,
            key: format!("{}/{digits}", self.sdk_app_id),
        };
        let scopes = request.numbers.iter().map(key).collect();
        Ok(Draft { to: request.to.clone(), scopes, ..Draft::json(&body) })
    }
}

impl Account for Tencent {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let request = phones::first_of(message, MOST as usize, false)?;
        plain_draft(message, &RULES, "Tencent", |text| self.draft(message, &request, text))
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let (host, body) = (self.host.as_str(), &draft.body);
        let request = Request { host, content_type: CONTENT_TYPE, action: ACTION, body };
        let signed = self.key.tc3(&request, "sms", at.unix);
        let mut request = HttpRequest::post(self.url.clone(), CONTENT_TYPE, body.clone());
        let header =
            |name: &'static str, value: &str| Header { name: name.into(), value: value.to_owned() };
        request.headers.more = vec![
            header("x-tc-action", ACTION),
            header("x-tc-version", VERSION),
            header("x-tc-region", &self.region),
            header("x-tc-timestamp", &at.unix.to_string()),
        ];
        Exchange::commit(request.authorized(Some(signed.header)))
            .with_secrets(vec![signed.signature])
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer, &draft.to)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        let code = reading.code()?;
        if code == "AuthFailure.UnauthorizedOperation" {
            return Some("give the key's user the right to sms:SendSms");
        }
        if code.starts_with("AuthFailure.") {
            return Some("copy SecretId and SecretKey from the console's page of API keys");
        }
        match code {
            "FailedOperation.TemplateParamSetNotMatchApprovedTemplate" => {
                Some("the template has another number of parameters")
            }
            "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone"
            | "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone" => Some(
                "numbers within China and abroad need templates of their own: send two messages",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service;

    fn encoded(account: Value, fields: Value) -> Result<Draft> {
        let auth = json!({"type": "key", "id": "AKID", "secret": "s"});
        let mut config = json!({"service": "tencent_sms", "auth": auth, "sdk_app_id": 1400006666});
        let mut message = json!({"v": 1, "account": "a", "to": {"phones": ["13800000001"]}});
        for (to, more) in [(&mut config, account), (&mut message, fields)] {
            let more = more.as_object().expect("an object").clone();
            to.as_object_mut().expect("an object").extend(more);
        }
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, Unsupported};
        let template = json!({"TemplateId": "1"});
        let with = |name: &str, value: Value| {
            let mut extra = template.clone();
            extra[name] = value;
            json!({"extra": extra})
        };
        let both = |value: Value| {
            let mut fields = with("TemplateParamSet", value);
            fields["text"] = "x".into();
            fields
        };
        for (fields, code, path) in [
            (json!({"to": {}}), Wrong, "to.phones"),
            (json!({"to": {"phone": "13800000001"}}), Unsupported, "to.phone"),
            (json!({"to": {"phones": ["13800000001", "x"]}}), Wrong, "to.phones[1]"),
            (json!({"text": "x"}), Wrong, "extra.TemplateId"),
            (json!({"extra": {"TemplateId": 1}}), Wrong, "extra.TemplateId"),
            (with("TemplateParamSet", json!("x")), Wrong, "extra.TemplateParamSet"),
            (with("TemplateParamSet", json!([1])), Wrong, "extra.TemplateParamSet"),
            (both(json!(["y"])), Wrong, "extra.TemplateParamSet"),
            (with("PhoneNumberSet", json!(["1"])), Wrong, "extra.PhoneNumberSet"),
        ] {
            let error = encoded(json!({}), fields.clone()).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
        encoded(json!({}), both(json!(["x"]))).expect("the same twice");
    }

    #[test]
    fn an_account_s_template_is_that_of_messages_that_name_none() {
        let account = json!({"template": 1110, "sign_name": "鸿雁"});
        let body = |fields: Value| {
            let draft = encoded(account.clone(), fields).expect("a message");
            serde_json::from_slice::<Value>(&draft.body).expect("JSON")
        };
        let own = body(json!({"title": "Disk", "text": "90 %"}));
        assert_eq!((&own["TemplateId"], &own["SignName"]), (&json!("1110"), &json!("鸿雁")));
        assert_eq!(own["TemplateParamSet"], json!(["Disk\n90 %"]));
        let other = body(json!({"extra": {"TemplateId": "7", "SignName": "雁"}}));
        assert_eq!((&other["TemplateId"], &other["SignName"]), (&json!("7"), &json!("雁")));
        assert_eq!(other["TemplateParamSet"], Value::Null);
    }
}

//! Alibaba Cloud SMS: a template to numbers, with one verdict for all of them.

mod answer;
mod verdicts;

use serde_json::{Map, Value};
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Header, HttpRequest, Opened, Reading, ScopeKey, Seed,
    Service, Stamp,
};
use super::auth::cloud_key::{CloudKey, Request, host_of};
use super::check::{check, refuse_nul};
use super::info::{Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::phones;
use super::text::{Markup, Rules, Title, Unit, plain_draft};
use super::wire::form::{self, CONTENT_TYPE};
use super::wire::json::{Members as _, body as written};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::message::Message;
use crate::model::secret::Secret;

const HOST: &str = "https://dysmsapi.aliyuncs.com";
const ACTION: &str = "SendSms";
const VERSION: &str = "2017-05-25";
/// The most numbers of a request.
const MOST: u32 = 1000;

const RULES: Rules = Rules {
    unit: Unit::CodePoints,
    most: usize::MAX,
    markup: Markup::Plain,
    title: Title::FirstLine,
};

static INFO: Info = Info {
    name: "aliyun_sms",
    title: "Alibaba Cloud SMS",
    auth: &[CloudKey::AUTH],
    fields: &[
        Field::required(
            "sign_name",
            FieldKind::Credential,
            "the signature of messages, as it was approved",
        ),
        Field::optional(
            "template",
            FieldKind::Credential,
            "the template of messages that name none as `TemplateCode` in `extra`, `SMS_…`",
        ),
        Field::optional(
            "text_param",
            FieldKind::Credential,
            "the variable of the template that a message's text fills",
        ),
        Field::optional("base_url", FieldKind::Base, "instead of `https://dysmsapi.aliyuncs.com`"),
    ],
    to: &["phones"],
    needs_content: false,
    extra: &["TemplateCode", "TemplateParam", "SignName", "SmsUpExtendCode", "OutId"],
    limits: &[Limit { what: "numbers of a request", most: MOST }],
    rates: &[
        Rate {
            scope: Scope::Account,
            count: 5000,
            per_ms: 1000,
            codes: &["Throttling", "Throttling.User", "Throttling.Api"],
        },
        Rate {
            scope: Scope::Recipient,
            count: 1,
            per_ms: 60_000,
            codes: &["isv.BUSINESS_LIMIT_CONTROL"],
        },
    ],
    message_id: true,
    document: "help.aliyun.com, SendSms, 2017-05-25, and the list of its codes, 101347",
    ..Info::PLAIN
};

/// The codes that speak of the numbers of a request.
const OF_NUMBERS: [&str; 4] = [
    "isv.MOBILE_NUMBER_ILLEGAL",
    "isv.PHONE_NUMBER_ILLEGAL",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
    "isv.BUSINESS_LIMIT_CONTROL",
];

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Aliyun {
    key: CloudKey,
    url: Url,
    host: String,
    sign_name: String,
    template: Option<String>,
    text_param: Option<String>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let key = CloudKey::open(&mut opening);
    let url = opening.endpoint(HOST, "", false)?;
    let account = Aliyun {
        host: host_of(&url),
        url: url.clone(),
        sign_name: opening.required("sign_name"),
        template: opening.text("template"),
        text_param: opening.text("text_param"),
        key,
    };
    let identity = account.key.id.clone();
    Ok(opening.opened(url, &identity, account))
}

/// The variables of a template in `extra`: an object, or its JSON in text.
fn variables(f: &mut Fields) -> Result<Map<String, Value>> {
    let read = match f.value("TemplateParam") {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(given)) => Some(given),
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        Some(_) => None,
    };
    read.ok_or_else(|| {
        let words = "the variables of a template are an object, or the JSON of one in a text";
        f.error("TemplateParam", words)
    })
}

impl Aliyun {
    fn draft(&self, message: &Message, request: &phones::Request, text: &str) -> Result<Draft> {
        let extra = message.extra.clone().unwrap_or_default();
        let mut f = Fields::new(extra.into(), "extra", ErrorCode::Message)?;
        let mut variables = variables(&mut f)?;
        if !text.is_empty() {
            let Some(name) = &self.text_param else {
                let words = "Alibaba Cloud sends templates, whose words are approved beforehand: it has no place for a text";
                let hint = "name the variable that it fills as \"text_param\" of the account, or give \"TemplateParam\" in \"extra\"";
                return Err(Error::new(ErrorCode::Unsupported, words).hint(hint).at("text"));
            };
            if variables.get(name).is_some_and(|own| own.as_str() != Some(text)) {
                let words = format!("{name:?} is set otherwise by the message's text");
                return Err(f.error(&format!("TemplateParam.{name}"), words));
            }
            variables.put(name, text);
        }
        // What is in China is written without its code, and what is abroad without a plus.
        let number = |digits: &String| phones::mobile(digits).unwrap_or(digits).to_owned();
        let numbers: Vec<_> = request.numbers.iter().map(number).collect();
        let sign_name = f.string("SignName")?.unwrap_or_else(|| self.sign_name.clone());
        let Some(template) = f.string("TemplateCode")?.or_else(|| self.template.clone()) else {
            let words = "Alibaba Cloud sends templates: give the code of one here, or as \"template\" of the account";
            return Err(f.error("TemplateCode", words));
        };
        let mut params = vec![
            ("PhoneNumbers", numbers.join(",")),
            ("SignName", sign_name),
            ("TemplateCode", template),
        ];
        if !variables.is_empty() {
            let json = String::from_utf8(written(&variables)).unwrap_or_default();
            params.push(("TemplateParam", json));
        }
        for name in ["SmsUpExtendCode", "OutId"] {
            if let Some(value) = f.string(name)? {
                params.push((name, value));
            }
        }
        f.finish()?;
        let key = |digits: &String| ScopeKey {
            scope: Scope::Recipient,
            key: format!("{}/{digits}", self.sign_name),
        };
        let scopes = request.numbers.iter().map(key).collect();
        Ok(Draft { to: request.to.clone(), scopes, ..Draft::of(form::body(&params)) })
    }
}

impl Account for Aliyun {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        refuse_nul(message)?;
        let request = phones::first_of(message, MOST as usize, true)?;
        plain_draft(message, &RULES, "Alibaba Cloud", |text| self.draft(message, &request, text))
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let (host, body) = (self.host.as_str(), &draft.body);
        let request = Request { host, content_type: CONTENT_TYPE, action: ACTION, body };
        let (signed, fields) = self.key.acs3(&request, VERSION, at.unix, at.nonce);
        let mut request = HttpRequest::post(self.url.clone(), CONTENT_TYPE, body.clone());
        let header = |(name, value): (&'static str, String)| Header { name: name.into(), value };
        request.headers.more = fields.into_iter().map(header).collect();
        Exchange::commit(request.authorized(Some(signed.header)))
            .with_secrets(vec![signed.signature])
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        match answer::read(answer) {
            // Whose number it is, nobody tells; those of other requests are none of them.
            Reading::Refused { code, text, .. } if OF_NUMBERS.contains(&code.as_str()) => {
                phones::each_refused(&draft.to, &code, &text)
            }
            reading => reading,
        }
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "InvalidAccessKeyId.NotFound" | "SignatureDoesNotMatch" => {
                Some("copy AccessKey ID and AccessKey Secret of a user who may call dysms:SendSms")
            }
            "isp.RAM_PERMISSION_DENY" | "Forbidden.RAM" => {
                Some("give the key's user the right to dysms:SendSms")
            }
            "isv.TEMPLATE_MISSING_PARAMETERS" => {
                Some("give every variable of the template in \"TemplateParam\"")
            }
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

    fn encoded(account: &Value, fields: &Value) -> Result<Draft> {
        let auth = json!({"type": "key", "id": "LTAI", "secret": "s"});
        let mut config = json!({"service": "aliyun_sms", "auth": auth, "sign_name": "鸿雁"});
        let mut message = json!({"v": 1, "account": "a", "to": {"phones": ["13800000001"]}});
        for (to, more) in [(&mut config, account), (&mut message, fields)] {
            let more = more.as_object().expect("an object").clone();
            to.as_object_mut().expect("an object").extend(more);
        }
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    fn params(account: &Value, fields: &Value) -> Vec<(String, String)> {
        let draft = encoded(account, fields).expect("a message");
        url::form_urlencoded::parse(&draft.body).into_owned().collect()
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, Unsupported};
        let with =
            |name: &str, value: Value| json!({"extra": {"TemplateCode": "SMS_1", name: value}});
        let text = json!({"text_param": "t"});
        let none = json!({});
        let both =
            json!({"text": "x", "extra": {"TemplateCode": "SMS_1", "TemplateParam": {"t": "y"}}});
        for (account, fields, code, path) in [
            (&none, json!({"to": {}}), Wrong, "to.phones"),
            (&none, json!({"to": {"phones": ["+"]}}), Wrong, "to.phones[0]"),
            (&none, json!({}), Wrong, "extra.TemplateCode"),
            (&none, json!({"text": "x", "extra": {"TemplateCode": "SMS_1"}}), Unsupported, "text"),
            (&none, with("TemplateParam", json!("x")), Wrong, "extra.TemplateParam"),
            (&none, with("TemplateParam", json!("[1]")), Wrong, "extra.TemplateParam"),
            (&none, with("TemplateParam", json!(["x"])), Wrong, "extra.TemplateParam"),
            (&none, with("PhoneNumbers", json!("1")), Wrong, "extra.PhoneNumbers"),
            (&none, with("OutId", json!(7)), Wrong, "extra.OutId"),
            (&text, both, Wrong, "extra.TemplateParam.t"),
        ] {
            let error = encoded(account, &fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
    }

    #[test]
    fn a_text_fills_the_variable_that_the_account_names() {
        let account = json!({"template": "SMS_1", "text_param": "content"});
        let fields = json!({"title": "Disk", "text": "90 %", "extra": {"TemplateParam": "{\"host\":\"db1\"}"}});
        let param = |name: &str, all: &[(String, String)]| {
            all.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())
        };
        let all = params(&account, &fields);
        assert_eq!(param("TemplateCode", &all).as_deref(), Some("SMS_1"));
        let json = param("TemplateParam", &all).expect("variables");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json, json!({"host": "db1", "content": "Disk\n90 %"}));
    }

    #[test]
    fn numbers_are_written_as_the_document_has_them() {
        let phones = json!(["+8613800000001", "008613800000002", "13800000001"]);
        let fields = json!({"to": {"phones": phones}, "extra": {"TemplateCode": "SMS_1"}});
        let own = params(&json!({}), &fields);
        assert_eq!(own[0].1, "13800000001,13800000002");
        let fields = json!({"to": {"phones": ["+85212345678", "886912345678", "13800000001"]},
            "extra": {"TemplateCode": "SMS_1"}});
        assert_eq!(params(&json!({}), &fields)[0].1, "85212345678,886912345678");
    }
}

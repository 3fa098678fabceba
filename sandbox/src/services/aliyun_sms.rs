//! Alibaba Cloud SMS: `POST /` with the action `SendSms`, which has one answer for all numbers.

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::cloud_signature::{self, Key, Refusal};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::route::{self, Handled, Params, Route};
use crate::signature::Nonces;
use crate::window::{Window, Windows};

const ID: &str = "LTAI5tHongyan0123456789a";
const SECRET: &str = "aliyunSmsSecret0123456789abcde";
const SIGN_NAME: &str = "鸿雁";
/// Templates by code, and whether they are for numbers abroad.
const TEMPLATES: [(&str, &str, bool); 4] = [
    ("SMS_100000001", "${content}", false),
    ("SMS_100000002", "您的验证码是${code}，请勿泄露。", false),
    ("SMS_100000003", "您的订单已发货。", false),
    ("SMS_100000004", "${content}", true),
];
/// What a variable must not hold.
const FORBIDDEN: &str = "https://";
const MOST: usize = 1000;
const CALLS: usize = 5000;
/// What a number may get in a minute, an hour and a day of one signature.
const OF_NUMBER: [(usize, u64, &str); 3] =
    [(1, 60_000, "分钟级"), (5, 3_600_000, "小时级"), (10, 86_400_000, "天级")];

const ROUTES: &[Route<AliyunSms>] = &[Route::post("/", AliyunSms::send)];

pub(super) struct AliyunSms {
    calls: Window,
    numbers: [Windows; 3],
    nonces: Nonces,
    made: u64,
}

impl Default for AliyunSms {
    fn default() -> AliyunSms {
        AliyunSms {
            calls: Window::new(CALLS, 1000),
            numbers: OF_NUMBER.map(|(count, per_ms, _)| Windows::new(count, per_ms)),
            nonces: Nonces::default(),
            made: 0,
        }
    }
}

fn request_id(now_ms: u64) -> String {
    format!("5E1D0A77-8F3B-5C2D-9A6E-{now_ms:012X}")
}

fn refused(call: &Call, status: u16, code: &str, words: &str) -> Answer {
    let mut body = json!({"Message": words, "RequestId": request_id(call.now_ms), "Code": code});
    // What the gateway refuses tells where, too.
    if status != 200 {
        body["HostId"] = call.host().into();
    }
    Answer::json(status, &body)
}

/// A number as it is known here: without the code of China.
fn number(given: &str) -> Option<String> {
    let digits = given.strip_prefix('+').or(given.strip_prefix("00")).unwrap_or(given);
    let is_mobile = |text: &str| text.len() == 11 && text.starts_with('1');
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match digits.strip_prefix("86") {
        Some(own) if is_mobile(own) => Some(own.to_owned()),
        Some(_) => None,
        None => (is_mobile(digits) || (7..=15).contains(&digits.len())).then(|| digits.to_owned()),
    }
}

fn is_within(number: &str) -> bool {
    number.len() == 11 && number.starts_with('1')
}

/// The text of a template with its variables, or the one that is missing.
fn filled(template: &str, variables: &Map<String, Value>) -> Result<String, String> {
    let mut text = String::new();
    for (n, part) in template.split("${").enumerate() {
        let Some((name, rest)) = part.split_once('}').filter(|_| n > 0) else {
            text.push_str(part);
            continue;
        };
        match variables.get(name) {
            Some(Value::String(value)) => text.push_str(value),
            Some(value) => text.push_str(&value.to_string()),
            None => return Err(name.to_owned()),
        }
        text.push_str(rest);
    }
    Ok(text)
}

impl AliyunSms {
    fn check_signature(&mut self, call: &Call) -> Result<(), Answer> {
        let key = Key { id: ID, secret: SECRET };
        let (status, code, words) = match cloud_signature::acs3(call, &key, &mut self.nonces) {
            Ok(()) => return Ok(()),
            Err(Refusal::Malformed(words)) => (400, "IncompleteSignature", words),
            Err(Refusal::Key) => (
                404,
                "InvalidAccessKeyId.NotFound",
                "Specified access key is not found.".to_owned(),
            ),
            Err(Refusal::Time) => (
                400,
                "InvalidTimeStamp.Expired",
                "Specified time stamp or date value is expired.".to_owned(),
            ),
            Err(Refusal::Nonce) => (
                400,
                "SignatureNonceUsed",
                "Specified signature nonce was used already.".to_owned(),
            ),
            Err(Refusal::Signature(text)) => (
                400,
                "SignatureDoesNotMatch",
                format!(
                    "Specified signature is not matched with our calculation. server string to sign is:{text}"
                ),
            ),
        };
        Err(refused(call, status, code, &words))
    }

    fn send(&mut self, call: &Call, _: &Params) -> Handled {
        self.check_signature(call)?;
        match (call.header("x-acs-action"), call.header("x-acs-version")) {
            (Some("SendSms"), Some("2017-05-25")) => {}
            (Some("SendSms"), _) => {
                return Err(refused(call, 400, "InvalidVersion", "The version is not supported."));
            }
            _ => {
                let words = "Specified api is not found, please check your url and method.";
                return Err(refused(call, 404, "InvalidAction.NotFound", words));
            }
        }
        if call.limits && !self.calls.pass(call.now_ms) {
            return Err(self.rate_limited(call));
        }
        let no = |code: &str, words: &str| Err(refused(call, 200, code, words));
        let Some(params) = call.params() else {
            return no("isv.INVALID_PARAMETERS", "参数异常");
        };
        let one = |name: &str| form::first(&params, name).unwrap_or_default();
        let given: Vec<_> = one("PhoneNumbers").split(',').filter(|own| !own.is_empty()).collect();
        if given.len() > MOST {
            return no("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制");
        }
        let numbers: Option<Vec<_>> = given.iter().map(|given| number(given)).collect();
        let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else {
            return no("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号");
        };
        if one("SignName") != SIGN_NAME {
            return no("isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法");
        }
        let template = TEMPLATES.iter().find(|(code, ..)| *code == one("TemplateCode"));
        let Some((_, template, abroad)) = template else {
            return no("isv.SMS_TEMPLATE_ILLEGAL", "短信模版不合法");
        };
        if numbers.iter().any(|number| is_within(number) == *abroad) {
            return no(
                "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
                "国际/港澳台消息模板不支持发送境内号码",
            );
        }
        let variables = match one("TemplateParam") {
            "" => Map::new(),
            json => match serde_json::from_str(json) {
                Ok(variables) => variables,
                Err(_) => return no("isv.INVALID_JSON_PARAM", "JSON参数不合法，只接受字符串值"),
            },
        };
        if variables.values().any(|value| value.as_str().is_some_and(|own| own.contains(FORBIDDEN)))
        {
            return no("isv.PARAM_NOT_SUPPORT_URL", "变量不支持传URL");
        }
        let words = match filled(template, &variables) {
            Ok(words) => words,
            Err(name) => {
                let words = format!("模版缺少变量: {name}");
                return no("isv.TEMPLATE_MISSING_PARAMETERS", &words);
            }
        };
        for number in &numbers {
            let key = format!("{SIGN_NAME} {number}");
            for (windows, (count, _, level)) in self.numbers.iter_mut().zip(OF_NUMBER) {
                if !windows.ask(&key, call).passed {
                    let words = format!("触发{level}流控Permits:{count}");
                    return no("isv.BUSINESS_LIMIT_CONTROL", &words);
                }
            }
        }
        self.made += 1;
        let id = format!("{}{:06}^0", call.now_s(), self.made);
        let answer = json!({"Message": "OK", "RequestId": request_id(call.now_ms), "Code": "OK",
            "BizId": id});
        let delivered = numbers.into_iter().map(|number| Delivered {
            id: Some(id.clone()),
            title: Some(SIGN_NAME.to_owned()),
            ..Delivered::to(SIGN_NAME, number, words.as_str())
        });
        Ok(Outcome { answer: Answer::json(200, &answer), delivered: delivered.collect() })
    }
}

impl Service for AliyunSms {
    fn name(&self) -> &'static str {
        "aliyun_sms"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        refused(call, 400, "Throttling.User", "Request was denied due to user flow control.")
    }

    fn dropped(&self, call: &Call) -> Answer {
        // What becomes of a message is told to a callback only: this is the nearest refusal.
        refused(call, 200, "isv.SMS_CONTENT_ILLEGAL", "短信包含禁止发送内容")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "key", "id": ID, "secret": SECRET});
        let to = json!({"phones": ["13800000001"]});
        let account = json!({"service": "aliyun_sms", "auth": auth, "sign_name": SIGN_NAME,
            "template": TEMPLATES[0].0, "text_param": "content", "to": to});
        vec![("aliyun_sms", account)]
    }

    fn about(&self) -> About {
        About {
            title: "Alibaba Cloud SMS",
            paths: "<code>POST /aliyun_sms/</code> with <code>x-acs-action: SendSms</code>",
            auth: "ACS3-HMAC-SHA256, each nonce once",
            recipients: "any number; signature <code>鸿雁</code>; templates \
                         <code>SMS_100000001</code> with <code>content</code>, <code>…2</code> with \
                         <code>code</code>, <code>…3</code> with none, <code>…4</code> abroad",
            limits: "1,000 numbers; a message in a minute, 5 in an hour and 10 in a day of a number; 5,000 \
                     calls a second",
            assumed: &[
                "a time may be five minutes off",
                "one number that is refused is a refusal of all, and nobody gets the message then",
                "numbers within China and abroad in one request are refused by the template's side",
                "the limits of a number are those of codes, whatever the template is",
                "a variable with <code>https://</code> in it is refused, and any other way to write a link is not",
                "variables of any type are taken, and those that the template has not are let pass",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_not_looked_at_again() {
        let variables = json!({"a": "${b}", "b": 7});
        let variables = variables.as_object().expect("an object");
        assert_eq!(filled("x ${a}-${b}.", variables), Ok("x ${b}-7.".to_owned()));
        assert_eq!(filled("${c}", variables), Err("c".to_owned()));
        assert_eq!(filled("plain", variables), Ok("plain".to_owned()));
    }
}

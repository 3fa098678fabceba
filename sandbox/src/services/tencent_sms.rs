//! Tencent Cloud SMS: `POST /` with the action `SendSms`, which answers of each number by itself.

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::cloud_signature::{self, Key, Refusal};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::{Window, Windows};

const ID: &str = "AKIDhongyan0123456789abcdefghijklmn";
const SECRET: &str = "tencentSmsSecret0123456789abcdef";
const SDK_APP_ID: &str = "1400006666";
/// The signature that was approved.
const SIGN_NAME: &str = "鸿雁";
/// Templates by id, and whether they are for numbers abroad.
const TEMPLATES: [(&str, &str, bool); 4] = [
    ("1110", "{1}", false),
    ("1111", "您的验证码是{1}，{2}分钟内有效。", false),
    ("1112", "您的订单已发货。", false),
    ("1210", "{1}", true),
];
/// A number that gets nothing, and how those begin that the app may not send to.
const BLOCKED: &str = "+8613800000004";
const CLOSED: &str = "+850";
const MOST: usize = 200;
const CALLS: usize = 3000;

const ROUTES: &[Route<TencentSms>] = &[Route::post("/", TencentSms::send)];

pub(super) struct TencentSms {
    calls: Window,
    numbers: Windows,
    made: u64,
}

impl Default for TencentSms {
    fn default() -> TencentSms {
        TencentSms { calls: Window::new(CALLS, 1000), numbers: Windows::new(1, 30_000), made: 0 }
    }
}

fn request_id(now_ms: u64) -> String {
    format!("5e1d0a77-8f3b-4c2d-9a6e-{now_ms:012x}")
}

/// An answer, of a type without a charset: Tencent's clients look for errors in no other.
fn answered(response: Value) -> Answer {
    Answer::new(200, "application/json", json!({"Response": response}).to_string())
}

fn refused(call: &Call, code: &str, words: &str) -> Answer {
    let error = json!({"Code": code, "Message": words});
    answered(json!({"Error": error, "RequestId": request_id(call.now_ms)}))
}

fn check_signature(call: &Call) -> Result<(), Answer> {
    let key = Key { id: ID, secret: SECRET };
    let (code, words) = match cloud_signature::tc3(call, &key, "sms") {
        Ok(()) => return Ok(()),
        Err(Refusal::Malformed(words)) => ("AuthFailure.InvalidAuthorization", words),
        Err(Refusal::Key) => {
            ("AuthFailure.SecretIdNotFound", "The SecretId is not found".to_owned())
        }
        Err(Refusal::Time) => (
            "AuthFailure.SignatureExpire",
            "The request is more than five minutes from the server's time".to_owned(),
        ),
        Err(Refusal::Signature(text)) => (
            "AuthFailure.SignatureFailure",
            format!("The provided credentials could not be validated: {text}"),
        ),
        Err(Refusal::Nonce) => ("AuthFailure.SignatureFailure", "the nonce was used".to_owned()),
    };
    Err(refused(call, code, &words))
}

/// A number with its country code, as answers have it; none of what is no number.
fn number(given: &str) -> Option<String> {
    let digits = match given.strip_prefix('+').or(given.strip_prefix("00")) {
        Some(digits) => digits.to_owned(),
        None if given.len() == 11 => format!("86{given}"),
        None if given.len() == 13 && given.starts_with("86") => given.to_owned(),
        None => return None,
    };
    let fits = match digits.strip_prefix("86") {
        Some(own) => own.len() == 11 && own.starts_with('1'),
        None => (7..=15).contains(&digits.len()),
    };
    (fits && digits.bytes().all(|b| b.is_ascii_digit())).then(|| format!("+{digits}"))
}

/// The text of a template with its parameters; none where they are too few or too many.
fn filled(template: &str, params: &[&str]) -> Option<String> {
    let count = template.matches('{').count();
    if params.len() != count {
        return None;
    }
    // What stands in a parameter is not looked at again.
    let mut text = String::new();
    for (n, part) in template.split('{').enumerate() {
        match n {
            0 => text.push_str(part),
            n => {
                text.push_str(params.get(n - 1)?);
                text.push_str(part.split_once('}')?.1);
            }
        }
    }
    Some(text)
}

fn texts<'a>(body: &'a Map<String, Value>, name: &str) -> Option<Vec<&'a str>> {
    match body.get(name) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(list) => list.as_array()?.iter().map(Value::as_str).collect(),
    }
}

impl TencentSms {
    fn send(&mut self, call: &Call, _: &Params) -> Handled {
        let no = |code: &str, words: &str| Err(refused(call, code, words));
        check_signature(call)?;
        match (call.header("x-tc-action"), call.header("x-tc-version")) {
            (Some("SendSms"), Some("2021-01-11")) => {}
            (Some("SendSms"), _) => return no("NoSuchVersion", "there is no such version"),
            _ => return no("InvalidAction", "there is no such action"),
        }
        if call.header("x-tc-region").is_none_or(str::is_empty) {
            return no("MissingParameter", "X-TC-Region is missing");
        }
        if call.limits && !self.calls.pass(call.now_ms) {
            return Err(self.rate_limited(call));
        }
        let Ok(body) = call.object() else {
            return no("InvalidParameter", "the body is no JSON object");
        };
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (Some(numbers), Some(params)) =
            (texts(&body, "PhoneNumberSet"), texts(&body, "TemplateParamSet"))
        else {
            return no("InvalidParameter", "a list of texts is none");
        };
        if numbers.is_empty() {
            return no("MissingParameter.EmptyPhoneNumberSet", "there are no numbers");
        }
        if numbers.len() > MOST {
            return no("LimitExceeded.PhoneNumberCountLimit", "more than 200 numbers");
        }
        if text("SmsSdkAppId") != SDK_APP_ID {
            return no(
                "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
                "this is no application of yours",
            );
        }
        let known: Vec<_> = numbers.iter().filter_map(|given| number(given)).collect();
        let is_within = |number: &String| number.starts_with("+86");
        let within = known.iter().filter(|number| is_within(number)).count();
        if within > 0 && within < known.len() {
            let code = "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber";
            return no(code, "numbers within China and abroad");
        }
        let found = TEMPLATES.iter().find(|(id, ..)| *id == text("TemplateId"));
        let Some((_, template, abroad)) = found else {
            return no(
                "FailedOperation.TemplateIncorrectOrUnapproved",
                "there is no such template",
            );
        };
        match (*abroad, within > 0) {
            (true, true) => {
                let code = "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone";
                return no(code, "the template is for numbers abroad");
            }
            (false, false) if !known.is_empty() => {
                let code = "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone";
                return no(code, "the template is for numbers within China");
            }
            _ => {}
        }
        if !abroad && text("SignName") != SIGN_NAME {
            let code = "FailedOperation.SignatureIncorrectOrUnapproved";
            return no(code, "the signature is not approved");
        }
        let Some(words) = filled(template, &params) else {
            let code = "FailedOperation.TemplateParamSetNotMatchApprovedTemplate";
            return no(code, "the template has another number of parameters");
        };
        let context = text("SessionContext");
        let (mut told, mut delivered) = (Vec::new(), Vec::new());
        for given in numbers {
            let (shown, code, message) = self.number(call, given);
            let is_taken = code == "Ok";
            let mut one = json!({"SerialNo": "", "PhoneNumber": shown, "Fee": 0,
                "SessionContext": context, "Code": code, "Message": message, "IsoCode": ""});
            if is_taken {
                self.made += 1;
                let id = format!("{}:{:020}", 2000 + self.made % 8000, self.made);
                one["SerialNo"] = id.as_str().into();
                one["Fee"] = 1.into();
                one["IsoCode"] = (if is_within(&shown) { "CN" } else { "" }).into();
                let title = Some(text("SignName")).filter(|sign| !sign.is_empty());
                delivered.push(Delivered {
                    id: Some(id),
                    title: title.map(str::to_owned),
                    ..Delivered::to(SDK_APP_ID, shown, words.as_str())
                });
            }
            told.push(one);
        }
        let response = json!({"SendStatusSet": told, "RequestId": request_id(call.now_ms)});
        Ok(Outcome { answer: answered(response), delivered })
    }

    /// A number as answers have it, and what is said of it.
    fn number(&mut self, call: &Call, given: &str) -> (String, &'static str, &'static str) {
        let Some(number) = number(given) else {
            let words = "incorrect phone number";
            return (given.to_owned(), "InvalidParameterValue.IncorrectPhoneNumber", words);
        };
        let (code, words) = if number == BLOCKED {
            ("FailedOperation.PhoneNumberInBlacklist", "the number is in the blacklist")
        } else if number.starts_with(CLOSED) {
            ("LimitExceeded.AppCountryOrRegionInBlacklist", "the country is in the blacklist")
        } else if !self.numbers.ask(&number, call).passed {
            let words = "the number of SMS messages sent to a single mobile number within 30 seconds \
                         exceeds the upper limit";
            ("LimitExceeded.PhoneNumberThirtySecondLimit", words)
        } else {
            ("Ok", "send success")
        };
        (number, code, words)
    }
}

impl Service for TencentSms {
    fn name(&self) -> &'static str {
        "tencent_sms"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        refused(call, "RequestLimitExceeded", "too many calls")
    }

    fn dropped(&self, call: &Call) -> Answer {
        // What becomes of a message is told to a callback only: this is the nearest refusal.
        refused(call, "FailedOperation.ContainSensitiveWord", "the words are not allowed")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "key", "id": ID, "secret": SECRET});
        let to = json!({"phones": ["+8613800000001"]});
        let account = json!({"service": "tencent_sms", "auth": auth, "sdk_app_id": SDK_APP_ID,
            "sign_name": SIGN_NAME, "template": TEMPLATES[0].0, "to": to});
        vec![("tencent_sms", account)]
    }

    fn about(&self) -> About {
        About {
            title: "Tencent Cloud SMS",
            paths: "<code>POST /tencent_sms/</code> with <code>X-TC-Action: SendSms</code>",
            auth: "TC3-HMAC-SHA256, at most five minutes off",
            recipients: "any number; <code>+8613800000004</code> gets nothing, nor does <code>+850…</code>; \
                         signature <code>鸿雁</code>; templates <code>1110</code> with one parameter, \
                         <code>1111</code> with two, <code>1112</code> with none, <code>1210</code> abroad",
            limits: "200 numbers, all of them within China or abroad; a message in 30 seconds and number; \
                     3,000 calls a second",
            assumed: &[
                "a number is told of as +, country code and digits, whatever it was written as",
                "a number that is wrong is told of in its own place, and does not stop the others",
                "a number that stands twice is a second message to it",
                "the words of refusals",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_not_looked_at_again() {
        assert_eq!(filled("{1}", &["{2} {1}"]).as_deref(), Some("{2} {1}"));
        assert_eq!(filled("a{1}b{2}c", &["x", "y"]).as_deref(), Some("axbyc"));
        assert_eq!(filled("a", &[]).as_deref(), Some("a"));
        assert_eq!(filled("{1}", &[]), None);
        assert_eq!(filled("a", &["x"]), None);
    }
}

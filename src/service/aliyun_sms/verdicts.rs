//! What Alibaba Cloud's codes mean.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "isv.BUSINESS_LIMIT_CONTROL" ["天级"] => Quota NotSent Quota Sdk "the day's messages to this number are used up";
    "isv.BUSINESS_LIMIT_CONTROL" ["小时级"] => RateLimited NotSent WaitFor(3600) Sdk "too many messages to this number within the hour";
    "isv.BUSINESS_LIMIT_CONTROL" ["分钟级"] => RateLimited NotSent WaitFor(60) Sdk "this number had a message within the minute";
    "OK" => Ok Sent Never Doc "taken; whether it arrives is told to a callback only";
    "isv.BUSINESS_LIMIT_CONTROL" => RateLimited NotSent WaitFor(60) Doc "too many messages to this number";
    "isv.DAY_LIMIT_CONTROL" => Quota NotSent Quota Doc "the allowance or the balance is used up";
    "isv.MONTH_LIMIT_CONTROL" => Quota NotSent Quota Doc "the allowance or the balance is used up";
    "isv.AMOUNT_NOT_ENOUGH" => Quota NotSent Quota Doc "the allowance or the balance is used up";
    "isv.OUT_OF_SERVICE" => Quota NotSent Quota Doc "the allowance or the balance is used up";
    "isv.BILLING_DEDUCTION_ERROR" => Quota NotSent Quota Doc "the allowance or the balance is used up";
    "isv.MOBILE_NUMBER_ILLEGAL" => NotFound NotSent Never Doc "this is no number";
    "isv.PHONE_NUMBER_ILLEGAL" => NotFound NotSent Never Doc "this is no number";
    "isv.MOBILE_COUNT_OVER_LIMIT" => TooLarge NotSent Never Doc "more than 1,000 numbers";
    "isv.PHONE_NUMBER_COUNT_OVER_LIMIT" => TooLarge NotSent Never Doc "more than 1,000 numbers";
    "isv.PARAM_LENGTH_LIMIT" => TooLarge NotSent Never Doc "a variable of the template is too long";
    "isv.SMS_TEMPLATE_ILLEGAL" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.SMS_SIGNATURE_ILLEGAL" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.SMS_SIGN_ILLEGAL" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.TEMPLATE_MISSING_PARAMETERS" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.TEMPLATE_PARAMS_ILLEGAL" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.INVALID_PARAMETERS" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.INVALID_JSON_PARAM" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.PARAM_NOT_SUPPORT_URL" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.EXTEND_CODE_ERROR" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED" => Rejected NotSent Never Doc "the signature, the template or a parameter is refused";
    "isv.BLACK_KEY_CONTROL_LIMIT" => Rejected NotSent Never Doc "the words are not allowed";
    "isv.SMS_CONTENT_ILLEGAL" => Rejected NotSent Never Doc "the words are not allowed";
    "isp.RAM_PERMISSION_DENY" => Forbidden NotSent Never Doc "the account, its user, this address or the product is not allowed";
    "isv.DENY_IP_RANGE" => Forbidden NotSent Never Doc "the account, its user, this address or the product is not allowed";
    "isv.ACCOUNT_NOT_EXISTS" => Forbidden NotSent Never Doc "the account, its user, this address or the product is not allowed";
    "isv.ACCOUNT_ABNORMAL" => Forbidden NotSent Never Doc "the account, its user, this address or the product is not allowed";
    "isv.PRODUCT_UN_SUBSCRIPT" => Forbidden NotSent Never Doc "the account, its user, this address or the product is not allowed";
    "isv.PRODUCT_UNSUBSCRIBE" => Forbidden NotSent Never Doc "the account, its user, this address or the product is not allowed";
    "isp.SYSTEM_ERROR" => Service MaybeSent Never Doc "a fault, in which the message may have been sent";
    "isp.GATEWAY_ERROR" => Service MaybeSent Never Doc "a fault, in which the message may have been sent";
    "isp.UNKNOWN" => Service MaybeSent Never Doc "a fault, in which the message may have been sent";
    "SignatureDoesNotMatch" => Auth NotSent Never Inferred stops "the key or the signature is refused";
    "IncompleteSignature" => Auth NotSent Never Inferred stops "the key or the signature is refused";
    "InvalidAccessKeyId.NotFound" => Auth NotSent Never Inferred stops "the key or the signature is refused";
    "InvalidAccessKeyId.Inactive" => Auth NotSent Never Inferred stops "the key or the signature is refused";
    "Forbidden.RAM" => Auth NotSent Never Inferred stops "the key or the signature is refused";
    "InvalidTimeStamp.Expired" => Auth NotSent Resign Inferred "the time or the nonce is refused";
    "SignatureNonceUsed" => Auth NotSent Resign Inferred "the time or the nonce is refused";
    "Throttling" => RateLimited NotSent Wait Inferred "too many calls";
    "Throttling.User" => RateLimited NotSent Wait Inferred "too many calls";
    "Throttling.Api" => RateLimited NotSent Wait Inferred "too many calls";
    "ServiceUnavailable" => Service MaybeSent Never Inferred "a fault, in which the message may have been sent";
    "InternalError" => Service MaybeSent Never Inferred "a fault, in which the message may have been sent";
    @any => Service NotSent Never Inferred "unknown code, never retried";
};

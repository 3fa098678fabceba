//! Floor 1: what each service is sent and what its answers mean. Pure: no I/O, no clock, no chance.
//!
//! A service is one file with its verdict table beside it, which keep the contract of [`api`]. This
//! file is the list of them. Each has a feature of its own, all of them together are `services`.

#[cfg(feature = "service-aliyun_sms")]
mod aliyun_sms;
#[cfg(test)]
mod answers;
pub mod api;
pub mod auth;
#[cfg(feature = "service-bark")]
mod bark;
#[cfg(test)]
#[path = "../tests/services/chatroom.rs"]
mod chatroom;
mod check;
#[cfg(test)]
#[path = "../tests/services/circular.rs"]
mod circular;
#[cfg(test)]
#[path = "../tests/services/corpchat.rs"]
mod corpchat;
#[cfg(feature = "service-dingtalk_app")]
mod dingtalk_app;
#[cfg(feature = "service-dingtalk_bot")]
mod dingtalk_bot;
mod direct_message;
#[cfg(feature = "service-discord")]
mod discord;
mod draft;
mod extra;
#[cfg(feature = "service-fanfou")]
mod fanfou;
mod feishu;
#[cfg(feature = "service-feishu_app")]
mod feishu_app;
#[cfg(feature = "service-feishu_bot")]
mod feishu_bot;
pub mod fingerprint;
#[cfg(test)]
mod golden;
#[cfg(feature = "service-googlechat")]
mod googlechat;
#[cfg(feature = "service-gotify")]
mod gotify;
pub mod info;
pub mod judge;
#[cfg(feature = "service-kook")]
mod kook;
#[cfg(feature = "service-line")]
mod line;
mod mark;
#[cfg(feature = "service-mastodon")]
mod mastodon;
#[cfg(feature = "service-matrix")]
mod matrix;
#[cfg(feature = "service-mattermost")]
mod mattermost;
mod notice;
#[cfg(feature = "service-ntfy")]
mod ntfy;
pub mod opening;
pub mod pasted;
mod phones;
#[cfg(feature = "service-pushover")]
mod pushover;
#[cfg(feature = "service-pushplus")]
mod pushplus;
#[cfg(feature = "service-qq_bot")]
mod qq_bot;
mod reading;
#[cfg(test)]
#[path = "../tests/services/registered.rs"]
mod registered;
#[cfg(feature = "service-renren")]
mod renren;
pub mod request;
mod robot;
#[cfg(feature = "service-rocketchat")]
mod rocketchat;
mod schema;
#[cfg(feature = "service-serverchan")]
mod serverchan;
#[cfg(feature = "service-sina")]
mod sina;
#[cfg(feature = "service-slack")]
mod slack;
#[cfg(feature = "service-smtp")]
mod smtp;
#[cfg(feature = "service-statusnet")]
mod statusnet;
#[cfg(test)]
#[path = "../tests/services/teamchat.rs"]
mod teamchat;
#[cfg(feature = "service-teams")]
mod teams;
#[cfg(feature = "service-telegram")]
mod telegram;
#[cfg(feature = "service-tencent_im")]
mod tencent_im;
#[cfg(feature = "service-tencent_sms")]
mod tencent_sms;
pub mod text;
#[cfg(feature = "service-twilio")]
mod twilio;
mod upload;
pub mod verdict;
#[cfg(feature = "service-webhook")]
mod webhook;
#[cfg(feature = "service-wechat_oa")]
mod wechat_oa;
mod wecom;
#[cfg(feature = "service-wecom_app")]
mod wecom_app;
#[cfg(feature = "service-wecom_bot")]
mod wecom_bot;
#[cfg(feature = "service-weibo")]
mod weibo;
#[cfg(feature = "service-whatsapp_cloud")]
mod whatsapp_cloud;
pub mod wire;
#[cfg(feature = "service-wxpusher")]
mod wxpusher;
#[cfg(feature = "service-zulip")]
mod zulip;

use once_cell::race::OnceBox;
use serde::Serialize;

use api::{Opened, Service};
use info::{FieldKind, Info};
use opening::Opening;

use crate::model::config::AccountConfig;
use crate::model::error::Result;
use crate::model::fields::{quoted, word};

/// Every service that this build can send through.
pub(crate) static SERVICES: &[&Service] = &[
    #[cfg(feature = "service-fanfou")]
    &fanfou::SERVICE,
    #[cfg(feature = "service-sina")]
    &sina::SERVICE,
    #[cfg(feature = "service-weibo")]
    &weibo::SERVICE,
    #[cfg(feature = "service-renren")]
    &renren::SERVICE,
    #[cfg(feature = "service-tencent_im")]
    &tencent_im::SERVICE,
    #[cfg(feature = "service-slack")]
    &slack::SERVICE,
    #[cfg(feature = "service-telegram")]
    &telegram::SERVICE,
    #[cfg(feature = "service-dingtalk_bot")]
    &dingtalk_bot::SERVICE,
    #[cfg(feature = "service-wecom_bot")]
    &wecom_bot::SERVICE,
    #[cfg(feature = "service-webhook")]
    &webhook::SERVICE,
    #[cfg(feature = "service-feishu_bot")]
    &feishu_bot::SERVICE,
    #[cfg(feature = "service-discord")]
    &discord::SERVICE,
    #[cfg(feature = "service-mattermost")]
    &mattermost::SERVICE,
    #[cfg(feature = "service-zulip")]
    &zulip::SERVICE,
    #[cfg(feature = "service-mastodon")]
    &mastodon::SERVICE,
    #[cfg(feature = "service-statusnet")]
    &statusnet::SERVICE,
    #[cfg(feature = "service-ntfy")]
    &ntfy::SERVICE,
    #[cfg(feature = "service-gotify")]
    &gotify::SERVICE,
    #[cfg(feature = "service-line")]
    &line::SERVICE,
    #[cfg(feature = "service-whatsapp_cloud")]
    &whatsapp_cloud::SERVICE,
    #[cfg(feature = "service-serverchan")]
    &serverchan::SERVICE,
    #[cfg(feature = "service-pushplus")]
    &pushplus::SERVICE,
    #[cfg(feature = "service-wxpusher")]
    &wxpusher::SERVICE,
    #[cfg(feature = "service-kook")]
    &kook::SERVICE,
    #[cfg(feature = "service-googlechat")]
    &googlechat::SERVICE,
    #[cfg(feature = "service-teams")]
    &teams::SERVICE,
    #[cfg(feature = "service-rocketchat")]
    &rocketchat::SERVICE,
    #[cfg(feature = "service-pushover")]
    &pushover::SERVICE,
    #[cfg(feature = "service-bark")]
    &bark::SERVICE,
    #[cfg(feature = "service-smtp")]
    &smtp::SERVICE,
    #[cfg(feature = "service-wecom_app")]
    &wecom_app::SERVICE,
    #[cfg(feature = "service-feishu_app")]
    &feishu_app::SERVICE,
    #[cfg(feature = "service-dingtalk_app")]
    &dingtalk_app::SERVICE,
    #[cfg(feature = "service-wechat_oa")]
    &wechat_oa::SERVICE,
    #[cfg(feature = "service-qq_bot")]
    &qq_bot::SERVICE,
    #[cfg(feature = "service-twilio")]
    &twilio::SERVICE,
    #[cfg(feature = "service-matrix")]
    &matrix::SERVICE,
    #[cfg(feature = "service-tencent_sms")]
    &tencent_sms::SERVICE,
    #[cfg(feature = "service-aliyun_sms")]
    &aliyun_sms::SERVICE,
    #[cfg(test)]
    &chatroom::SERVICE,
    #[cfg(test)]
    &circular::SERVICE,
    #[cfg(test)]
    &corpchat::SERVICE,
    #[cfg(test)]
    &teamchat::SERVICE,
];

/// The service of this name.
pub fn find(name: &str) -> Option<&'static Service> {
    SERVICES.iter().copied().find(|service| service.info.name == name)
}

/// The verdict table of a service.
#[cfg(test)]
pub fn tables(name: &str) -> &'static [verdict::Row] {
    find(name).expect("a known service").table
}

/// Opens an account, whatever its service.
pub fn open(config: AccountConfig) -> Result<(&'static Service, Opened)> {
    let Some(service) = find(&config.service) else {
        let names: Vec<_> = SERVICES.iter().map(|service| service.info.name).collect();
        let known = quoted(&names);
        let name = word(&config.service).map(|name| format!(" {name}")).unwrap_or_default();
        let words = format!("unknown service{name}; known: {known}");
        return Err(config.fields.error("service", words));
    };
    Ok((service, (service.open)(Opening::read(service.info, config)?)?))
}

/// The services that show such a URL to be copied; those alone whose host it has, where there are any.
fn services_of_url(text: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for info in SERVICES.iter().map(|service| service.info) {
        let fields = info.auth.iter().flat_map(|auth| auth.fields).chain(info.fields);
        for field in fields {
            let FieldKind::Webhook(forms) = field.kind else { continue };
            if let Some(is_certain) = pasted::recognises(text, forms) {
                found.push((is_certain, info.name));
            }
        }
    }
    let any_certain = found.iter().any(|(is_certain, _)| *is_certain);
    let mut names: Vec<_> =
        found.into_iter().filter(|(is_certain, _)| *is_certain == any_certain).collect();
    names.dedup();
    names.into_iter().map(|(_, name)| name).collect()
}

/// What this build can send, as JSON: recipients, parts, extra fields, limits, dedupe, the schema of
/// accounts and verdicts per service.
pub fn services_json() -> &'static str {
    #[derive(Serialize)]
    struct Described {
        #[serde(flatten)]
        info: &'static Info,
        account: serde_json::Value,
        verdicts: &'static [verdict::Row],
    }
    // Nobody waits for another who makes it, who would be missing after a fork.
    static JSON: OnceBox<String> = OnceBox::new();
    JSON.get_or_init(|| {
        let described = |s: &&Service| Described {
            info: s.info,
            account: schema::of(s.info),
            verdicts: s.table,
        };
        let services: Vec<_> = SERVICES.iter().map(described).collect();
        let json = serde_json::json!({ "v": 1, "services": services });
        Box::new(serde_json::to_string(&json).unwrap_or_default())
    })
}

//! The services that the sandbox plays, one file each.

mod aliyun_sms;
mod bark;
mod dingtalk_app;
mod dingtalk_bot;
mod discord;
mod fanfou;
mod feishu_app;
mod feishu_bot;
mod googlechat;
mod gotify;
mod kook;
mod latest;
mod line;
mod mastodon;
mod matrix;
mod mattermost;
mod ntfy;
mod pushover;
mod pushplus;
mod qq_bot;
mod renren;
pub(crate) mod robot;
mod rocketchat;
mod serverchan;
mod sina;
mod slack;
pub(crate) mod smtp;
mod statusnet;
mod teams;
mod telegram;
mod tencent_im;
mod tencent_sms;
mod twilio;
mod webhook;
mod wechat_oa;
mod wecom_app;
mod wecom_bot;
mod weibo;
mod whatsapp_cloud;
mod wxpusher;
mod zulip;

use serde_json::Value;

use crate::exchange::{Answer, Call, Outcome};

/// One service: what it answers, and what it says of itself.
pub(crate) trait Service: Send {
    /// The name in paths and in configurations.
    fn name(&self) -> &'static str;

    /// Answers a request as the service does.
    fn answer(&mut self, call: &Call) -> Outcome;

    /// The service's own refusal of too many requests.
    fn rate_limited(&self, call: &Call) -> Answer;

    /// What the service answers where it drops a message.
    fn dropped(&self, call: &Call) -> Answer;

    /// The largest body that it reads, for instance of an upload.
    fn largest_body(&self) -> usize {
        1 << 20
    }

    /// Accounts that the service accepts: a name, and its configuration but for `base_url`.
    fn accounts(&self) -> Vec<(&'static str, Value)>;

    /// What the page for people says of the service.
    fn about(&self) -> About;
}

/// A service's part of the page; HTML, save for the title.
pub(crate) struct About {
    pub title: &'static str,
    pub paths: &'static str,
    pub auth: &'static str,
    pub recipients: &'static str,
    pub limits: &'static str,
    pub assumed: &'static [&'static str],
}

/// All services, in the order of the page.
pub(crate) fn all() -> Vec<Box<dyn Service>> {
    vec![
        Box::new(fanfou::Fanfou::default()),
        Box::new(sina::Sina::default()),
        Box::new(weibo::Weibo::default()),
        Box::new(renren::Renren::default()),
        Box::new(tencent_im::TencentIm::default()),
        Box::new(slack::Slack::default()),
        Box::new(telegram::Telegram::default()),
        Box::new(dingtalk_bot::DingTalkBot::default()),
        Box::new(webhook::Webhook::default()),
        Box::new(wecom_bot::WeComBot::default()),
        Box::new(feishu_bot::FeishuBot::default()),
        Box::new(discord::Discord::default()),
        Box::new(mattermost::Mattermost::default()),
        Box::new(rocketchat::RocketChat::default()),
        Box::new(zulip::Zulip::default()),
        Box::new(mastodon::Mastodon::default()),
        Box::new(statusnet::StatusNet::default()),
        Box::new(ntfy::Ntfy::default()),
        Box::new(gotify::Gotify::default()),
        Box::new(line::Line::default()),
        Box::new(whatsapp_cloud::WhatsAppCloud::default()),
        Box::new(serverchan::ServerChan::default()),
        Box::new(pushplus::PushPlus::default()),
        Box::new(wxpusher::WxPusher::default()),
        Box::new(kook::Kook::default()),
        Box::new(googlechat::GoogleChat::default()),
        Box::new(teams::Teams),
        Box::new(pushover::Pushover::default()),
        Box::new(bark::Bark::default()),
        Box::new(smtp::Smtp::default()),
        Box::new(wecom_app::WeComApp::default()),
        Box::new(feishu_app::FeishuApp::default()),
        Box::new(dingtalk_app::DingTalkApp::default()),
        Box::new(wechat_oa::WeChatOa::default()),
        Box::new(qq_bot::QqBot::default()),
        Box::new(twilio::Twilio::default()),
        Box::new(matrix::Matrix::default()),
        Box::new(tencent_sms::TencentSms::default()),
        Box::new(aliyun_sms::AliyunSms::default()),
    ]
}

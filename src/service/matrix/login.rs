//! How a device logs in with the user's password.

use std::time::Duration;

use url::Url;

use super::answer;
use crate::model::secret::Secret;
use crate::service::api::{Answer, Exchange, Granted, HttpRequest, Session, Stamp};
use crate::service::opening::Opening;
use crate::service::wire::json::{CONTENT_TYPE, object};

/// The device of accounts that name none.
const DEVICE: &str = "HONGYAN";
/// How long a token is taken to hold of which the server does not say it; one that ends before is refused,
/// and got anew then.
const UNTOLD: Duration = Duration::from_secs(365 * 86_400);

/// A user's name and password, and the device that logs in.
pub struct Login {
    pub username: String,
    pub device: String,
    password: Secret,
    url: Url,
}

impl Login {
    /// Takes the fields.
    pub fn open(opening: &mut Opening, base: &Url) -> Login {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("login");
        }
        Login {
            username: opening.required("username"),
            device: opening.text("device_id").unwrap_or_else(|| DEVICE.to_owned()),
            password: opening.secret("password"),
            url,
        }
    }
}

impl Session for Login {
    fn key(&self) -> String {
        let Login { username, device, password, url } = self;
        [username, device, url.as_str(), password.expose()].map(|one| format!("{one:?}")).join(" ")
    }

    fn ask(&self, _at: &Stamp) -> Exchange {
        // No token to refresh with is asked for: the device logs in again, and is the same to the server.
        let body = object! {
            "type": "m.login.password",
            "identifier": object! {"type": "m.id.user", "user": self.username.as_str()},
            "password": self.password.expose(),
            "device_id": self.device.as_str(),
            "initial_device_display_name": "hongyan",
        };
        let body = body.to_string().into_bytes();
        Exchange::prepare(HttpRequest::post(self.url.clone(), CONTENT_TYPE, body))
    }

    fn read(&self, answer: &Answer) -> Granted {
        answer::login(answer, UNTOLD)
    }
}

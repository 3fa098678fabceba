//! URLs that a service shows to be copied: the forms that they have, and what of them is secret.

use url::Url;

use crate::model::config::web_url;

/// A form of the URLs that a service shows to be copied.
///
/// ```text
/// UrlForm::new(&["hooks.slack.com"], "/services/T{}/B{}/{}")
/// UrlForm::new(&["qyapi.weixin.qq.com"], "/cgi-bin/webhook/send").query(&["key"])
/// UrlForm::new(&["*.logic.azure.com"], "/workflows/*/triggers/*/paths/invoke").query(&["sig"])
/// UrlForm::new(UrlForm::ANY_HOST, "/hooks/{}")
/// ```
#[derive(Debug)]
pub struct UrlForm {
    /// Its hosts; `*.example.com` is every host that ends so.
    hosts: &'static [&'static str],
    /// Its path: of a segment, `{}` stands for what is secret and `*` for what is not; `**` at the end
    /// stands for any further segments.
    path: &'static str,
    /// The parameters that it must have, whose values are secrets.
    query: &'static [&'static str],
    /// The parameters that it may have, whose values are no secrets.
    open: &'static [&'static str],
}

/// A URL that has one of the forms of its service.
#[derive(Debug)]
pub struct Pasted {
    /// The URL as it was given.
    pub url: Url,
    /// Where in its path the documented part begins; what stands before is the server's own.
    pub documented: usize,
    /// What of it must not be shown, the longest first.
    pub secrets: Vec<String>,
}

impl UrlForm {
    /// The hosts of what anybody may run on a server of his own, under any path.
    pub const ANY_HOST: &'static [&'static str] = &[];

    /// URLs of these hosts and this path.
    pub const fn new(hosts: &'static [&'static str], path: &'static str) -> UrlForm {
        UrlForm { hosts, path, query: &[], open: &[] }
    }

    /// The same with parameters that must be there, whose values are secrets.
    pub const fn query(self, query: &'static [&'static str]) -> UrlForm {
        UrlForm { query, ..self }
    }

    /// The same with parameters that may be there, whose values are no secrets. Those of any other name
    /// may be there too, and are taken for secrets.
    pub const fn open(self, open: &'static [&'static str]) -> UrlForm {
        UrlForm { open, ..self }
    }

    /// True if it may be of anybody's own server.
    pub fn is_self_hosted(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Where the documented path begins in a URL that has this form.
    fn documented(&self, url: &Url) -> Option<usize> {
        let has = |name: &&str| {
            let mut values = url.query_pairs().filter(|(own, _)| own == name);
            values.next().is_some_and(|(_, value)| !value.is_empty()) && values.next().is_none()
        };
        if !self.query.iter().all(has) {
            return None;
        }
        let path = url.path();
        if self.is_self_hosted() {
            return path
                .rmatch_indices('/')
                .map(|(at, _)| at)
                .find(|at| is_path(self.path, &path[*at..]));
        }
        let host = url.host_str()?;
        let is_host = |own: &&str| match own.strip_prefix('*') {
            Some(end) => host.strip_suffix(end).is_some_and(|name| !name.is_empty()),
            None => *own == host,
        };
        let is_own = self.hosts.iter().any(is_host) && url.port().is_none();
        (is_own && url.scheme() == "https" && is_path(self.path, path)).then_some(0)
    }

    /// What of a URL of this form is secret.
    fn secrets(&self, url: &Url, documented: usize) -> Vec<String> {
        let tail = &url[url::Position::BeforePath..][documented..];
        let mut secrets = vec![tail.trim_start_matches('/').to_owned()];
        let segments = self.path.split('/').zip(url.path()[documented..].split('/'));
        for (own, given) in segments {
            if let Some((before, behind)) = own.split_once("{}") {
                secrets.push(given[before.len()..given.len() - behind.len()].to_owned());
            }
        }
        let pairs = url.query_pairs().filter(|(name, _)| !self.open.contains(&&**name));
        secrets.extend(pairs.map(|(_, value)| value.into_owned()));
        secrets
    }

    /// How such a URL begins, for people.
    pub fn shown(&self) -> String {
        let host = self.hosts.first().unwrap_or(&"HOST");
        let path = self.path.replace("**", "…").replace('*', "…").replace("{}", "…");
        let query = self.query.first().map(|name| format!("?{name}=…")).unwrap_or_default();
        format!("https://{host}{path}{query}")
    }

    /// A regular expression that such a URL matches.
    pub fn pattern(&self) -> String {
        let escaped = |text: &str| text.replace('.', "\\.");
        let hosts: Vec<_> =
            self.hosts.iter().map(|host| escaped(host).replace('*', "[^/?#]+")).collect();
        let begin = match hosts.as_slice() {
            [] => "https?://[^/?#]+(/[^?#]+)?".to_owned(),
            [host] => format!("https://{host}(:443)?"),
            hosts => format!("https://({})(:443)?", hosts.join("|")),
        };
        let path = escaped(self.path)
            .replace("**", "{any}")
            .replace('*', "{}")
            .replace("{}", "[^/?#]+")
            .replace("{any}", "[^?#]+");
        let end = if self.query.is_empty() { "($|[?])" } else { "[?]" };
        format!("^{begin}{path}{end}")
    }

    /// A URL of this form.
    #[cfg(test)]
    pub fn example(&self) -> String {
        let host = self.hosts.first().unwrap_or(&"chat.example").replace('*', "a.b");
        let path = self.path.replace("{}", "secret0").replace("**", "a/b").replace('*', "public0");
        let query: Vec<_> = self.query.iter().map(|name| format!("{name}=secret1")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("https://{host}{path}{mark}{}", query.join("&"))
    }
}

/// True if a path has the form of another, whose wildcards stand for parts of a segment.
fn is_path(form: &str, path: &str) -> bool {
    let (mut own, mut given) = (form.split('/'), path.split('/'));
    loop {
        return match (own.next(), given.next()) {
            (None, None) => true,
            (Some("**"), Some(first)) => !first.is_empty(),
            (Some(own), Some(given)) if is_segment(own, given) => continue,
            _ => false,
        };
    }
}

fn is_segment(form: &str, segment: &str) -> bool {
    let Some((before, behind)) = form.split_once("{}").or_else(|| form.split_once('*')) else {
        return form == segment;
    };
    let inner = segment.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
    inner.is_some_and(|inner| !inner.is_empty())
}

/// Reads a URL that was pasted, as one of these forms; what is wrong is told without anything of it.
pub fn read(text: &str, forms: &[UrlForm]) -> Result<Pasted, String> {
    let url = web_url(text)?;
    if url.fragment().is_some() {
        return Err("the URL must not have a fragment: copy it as its page shows it".to_owned());
    }
    let found = forms.iter().find_map(|form| Some((form, form.documented(&url)?)));
    let Some((form, documented)) = found else {
        let shown: Vec<_> = forms.iter().map(UrlForm::shown).collect();
        return Err(format!("the URL must have the form {}", shown.join(" or ")));
    };
    let secrets = form.secrets(&url, documented);
    Ok(Pasted { url, documented, secrets })
}

/// Where a URL of these forms could be used, if it is one; true where the host proves it.
pub fn recognises(text: &str, forms: &[UrlForm]) -> Option<bool> {
    let url = web_url(text).ok()?;
    let mut own = forms.iter().filter(|form| form.documented(&url).is_some()).peekable();
    own.peek()?;
    Some(own.any(|form| !form.is_self_hosted()))
}

/// A URL as it may be shown wherever its path is a secret.
pub fn shown(url: &Url) -> String {
    format!("{}/…", url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: &[UrlForm] = &[UrlForm::new(&["hooks.slack.com"], "/services/T{}/B{}/{}")];
    const FLOW: &[UrlForm] = &[
        UrlForm::new(&["*.logic.example"], "/workflows/*/paths/invoke")
            .query(&["sig"])
            .open(&["v"]),
        UrlForm::new(&["*.power.example"], "/direct/**").query(&["sig"]),
    ];
    const OWN: &[UrlForm] = &[UrlForm::new(UrlForm::ANY_HOST, "/hooks/{}/{}")];

    #[test]
    fn a_url_is_of_a_form_only_as_a_whole() {
        for (text, forms, is_own) in [
            ("https://hooks.slack.com/services/T1/B2/x3", SLACK, true),
            ("https://HOOKS.slack.com:443/services/T1/B2/x3?", SLACK, true),
            ("https://hooks.slack.com/services/T1/B2/x3?y=z", SLACK, true),
            ("http://hooks.slack.com/services/T1/B2/x3", SLACK, false),
            ("https://hooks.slack.com:444/services/T1/B2/x3", SLACK, false),
            ("https://hooks.slack.com.example/services/T1/B2/x3", SLACK, false),
            ("https://evil.example/hooks.slack.com/services/T1/B2/x3", SLACK, false),
            ("https://hooks.slack.com@evil.example/services/T1/B2/x3", SLACK, false),
            ("https://u:p@hooks.slack.com/services/T1/B2/x3", SLACK, false),
            ("https://hooks.slack.com/services/T1/B2/x3#y", SLACK, false),
            ("https://hooks.slack.com/services/T1/B2/x3/", SLACK, false),
            ("https://hooks.slack.com/services/T1/B2", SLACK, false),
            ("https://hooks.slack.com/services/T/B2/x3", SLACK, false),
            ("https://hooks.slack.com/services/1/B2/x3", SLACK, false),
            ("https://hooks.slack.com/x/services/T1/B2/x3", SLACK, false),
            ("https://hooks.slack.com/services/T1/../B2/x3", SLACK, false),
            ("https://hooks.slack.com\\services\\T1\\B2\\x3", SLACK, true),
            ("https:/hooks.slack.com/services/T1/B2/x3", SLACK, false),
            ("https://hooks.slack.com/services/T1/B2/x 3", SLACK, false),
            ("https://a.b.logic.example/workflows/1/paths/invoke?v=1&sig=s", FLOW, true),
            ("https://a.power.example/direct/a/b/c?sig=s", FLOW, true),
            ("https://a.power.example/direct/?sig=s", FLOW, false),
            ("https://a.power.example/direct?sig=s", FLOW, false),
            ("https://logic.example/workflows/1/paths/invoke?sig=s", FLOW, false),
            ("https://a.logic.example/workflows/1/paths/invoke", FLOW, false),
            ("https://a.logic.example/workflows/1/paths/invoke?sig=", FLOW, false),
            ("https://a.logic.example/workflows/1/paths/invoke?sig=a&sig=b", FLOW, false),
            ("https://chat.example/hooks/a/b", OWN, true),
            ("http://chat.example:8065/team/hooks/a/b", OWN, true),
            ("https://chat.example/hooks/a", OWN, false),
            ("https://chat.example/hooks/a/b/c", OWN, false),
        ] {
            assert_eq!(read(text, forms).is_ok(), is_own, "{text}");
            if let Err(words) = read(text, forms) {
                assert!(!words.contains("T1") && !words.contains("x3"), "{text}: {words}");
            }
        }
    }

    #[test]
    fn what_of_a_url_is_secret_is_told_part_by_part() {
        let secrets = |text, forms| read(text, forms).expect(text).secrets;
        assert_eq!(
            secrets("https://hooks.slack.com/services/T1/B2/x3", SLACK),
            ["services/T1/B2/x3", "1", "2", "x3"]
        );
        assert_eq!(
            secrets("https://a.logic.example/workflows/1/paths/invoke?v=1&sig=s%2Bt&w=u", FLOW),
            ["workflows/1/paths/invoke?v=1&sig=s%2Bt&w=u", "s+t", "u"]
        );
        let own = read("http://chat.example/team/hooks/a/b", OWN).expect("a URL");
        assert_eq!(
            (own.documented, &*own.secrets),
            (5, ["hooks/a/b", "a", "b"].map(String::from).as_slice())
        );
    }

    #[test]
    fn a_form_tells_its_urls_to_people_and_to_schemas() {
        assert_eq!(SLACK[0].shown(), "https://hooks.slack.com/services/T…/B…/…");
        assert_eq!(FLOW[0].shown(), "https://*.logic.example/workflows/…/paths/invoke?sig=…");
        assert_eq!(OWN[0].shown(), "https://HOST/hooks/…/…");
        assert_eq!(
            SLACK[0].pattern(),
            r"^https://hooks\.slack\.com(:443)?/services/T[^/?#]+/B[^/?#]+/[^/?#]+($|[?])"
        );
        assert_eq!(OWN[0].pattern(), r"^https?://[^/?#]+(/[^?#]+)?/hooks/[^/?#]+/[^/?#]+($|[?])");
        assert_eq!(FLOW[1].pattern(), r"^https://[^/?#]+\.power\.example(:443)?/direct/[^?#]+[?]");
    }
}

//! The pages for people: the inbox at `/`, and what the sandbox plays at `/_/about`.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::exchange::Answer;
use crate::services::{self, Service};

/// The inbox, whole: nothing else is loaded but what the sandbox itself took.
const INBOX: &str = include_str!("inbox.html");

/// Lets the page's own script and style run, and nothing that a message might bring.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |tag: &str| {
        let inside = INBOX.split(&format!("<{tag}>")).nth(1).unwrap_or_default();
        let inside = inside.split(&format!("</{tag}>")).next().unwrap_or_default();
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inside)))
    };
    format!(
        "default-src 'none'; connect-src 'self'; img-src 'self'; script-src {}; style-src {}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("script"),
        hash("style")
    )
});

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hongyan sandbox: what it plays</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #b5432e; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0; } h1 small { color: var(--accent); font-weight: 400; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; border-bottom: 1px solid var(--line); }
code, pre { font: .88em/1.5 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; overflow-wrap: anywhere; } pre { padding: .8em 1em; overflow-x: auto; }
pre code { padding: 0; background: none; overflow-wrap: normal; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .4rem 1rem; margin: 0; }
dt { color: var(--accent); } dd { margin: 0; } dd ul { margin: 0; padding-left: 1.1em; }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid var(--line);
padding: .35rem .8rem .35rem 0; vertical-align: top; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } }
</style>
</head>
<body>
<h1>鸿雁 <small>hongyan sandbox</small></h1>
<p>This server plays chat services for tests. It checks credentials, signatures, limits and fields
as the services document them, and delivers nothing to anybody: what it took is shown in
<a href="/_/">the inbox</a> and listed at <a href="/_/messages"><code>/_/messages</code></a>. Its credentials are throw-away ones;
<code>hongyan sandbox --print-config</code> prints them.</p>
"#;

const FAULTS: &str = r#"<h2>Faults on demand</h2>
<p>A fault meets the next request to its service, before every other check; <code>times</code>
repeats it. Waiting faults: <a href="/_/faults"><code>/_/faults</code></a>.</p>
<table>
<tr><td><code>latency</code></td><td><code>ms</code>: answers later</td></tr>
<tr><td><code>status</code></td><td><code>status</code>, and if wanted <code>body</code>,
<code>content_type</code>, <code>headers</code>: answers that</td></tr>
<tr><td><code>reset</code></td><td>resets the connection; <code>when</code> <code>"after"</code>:
once the message is taken</td></tr>
<tr><td><code>hang</code></td><td>answers nothing for 60 seconds; <code>when</code> as above</td></tr>
<tr><td><code>hold</code></td><td>answers once <code>POST /_/release</code> lets it;
<code>when</code> as above. <code>GET /_/held?count=1</code> answers as soon as so many are held</td></tr>
<tr><td><code>rate_limit</code></td><td>the service's own refusal; <code>retry_after_s</code> adds
the header</td></tr>
<tr><td><code>drop</code></td><td>the service drops the message and says so</td></tr>
<tr><td><code>garbage</code></td><td>status 200 and bytes that mean nothing</td></tr>
<tr><td><code>answer</code></td><td><code>body</code>, and if wanted <code>status</code>,
<code>content_type</code>, <code>headers</code>; <code>stored</code> <code>true</code>: the message
is taken all the same</td></tr>
</table>
"#;

/// The inbox.
pub(crate) fn inbox() -> Answer {
    let answer = Answer::new(200, "text/html; charset=utf-8", INBOX);
    answer.with_header("content-security-policy", &POLICY)
}

/// What the sandbox plays, with examples that reach this very server.
pub(crate) fn about(base_url: &str) -> Answer {
    let mut html = HEAD.to_owned();
    for service in services::all() {
        html.push_str(&section(service.as_ref()));
    }
    html.push_str(FAULTS);
    let insecure = if base_url.starts_with("https") { " --cacert CA_FILE" } else { "" };
    html.push_str(&format!(
        "<h2>By hand</h2>\n<pre><code>curl{insecure} -u test:pwd -d 'user=lisztli&amp;text=hello' \
         {base_url}/fanfou/direct_messages/new.json\n\
         curl{insecure} {base_url}/_/messages\n\
         curl{insecure} -X DELETE {base_url}/_/messages\n\
         curl{insecure} -d '{{\"service\":\"fanfou\",\"kind\":\"reset\",\"when\":\"after\"}}' \
         {base_url}/_/faults\n\
         curl{insecure} -d '{{\"service\":\"tencent_im\",\"kind\":\"drop\",\"times\":2}}' \
         {base_url}/_/faults\n\
         curl{insecure} -X DELETE {base_url}/_/faults</code></pre>\n\
         <p><code>GET /_/seen</code> tells how many requests came and which messages were taken; \
         <code>POST /_/reset</code> forgets both and all faults, and cuts what is held.</p>\n</body>\n</html>\n"
    ));
    Answer::new(200, "text/html; charset=utf-8", html)
}

fn section(service: &dyn Service) -> String {
    let about = service.about();
    let accounts: Vec<_> =
        service.accounts().iter().map(|(name, _)| format!("<code>{name}</code>")).collect();
    let assumed: String = about.assumed.iter().map(|what| format!("<li>{what}</li>")).collect();
    format!(
        "<h2>{}</h2>\n<dl>\n<dt>Path</dt><dd>{}</dd>\n<dt>Accounts</dt><dd>{}</dd>\n\
         <dt>Credentials</dt><dd>{}</dd>\n<dt>Recipients</dt><dd>{}</dd>\n<dt>Limits</dt><dd>{}</dd>\n\
         <dt>Assumed</dt><dd><ul>{assumed}</ul></dd>\n</dl>\n",
        about.title,
        about.paths,
        accounts.join(", "),
        about.auth,
        about.recipients,
        about.limits,
    )
}

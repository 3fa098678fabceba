//! What a role may do that was told that it may submit, whose results are whose, and how a schema is made.

use std::future::{pending, poll_fn};
use std::sync::mpsc::{Receiver, channel};

use hongyan::{ErrorCode, OutboxFile};
use serde_json::json;
use tokio_postgres::{AsyncMessage, NoTls};

use super::accounts::{ACCOUNTS, client, message, take};
use super::cluster::Cluster;
use super::place::Folder;
use super::raw::{GUARD, RawServer, answer};

const OK: &str = ACCOUNTS[0].1;

/// A role that may submit to this outbox, and nothing else.
fn submitter(folder: &Folder, name: &str) -> impl Fn(&str) -> Result<String, String> {
    let cluster = Cluster::shared();
    cluster.role(name);
    folder.psql(&format!(
        "GRANT USAGE ON schema SCHEMA TO {name}; \
         GRANT EXECUTE ON FUNCTION SCHEMA.submit(jsonb, text) TO {name}"
    ));
    let (name, schema) = (name.to_owned(), folder.psql("SELECT 'SCHEMA'"));
    move |sql: &str| cluster.psql_as(&name, "postgres", &sql.replace("SCHEMA", &schema))
}

/// What is notified on this channel from now on, whatever language listens.
fn listen(of: String) -> Receiver<String> {
    let ((tells, hears), (ready, is_ready)) = (channel(), channel());
    let listens = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let connected = tokio_postgres::connect(&Cluster::shared().url(), NoTls).await;
            let (client, mut connection) = connected.expect("it connects");
            let reads = async {
                while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                    if let AsyncMessage::Notification(told) = message
                        && tells.send(told.payload().to_owned()).is_err()
                    {
                        return;
                    }
                }
            };
            let begins = async {
                client.batch_execute(&format!("LISTEN {of}")).await.expect("it may listen");
                ready.send(()).expect("somebody waits");
                pending::<()>().await;
            };
            tokio::select! { () = reads => {}, () = begins => {} }
        });
    };
    std::thread::spawn(listens);
    is_ready.recv().expect("it listens");
    hears
}

#[test]
fn a_role_that_may_submit_may_do_nothing_else() {
    let folder = Folder::new();
    let sql = submitter(&folder, "shop");
    let submit = format!("SELECT SCHEMA.submit($${}$$::jsonb)", message("ff-json"));
    let id = sql(&submit).expect("it may submit");

    // As the catalogue says it, of everything that there is.
    let may = folder.psql(
        "SELECT coalesce(string_agg(told, ', '), '') FROM (\
         SELECT 'table ' || c.relname AS told FROM pg_class c WHERE c.relnamespace = 'SCHEMA'::regnamespace \
           AND c.relkind IN ('r', 'p', 'v', 'm') \
           AND has_table_privilege('shop', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') \
         UNION ALL SELECT 'sequence ' || c.relname FROM pg_class c \
           WHERE c.relnamespace = 'SCHEMA'::regnamespace AND CASE WHEN c.relkind = 'S' \
           THEN has_sequence_privilege('shop', c.oid, 'USAGE, SELECT, UPDATE') END \
         UNION ALL SELECT 'function ' || p.proname FROM pg_proc p \
           WHERE p.pronamespace = 'SCHEMA'::regnamespace AND p.proname <> 'submit' \
           AND has_function_privilege('shop', p.oid, 'EXECUTE') \
         UNION ALL SELECT 'make objects' WHERE has_schema_privilege('shop', 'SCHEMA', 'CREATE')) AS told",
    );
    assert_eq!(may, "", "what the role may beside submitting");

    // And as it is refused.
    for statement in [
        "SELECT message FROM SCHEMA.inbox".to_owned(),
        "SELECT message FROM SCHEMA.messages".to_owned(),
        "DELETE FROM SCHEMA.inbox".to_owned(),
        format!("SELECT SCHEMA.result('{id}')"),
        "CREATE TABLE SCHEMA.mine ()".to_owned(),
    ] {
        let refused = sql(&statement).expect_err(&statement);
        assert!(refused.contains("permission denied"), "{statement}: {refused}");
    }
    let grant = "GRANT EXECUTE ON FUNCTION SCHEMA.result(text) TO shop";
    folder.psql(grant);
    assert_eq!(sql(&format!("SELECT SCHEMA.result('{id}')")), Ok(String::new()), "none yet");
}

#[test]
fn nothing_of_a_role_s_own_stands_in_for_what_submit_uses() {
    let folder = Folder::new();
    let sql = submitter(&folder, "crook");
    folder.psql("CREATE schema crooked AUTHORIZATION crook");
    // Tables, functions and operators by the names that it uses, where an unwary function would find them.
    let id = sql(&format!(
        "CREATE TEMP TABLE inbox (id text, owner text, at_ms bigint, message text);\n\
         CREATE FUNCTION crooked.now_ms() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';\n\
         CREATE FUNCTION crooked.ulid() RETURNS text LANGUAGE sql AS $$ SELECT 'mine' $$;\n\
         CREATE FUNCTION crooked.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT';\n\
         SET search_path = crooked, pg_temp, pg_catalog;\n\
         SELECT SCHEMA.submit($${}$$::jsonb)",
        message("ff-json")
    ))
    .expect("it may submit");
    assert_eq!(id.len(), 26, "an id of the outbox's own: {id}");
    let rows =
        folder.psql(&format!("SELECT count(*) FROM SCHEMA.inbox WHERE id = '{id}' AND at_ms > 0"));
    assert_eq!(rows, "1", "it lies in the outbox");
}

#[test]
fn ids_are_ulids_in_the_order_of_time() {
    let folder = Folder::new();
    let sql = format!(
        "SELECT SCHEMA.submit($${}$$::jsonb) FROM generate_series(1, 300)",
        message("ff-json")
    );
    let ids: Vec<String> = folder.psql(&sql).lines().map(str::to_owned).collect();
    let unique: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), unique.len()), (300, 300));
    let is_letter = |b: u8| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&b);
    for id in &ids {
        assert!(id.len() == 26 && id.bytes().all(is_letter) && id.as_bytes()[0] < b'8', "{id}");
    }
    let times: Vec<_> = ids.iter().map(|id| &id[..10]).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_result_belongs_to_the_owner_whom_its_submit_named_and_its_id_is_notified() {
    let folder = Folder::new();
    let server = RawServer::fixed(answer(200, "", OK));
    let schema = folder.psql("SELECT 'SCHEMA'");

    let hears = listen(format!("{schema}_result"));
    let submit = |owner: &str| {
        let message = message("ff-json");
        folder.psql(&format!("SELECT SCHEMA.submit($${message}$$::jsonb, '{owner}')"))
    };
    let (bills, nobodys) = (submit("Bill"), submit(""));
    let of =
        |owner: &str| client(&folder.config(&server.url(), json!({"outbox": {"owner": owner}})));
    let bill = of("Bill");
    let receipt = take(&bill);
    assert_eq!((receipt.id.as_str(), receipt.delivery.name()), (bills.as_str(), "sent"));
    let receipt = take(&of(""));
    assert_eq!((receipt.id.as_str(), receipt.delivery.name()), (nobodys.as_str(), "sent"));

    let mut told = [(); 2].map(|()| hears.recv_timeout(GUARD).expect("a notification"));
    let mut ids = [bills, nobodys];
    told.sort();
    ids.sort();
    assert_eq!(told, ids, "the bare ids, each once");
}

#[test]
fn a_schema_is_made_again_without_harm_and_beside_others() {
    let (one, other) = (Folder::new(), Folder::new());
    let submit = |folder: &Folder| {
        folder.psql(&format!("SELECT SCHEMA.submit($${}$$::jsonb)", message("ff-json")))
    };
    submit(&one);
    let makers: Vec<_> = (0..4)
        .map(|_| {
            let file = one.file();
            std::thread::spawn(move || file.make_schema())
        })
        .collect();
    for maker in makers {
        maker.join().expect("no panic").expect("made, or there already");
    }
    // What is printed is what is made.
    let sql = one.file().schema_sql().expect("a database");
    assert!(!sql.contains(super::cluster::PASSWORD) && !sql.contains("{schema}"), "{sql}");
    Cluster::shared().psql("postgres", &sql);
    assert_eq!(one.psql("SELECT count(*) FROM SCHEMA.inbox"), "1", "what was there stays");
    assert_eq!(other.psql("SELECT count(*) FROM SCHEMA.inbox"), "0");
    other.psql("DROP schema SCHEMA CASCADE");
    submit(&one);
}

#[test]
fn an_older_schema_becomes_current_and_grants_stay() {
    let folder = Folder::new();
    let sql = submitter(&folder, "till");
    folder.psql("GRANT EXECUTE ON FUNCTION SCHEMA.result(text) TO till");
    // A function as it took other values before, one that gave others, and one of somebody else.
    folder.psql(
        "UPDATE SCHEMA.meta SET version = 1; \
         CREATE FUNCTION SCHEMA.apply(p_member bigint, x jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $2'; \
         DROP FUNCTION SCHEMA.next_deadline(); \
         CREATE FUNCTION SCHEMA.next_deadline() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'; \
         CREATE FUNCTION SCHEMA.mine() RETURNS integer LANGUAGE sql AS 'SELECT 42'",
    );
    let server = RawServer::fixed(answer(200, "", OK));
    let config = folder.config(&server.url(), json!({})).to_string();
    let older = hongyan::Client::from_json(&config).err().expect("an older schema");
    assert!(older.hint_text().is_some_and(|hint| hint.contains("outbox init")), "{older}");

    folder.file().make_schema().expect("current");
    let twice = folder.psql(
        "SELECT coalesce(string_agg(proname, ', '), '') FROM (SELECT proname FROM pg_proc \
         WHERE pronamespace = 'SCHEMA'::regnamespace GROUP BY proname HAVING count(*) > 1) AS twice",
    );
    assert_eq!((twice.as_str(), folder.psql("SELECT SCHEMA.mine()").as_str()), ("", "42"));
    let _worker = folder.client(&server.url());
    let id = sql(&format!("SELECT SCHEMA.submit($${}$$::jsonb)", message("ff-json")));
    let id = id.expect("it may submit still");
    let started = std::time::Instant::now();
    while sql(&format!("SELECT SCHEMA.result('{id}')")).expect("and read results").is_empty() {
        assert!(started.elapsed() < GUARD, "no result of {id}");
    }
}

#[test]
fn a_schema_that_is_missing_is_told_with_what_makes_it() {
    let config =
        Folder::new().config("http://127.0.0.1:1", json!({"outbox": {"schema": "nowhere"}}));
    let file = OutboxFile::of_config(&config.to_string()).expect("a configuration");
    let error = file.expect("an outbox").rows(0, 1).expect_err("no schema");
    assert_eq!(error.code(), ErrorCode::Storage);
    assert!(error.to_string().contains("outbox init"), "{error}");
}

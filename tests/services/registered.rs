//! A service is registered in src/service.rs and nowhere else: all that concerns every service follows
//! from that, or fails until it is there.

use std::path::Path;

use serde_json::Value;

use crate::service::{SERVICES, services_json};

fn exists(path: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

#[test]
fn every_service_is_told_of_with_its_account_and_its_verdicts() {
    let json: Value = serde_json::from_str(services_json()).expect("JSON");
    let told = json["services"].as_array().expect("a list");
    assert_eq!(told.len(), SERVICES.len());
    for (service, told) in SERVICES.iter().zip(told) {
        let name = service.info.name;
        assert_eq!(told["name"], name);
        assert_eq!(told["account"]["properties"]["service"]["const"], name);
        assert_eq!(told["account"]["properties"]["auth"]["oneOf"].as_array().map(Vec::len), {
            Some(service.info.auth.len())
        });
        assert_eq!(told["verdicts"].as_array().map(Vec::len), Some(service.table.len()));
    }
}

#[test]
fn every_service_has_what_the_runners_go_through() {
    for name in SERVICES.iter().map(|service| service.info.name) {
        assert!(exists(&format!("tests/golden/{name}")), "{name} has no golden requests");
        let success = format!("tests/corpus/{name}/success.body");
        assert!(exists(&success), "{name} has no success for the corpus of answers");
        // Those of the test tree are of no released build, which the pages, the sandbox and the demo
        // are made for.
        if !exists(&format!("tests/services/{name}.rs")) {
            assert!(exists(&format!("docs/services/{name}.md")), "{name} has no page");
            let row = format!("\n| [`{name}`](docs/services/{name}.md) |");
            let rows = include_str!("../../README.md").matches(&row).count();
            assert_eq!(rows, 1, "rows of {name} in the README's table");
            let sandbox = hongyan_sandbox::config("http://127.0.0.1:1", None);
            let mut accounts = sandbox["accounts"].as_object().expect("accounts").values();
            assert!(accounts.any(|account| account["service"] == name), "no sandbox plays {name}");
        }
    }
}

#[test]
fn every_service_has_a_feature_of_its_own() {
    let read = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let (manifest, list) = (read("Cargo.toml"), read("src/service.rs"));
    for name in SERVICES.iter().map(|service| service.info.name) {
        if exists(&format!("tests/services/{name}.rs")) {
            continue;
        }
        let feature = format!("service-{name}");
        for line in [format!("\n{feature} = ["), format!("\n    \"{feature}\",")] {
            assert!(
                manifest.contains(&line),
                "Cargo.toml has no {line:?}: [features] and services"
            );
        }
        let line = format!("#[cfg(feature = \"{feature}\")]");
        assert_eq!(
            list.matches(&line).count(),
            2,
            "src/service.rs: {line} stands before mod and SERVICE"
        );
    }
}

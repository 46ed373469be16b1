//! What is built from the samples.

use wasmport_artifact::{Target, WasmConfig, annotation, media_type, validate};
use wasmport_builder::{Built, Event, Layout, Optimizer};

use crate::bench::{Bench, built, options, options_with, run};

fn layer(built: &Built) -> Vec<u8> {
    let layer = &built.layout.manifest().layers()[0];
    built.layout.blob(&layer.digest).unwrap()
}

#[test]
fn hello_becomes_a_small_artifact_that_says_what_it_is() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    let (result, events) = run(&options(&project));
    let built = result.unwrap();
    assert!(matches!(events.first(), Some(Event::Compiling { .. })));
    assert!(
        built.sizes.optimized < built.sizes.compiled * 3 / 4,
        "{:?} {events:?}",
        built.sizes
    );
    assert_eq!(
        built.layout.directory(),
        project.join("target/wasmport/hello")
    );

    let wasm = layer(&built);
    validate(&wasm).unwrap();
    assert_eq!(wasm.len() as u64, built.sizes.optimized);
    assert_eq!(built.inspection.target, Some(Target::Wasip2));
    let exports = built.inspection.export_names();
    assert!(
        exports
            .iter()
            .any(|name| name.starts_with("wasi:cli/run@0.2.")),
        "{exports:?}"
    );

    let manifest = built.layout.manifest();
    assert_eq!(manifest.digest(), built.digest);
    let config = manifest.config().unwrap();
    assert_eq!(config.media_type, media_type::WASM_CONFIG);
    let config = WasmConfig::parse(&built.layout.blob(&config.digest).unwrap()).unwrap();
    let layer = &manifest.layers()[0];
    assert_eq!(config.disagreements(&built.inspection, &layer.digest), []);
    assert_eq!(layer.annotations[annotation::TITLE], "hello.wasm");

    let said = manifest.annotations();
    assert_eq!(said[annotation::TITLE], "hello");
    assert_eq!(said[annotation::VERSION], "1.2.0");
    assert_eq!(said[annotation::LICENSES], "MIT OR Apache-2.0");
    assert_eq!(said[annotation::SOURCE], "https://github.com/acme/hello");
    assert_eq!(said[annotation::CREATED], "1970-01-01T00:00:00Z");
    assert!(!said.contains_key(annotation::REVISION));
}

#[test]
fn the_same_source_has_the_same_digest_in_any_directory() {
    let bench = Bench::new();
    let here = bench.sample("hello", "here");
    let there = bench.sample("hello", "some where/deeper/there");
    let first = built(&options(&here));
    let second = built(&options(&there));
    assert_eq!(first.digest, second.digest);
    let again = built(&options(&here));
    assert_eq!(first.digest, again.digest);
}

#[test]
fn no_path_of_this_machine_is_in_the_component() {
    let bench = Bench::new();
    let panics = "pub fn f(n: usize) -> u8 { assert!(n < 9); b\"123456789\"[n + 1] }";
    bench.project(
        "beside",
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"beside\"\nversion = \"0.1.0\"",
            ),
            ("src/lib.rs", panics),
        ],
    );
    let project = bench.project(
        "project",
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"project\"\nversion = \"0.1.0\"\n\
                 [dependencies]\nbeside = { path = \"../beside\" }\n[workspace]",
            ),
            (
                "src/main.rs",
                "fn main() { println!(\"{}\", beside::f(std::env::args().count())) }",
            ),
        ],
    );
    let mut chosen = options(&project);
    chosen.optimizer = Optimizer::None;
    let wasm = layer(&built(&chosen));
    let has = |text: &str| wasm.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("/dependencies/beside/src/lib.rs"));
    assert!(!has(bench.path("").to_str().unwrap()));
}

#[test]
fn the_users_compiler_flags_count_as_well() {
    let bench = Bench::new();
    let source =
        r#"fn main() { println!("{}", if cfg!(given) { "flag was given" } else { "none" }) }"#;
    let project = bench.project(
        "flags",
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"flags\"\nversion = \"0.1.0\"",
            ),
            ("src/main.rs", source),
            (".cargo/config.toml", "[build]\nrustflags = \"--cfg given\""),
        ],
    );
    let contains = |wasm: &[u8]| wasm.windows(14).any(|part| part == b"flag was given");
    assert!(contains(&layer(&built(&options(&project)))));
    let with_variable = options_with(&project, &[("RUSTFLAGS", "--cfg other")]);
    assert!(!contains(&layer(&built(&with_variable))));
}

#[test]
fn a_service_exports_the_incoming_handler() {
    let bench = Bench::new();
    let project = bench.sample("http-service", "http-service");
    let built = built(&options(&project));
    let exports = built.inspection.export_names();
    assert!(
        exports
            .iter()
            .any(|name| name.starts_with("wasi:http/incoming-handler@0.2.")),
        "{exports:?}"
    );
    assert!(built.sizes.optimized < built.sizes.compiled);
    let title = &built.layout.manifest().layers()[0].annotations[annotation::TITLE];
    assert_eq!(title, "http-service.wasm");
}

#[test]
fn opening_files_and_sockets_is_seen_down_to_the_function() {
    let bench = Bench::new();
    let project = bench.sample("files-and-sockets", "files-and-sockets");
    let built = built(&options(&project));
    let functions_of = |interface: &str| {
        let mut imports = built.inspection.imports.iter();
        let found = imports.find(|import| import.name.starts_with(interface));
        found
            .map(|import| import.functions.clone())
            .unwrap_or_default()
    };
    let has = |interface: &str, function: &str| {
        functions_of(interface).iter().any(|name| name == function)
    };
    assert!(has("wasi:filesystem/types@", "[method]descriptor.open-at"));
    assert!(has("wasi:sockets/tcp@", "[method]tcp-socket.start-connect"));
}

#[test]
fn options_choose_program_place_time_and_words() {
    let bench = Bench::new();
    let project = bench.project(
        "two",
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"two\"\nversion = \"0.1.0+b\"",
            ),
            ("src/bin/one.rs", "fn main() { println!(\"one\") }"),
            ("src/bin/other.rs", "fn main() { println!(\"other\") }"),
        ],
    );
    let mut chosen = options_with(&project, &[("SOURCE_DATE_EPOCH", "1000000000")]);
    chosen.bin = Some("other".to_owned());
    chosen.output = Some(bench.path("out"));
    chosen.optimizer = Optimizer::None;
    chosen
        .annotations
        .insert("com.acme.team".to_owned(), "tools".to_owned());
    let built = built(&chosen);
    assert_eq!(built.sizes.compiled, built.sizes.optimized);
    let layout = Layout::open(bench.path("out")).unwrap();
    assert_eq!(layout.tag(), Some("0.1.0_b"));
    let said = layout.manifest().annotations();
    assert_eq!(said["com.acme.team"], "tools");
    assert_eq!(said[annotation::TITLE], "other");
    assert_eq!(said[annotation::CREATED], "2001-09-09T01:46:40Z");
}

#[test]
fn a_package_of_a_workspace_is_built_from_its_root_or_its_directory() {
    let bench = Bench::new();
    let workspace = bench.project(
        "workspace",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"lib\"]",
            ),
            (
                "app/Cargo.toml",
                "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"",
            ),
            ("app/src/main.rs", "fn main() {}"),
            (
                "lib/Cargo.toml",
                "[package]\nname = \"lib\"\nversion = \"0.1.0\"\nedition = \"2024\"",
            ),
            ("lib/src/lib.rs", ""),
        ],
    );
    let from_root = built(&options(&workspace));
    let from_inside = built(&options(&workspace.join("app/src")));
    assert_eq!(from_root.digest, from_inside.digest);
    let mut named = options(&workspace);
    named.package = Some("app".to_owned());
    assert_eq!(built(&named).digest, from_root.digest);
    assert_eq!(
        from_inside.layout.directory(),
        workspace.join("target/wasmport/app")
    );
}

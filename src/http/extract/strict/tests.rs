use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Outer {
    inner: Inner,
    #[serde(default)]
    list_of: Vec<Inner>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    word: Option<Word>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    number: u32,
    #[serde(default)]
    flag: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Word {
    Up,
    Down,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parameters {
    limit: Option<u32>,
    dry_run: Option<bool>,
    page_token: Option<String>,
    word: Option<Word>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Nothing {}

/// What is wrong with a body, as `pointer: detail`.
fn wrong(text: &str) -> Vec<String> {
    lines(body::<Outer>(text.as_bytes()).expect_err("wrong"))
}

fn lines(errors: Vec<FieldError>) -> Vec<String> {
    let line = |error: FieldError| format!("{}: {}", error.pointer, error.detail);
    errors.into_iter().map(line).collect()
}

#[test]
fn a_good_body_is_read_whatever_the_order_of_its_members() {
    let read: Outer = body(
        br#"{"word":"up","listOf":[{"number":1}],"text":"a","inner":{"flag":true,"number":4294967295}}"#,
    )
    .expect("good");
    let inner = |number, flag| Inner { number, flag };
    let expected = Outer {
        inner: inner(u32::MAX, true),
        list_of: vec![inner(1, false)],
        text: Some("a".to_owned()),
        word: Some(Word::Up),
    };
    assert_eq!(read, expected);
}

#[test]
fn every_structure_is_an_object_however_well_an_array_would_fit() {
    assert_eq!(
        wrong(r#"[{"number":1},[],"a"]"#),
        [": must be an object, not an array"]
    );
    assert_eq!(
        wrong(r#"{"inner":[1,true]}"#),
        ["/inner: must be an object, not an array"]
    );
    assert_eq!(
        wrong(r#"{"inner":{"number":1},"listOf":[{"number":1},[2]]}"#),
        ["/listOf/1: must be an object, not an array"]
    );
    assert_eq!(wrong("\"a\""), [": must be an object, not a text"]);
    assert_eq!(wrong("null"), [": must be an object, not null"]);
}

#[test]
fn every_part_that_does_not_fit_is_told_in_one_answer() {
    assert_eq!(
        wrong(
            r#"{"text":7,"inner":{"flag":"yes"},"listOf":[{"number":-1},[],{"number":1,"flag":0}],"word":"left"}"#
        ),
        [
            "/text: must be a text, not a number",
            "/inner/flag: must be a boolean, not a text",
            "/inner: lacks the member `number`",
            "/listOf/0/number: must be a whole number that is not negative",
            "/listOf/1: must be an object, not an array",
            "/listOf/2/flag: must be a boolean, not a number",
            "/word: must be one of: up, down",
        ]
    );
    assert_eq!(
        wrong(r#"{"inner":[],"listOf":{},"texts":"a"}"#),
        [
            ": has an unknown member `texts`; known are inner, listOf, text, word",
            "/inner: must be an object, not an array",
            "/listOf: must be an array, not an object",
        ]
    );
    assert_eq!(
        lines(body::<Pair>(b"{}").expect_err("empty")),
        [": lacks the member `first`", ": lacks the member `second`"]
    );
    let told = lines(query::<Parameters>("limit=a&dryRun=b&word=c&other=1").expect_err("wrong"));
    assert_eq!(
        told.iter()
            .filter_map(|line| line.split(':').next())
            .collect::<Vec<_>>(),
        ["query", "limit", "dryRun", "word"]
    );
}

#[derive(Debug, PartialEq, Deserialize)]
struct Pair {
    first: Inner,
    second: (u32, String),
}

#[test]
fn null_is_refused_wherever_it_stands_and_told_once() {
    assert_eq!(
        wrong(r#"{"inner":null,"text":null,"word":null}"#),
        ["/inner", "/text", "/word"].map(|pointer| format!("{pointer}: {NULL}"))
    );
    assert_eq!(
        wrong(r#"{"inner":{"number":1,"flag":null},"listOf":null}"#),
        ["/inner/flag", "/listOf"].map(|pointer| format!("{pointer}: {NULL}"))
    );
}

const NULL: &str = "must not be null; leave it out to say nothing";

#[test]
fn an_unknown_member_is_told_by_its_parent_and_shown_only_if_it_is_short_and_plain() {
    let of = |name: &str| {
        let name = serde_json::to_string(name).expect("JSON");
        wrong(&format!(
            r#"{{"inner":{{"number":1,{name}:{{"x":[null,{{}}]}}}}}}"#
        ))
    };
    assert_eq!(
        of("Number-2.x"),
        ["/inner: has an unknown member `Number-2.x`; known are number, flag"]
    );
    for name in ["", "a b", "a/b", "é", "<b>", &"x".repeat(41), &"x".repeat(30_000)] {
        assert_eq!(
            of(name),
            ["/inner: has an unknown member; known are number, flag"],
            "{name}"
        );
    }
}

#[test]
fn however_many_members_are_unknown_what_is_told_of_them_stays_short() {
    let many: Vec<String> = (0..2000).map(|number| format!("\"name{number}\":1")).collect();
    let told = wrong(&format!(r#"{{"inner":{{"number":1}},{}}}"#, many.join(",")));
    assert_eq!(
        told,
        [
            ": has 2000 unknown members, such as `name0`, `name1`, `name2`; known are inner, listOf, text, word"
        ]
    );
    let entries = vec![r#"{"number":1,"x":1}"#; 2000].join(",");
    let told = wrong(&format!(r#"{{"inner":{{"number":1}},"listOf":[{entries}]}}"#));
    assert_eq!(told.len(), 20);
}

#[test]
fn a_wrong_value_is_named_by_its_pointer_and_never_quoted() {
    for (text, told) in [
        (
            r#"{"inner":{"number":"secret"}}"#,
            "/inner/number: must be a whole number that is not negative, not a text",
        ),
        (
            r#"{"inner":{"number":-1}}"#,
            "/inner/number: must be a whole number that is not negative",
        ),
        (
            r#"{"inner":{"number":1.5}}"#,
            "/inner/number: must be a whole number that is not negative, not a number",
        ),
        (
            r#"{"inner":{"number":{}}}"#,
            "/inner/number: must be a whole number that is not negative, not an object",
        ),
        (
            r#"{"inner":{"number":1},"text":7}"#,
            "/text: must be a text, not a number",
        ),
        (
            r#"{"inner":{"number":1},"word":"secret"}"#,
            "/word: must be one of: up, down",
        ),
        (
            r#"{"inner":{"number":1},"word":{"up":1}}"#,
            "/word: must be a text, not an object",
        ),
        (r#"{"inner":{}}"#, "/inner: lacks the member `number`"),
        (
            r#"{"inner":{"number":1,"number":1}}"#,
            "/inner/number: stands more than once",
        ),
        (
            r#"{"inner":{"number":1},"listOf":{}}"#,
            "/listOf: must be an array, not an object",
        ),
    ] {
        assert_eq!(wrong(text), [told], "{text}");
    }
}

#[test]
fn what_is_no_json_is_said_of_the_body_with_its_line_and_column() {
    for (text, place) in [
        ("", "it ends at line 1, column 0, before its value does"),
        ("{\n", "it ends at line 2, column 0, before its value does"),
        ("x", "see line 1, column 1"),
        ("{\"inner\":{\"number\":1}} x", "see line 1, column 24"),
        (&"[".repeat(1000), "see line 1, column 128"),
        ("{\"a\":\"\u{1}\"}", "see line 1, column 7"),
    ] {
        assert_eq!(wrong(text), [format!(": is no JSON: {place}")], "{text}");
    }
}

#[test]
fn parameters_are_read_by_the_same_rules() {
    let read: Parameters = query("limit=3&pageToken=a%20b&dryRun=true&word=down").expect("good");
    let expected = Parameters {
        limit: Some(3),
        dry_run: Some(true),
        page_token: Some("a b".to_owned()),
        word: Some(Word::Down),
    };
    assert_eq!(read, expected);
    let wrong = |text: &str| lines(query::<Parameters>(text).expect_err("wrong"));
    let number = "must be a whole number that is not negative";
    for (text, told) in [
        ("limit=many", format!("limit: {number}")),
        ("limit=-1", format!("limit: {number}")),
        ("limit=", format!("limit: {number}")),
        ("dryRun=secret", "dryRun: must be true or false".to_owned()),
        ("word=secret", "word: must be one of: up, down".to_owned()),
        ("limit=1&limit=2", "limit: stands more than once".to_owned()),
        (
            "Limit=1",
            "query: has an unknown parameter `Limit`; known are limit, dryRun, pageToken, word".to_owned(),
        ),
    ] {
        assert_eq!(wrong(text), [told], "{text}");
    }
}

#[test]
fn a_path_without_parameters_takes_none() {
    assert_eq!(query::<Nothing>(""), Ok(Nothing {}));
    assert_eq!(
        lines(query::<Nothing>("dryRun=true").expect_err("wrong")),
        ["query: has an unknown parameter `dryRun`; none is known here"]
    );
}

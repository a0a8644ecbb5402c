//! The API's description: valid, and true.

use super::{House, SCOPES, token};
use http::Method;
use roas::v3_1::spec::Spec;
use roas::validation::{Options, Validate as _};
use serde_json::{Value, json};

pub async fn document(house: &House) -> Value {
    let response = house
        .gateway
        .client()
        .get("/api/openapi.json")
        .await
        .unwrap();
    assert_eq!(response.status, 200, "it is for everybody");
    assert_eq!(response.header("content-type"), Some("application/json"));
    response.json().unwrap()
}

/// Method, path and description of each operation.
fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_ascii_uppercase().parse().unwrap();
            all.push((method, path.clone(), operation.clone()));
        }
    }
    all
}

/// Whether programs, with this scope, may call it.
fn takes(operation: &Value) -> Option<Vec<String>> {
    let all = operation["security"].as_array().unwrap();
    let scopes = all.iter().find_map(|it| it["token"].as_array())?;
    let words = scopes.iter().map(|word| word.as_str().unwrap().to_owned());
    Some(words.collect())
}

#[tokio::test]
async fn it_is_a_valid_document() {
    let house = House::new().await;
    let document = document(&house).await;
    let spec: Spec = serde_json::from_value(document.clone()).unwrap();
    let lenient = Options::IgnoreMissingTags | Options::IgnoreEmptyResponseDescription;
    if let Err(faults) = spec.validate(lenient, None) {
        panic!("{faults}");
    }
    assert_eq!(document["openapi"], "3.1.0");
    for (method, path, operation) in operations(&document) {
        assert!(path.starts_with("/api/"), "{path}");
        let said = operation["summary"].as_str().unwrap_or_default();
        assert!(!said.is_empty(), "{method} {path} has a sentence");
        assert!(operation["security"].is_array(), "{method} {path}");
        for scope in takes(&operation).into_iter().flatten() {
            assert!(SCOPES.contains(&&*scope), "{method} {path}: {scope}");
        }
    }
}

#[tokio::test]
async fn each_operation_answers_as_it_says_to_whom_it_says() {
    let house = House::new().await;
    let document = document(&house).await;
    let all = token(&house.root, &SCOPES).await;
    let none = token(&house.root, &["sandbox:open"]).await;
    let mut called = 0;
    for (method, path, operation) in operations(&document) {
        let what = format!("{method} {path}");
        let path = example(&path, &operation);
        let send = async |token: &str| {
            let request = house.ask(token, method.clone(), &path);
            let body = example_body(&document, &operation);
            let request = request.json(&body).unwrap();
            let response = request.send_streaming().await.unwrap();
            response.status().as_u16()
        };
        let status = send(&all).await;
        let responses = &operation["responses"];
        let is_described = !responses[status.to_string()].is_null()
            || status >= 400 && !responses["default"].is_null();
        match takes(&operation) {
            Some(scopes) => {
                assert!(
                    is_described,
                    "{what} says {status}: {}",
                    operation["responses"]
                );
                let fails = matches!(status, 400..=408 | 422 | 500);
                assert!(!fails, "{what} says {status} to its example");
                let lacks = !scopes.is_empty() && !scopes.contains(&"sandbox:open".to_owned());
                if lacks {
                    assert_eq!(send(&none).await, 403, "{what} without its scope");
                }
            }
            None if operation["security"] == json!([{}]) => {
                assert!(is_described, "{what} says {status}");
            }
            None => assert_eq!(status, 403, "{what} takes no token"),
        }
        called += 1;
    }
    assert!(called >= 8, "{called}");
}

/// The path with the example of each parameter.
fn example(path: &str, operation: &Value) -> String {
    let mut path = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = [
            &parameter["example"],
            &parameter["schema"]["example"],
            &parameter["schema"]["examples"][0],
        ];
        let example = example.into_iter().find(|it| !it.is_null());
        let usual = match name {
            "workspace" | "name" => "sandbox",
            "role" => "live",
            "verb" => "start",
            _ => "x",
        };
        let value = example.map_or(usual.to_owned(), |example| {
            let text = example.as_str().map(ToOwned::to_owned);
            text.unwrap_or_else(|| example.to_string())
        });
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &value);
        } else if parameter["required"] == true {
            query.push(format!("{name}={value}"));
        }
    }
    assert!(
        !path.contains('{'),
        "{path} has a parameter that is not described"
    );
    if query.is_empty() {
        path
    } else {
        format!("{path}?{}", query.join("&"))
    }
}

/// The example of the body.
fn example_body(document: &Value, operation: &Value) -> Value {
    let content = &operation["requestBody"]["content"]["application/json"];
    let mut schema = &content["schema"];
    if let Some(name) = schema["$ref"].as_str() {
        schema = document.pointer(&name[1..]).unwrap();
    }
    let example = [
        &content["example"],
        &schema["example"],
        &schema["examples"][0],
    ];
    let example = example.into_iter().find(|it| !it.is_null());
    example.cloned().unwrap_or(json!({}))
}

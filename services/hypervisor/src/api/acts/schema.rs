//! The acts that a token is good for, as the API's document has them: each with its parameters.

use super::act::Act;
use super::archives::ArchiveAct;
use super::by_token::scope_of;
use super::people::PeopleAct;
use super::workspace::WorkspaceAct;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, OneOf, Schema};
use utoipa::{PartialSchema, ToSchema};

impl PartialSchema for Act {
    fn schema() -> RefOr<Schema> {
        let kinds = [
            PeopleAct::schema(),
            ArchiveAct::schema(),
            WorkspaceAct::schema(),
        ];
        let mut acts = OneOf::new();
        acts.description = Some("An act by its name, and beside it its parameters.".to_owned());
        acts.examples = vec![json!({ "act": "promote", "workspace": "sandbox" })];
        for kind in kinds {
            if let RefOr::T(Schema::OneOf(kind)) = kind {
                let for_tokens = kind.items.into_iter().filter_map(for_tokens);
                acts.items.extend(for_tokens.map(Into::into));
            }
        }
        RefOr::T(Schema::OneOf(acts))
    }
}

impl ToSchema for Act {}

/// An act, if tokens are good for it. Its name and its parameters are one object's, for schemas
/// that each forbid more properties cannot be held together.
fn for_tokens(act: RefOr<Schema>) -> Option<Object> {
    let mut object = Object::new();
    add(&mut object, act);
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    let name = serde_json::to_value(object.properties.get("act")?).ok()?;
    scope_of(name["enum"][0].as_str()?).map(|_| object)
}

fn add(to: &mut Object, part: RefOr<Schema>) {
    match part {
        RefOr::T(Schema::Object(part)) => {
            to.properties.extend(part.properties);
            to.required.extend(part.required);
            to.description = to.description.take().or(part.description);
        }
        RefOr::T(Schema::AllOf(all)) => {
            to.description = to.description.take().or(all.description);
            all.items.into_iter().for_each(|part| add(to, part));
        }
        // One of which is there, which then none of them has to be.
        RefOr::T(Schema::OneOf(one)) => {
            for part in one.items {
                let required = to.required.clone();
                add(to, part);
                to.required = required;
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, to_value};
    use std::collections::BTreeSet;

    fn acts() -> Vec<Value> {
        let schema = to_value(Act::schema()).unwrap();
        schema["oneOf"].as_array().unwrap().clone()
    }

    fn name(act: &Value) -> &str {
        act["properties"]["act"]["enum"][0].as_str().unwrap()
    }

    #[test]
    fn every_act_that_a_token_is_good_for_is_described() {
        let described: BTreeSet<_> = acts().iter().map(|act| name(act).to_owned()).collect();
        let good = super::super::act::names().into_iter();
        let good = good.filter(|name| scope_of(name).is_some());
        assert_eq!(described, good.map(ToOwned::to_owned).collect());
        for act in acts() {
            let said = act["description"].as_str();
            assert!(said.is_some_and(|said| said.len() > 10), "{act}");
        }
    }

    #[test]
    fn the_parameters_of_each_are_those_that_it_takes() {
        for act in acts() {
            let name = name(&act);
            let mut described: BTreeSet<&str> = act["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            described.remove("act");
            // What is taken is told to whoever comes with something else.
            let mut body = json!({ "act": name, "else": 1 });
            if described.contains("workspace") && described.contains("user_id") {
                body["workspace"] = "x".into();
            }
            let refusal = from_value::<Act>(body).unwrap_err().to_string();
            for parameter in &described {
                let of_workspace = ["workspace", "user_id"].contains(parameter);
                assert!(
                    of_workspace || refusal.contains(&format!("`{parameter}`")),
                    "{name}: {refusal}"
                );
            }
            let taken = refusal.matches('`').count() / 2 - 1;
            let named = described
                .iter()
                .filter(|it| refusal.contains(&format!("`{it}`")));
            assert_eq!(taken, named.count(), "{name}: {refusal}");
            assert_eq!(act["additionalProperties"], false, "{name}");
        }
    }
}

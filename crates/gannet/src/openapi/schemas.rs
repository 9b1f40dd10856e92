//! The schemas of a document: what requests hold and what responses hold, in one table where both are alike.
//!
//! The same type may be one JSON when it is read and another when it is written: a field with a default may be missing in a request, and is there in
//! every response. So two generators make them, and what differs gets two names: `Task`, and `TaskInput` for requests.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// What schemas of the document's table are referred to by.
const TABLE: &str = "#/components/schemas/";
/// The same of those of requests, until the names are settled.
const INPUTS: &str = "#/components/inputs/";

/// Both generators.
pub(super) struct Schemas {
    input: SchemaGenerator,
    output: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Schemas {
        let settings = |path: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = path.trim_start_matches('#').trim_end_matches('/').into();
                // OpenAPI 3.1's own dialect is this one.
                settings.meta_schema = None;
            })
        };
        Schemas {
            input: settings(INPUTS).for_deserialize().into_generator(),
            output: settings(TABLE).for_serialize().into_generator(),
        }
    }

    /// Of what requests hold.
    pub(super) fn input(&mut self) -> &mut SchemaGenerator {
        &mut self.input
    }

    /// Of what responses hold.
    pub(super) fn output(&mut self) -> &mut SchemaGenerator {
        &mut self.output
    }

    /// Puts the table into a document, and has all references in it lead there.
    pub(super) fn finish(mut self, document: &mut Value) {
        let outputs = self.output.take_definitions(true);
        let inputs = self.input.take_definitions(true);
        let shared = shared(&inputs, &outputs);
        let mut names = Names::default();
        let output_names: Vec<_> = outputs.keys().map(|name| names.take(TABLE, name, "")).collect();
        let mut table: Map<String, Value> = output_names.into_iter().zip(outputs.into_values()).collect();
        for (name, schema) in inputs {
            if shared.contains(&name) {
                names.share(&name);
            } else {
                let name = names.take(INPUTS, &name, "Input");
                table.insert(name, schema);
            }
        }
        if !table.is_empty() {
            document["components"]["schemas"] = table.into();
        }
        each_reference(document, &mut |reference| {
            if let Some(name) = names.by_reference.get(&decoded(reference)) {
                *reference = format!("{TABLE}{name}");
            }
        });
    }
}

/// What schemas are called in the table.
#[derive(Default)]
struct Names {
    /// By how they are referred to while the document is made.
    by_reference: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Names {
    /// A name for a schema: its own, of characters that names may have (OpenAPI 3.1, 4.8.7), and if that is taken with something behind it.
    fn take(&mut self, prefix: &str, name: &str, suffix: &str) -> String {
        let is_fit = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        let fit: String =
            name.chars().map(|character| if is_fit(character) { character } else { '_' }).collect();
        let tries = [fit.clone(), format!("{fit}{suffix}")].into_iter();
        let mut tries = tries.chain((2..).map(|number| format!("{fit}{suffix}{number}")));
        let free = tries.find(|name| !self.taken.contains(name)).unwrap_or(fit);
        self.taken.insert(free.clone());
        self.by_reference.insert(format!("{prefix}{name}"), free.clone());
        free
    }

    /// The schema of requests of this name is that of responses.
    fn share(&mut self, name: &str) {
        if let Some(own) = self.by_reference.get(&format!("{TABLE}{name}")).cloned() {
            self.by_reference.insert(format!("{INPUTS}{name}"), own);
        }
    }
}

/// The names whose schemas are alike in both, and all that these lead to, too.
fn shared(inputs: &Map<String, Value>, outputs: &Map<String, Value>) -> BTreeSet<String> {
    let mut leads_to: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for (name, schema) in inputs {
        let (mut schema, mut references) = (schema.clone(), Vec::new());
        each_reference(&mut schema, &mut |reference| {
            if let Some(name) = decoded(reference).strip_prefix(INPUTS) {
                references.push(name.to_owned());
                *reference = reference.replacen(INPUTS, TABLE, 1);
            }
        });
        if outputs.get(name) == Some(&schema) {
            leads_to.insert(name, references);
        }
    }
    // Whoever leads to one that differs differs.
    loop {
        let differs = |(_, references): &(&&String, &Vec<String>)| {
            references.iter().any(|name| !leads_to.contains_key(name))
        };
        let Some(name) = leads_to.iter().find(differs).map(|(name, _)| *name) else { break };
        leads_to.remove(name);
    }
    leads_to.into_keys().cloned().collect()
}

/// Does something with each reference in a schema.
fn each_reference(value: &mut Value, work: &mut impl FnMut(&mut String)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "$ref" => work(reference),
                    member => each_reference(member, work),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| each_reference(member, work)),
        _ => {}
    }
}

/// A reference without the escapes of URIs and JSON Pointers (RFC 6901, 6).
fn decoded(reference: &str) -> String {
    let mut bytes = Vec::with_capacity(reference.len());
    let mut rest = reference.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%') {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &behind[2..];
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Same {
        name: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Differs {
        #[serde(default)]
        name: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct LeadsToIt {
        inner: Differs,
        same: Same,
    }

    #[derive(JsonSchema)]
    #[schemars(rename = "a/b~c d")]
    struct Odd {
        _same: Same,
    }

    /// The table, and references to a type: of requests, of responses.
    fn references<T: JsonSchema>() -> (Value, String, String) {
        let mut schemas = Schemas::new();
        let input = schemas.input().subschema_for::<T>();
        let output = schemas.output().subschema_for::<T>();
        let mut document = json!({ "components": {}, "input": input, "output": output });
        schemas.finish(&mut document);
        let reference = |name: &str| document[name]["$ref"].as_str().unwrap().to_owned();
        let (input, output) = (reference("input"), reference("output"));
        (document["components"]["schemas"].take(), input, output)
    }

    #[test]
    fn what_is_alike_in_requests_and_responses_is_there_once() {
        let (table, input, output) = references::<Same>();
        assert_eq!(
            (input.as_str(), output.as_str()),
            ("#/components/schemas/Same", "#/components/schemas/Same")
        );
        assert_eq!(table.as_object().unwrap().len(), 1);
    }

    #[test]
    fn what_differs_and_what_leads_to_it_is_there_twice() {
        let (table, input, output) = references::<LeadsToIt>();
        assert_eq!(
            (input.as_str(), output.as_str()),
            ("#/components/schemas/LeadsToItInput", "#/components/schemas/LeadsToIt")
        );
        assert_eq!(
            table.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["Differs", "DiffersInput", "LeadsToIt", "LeadsToItInput", "Same"]
        );
        let leads = |name: &str| &table[name]["properties"]["inner"]["$ref"];
        assert_eq!(leads("LeadsToIt"), "#/components/schemas/Differs");
        assert_eq!(leads("LeadsToItInput"), "#/components/schemas/DiffersInput");
        assert_eq!(table["LeadsToItInput"]["properties"]["same"]["$ref"], "#/components/schemas/Same");
        assert_eq!(table["Differs"]["required"], json!(["name"]));
        assert_eq!(table["DiffersInput"].get("required"), None);
    }

    #[test]
    fn a_name_has_only_what_names_in_a_document_may_have() {
        let (table, input, output) = references::<Odd>();
        assert_eq!((&input, input.as_str()), (&output, "#/components/schemas/a_b_c_d"));
        assert!(table.get("a_b_c_d").is_some());
    }
}

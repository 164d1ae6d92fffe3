//! Configuration in layers: the type's own defaults, then a TOML file, then the environment.
//!
//! `RESETTLE__STORE__URL` sets `store.url` for every service, `RESETTLE_API_GATEWAY__STORE__URL` for one. Any
//! value that is text (a duration is, a number is not) may be given as `{ file = "/run/secrets/…" }`, by environment
//! `RESETTLE__STORE__URL__FILE=/run/…`: the file's text, without the line end, becomes the value, and is never read as
//! anything else, so that a password of digits stays one. So `file` must not be the only key of a section.
//!
//! A key that the type does not know is an error (give the types `deny_unknown_fields` and `default`). No
//! error quotes a value: it may be a secret.

use figment::{
    Figment, Profile, Provider,
    providers::{Env, Format, Toml},
    value::{Dict, Map, Tag, Value},
};
use serde::de::DeserializeOwned;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why the configuration cannot be used. The process should end with [`crate::exit::Code::Config`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that was named cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A value's own file cannot be read.
    #[error("the file {} that holds {key} cannot be read", path.display())]
    ValueFile {
        /// Whose value it holds.
        key: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Unknown keys, missing keys, values of the wrong kind: one line each.
    #[error("the configuration is not valid:\n{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The values do not fit together, in the words of the component that refused them.
    #[error("the configuration does not fit together: {0}")]
    Check(String),
}

/// Loads the configuration of `service` (its crate name, such as `api-gateway`).
pub fn load<T: DeserializeOwned>(service: &str, file: Option<&Path>) -> Result<T, Error> {
    let mut layers = Figment::new();
    if let Some(path) = file {
        let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
        layers = layers.merge(Toml::string(&text));
    }
    let own = format!("RESETTLE_{}__", service.to_uppercase().replace('-', "_"));
    layers = layers.merge(Env::prefixed("RESETTLE__").split("__")).merge(Env::prefixed(&own).split("__"));
    extract(&layers)
}

fn extract<T: DeserializeOwned>(layers: &Figment) -> Result<T, Error> {
    let merged = layers.data().map_err(|error| invalid(&error))?;
    let mut values = merged.into_values().fold(Dict::new(), |mut all, part| {
        all.extend(part);
        all
    });
    for (key, value) in &mut values {
        read_value_files(key, value)?;
    }
    Figment::from(Values(values)).extract().map_err(|error| invalid(&error))
}

/// Replaces each `{ file = path }` by the text of that file.
fn read_value_files(key: &str, value: &mut Value) -> Result<(), Error> {
    let Value::Dict(_, dict) = value else { return Ok(()) };
    if let (1, Some(Value::String(_, path))) = (dict.len(), dict.get("file")) {
        let path = PathBuf::from(path);
        let text = fs::read_to_string(&path).map_err(|source| Error::ValueFile {
            key: key.to_owned(),
            path,
            source,
        })?;
        *value = Value::String(Tag::Default, text.trim_end_matches(['\r', '\n']).to_owned());
        return Ok(());
    }
    dict.iter_mut().try_for_each(|(name, inner)| read_value_files(&format!("{key}.{name}"), inner))
}

/// One line for each thing that is wrong. figment's own text quotes values; this one must not.
fn invalid(error: &figment::Error) -> Error {
    use figment::error::{Actual, Kind};
    let told = error.clone().into_iter().map(|one| {
        let at = if one.path.is_empty() { String::new() } else { format!("{}: ", one.path.join(".")) };
        let what = match &one.kind {
            Kind::UnknownField(name, known) => {
                format!("unknown key `{name}`, known are: {}", known.join(", "))
            }
            Kind::MissingField(name) => format!("`{name}` is missing"),
            Kind::InvalidType(Actual::Str(_), wanted) => {
                format!("expected {wanted}, not text (what stands in a file of its own is always text)")
            }
            Kind::InvalidType(_, wanted) => format!("expected {wanted}"),
            Kind::UnknownVariant(_, known) => format!("expected one of: {}", known.join(", ")),
            Kind::DuplicateField(name) => format!("`{name}` is given twice"),
            Kind::InvalidLength(length, wanted) => format!("has {length} entries, expected {wanted}"),
            _ => "the value is not of the kind that is expected here".to_owned(),
        };
        format!("  {at}{what}")
    });
    Error::Invalid(told.collect())
}

/// Merged values as a source of their own.
struct Values(Dict);

impl Provider for Values {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named("merged configuration")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "figment::Jail's closures return figment's error")]
mod tests {
    use super::*;
    use crate::Secret;
    use figment::Jail;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Config {
        listen: String,
        store: StoreOptions,
        token: Secret,
    }

    impl Default for Config {
        fn default() -> Self {
            Self { listen: "127.0.0.1:80".into(), store: StoreOptions::default(), token: Secret::default() }
        }
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct StoreOptions {
        url: String,
        connections: usize,
    }

    fn loaded() -> Result<Config, Error> {
        load("api-gateway", Some(Path::new("config.toml")))
    }

    #[test]
    fn each_layer_goes_over_the_one_below_it() {
        Jail::expect_with(|jail| {
            jail.create_file("config.toml", "[store]\nurl = 'file'\nconnections = 3\n")?;
            assert_eq!(loaded().expect("valid").store, StoreOptions { url: "file".into(), connections: 3 });
            jail.set_env("RESETTLE__STORE__URL", "shared");
            assert_eq!(loaded().expect("valid").store, StoreOptions { url: "shared".into(), connections: 3 });
            jail.set_env("RESETTLE_API_GATEWAY__STORE__URL", "own");
            jail.set_env("RESETTLE_OTHER_SERVICE__STORE__URL", "not ours");
            let config = loaded().expect("valid");
            assert_eq!(config.store, StoreOptions { url: "own".into(), connections: 3 });
            assert_eq!(config.listen, Config::default().listen);
            Ok(())
        });
    }

    #[test]
    fn unknown_keys_are_refused_wherever_they_come_from() {
        Jail::expect_with(|jail| {
            jail.create_file("config.toml", "[store]\nurll = 'typo'\n")?;
            let told = loaded().expect_err("a typo in the file").to_string();
            assert!(
                told.contains("store") && told.contains("urll") && told.contains("connections"),
                "{told}"
            );
            jail.create_file("config.toml", "")?;
            jail.set_env("RESETTLE__LISTENN", "typo");
            assert!(loaded().expect_err("a typo in the environment").to_string().contains("listenn"));
            Ok(())
        });
    }

    #[test]
    fn a_value_may_stand_in_a_file_of_its_own() {
        Jail::expect_with(|jail| {
            jail.create_file("url", "postgres://secret\n")?;
            jail.create_file("token", "s3cret")?;
            jail.create_file("config.toml", "token = { file = 'token' }\n[store]\nurl = 'over-written'\n")?;
            jail.set_env("RESETTLE__STORE__URL__FILE", "url");
            let config = loaded().expect("valid");
            assert_eq!(config.store.url, "postgres://secret");
            assert_eq!(config.token.expose(), "s3cret");
            jail.set_env("RESETTLE__STORE__URL__FILE", "nowhere");
            let error = loaded().expect_err("no such file");
            assert!(matches!(&error, Error::ValueFile { key, .. } if key == "store.url"), "{error}");
            // Text stays text: digits are a password, and no number.
            jail.create_file("url", "0123")?;
            jail.set_env("RESETTLE__STORE__URL__FILE", "url");
            assert_eq!(loaded().expect("valid").store.url, "0123");
            jail.set_env("RESETTLE__STORE__CONNECTIONS__FILE", "url");
            let told = loaded().expect_err("a number is wanted").to_string();
            assert!(told.contains("store.connections") && told.contains("always text"), "{told}");
            Ok(())
        });
    }

    #[test]
    fn no_error_and_no_debug_output_holds_a_secret() {
        Jail::expect_with(|jail| {
            jail.create_file("config.toml", "token = 'hunter2'\n")?;
            assert!(!format!("{:?}", loaded().expect("valid")).contains("hunter2"));
            // A secret in the wrong place, of the wrong kind, and in a file that is no TOML.
            for text in ["[store]\nconnections = 'hunter2'\n", "store = 'hunter2'\n", "token = [ 'hunter2'\n"]
            {
                jail.create_file("config.toml", text)?;
                let error = loaded().expect_err("not valid");
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
                assert_eq!(crate::exit::code_of(&error), crate::exit::Code::Config);
            }
            Ok(())
        });
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error() {
        let error =
            load::<Config>("api-gateway", Some(Path::new("/nowhere/config.toml"))).expect_err("no file");
        assert!(matches!(error, Error::File { .. }));
    }
}
